# SPDX-License-Identifier: Apache-2.0
"""`notary verify` with what its user remembers, with a monitor's report, and of forks."""

import json
from pathlib import Path
from typing import Any

import pytest

from notary.core import canonical
from notary.core.fork import verify_fork
from notary.core.monitor_report import format_report
from notary.core.trust import format_trust
from notary.remembered import checkpoint_in, keep_fork
from notary.texts import LANGUAGES
from tests.core.growing import consistency, fork, honest, liar
from tests.core.maker import LOG, OTHER_LOG, City, trust
from tests.core.test_remembering import report
from tests.test_verifier import HOLDS, REFUSED, UNUSABLE, Bench, bench

__all__ = ["bench"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are written without a name lie in the folder where one works."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)


def receipt(city: City, size: int) -> dict[str, Any]:
    """Of a record in the third batch."""
    return city.receipt("s1", 4, size=size)


def kept(bench: Bench, content: str, name: str = "old.txt") -> str:
    """A file that somebody kept."""
    return str(bench.write(name, content.encode()))


def forms(city: City, size: int) -> dict[str, str]:
    """All in which a checkpoint is remembered."""
    window = city.window({"by": "n", "from": 0, "to": 1}, 0, 0, size=size)
    note = city.checkpoint(size)
    return {
        "the note": note,
        "a receipt": canonical.dumps(city.receipt("s1", 0, size=size)),
        "a window": canonical.dumps(window),
        "a consistency proof": canonical.dumps(consistency(city, 1, size)),
        "a monitor's report": format_report(report(city, size)),
        "a tlog-proof": f"c2sp.org/tlog-proof@v1\nindex 0\n\n{note}",
    }


@pytest.mark.parametrize("form", forms(honest(), 3))
def test_the_log_only_grew_since_what_is_remembered(bench: Bench, form: str) -> None:
    """Whatever holds the older checkpoint; with the proof between the two."""
    city = honest()
    proof = kept(bench, canonical.dumps(consistency(city, 3, 5)), "proof.txt")
    old = kept(bench, forms(city, 3)[form])
    code, out, err = bench.run(receipt(city, 5), "--since", old, "--consistency", proof)
    assert (code, err) == (HOLDS, "")
    line = next(line for line in out.splitlines() if "only grew since" in line)
    assert line.startswith("  [x]")
    assert "3 entries that you remember; this one has 5" in line


def test_without_the_proof_it_says_what_to_ask_for(bench: Bench) -> None:
    """Older or newer: the address names the smaller size first."""
    city = honest()
    for mine, theirs in ((3, 5), (5, 3)):
        old = kept(bench, city.checkpoint(mine))
        code, out, _ = bench.run(receipt(city, theirs), "--since", old)
        assert code == HOLDS
        line = next(line for line in out.splitlines() if "/v1/log/consistency?from=3&to=5" in line)
        assert line.startswith("  [ ]")


def test_what_is_remembered_may_be_newer_or_the_same(bench: Bench) -> None:
    """With a proof, or without."""
    city = honest()
    proof = kept(bench, canonical.dumps(consistency(city, 3, 5)), "proof.txt")
    old = kept(bench, city.checkpoint(5))
    out = bench.run(receipt(city, 3), "--since", old, "--consistency", proof)[1]
    assert "5 entries that you remember is newer than this one of 3" in out
    out = bench.run(receipt(city, 5), "--since", old)[1]
    assert "the very one that you remember, of 5 entries" in out


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_contradiction_is_misconduct_and_leaves_its_proof(bench: Bench, language: str) -> None:
    """In a file that anybody can check alone, by this very program."""
    old = kept(bench, liar(2).checkpoint(5))
    code, out, err = bench.run(receipt(honest(), 5), "--since", old, "--lang", language)
    assert (code, out) == (REFUSED, "")
    (file,) = Path().glob("fork-*.json")
    assert str(file) in err
    assert err.startswith("MISCONDUCT." if language == "en" else "不当行为。")
    code, out, err = bench.run(file, "--lang", language)
    assert (code, err) == (HOLDS, "")
    said = "MISCONDUCT OF THE LOG IS PROVED" if language == "en" else "已证明日志有不当行为"
    assert said in out.splitlines()[0]
    assert LOG.verifier.fingerprint[:8] in out


def test_the_proof_goes_where_it_is_wanted(bench: Bench) -> None:
    """Nothing that lies there already is written over; the same proof is written once."""
    city = honest()
    proof = kept(bench, canonical.dumps(consistency(city, 3, 5)), "proof.txt")
    old = kept(bench, liar(2).checkpoint(3))
    wanted = bench.folder / "evidence.json"
    options = ("--since", old, "--consistency", proof, "--fork-file", str(wanted))
    for _ in range(2):
        code, _, err = bench.run(receipt(city, 5), *options)
        assert code == REFUSED
        assert str(wanted) in err
    assert verify_fork(wanted.read_text(), format_trust(trust())).kind == "fork"
    assert list(Path().iterdir()) == []
    wanted.write_text("something else")
    err = bench.run(receipt(city, 5), *options)[2]
    assert wanted.read_text() == "something else"
    (file,) = Path().glob("fork-*.json")
    assert str(file) in err


def test_a_proof_that_can_t_be_written_is_printed(bench: Bench) -> None:
    """It is never lost."""
    old = kept(bench, liar(2).checkpoint(5))
    for name in ("missing/fork.json", "a\x00b"):
        code, out, err = bench.run(receipt(honest(), 5), "--since", old, "--fork-file", name)
        assert code == REFUSED
        assert verify_fork(out, format_trust(trust())).kind == "fork"
        assert "printed instead" in err


def test_the_verdict_for_programs(bench: Bench) -> None:
    """What is beside the proof stands beside it; a fork comes whole."""
    city = honest()
    old = kept(bench, city.checkpoint(5))
    told = json.loads(bench.run(receipt(city, 5), "--since", old, "--json")[1])
    assert [check["code"] for check in told["beside"]] == ["since"]
    old = kept(bench, liar(2).checkpoint(5))
    code, out, err = bench.run(receipt(city, 5), "--since", old, "--json")
    told = json.loads(out)
    assert (code, err, told["holds"], told["code"]) == (REFUSED, "", False, "log-forked")
    assert verify_fork(canonical.dumps(told["fork"]), format_trust(trust())).kind == "fork"
    assert Path(told["fork_file"]).exists()


def test_a_consistency_proof_is_verified_by_itself(bench: Bench) -> None:
    """It says from where to where; one that contradicts itself leaves the proof of that."""
    code, out, _ = bench.run(consistency(honest(), 3, 5))
    assert code == HOLDS
    assert out.startswith("HOLDS. The log only grew")
    assert "From 3 to 5 entries" in out
    assert "others are shown the same log" in out
    assert bench.run(consistency(honest(), 3, 5, of=liar(2)))[0] == REFUSED
    assert len(list(Path().glob("fork-*.json"))) == 1


def test_a_fork_that_proves_nothing_is_refused(bench: Bench) -> None:
    """And an honest log is not accused by its file."""
    code, out, err = bench.run(fork(honest(), honest(), 3, 5))
    assert (code, out) == (REFUSED, "")
    assert err.startswith("REFUSED. The file proves no misconduct")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "hello",
        "{}",
        '{"v":"receipt/1"}',
        '{"v":"receipt/1","checkpoint":5}',
        '{"v":["receipt/1"]}',
        '{"v":"window/1","receipt":[]}',
        "{" * 100_000,
        "c2sp.org/tlog-proof@v1\n",
        honest().checkpoint(3, log=[OTHER_LOG]),
        honest().checkpoint(3)[:-1],
    ],
)
def test_what_is_no_memory_of_this_log_can_t_be_used(bench: Bench, content: str) -> None:
    """Exit 2 and one sentence: the receipt itself is not refused for it."""
    old = kept(bench, content)
    code, out, err = bench.run(receipt(honest(), 5), "--since", old)
    assert (code, out) == (UNUSABLE, "")
    assert err.startswith("Can't be checked. What you remember")
    assert err.count("\n") == 1


@pytest.mark.parametrize("option", ["--consistency", "--monitor"])
@pytest.mark.parametrize("content", ["", "hello", "{}", honest().checkpoint(3)])
def test_a_file_beside_the_proof_that_can_t_be_used(
    bench: Bench, option: str, content: str
) -> None:
    """Exit 2 and one sentence that names it: the receipt is not refused for it."""
    old = kept(bench, honest().checkpoint(3))
    file = kept(bench, content, "beside.txt")
    code, out, err = bench.run(receipt(honest(), 5), "--since", old, option, file)
    assert (code, out) == (UNUSABLE, "")
    assert "beside.txt" in err
    assert err.count("\n") == 1


def test_a_proof_or_a_report_of_another_log_can_t_be_used(bench: Bench) -> None:
    """Whoever signed it."""
    city = honest()
    old = kept(bench, city.checkpoint(3))
    other = city.checkpoint(5, log=[OTHER_LOG])
    for option, content in (
        ("--consistency", canonical.dumps(consistency(city, 3, 5, log=[OTHER_LOG]))),
        ("--monitor", format_report(report(city, 5, checkpoint=other))),
    ):
        file = kept(bench, content, "beside.txt")
        assert bench.run(receipt(city, 5), "--since", old, option, file)[0] == UNUSABLE


def test_a_proof_of_growth_between_nothing_can_t_be_used(bench: Bench) -> None:
    """It says nothing of a receipt alone, and nothing is passed over."""
    proof = kept(bench, canonical.dumps(consistency(honest(), 3, 5)), "proof.txt")
    code, _, err = bench.run(receipt(honest(), 5), "--consistency", proof)
    assert (code, "--consistency goes with" in err) == (UNUSABLE, True)


def test_a_proof_that_leads_nowhere_is_refused(bench: Bench) -> None:
    """Both states are signed and the path isn't one: exit 1, and nobody is accused."""
    city = honest()
    wrong = {**consistency(city, 3, 5), "path": consistency(city, 3, 6)["path"]}
    proof = kept(bench, canonical.dumps(wrong), "proof.txt")
    old = kept(bench, city.checkpoint(3))
    code, out, _ = bench.run(receipt(city, 5), "--since", old, "--consistency", proof)
    assert (code, out) == (REFUSED, "")
    assert list(Path().iterdir()) == []


def test_only_a_receipt_or_a_window_is_held_against_it(bench: Bench) -> None:
    """Exit 2 and one sentence."""
    old = kept(bench, honest().checkpoint(3))
    for proof in (consistency(honest(), 3, 5), fork(liar(2), honest(), 3, 5)):
        code, _, err = bench.run(proof, "--since", old)
        assert code == UNUSABLE
        assert "--since and --monitor go with" in err


def window(city: City, size: int) -> dict[str, Any]:
    """All records of a source, to the third batch."""
    return city.window({"by": "n", "from": 0, "to": 5}, 0, 5, size=size)


def test_a_window_says_when_it_was_last_monitored(bench: Bench) -> None:
    """And up to which size; by a report on the state of its receipt, or one that it leads to."""
    city = honest()
    proof = kept(bench, canonical.dumps(consistency(city, 5, 7)), "proof.txt")
    for size, more in ((5, []), (7, ["--consistency", proof])):
        told = kept(bench, format_report(report(city, size)), "report.json")
        code, out, _ = bench.run(window(city, 5), "--monitor", told, *more)
        assert code == HOLDS
        line = next(line for line in out.splitlines() if "Last monitored" in line)
        assert line.startswith("  [x]")
        assert "2031-05-06T01:00:00.000000Z: by then the monitor" in line
        assert f"followed the log to {size} entries" in line


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (None, "Whether a monitor follows this log is not shown"),
        ({"standing": 2}, "Alarms of that monitor that stand: 2"),
        ({"batches": 2}, "had looked at 2 batches"),
        ({"size": 7}, "/v1/log/consistency?from=5&to=7"),
    ],
)
def test_a_window_says_what_monitoring_does_not_show(
    bench: Bench, members: dict[str, int] | None, words: str
) -> None:
    """No report, one with alarms, one that isn't there yet, one of a state that nothing links."""
    city = honest()
    options: list[str] = []
    if members is not None:
        size = members.pop("size", 5)
        told = kept(bench, format_report(report(city, size, **members)), "report.json")
        options = ["--monitor", told]
    code, out, _ = bench.run(window(city, 5), *options)
    assert code == HOLDS
    line = next(line for line in out.splitlines() if words in line)
    assert line.startswith("  [ ]")


def test_a_monitor_that_was_shown_another_log_proves_a_fork(bench: Bench) -> None:
    """The two views meet in one verdict."""
    told = kept(bench, format_report(report(liar(2), 5)), "report.json")
    assert bench.run(window(honest(), 5), "--monitor", told)[0] == REFUSED
    assert len(list(Path().glob("fork-*.json"))) == 1


def test_what_holds_no_checkpoint_comes_back_as_it_is() -> None:
    """Its reader says what is wrong with it."""
    for text in ("", "x", "{}", '{"v":1}', '{"v":"acceptance/1"}', "{not JSON"):
        assert checkpoint_in(text) == text


def test_proofs_under_one_name_are_never_mixed(tmp_path: Path) -> None:
    """Where even the name from the hash is taken by something else, it is told."""
    first = keep_fork("one", None, tmp_path)
    assert keep_fork("one", None, tmp_path) == first
    assert first.read_text() == "one\n"
    first.write_text("two\n")
    with pytest.raises(OSError, match="exists"):
        keep_fork("one", None, tmp_path)
