# SPDX-License-Identifier: Apache-2.0
"""
Writes acceptances.json: `python -m tests.vectors.generate_acceptances`.

`trusts` holds trust files by name. Each case has `desc` (what was done), `acceptance` (the
file's text), `trust` (a name), perhaps `payload` (base64), and `wantErr`: the code of the error
that must follow, for some followed by a dot and its reason, or null. A valid case has `want`:
the status of each check. Keys, salts and times are the same in each run.
"""

import json
import sys
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from notary.core import canonical, note
from notary.core.trust import format_trust
from tests.core.maker import LOG, OTHER_LOG, WITNESSES, trust
from tests.core.promises import (
    ACCEPTANCE_KEY,
    KEY,
    OLD_KEY,
    STRANGER_KEY,
    acceptance,
    base64,
    lines,
    segment,
    signed,
    trusting,
)
from tests.core.signing import Signer
from tests.vectors import expected, steps
from tests.vectors.receipt_attacks import retold
from tests.vectors.receipt_sizes import changed_path

Case = dict[str, Any]
SPACED = "malformed-acceptance.not-canonical"
FORM, NOTE, PATH, ROOT = (
    "malformed-acceptance",
    "malformed-note",
    "malformed-proof",
    "root-mismatch",
)
TRUST, SIGNER, SIGNATURE = "malformed-trust", "unknown-signer", "bad-signature"
COSIGNING = Signer(KEY.verifier.name, note.KIND_COSIGNATURE, seed=30)
OF_ANOTHER = Signer("other.example/log/acceptances", seed=30)
LOGS_OWN = Signer(KEY.verifier.name, seed=1)


def _keys(*entries: Any) -> str:
    return format_trust(trust(keys=list(entries)))


TRUSTS = {
    "usual": format_trust(trusting()),
    "two keys": format_trust(trusting(OLD_KEY, KEY)),
    "another key": format_trust(trusting(OLD_KEY)),
    "no keys": format_trust(trust()),
    "keys of another use": _keys({"use": "web", "key": KEY.verifier.vkey}),
    "an unknown use beside it": _keys({"use": "web", "anything": [1]}, ACCEPTANCE_KEY),
    "a member too many": _keys({**ACCEPTANCE_KEY, "from": 0}),
    "no key member": _keys({"use": "acceptance"}),
    "a key that is a number": _keys({"use": "acceptance", "key": 1}),
    "a key that is none": _keys({"use": "acceptance", "key": "x"}),
    "a cosigner's key": _keys({"use": "acceptance", "key": COSIGNING.verifier.vkey}),
    "a key of no listed log": _keys({"use": "acceptance", "key": OF_ANOTHER.verifier.vkey}),
    "the log's key": _keys({"use": "acceptance", "key": LOGS_OWN.verifier.vkey}),
}


def case(
    desc: str,
    what: dict[str, Any] | str,
    error: str | None,
    step: int | None = None,
    **more: Any,
) -> Case:
    """One case, the trust file being the usual one where none is named; which step refuses it."""
    text = what if isinstance(what, str) else canonical.dumps(what)
    payload = more.pop("payload", None)
    if payload is not None:
        more["payload"] = base64(payload)
    key = more.pop("key", KEY)
    more |= steps.step("acceptance-v1.md", error, step)
    found = {"desc": desc, "acceptance": text, "trust": "usual", "wantErr": error} | more
    if error is None:
        members, vkey = json.loads(text), key.verifier.vkey
        verdict = expected.acceptance_verdict(members, vkey, more["want"], payload)
        found |= {"verdict": verdict}
    return found


def cases() -> Iterator[Case]:
    """Valid ones, changed ones, ones of a dishonest notary, other trust files."""
    yield from _valid()
    yield from _payloads()
    yield from _sizes()
    yield from _changed()
    yield from _form()
    yield from _promises()
    yield from _trusts()


WANT = {
    "statement": "held",
    "payload": "not-checked",
    "promise": "held",
    "time": "own-word",
    "log": "not-checked",
}


def _valid() -> Iterator[Case]:
    city, made = segment()
    given = {**WANT, "payload": "held"}
    yield case("open, alone", acceptance(city, made[:1]), None, want=WANT)
    open_ = acceptance(city, made, 2)
    yield case("open, third of five", open_, None, want=given, payload=made[2].payload)
    both = acceptance(city, made, 4, keys=[STRANGER_KEY, OLD_KEY, KEY])
    yield case(
        "old key and new, and a stranger's", both, None, want=WANT, trust="two keys", key=OLD_KEY
    )
    text = canonical.dumps(open_) + "\n"
    unknown = {"want": WANT, "trust": "an unknown use beside it"}
    yield case("with a final newline, keys of other uses", text, None, **unknown)
    city, made = segment(is_open=False)
    closed = acceptance(city, made, 3)
    yield case("closed", closed, None, want=given, payload=made[3].payload)


def _payloads() -> Iterator[Case]:
    for is_open, name in ((True, "open"), (False, "closed")):
        city, made = segment(is_open)
        whole = acceptance(city, made, 1)
        for desc, payload in (
            ("another's", made[0].payload),
            ("empty", b""),
            ("longer", made[1].payload + b" "),
        ):
            yield case(f"{name}: payload {desc}", whole, "payload-mismatch", payload=payload)
        if is_open:
            salted = {**whole, "salt": "00" * 32}
            yield case("open: with a salt", salted, "acceptance-refused.salt-in-open")
        else:
            mine = {"payload": made[1].payload}
            bare = {name: value for name, value in whole.items() if name != "salt"}
            yield case("closed: no salt", bare, "acceptance-refused.no-salt", **mine)
            other = {**whole, "salt": "00" * 32}
            yield case("closed: another salt", other, "payload-mismatch", **mine)
            for bad in ("", "00" * 31, "00" * 33, "ZZ" * 32, 7, None):
                yield case(f"closed: salt {bad!r}", {**whole, "salt": bad}, FORM, **mine)


def _sizes() -> Iterator[Case]:
    """The last of 2^k - 1, 2^k and 2^k + 1 that were answered together."""
    for size in (2, 3, 4, 7, 8, 9):
        city, made = segment(count=size)
        whole = acceptance(city, made, size - 1)
        yield case(f"last of {size}: as it is", whole, None, want=WANT)
        for desc, path, error in changed_path(whole["path"]):
            yield case(f"last of {size}: {desc}", {**whole, "path": path}, error)
        beyond = {**whole, "index": size}
        yield case(f"last of {size}: an index beyond the end", beyond, PATH)
        neighbour = {**whole, "statement": made[size - 2].text}
        yield case(f"last of {size}: its neighbour's statement", neighbour, ROOT)
        late = retold(whole["statement"], received="2026-11-25T08:00:00.000000Z")
        yield case(f"last of {size}: at another time", {**whole, "statement": late}, ROOT)
        given = made[size - 1].payload + b"\x00"
        yield case(f"last of {size}: given a byte more", whole, "payload-mismatch", payload=given)


def _changed() -> Iterator[Case]:
    city, made = segment()
    whole = acceptance(city, made, 2)
    for index, error in ((0, ROOT), (1, ROOT), (3, ROOT), (4, PATH), (5, PATH), (2**53 - 1, PATH)):
        yield case(f"index {index}", {**whole, "index": index}, error)
    path = whole["path"]
    yield case("path without its first", {**whole, "path": path[1:]}, PATH)
    yield case("path without its last", {**whole, "path": path[:-1]}, PATH)
    yield case("path with one more", {**whole, "path": [*path, path[0]]}, PATH)
    yield case("path turned round", {**whole, "path": path[::-1]}, ROOT)
    yield case("path empty", {**whole, "path": []}, PATH)
    for at in range(len(path)):
        flipped = deepcopy(path)
        flipped[at] = bytes([bytes.fromhex(path[at])[0] ^ 1]).hex() + path[at][2:]
        yield case(f"path with a bit of hash {at} flipped", {**whole, "path": flipped}, ROOT)
    for at in (0, 1, 3, 4):
        yield case(
            f"statement {at} of the same commit", {**whole, "statement": made[at].text}, ROOT
        )
    for old, new in (
        ('"n":1', '"n":2'),
        ("s1", "s2"),
        ("weather", "other"),
        ('"chain":0', '"chain":1'),
    ):
        text = whole["statement"].replace(old, new)
        yield case(f"statement with {new} for {old}", {**whole, "statement": text}, ROOT)
    text = whole["statement"].replace(":", ": ", 1)
    yield case(
        "statement reformatted", {**whole, "statement": text}, "malformed-statement.not-canonical"
    )
    yield case("statement empty", {**whole, "statement": ""}, "malformed-statement")
    other = segment(count=6)
    later = acceptance(*other, 2)
    yield case("note of another commit", {**whole, "note": later["note"]}, ROOT)


def _form() -> Iterator[Case]:
    city, made = segment()
    whole = acceptance(city, made, 2)
    text = canonical.dumps(whole)
    for name in whole:
        bare = {other: value for other, value in whole.items() if other != name}
        yield case(f"without {name}", bare, FORM)
        for value in (
            None,
            1.5 if name == "index" else 1,
            [],
            {},
            True,
            "x" if name == "path" else 0,
        ):
            if name == "index" and value in (0, 1) and value is not True:
                continue
            if name == "path" and value == []:
                continue
            written = _plain({**whole, name: value})
            yield case(f"{name} is {value!r}", written, FORM)
    yield case("with an unknown member", {**whole, "more": 1}, FORM)
    yield case("with a tag's salt", {**whole, "tag_salt": "00" * 32}, FORM)
    for version in ("acceptance/2", "acceptance/1 ", "receipt/1"):
        yield case(f"version {version}", {**whole, "v": version}, FORM)
    yield case("index below 0", {**whole, "index": -1}, FORM)
    yield case("index 2^53", text.replace('"index":2', f'"index":{2**53}'), FORM)
    yield case("a member twice", text.replace('"index":2', '"index":2,"index":2'), FORM)
    yield case("with blanks", text.replace(",", ", ", 1), SPACED)
    yield case("two final newlines", text + "\n\n", SPACED)
    yield case("a byte order mark", "\ufeff" + text, FORM)
    yield case("cut off", text[:-1], FORM)
    yield case("empty", "", FORM)
    yield case("a list", f"[{text}]", FORM)
    yield case("64 hashes", {**whole, "path": ["00" * 32] * 64}, FORM)
    for bad in ("00" * 31, "AB" * 32, 7):
        yield case(f"path with {bad!r}", {**whole, "path": [bad]}, FORM)


def _promises() -> Iterator[Case]:
    city, made = segment()
    leaves = [one.leaf for one in made]
    due = made[-1].statement.received + timedelta(hours=1)
    whole, good = acceptance(city, made, 2), lines(leaves, due)

    def noted(text: str, *keys: Signer) -> dict[str, Any]:
        return {**whole, "note": signed(text, *keys)}

    def told(at: int, line: str) -> str:
        return "\n".join([*good[:at], line, *good[at + 1 :], ""])

    for at, line in (
        (0, "city-notary/acceptance/2"),
        (0, "city-notary/file-ledger/1"),
        (1, ""),
        (1, "a b"),
        (1, "a+b"),
        (2, "0"),
        (2, "05"),
        (2, "-5"),
        (2, "+5"),
        (2, "5.0"),
        (2, "٥"),
        (2, str((1 << 24) + 1)),
        (2, "99999999999"),
        (3, good[3].upper()),
        (3, good[3][:-2]),
        (3, ""),
        (4, "2026-11-24T08:00:00Z"),
        (4, "2026-11-24T24:00:00.000000Z"),
        (4, "never"),
        (4, good[4] + "\nmore"),
    ):
        yield case(f"signed promise with {line!r} as line {at + 1}", noted(told(at, line)), FORM)
    yield case("signed promise without its last line", noted("\n".join(good[:4]) + "\n"), FORM)
    yield case("signed promise of 4 records", noted(told(2, "4")), PATH)
    yield case("signed promise of 9 records", noted(told(2, "9")), PATH)
    yield case("signed promise of another root", noted(told(3, "00" * 32)), ROOT)
    early = told(4, "2026-11-24T08:00:02.999999Z")
    yield case("sealed by a time before it came", noted(early), "acceptance-refused.no-time")
    other = told(1, "other.example/log")
    refused = "acceptance-refused.other-origin"
    yield case("another log's name under our key", noted(other), refused)
    checkpoint = f"{LOG.verifier.name}\n5\n{base64(bytes(32))}\n"
    yield case("a checkpoint for a promise", noted(checkpoint), FORM)
    text = told(0, good[0])
    yield case("signed by the log's key", noted(text, LOG), SIGNER)
    yield case("signed by another log key", noted(text, OTHER_LOG), SIGNER)
    yield case("signed by a witness", noted(text, WITNESSES[0]), SIGNER)
    yield case("signed by a stranger of that name", noted(text, STRANGER_KEY), SIGNER)
    yield case("cosigned with the same key", noted(text, COSIGNING), SIGNER)
    yield case("not signed", {**whole, "note": text}, FORM)
    yield case("empty note", {**whole, "note": ""}, FORM)
    changed = whole["note"].replace(good[4], good[4].replace("2026", "2036"))
    yield case("another time under the signature", {**whole, "note": changed}, SIGNATURE)
    foreign = note.Signature(KEY.verifier.name, KEY.verifier.key_id, STRANGER_KEY.sign(text).blob)
    forged = note.format_note(text, [foreign])
    yield case("another's signature under our key id", {**whole, "note": forged}, SIGNATURE)


def _trusts() -> Iterator[Case]:
    city, made = segment()
    whole = acceptance(city, made, 2)
    for name, error in (
        ("another key", SIGNER),
        ("no keys", SIGNER + ".no-acceptance-key"),
        ("keys of another use", SIGNER + ".no-acceptance-key"),
        ("a member too many", TRUST),
        ("no key member", TRUST),
        ("a key that is a number", TRUST),
        ("a key that is none", TRUST),
        ("a cosigner's key", TRUST),
        ("a key of no listed log", TRUST),
        ("the log's key", TRUST),
    ):
        yield case(f"trust file: {name}", whole, error, trust=name)


def _plain(members: dict[str, Any]) -> str:
    """As canonical JSON writes it, also what it refuses."""
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def build() -> dict[str, str]:
    """The files by name."""
    made = list(cases())
    text = json.dumps({"trusts": TRUSTS, "cases": made}, ensure_ascii=False, indent=1) + "\n"
    return {"acceptances.json": text}


if __name__ == "__main__":
    for name, text in build().items():
        (Path(__file__).parent / name).write_text(text, encoding="utf-8")
        print(name, len(json.loads(text)["cases"]), "cases")
