# SPDX-License-Identifier: Apache-2.0
"""What can be done to the lines of a tlog-proof, and what must follow."""

from collections.abc import Iterator
from typing import Any

from notary.core import canonical
from tests.core.formats import base64, extra_of, tlog_lines, tlog_proof
from tests.core.maker import OTHER_LOG, City, make
from tests.vectors import steps

Case = dict[str, Any]
FORM, NOTE, PATH, ROOT = (
    "malformed-receipt",
    "malformed-note",
    "malformed-proof",
    "root-mismatch",
)
SPACED, SIGNER, SIGNATURE = "malformed-receipt.not-canonical", "unknown-signer", "bad-signature"
CITY = make()
USUAL = CITY.receipt("s1", 2)
LINES = tlog_lines(USUAL)
NOTE_TEXT = USUAL["checkpoint"]


def tlog_attacks() -> Iterator[Case]:
    """Line by line."""
    for part in (_first, _extra, _members, _index, _path, _checkpoint):
        yield from part()


def put(at: int, *lines: str, count: int = 1) -> str:
    """The usual proof with lines in the place of `count` others."""
    return "\n".join([*LINES[:at], *lines, *LINES[at + count :], "", NOTE_TEXT])


def case(desc: str, proof: str, error: str) -> Case:
    """One case."""
    is_form = error in (FORM, SPACED)
    said = {"step": "tlog-proof-v1.md, step 1"} if is_form else steps.of_log(error)
    return {"desc": desc, "proof": proof, "wantErr": error, **said}


def _first() -> Iterator[Case]:
    whole = tlog_proof(USUAL)
    for line in ("c2sp.org/tlog-proof@v2", "c2sp.org/tlog-proof@v1 ", "c2sp.org/tlog-proof@v1\r"):
        yield case(f"first line {line!r}", put(0, line), FORM)
    yield case("first line alone", LINES[0] + "\n", FORM)
    yield case("first line twice", put(0, LINES[0], LINES[0]), FORM)
    yield case("lines end in CR LF", whole.replace("\n", "\r\n"), FORM)
    yield case("an empty line after the first", put(1, "", count=0), FORM)
    yield case("cut before the checkpoint", whole[: whole.index("\n\n")], FORM)
    yield case("cut in the extra data", whole[:300], FORM)
    yield case("nothing after the empty line", whole[: whole.index("\n\n") + 2], NOTE)


def _extra() -> Iterator[Case]:
    text = canonical.dumps(extra_of(USUAL))
    encoded = base64(text.encode())
    yield case("no extra data", put(1, count=1), FORM)
    yield case("extra data behind the index", put(1, LINES[2], LINES[1], count=2), FORM)
    yield case("extra data twice", put(1, LINES[1], LINES[1]), FORM)
    for name, line in {
        "empty": "extra ",
        "without its blank": "extra" + encoded,
        "with two blanks": "extra  " + encoded,
        "with a blank behind": f"extra {encoded} ",
        "in base64url": "extra " + base64(b"\xff\xfe\xfd").replace("/", "_"),
        "without padding": "extra " + base64(b"{}").rstrip("="),
        "with bits behind its end": "extra e31=",
        "no base64": "extra {}",
        "not ASCII": "extra \u00e9",
        "not UTF-8": "extra " + base64(b"\xff\xff"),
        "no JSON": "extra " + base64(b"receipt"),
        "a list": "extra " + base64(b"[]"),
        "a number": "extra " + base64(b"7"),
        "null": "extra " + base64(b"null"),
        "nested too deeply": "extra " + base64(b"[" * 30_000),
        "half of a surrogate pair": "extra " + base64(b'"\\ud800"'),
        "with a newline": "extra " + base64(text.encode() + b"\n"),
    }.items():
        error = SPACED if name == "with a newline" else FORM
        yield case(f"extra data: {name}", put(1, line), error)
    spaced = base64(text.replace("{", "{ ", 1).encode())
    yield case("extra data: with blanks", put(1, f"extra {spaced}"), SPACED)
    twice = base64(text.replace('"kind"', '"kind":"record","kind"', 1).encode())
    yield case("extra data: a member twice", put(1, f"extra {twice}"), FORM)
    long = {**extra_of(USUAL), "payload": base64(bytes(36_000))}
    yield case("extra data: longer than 48,000 bytes", _with(long), FORM)


def _members() -> Iterator[Case]:
    extra = extra_of(USUAL)
    for name in extra:
        if name != "payload":
            without = {other: extra[other] for other in extra if other != name}
            yield case(f"extra data without {name}", _with(without), FORM)
    for name in ("anchors", "checkpoint", "log"):
        yield case(f"extra data with {name}", _with({**extra, name: USUAL[name]}), FORM)
    yield case("extra data with the whole receipt", _with(USUAL), FORM)
    yield case("extra data with a member unknown", _with({**extra, "keys": []}), FORM)
    for version in ("receipt/2", "window/1", "", 1):
        yield case(f"extra data of version {version!r}", _with({**extra, "v": version}), FORM)
    for kind in ("row", "file", "window"):
        yield case(f"a record called {kind}", _with({**extra, "kind": kind}), FORM)
    other = extra_of(make(dataset="noise").receipt("s1", 2))
    yield case("extra data of another dataset", _with(other), ROOT)
    later = extra_of(CITY.receipt("s1", 4))
    yield case("extra data of another batch", _with(later), ROOT)
    mixed = {**extra, "descriptor": later["descriptor"]}
    times = "receipt-refused.outside-times"
    yield case("another batch's descriptor", _with(mixed), times)
    salted = {**extra, "tag_salt": "00" * 32}
    yield case("a salt in an open dataset", _with(salted), "receipt-refused.salt-in-open")
    payload = {**extra, "payload": base64(b'{"t":9}')}
    yield case("another payload", _with(payload), "payload-mismatch")


def _with(extra: Any) -> str:
    return put(1, "extra " + base64(canonical.dumps(extra).encode()))


def _index() -> Iterator[Case]:
    for line in (
        *("index", "index ", "index -1", "index +1", "index 01", "index 1.0", "index 1 "),
        *("index  1", "index 0x1", "index \u0661", "Index 1", "1", "index 1e0", "index one"),
        *(f"index {2**53}", f"index {2**64}", "index " + "9" * 5000),
    ):
        yield case(f"the line {line[:30]!r}", put(2, line), FORM)
    yield case("no index", put(2, count=1), FORM)
    yield case("the index twice", put(2, LINES[2], LINES[2]), FORM)
    yield case("index 0, a leaf beside it", put(2, "index 0"), ROOT)
    yield case("index 2, with another path's length", put(2, "index 2"), PATH)
    yield case("index 3, beyond the log", put(2, "index 3"), PATH)


def _path() -> Iterator[Case]:
    first, second = LINES[3:]
    flipped = base64(bytes([0]) * 32)
    yield case("a hash changed", put(3, flipped), ROOT)
    yield case("the last hash changed", put(4, flipped), ROOT)
    yield case("the hashes exchanged", put(3, second, first, count=2), ROOT)
    yield case("a hash left out", put(3, count=1), PATH)
    yield case("no hash", put(3, count=2), PATH)
    yield case("a hash added", put(3, first, first), PATH)
    yield case("63 hashes", put(3, *[first] * 63, count=2), PATH)
    yield case("64 hashes", put(3, *[first] * 64, count=2), FORM)
    for name, line in {
        "of 31 bytes": base64(bytes(31)),
        "of 33 bytes": base64(bytes(33)),
        "in hexadecimal": USUAL["log"]["path"][0],
        "with a blank behind": first + " ",
        "without padding": first.rstrip("="),
        "in base64url": base64(bytes([251]) * 32).replace("+", "-").replace("/", "_"),
    }.items():
        yield case(f"a hash {name}", put(3, line), FORM)
    yield case("an empty line between the hashes", put(4, "", count=0), SIGNATURE)


def _checkpoint() -> Iterator[Case]:
    head = "\n".join(LINES) + "\n\n"
    text = NOTE_TEXT.partition("\n\n")[0]
    yield case("a blank before the checkpoint", f"{head} {NOTE_TEXT}", SIGNATURE)
    yield case("an empty line before the checkpoint", f"{head}\n{NOTE_TEXT}", SIGNATURE)
    yield case("a line behind the checkpoint", f"{head}{NOTE_TEXT}more\n", NOTE)
    yield case("a blank behind the checkpoint", f"{head}{NOTE_TEXT} ", NOTE)
    yield case("the checkpoint without its last newline", f"{head}{NOTE_TEXT[:-1]}", NOTE)
    yield case("the checkpoint without signatures", f"{head}{text}\n\n", NOTE)
    yield case("the checkpoint's text alone", f"{head}{text}\n", NOTE)
    yield case("another size in the checkpoint", head + _swap("\n3\n", "\n4\n"), SIGNATURE)
    yield case(
        "another log's name", head + _swap("notary.example/log\n3", "a.example\n3"), SIGNATURE
    )
    yield case("the signature of nobody", f"{head}{text}\n\n\u2014 x {base64(bytes(68))}\n", SIGNER)
    other = CITY.checkpoint(log=[OTHER_LOG])
    yield case("signed by another key", head + other, SIGNER)
    longer = make(rounds=4).checkpoint()
    yield case("the checkpoint of a later size", head + longer, ROOT)
    yield case("the checkpoint of another log", head + _other_city().checkpoint(), ROOT)
    yield case("the checkpoint twice", head + NOTE_TEXT + NOTE_TEXT, SIGNATURE)
    yield case("a control character in the checkpoint", head + _swap("\u2014 ", "\u2014\t"), NOTE)
    yield case("quorum of 2 without witnesses", head + NOTE_TEXT, "quorum-not-met") | {
        "trust": "quorum of 2"
    }


def _swap(old: str, new: str) -> str:
    assert old in NOTE_TEXT
    return NOTE_TEXT.replace(old, new, 1)


def _other_city() -> City:
    return make(dataset="noise")
