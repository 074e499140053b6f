# SPDX-License-Identifier: Apache-2.0
"""`notary verify`: what is printed, and which exit code says what."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from notary.core import canonical
from notary.texts import LANGUAGES, catalogue
from notary.verifier import command as verifier
from notary.verifier import files, judge
from notary.verifier.words import MAY_BE_WHOLE
from tests.core import promises
from tests.core.formats import tlog_proof
from tests.core.maker import LOG, OTHER_LEDGER, STRANGER, WITNESSES, City, Made, make, trust
from tests.vectors.generate_rows import csv_row

HOLDS, REFUSED, UNUSABLE = 0, 1, 2


class Bench:
    """A folder with a trust file, and the verifier run in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.write("trust.json", trust())

    def write(self, name: str, content: dict[str, Any] | bytes) -> Path:
        """A file, as canonical JSON or as it is."""
        path = self.folder / name
        path.write_bytes(
            content if isinstance(content, bytes) else canonical.dumps(content).encode()
        )
        return path

    def run(
        self, content: dict[str, Any] | bytes | Path, *options: str, language: str = ""
    ) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        path = content if isinstance(content, Path) else self.write("proof.json", content)
        arguments = [str(path), "--trust", str(self.folder / "trust.json"), *options]
        code = verifier.main(arguments, language)
        return code, *self.capsys.readouterr()


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    return Bench(tmp_path, capsys)


def test_a_receipt_that_holds(bench: Bench) -> None:
    """Each check made, each one that is the notary's word, each not made."""
    code, out, err = bench.run(make().receipt())
    assert (code, err) == (HOLDS, "")
    made, own, not_made = (out.index(mark) for mark in ("[x]", "[!]", "[ ]"))
    assert made < own < not_made
    assert out.count("[x]") == 6
    assert "Record 1 (counted from 0) of source s1 in dataset weather" in out
    assert "sender's time 2013-01-01T00:00:00Z, as it was sent" in out
    assert "does not say that the content is true" in out


def test_the_logs_name_and_fingerprint_are_shown_to_be_compared(bench: Bench) -> None:
    """With what the city has published elsewhere."""
    out = bench.run(make().receipt())[1]
    fingerprint = LOG.verifier.fingerprint
    assert " ".join(fingerprint[at : at + 8] for at in range(0, 64, 8)) in out
    assert "Log notary.example/log of City of Example" in out
    assert "published elsewhere" in out


def test_the_file_ledger_is_never_counted_as_a_confirmation(bench: Bench) -> None:
    """It is among what only the notary says, in both languages."""
    for language, sentence in (
        ("en", "no outside party has confirmed it"),
        ("zh", "没有外部机构确认"),
    ):
        out = bench.run(make().receipt(), "--lang", language)[1]
        line = next(line for line in out.splitlines() if sentence in line)
        assert line.startswith("  [!]")


def test_what_no_witness_confirmed_is_said_to_be_the_notarys_word(bench: Bench) -> None:
    """A witness's time bounds it: received no later than that, and the notary's own fits."""
    assert "is the notary's own word: no witness has signed" in bench.run(make().receipt())[1]
    out = bench.run(make().receipt(witnesses=WITNESSES[:1]))[1]
    assert "Received no later than 2026-11-24T08:01:12.000000Z: by then" in out
    late = make().receipt(witnesses=WITNESSES[:1], time=1_900_000_000)
    assert "is too far from it to bear it out" in bench.run(late)[1]


def test_the_payload_that_one_holds(bench: Bench) -> None:
    """Matches, or not."""
    payload = bench.write("payload", b'{"t":0}')
    code, out, _ = bench.run(make().receipt(), "--payload", str(payload))
    assert code == HOLDS
    assert "The content that you hold (7 bytes) is the one that was notarised." in out
    payload.write_bytes(b'{"t":1}')
    code, out, err = bench.run(make().receipt(), "--payload", str(payload))
    assert (code, out) == (REFUSED, "")
    assert err.startswith(
        "REFUSED. The content is not the one that was notarised. The proof itself"
    )
    assert f"holds. It is the file {payload} that is not what it is about." in err


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("acl", "access list"),
        ("none", "unknown"),
        ("key:k1", "signed with the device's key k1"),
        ("bad-signature:k1", "its signature does not hold under key k1"),
        ("api:office", "the holder of API key office"),
    ],
)
def test_who_handed_it_in(bench: Bench, by: str, words: str) -> None:
    """As far as it is known."""
    city = make()
    city.accept("s1", b"{}", by=by)
    city.seal()
    assert words in bench.run(city.receipt("s1", 6))[1]


def test_times_in_a_zone_beside_utc(bench: Bench) -> None:
    """The record's, the ledger's; the sender's stays as it was sent."""
    out = bench.run(make().receipt(), "--timezone", "Asia/Shanghai")[1]
    assert "2026-11-24T08:00:03.000000Z = 2026-11-24T16:00:03+08:00 Asia/Shanghai" in out
    assert "2026-11-24T08:02:12.000000Z = 2026-11-24T16:02:12+08:00 Asia/Shanghai" in out
    assert "2013-01-01T00:00:00Z, as" in out


def test_a_time_at_the_end_of_the_calendar_has_no_other_zone(bench: Bench) -> None:
    """It is shown in UTC alone."""
    window = make().window(
        {
            "by": "received",
            "from": "0001-01-01T00:00:00.000000Z",
            "to": "9999-12-31T23:59:59.999999Z",
        }
    )
    code, out, _ = bench.run(window, "--timezone", "Asia/Shanghai")
    assert code == HOLDS
    assert "to before 9999-12-31T23:59:59.999999Z)" in out


def test_a_window_that_holds(bench: Bench) -> None:
    """Its span, and that the end is open where it is."""
    code, out, _ = bench.run(make().window({"by": "n", "from": 0, "to": 6}))
    assert code == HOLDS
    assert "all records 0 to 5 of source s1 in dataset weather, chain 0: 6 in number" in out
    assert "Records 0 to 5 (counted from 0) of source s1 in dataset weather. The receipt" in out
    assert "the end of what was asked for is open" not in out
    out = bench.run(make().window({"by": "n", "from": 0, "to": 7}))[1]
    assert "the end of what was asked for is open" in out


def test_a_window_with_a_record_left_out(bench: Bench) -> None:
    """Is refused."""
    window = make().window({"by": "n", "from": 0, "to": 6})
    del window["rest"][2]
    code, out, err = bench.run(window)
    assert (code, out) == (REFUSED, "")
    assert "Records were left out, changed, moved or doubled" in err


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_verdict_as_json(bench: Bench, language: str) -> None:
    """For programs: the same checks, codes instead of sentences."""
    code, out, _ = bench.run(make().receipt(), "--json", "--lang", language)
    verdict = json.loads(out)
    assert (code, verdict["holds"], verdict["kind"]) == (HOLDS, True, "record")
    assert verdict["checks"][0]["code"] == "statement"
    window = make().window({"by": "n", "from": 0, "to": 6})
    assert json.loads(bench.run(window, "--json")[1])["asked_count"] == 6
    window["rest"].reverse()
    code, out, err = bench.run(window, "--json", "--lang", language)
    refusal = json.loads(out)
    assert (code, err, refusal["holds"]) == (REFUSED, "", False)
    assert refusal["code"] == "malformed-window.broken-chain"


def test_the_language_of_the_environment(bench: Bench) -> None:
    """`--lang` goes before LANG."""
    assert bench.run(make().receipt(), language="zh_CN.UTF-8")[1].startswith("成立。")
    assert bench.run(make().receipt(), "--lang", "en", language="zh")[1].startswith("HOLDS.")


def test_every_verdict_can_be_read_in_both_languages(bench: Bench) -> None:
    """No code, no brace and no dash stands where a fact belongs."""
    file = json.loads((Path(__file__).parent / "vectors" / "receipts.json").read_text("utf-8"))
    for case in file["cases"]:
        if case["wantErr"] is not None:
            continue
        bench.write("trust.json", file["trusts"][case["trust"]].encode())
        for language in LANGUAGES:
            out = bench.run(case["receipt"].encode(), "--lang", language)[1]
            shown = [line for line in out.splitlines() if line.startswith("  [")]
            assert shown
            for line in shown:
                assert " - " not in line
                assert "check." not in line
                assert "{" not in line
                assert "None" not in line


def test_every_refusal_can_be_read_in_both_languages(bench: Bench) -> None:
    """One sentence, never a traceback, never a bare code."""
    file = json.loads((Path(__file__).parent / "vectors" / "receipts.json").read_text("utf-8"))
    for case in file["cases"]:
        if case["wantErr"] is None or "payload" in case:
            continue
        bench.write("trust.json", file["trusts"][case["trust"]].encode())
        for language in LANGUAGES:
            code, out, err = bench.run(case["receipt"].encode(), "--lang", language)
            assert code in (REFUSED, UNUSABLE)
            assert out == ""
            assert err.count("\n") == 1
            assert "error." not in err


def test_control_characters_of_a_receipt_never_reach_the_terminal(bench: Bench) -> None:
    """Nor what turns text around; they are shown as escapes."""
    city = make()
    city.accept("s1", b"{}", observed="a\u009b2J\u202eb", key="\u2066c\u200b")
    city.seal()
    out = bench.run(city.receipt("s1", 6))[1]
    assert "a\\x9b2J\\u202eb" in out
    assert "\\u2066c\\u200b" in out
    assert all(char.isprintable() or char == "\n" for char in out)


def test_a_name_in_chinese_is_shown_as_it_is(bench: Bench) -> None:
    """Escapes are for what steers."""
    bench.write("trust.json", trust(name="示范市"))
    assert "示范市" in bench.run(make().receipt())[1]


UNUSABLE_FILES = {
    "empty": (b"", "neither a receipt nor a window"),
    "text": (b"hello", "neither a receipt nor a window"),
    "a list": (b"[]", "neither a receipt nor a window"),
    "other JSON": (b'{"v":"invoice/1"}', "neither a receipt nor a window"),
    "deep": (b"[" * 200_000, "neither a receipt nor a window"),
    "a long number": (b"9" * 5000, "neither a receipt nor a window"),
    "a byte order mark": ("\ufeff{}".encode(), "neither a receipt nor a window"),
    "not UTF-8": (b"\xff\xfe{}", "is not UTF-8 text"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00", "is not UTF-8 text"),
}


@pytest.mark.parametrize("name", UNUSABLE_FILES)
def test_a_file_that_cannot_be_used(bench: Bench, name: str) -> None:
    """Exit 2 and one sentence."""
    content, sentence = UNUSABLE_FILES[name]
    code, out, err = bench.run(content)
    assert (code, out) == (UNUSABLE, "")
    assert err.startswith("Can't be checked. ")
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["missing.json", "", ".", "a\x00b", "x" * 5000])
@pytest.mark.parametrize("place", ["receipt", "trust", "payload"])
def test_a_file_that_cannot_be_read(bench: Bench, name: str, place: str) -> None:
    """Missing, a folder, no name of a file: exit 2 and one sentence."""
    files = {
        "receipt": str(bench.write("proof.json", make().receipt())),
        "trust": str(bench.folder / "trust.json"),
        "payload": str(bench.write("payload", b"{}")),
    }
    files[place] = str(bench.folder / name) if name != "a\x00b" else name
    arguments = [files["receipt"], "--trust", files["trust"], "--payload", files["payload"]]
    code = verifier.main(arguments)
    out, err = bench.capsys.readouterr()
    assert (code, out) == (UNUSABLE, "")
    assert err.count("\n") == 1


def test_a_damaged_receipt_is_refused_and_not_unusable(bench: Bench) -> None:
    """It is a receipt, and it doesn't hold."""
    text = canonical.dumps(make().receipt())
    indented = json.dumps(make().receipt(), indent=2).encode()
    code, _, err = bench.run(indented)
    assert code == REFUSED
    assert "a program has reformatted it" in err
    assert bench.run(text.replace('"path"', '"way"', 1).encode())[0] == REFUSED
    assert bench.run((text + "\n").encode())[0] == HOLDS


def test_files_that_are_too_large(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits made small: exit 2 and one sentence."""
    content = canonical.dumps(make().receipt()).encode()
    for module, limit in (
        (verifier, "MAX_WINDOW_BYTES"),
        (files, "MAX_RECEIPT_BYTES"),
        (verifier, "MAX_TRUST_BYTES"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, limit, 500)
            code, _, err = bench.run(content)
        assert code == UNUSABLE
        assert "is larger than 500 bytes" in err


def test_a_file_that_does_not_fit_into_memory(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2 and one sentence."""

    def too_much(*_: object) -> object:
        raise MemoryError

    monkeypatch.setattr(judge, "verify_receipt", too_much)
    code, out, err = bench.run(make().receipt())
    assert (code, out) == (UNUSABLE, "")
    assert "not enough memory" in err


def test_a_trust_file_that_cannot_be_used(bench: Bench) -> None:
    """Is unusable input, whatever the receipt is."""
    receipt = bench.write("proof.json", make().receipt())
    for content, sentence in (
        (b"{}", "The trust file can't be used"),
        (json.dumps(trust(), indent=1).encode(), "a program has reformatted it"),
        (canonical.dumps(trust(quorum=9)).encode(), "The quorum is larger"),
        (b"\xff", "is not UTF-8 text"),
    ):
        bench.write("trust.json", content)
        code, out, err = bench.run(receipt)
        assert (code, out) == (UNUSABLE, "")
        assert sentence in err


def test_an_unknown_zone_and_a_payload_that_is_no_windows(bench: Bench) -> None:
    """What was asked can't be done, so it is said and nothing is verified."""
    for zone in ("Mars/Olympus", "../../etc/passwd", "", "\x00"):
        code, out, err = bench.run(make().receipt(), "--timezone", zone)
        assert (code, out) == (UNUSABLE, "")
        assert "--timezone" in err
    payload = bench.write("payload", b"{}")
    window = make().window({"by": "n", "from": 0, "to": 6})
    code, _, err = bench.run(window, "--payload", str(payload))
    assert code == UNUSABLE
    assert "line 1 of" in err.lower()


@pytest.mark.parametrize(
    "arguments", [[], ["receipt"], ["--trust", "t"], ["r", "--trust", "t", "--x"]]
)
def test_missing_and_unknown_arguments(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2 and how it is used."""
    with pytest.raises(SystemExit) as caught:
        verifier.main(arguments)
    assert caught.value.code == UNUSABLE
    assert "usage: notary verify" in capsys.readouterr().err


def test_a_receipt_without_the_required_witnesses(bench: Bench) -> None:
    """Says how many are missing."""
    bench.write("trust.json", trust(quorum=2))
    code, _, err = bench.run(make().receipt(witnesses=[WITNESSES[0], STRANGER]))
    assert code == REFUSED
    assert "Of the required 2 witnesses only 1 have signed" in err


def acceptance_of(city: City, made: list[Made], at: int = 0, **more: Any) -> dict[str, Any]:
    """An acceptance; the bench's trust file must list its key."""
    return promises.acceptance(city, made, at, **more)


@pytest.fixture
def promised(bench: Bench) -> Bench:
    """With a trust file that lists an acceptance key."""
    bench.write("trust.json", promises.trusting())
    return bench


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_acceptance_holds_as_a_promise(promised: Bench, language: str) -> None:
    """By when, by which key; and that it is in the log is not checked."""
    city, made = promises.segment()
    code, out, err = promised.run(acceptance_of(city, made, 2), "--lang", language)
    assert (code, err) == (HOLDS, "")
    assert (out.count("[x]"), out.count("[!]"), out.count("[ ]")) == (2, 1, 2)
    assert "2026-11-24T09:00:05.000000Z" in out
    fingerprint = promises.KEY.verifier.fingerprint
    assert " ".join(fingerprint[at : at + 8] for at in range(0, 64, 8)) in out
    assert {"en": "as a promise", "zh": "作为承诺"}[language] in out.splitlines()[0]


def test_an_acceptance_as_json(promised: Bench) -> None:
    """With its kind and what was not checked."""
    city, made = promises.segment()
    told = json.loads(promised.run(acceptance_of(city, made), "--json")[1])
    assert (told["holds"], told["kind"]) == (True, "acceptance")
    assert "against" not in told


def test_the_content_can_be_held_against_an_acceptance(promised: Bench) -> None:
    """It is the one that was accepted, or not."""
    city, made = promises.segment(is_open=False)
    what = acceptance_of(city, made, 2)
    mine, other = (promised.write(f"p{at}", made[at].payload) for at in (2, 3))
    assert promised.run(what, "--payload", str(mine))[0] == HOLDS
    code, _, err = promised.run(what, "--payload", str(other))
    assert (code, "not the one" in err) == (REFUSED, True)


def test_an_acceptance_needs_a_key_in_the_trust_file(bench: Bench) -> None:
    """Else the sentence says where to get one."""
    city, made = promises.segment()
    code, _, err = bench.run(acceptance_of(city, made))
    assert (code, "lists no key for acceptances" in err) == (REFUSED, True)


def test_a_damaged_acceptance_is_refused_and_no_traceback(promised: Bench) -> None:
    """Reformatted, and with another word in it."""
    city, made = promises.segment()
    text = canonical.dumps(acceptance_of(city, made))
    pretty = json.dumps(json.loads(text), indent=1).encode()
    code, _, err = promised.run(pretty)
    assert (code, "reformatted" in err) == (REFUSED, True)
    code, _, err = promised.run(text.replace("weather", "weathor").encode())
    assert (code, "changed" in err) == (REFUSED, True)


def test_an_acceptance_is_held_against_a_receipt(promised: Bench) -> None:
    """Kept, or proof of misconduct with exit code 1, in words and as JSON."""
    city, made = promises.segment()
    what = acceptance_of(city, made, 2)
    city.seal()
    good = promised.write("receipt.json", city.receipt("s1", 1))
    code, out, _ = promised.run(what, "--against", str(good))
    assert (code, "The promise was kept" in out) == (HOLDS, True)
    other, others = promises.segment()
    other.records["s1"][1:] = []
    other.accept("s1", b"another")
    other.seal()
    bad = promised.write("other.json", other.receipt("s1", 1))
    code, out, _ = promised.run(what, "--against", str(bad))
    assert (code, "MISCONDUCT" in out) == (REFUSED, True)
    code, out, _ = promised.run(what, "--against", str(bad), "--json")
    told = json.loads(out)
    assert (code, told["holds"], told["against"]["kind"]) == (REFUSED, True, "other-record")
    assert told["against"]["is_misconduct"] is True
    assert len(others) == 5


def test_two_acceptances_are_held_against_each_other(promised: Bench) -> None:
    """Two records for one place are proof."""
    city, made = promises.segment()
    other, _ = promises.segment()
    other.records["s1"] = []
    forked = [other.accept("s1", b"another")]
    pair = promised.write("other.json", acceptance_of(other, forked))
    code, out, _ = promised.run(acceptance_of(city, made), "--against", str(pair))
    assert (code, "two different records" in out) == (REFUSED, True)
    code, out, _ = promised.run(acceptance_of(city, made, 4), "--against", str(pair))
    assert (code, "nothing about each other" in out) == (HOLDS, True)


def test_only_an_acceptance_is_held_against_something(promised: Bench) -> None:
    """A receipt against a receipt, an acceptance against a window: not of use."""
    city = make()
    receipt = promised.write("receipt.json", city.receipt())
    assert promised.run(city.receipt(), "--against", str(receipt))[0] == UNUSABLE
    window = promised.write("window.json", city.window({"by": "n", "from": 0, "to": 2}))
    what = acceptance_of(*promises.segment())
    code, _, err = promised.run(what, "--against", str(window))
    assert (code, "--against takes" in err) == (UNUSABLE, True)


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
def test_a_file_is_verified_piece_by_piece(
    bench: Bench, is_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Larger than a piece, and than the limit of what is read whole; a flipped bit is found."""
    content = bytes(range(256)) * 9000
    city = make(is_open)
    city.seal_version([], content)
    receipt = city.file_receipt(3)
    monkeypatch.setattr(verifier, "MAX_PAYLOAD_BYTES", 1000)
    file = bench.write("table.bin", content)
    code, out, _ = bench.run(receipt, "--payload", str(file))
    assert code == HOLDS
    assert str(len(content)) in out.replace(",", "")
    for other in (content[:-1], content + b"x", content[:9] + b"x" + content[10:], b""):
        code, _, err = bench.run(receipt, "--payload", str(bench.write("other.bin", other)))
        assert code == REFUSED
        assert "not the one that was notarised" in err


@pytest.mark.parametrize("name", ["missing.bin", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_unusable(bench: Bench, name: str) -> None:
    """One sentence, also where it is read in pieces."""
    city = make()
    city.seal_version([], b"x")
    receipt = city.file_receipt(3)
    code, _, err = bench.run(receipt, "--payload", str(bench.folder / name))
    assert code == UNUSABLE
    assert len(err.splitlines()) == 1


def test_a_table_that_was_saved_again_is_told_to_be_one(bench: Bench) -> None:
    """Refused all the same: what was notarised are the bytes. A changed cell is no such case."""
    table, city = b"id,name\r\n1,a\r\n", make()
    city.seal_version([csv_row("id", "name"), csv_row("1", "a")], table)
    receipt = city.file_receipt(3)
    for saved, words in (
        (table.replace(b"\r", b""), "saved again"),
        (b"\xef\xbb\xbf" + table, "saved again"),
        (table.replace(b"a\r", b"b\r"), "not the one that was notarised"),
    ):
        file = bench.write("table.csv", saved)
        code, out, err = bench.run(receipt, "--payload", str(file))
        assert (code, out) == (REFUSED, "")
        assert words in err
    code, out, _ = bench.run(
        receipt, "--payload", str(bench.write("table.csv", table[:-2])), "--json"
    )
    assert json.loads(out)["code"] == "payload-mismatch.resaved"
    receipt["log"]["index"] += 1
    code, _, err = bench.run(receipt, "--payload", str(bench.folder / "table.csv"))
    assert code == REFUSED
    assert "saved again" not in err


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
def test_what_was_done_to_a_copy_is_said_in_words(
    bench: Bench, is_open: bool, language: str
) -> None:
    """Of a record, a payload beside a window, an acceptance, and a receipt in another form."""
    payload = "温度,25\r\n".encode()
    city = City(is_open=is_open)
    made = [city.accept("s1", payload) for _ in range(3)]
    city.seal()
    copy = bench.write("copy.csv", payload.decode().replace("\r", "").encode("gb18030"))
    receipt = city.receipt("s1", 1)
    window = city.window({"by": "n", "from": 0, "to": 3})
    payloads = [(item.salt, item.payload) for item in made]
    payloads[1] = (made[1].salt, copy.read_bytes())
    lines = bench.write("lines.ndjson", beside(payloads))
    bench.write("trust.json", trust(keys=[promises.ACCEPTANCE_KEY]))
    words = [catalogue(language)[f"resaved.{word}"] for word in ("gb18030", "lines-were-crlf")]
    for proof, held in (
        (receipt, copy),
        (tlog_proof(receipt).encode(), copy),
        (promises.acceptance(city, made, 1), copy),
        (window, lines),
    ):
        code, out, err = bench.run(proof, "--payload", str(held), language=language)
        assert (code, out) == (REFUSED, "")
        assert ", ".join(words) in err


def beside(payloads: list[tuple[bytes | None, bytes]]) -> bytes:
    """The lines of payloads beside a window."""
    lines = []
    for n, (salt, payload) in enumerate(payloads):
        members: dict[str, Any] = {"n": n, "payload": base64.b64encode(payload).decode()}
        lines.append(members if salt is None else members | {"salt": salt.hex()})
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"by": "n", "from": 0, "to": 6}, "HOLDS. From record 0 to 5 nothing is missing. "),
        ({"by": "n", "from": 0, "to": 7}, "HOLDS, as far as record 5. "),
        (
            {"by": "observed", "from": "2013-01-01T00:00:00Z", "to": "2014-01-01T00:00:00Z"},
            "HOLDS for the records carried. ",
        ),
    ],
    ids=["closed", "open end", "by the sender's time"],
)
def test_a_window_claims_no_more_than_it_shows(
    bench: Bench, asked: dict[str, Any], said: str
) -> None:
    """What is not shown of the span that was asked for stands in the first sentence."""
    out = bench.run(make().window(asked))[1]
    assert out.startswith(said)
    assert ("is NOT shown" in out.splitlines()[0]) == (not said.startswith("HOLDS. "))
    assert "It says nothing of other records" not in out


def test_a_record_says_nothing_of_others(bench: Bench) -> None:
    """And its verdict says so; a version has no neighbours to leave out."""
    assert "It says nothing of other records" in bench.run(make().receipt())[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_says_which_of_the_files_is_another(bench: Bench, language: str) -> None:
    """The receipt or the copy; of a window which record, or that there are too few."""
    city = City()
    made = [city.accept("s1", b'{"t":1}') for _ in range(3)]
    city.seal()
    right = [(item.salt, item.payload) for item in made]
    copy = bench.write("copy.json", b'{"t":2}')
    wrong = bench.write("wrong.ndjson", beside([right[0], (None, b"{}"), right[2]]))
    few = bench.write("few.ndjson", beside(right[:2]))
    receipt, window = city.receipt("s1", 1), city.window({"by": "n", "from": 0, "to": 3})
    inside = {**receipt, "payload": base64.b64encode(b'{"t":2}').decode()}
    changed = {**receipt, "statement": receipt["statement"].replace("s1", "s2")}
    for proof, held, of, more in (
        (receipt, copy, "file", {}),
        (window, wrong, "record", {"n": 1}),
        (window, few, "count", {}),
        (inside, None, "proof", {}),
        (inside, copy, "proof", {}),
        (changed, copy, "proof", {}),
    ):
        beside_it = () if held is None else ("--payload", str(held))
        code, _, err = bench.run(proof, *beside_it, language=language)
        said = catalogue(language)[f"verify.refused-of.{of}"]
        facts = {"proof": str(bench.folder / "proof.json"), "path": str(held), **more}
        assert (code, said.format(**facts) in err) == (REFUSED, True), (of, err)


def test_a_receipt_that_lacks_its_witnesses_is_not_called_damaged(bench: Bench) -> None:
    """It may be as the notary made it."""
    bench.write("trust.json", trust(quorum=1))
    code, _, err = bench.run(make().receipt())
    assert (code, "was changed or damaged" in err) == (REFUSED, False)


@pytest.mark.parametrize("reason", ["ledger-evidence", "ledger-kind"])
def test_a_receipt_that_goes_with_another_trust_file_is_not_called_damaged(
    bench: Bench, reason: str
) -> None:
    """A ledger got another key, or its name another kind: either file may be the old one."""
    (ledger,) = trust()["ledgers"]
    other = {
        "ledger-evidence": {"key": OTHER_LEDGER.verifier.vkey},
        "ledger-kind": {"kind": "evm"},
    }[reason]
    bench.write("trust.json", trust(ledgers=[ledger | other]))
    city = make()
    receipt = city.receipt("s1", 1) | {"anchors": [city.anchor(0)]}
    code, _, err = bench.run(receipt)
    assert (code, "was changed or damaged" in err) == (REFUSED, False)
    assert "older or newer trust file" in err


def test_the_page_calls_the_same_refusals_damage() -> None:
    """Both ways of verifying say the same of a file."""
    script = (Path(verifier.__file__).parents[1] / "web/static/verify_title.js").read_text()
    listed = script.split("MAY_BE_WHOLE = new Set([")[1].split("])")[0]
    assert {line.strip(' ",') for line in listed.split()} == MAY_BE_WHOLE
