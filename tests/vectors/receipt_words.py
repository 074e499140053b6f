# SPDX-License-Identifier: Apache-2.0
"""Receipts at the edges of their words: JSON, characters, ids, times, names of keys."""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from notary.core import canonical
from tests.core.maker import LOG, City, make
from tests.vectors.receipt_attacks import changed, retold
from tests.vectors.receipt_sizes import bare
from tests.vectors.receipt_valid import ERASED, RECORD, Case, case, valid

FORM, STATEMENT, NOTE = "malformed-receipt", "malformed-statement", "malformed-note"
SPELLED = f"{FORM}.not-canonical"
LONG_ID = "a.B_c:d-" * 16
UNLISTED = RECORD | {"anchor": "not-checked"}


def cases() -> Iterator[Case]:
    """By where the words stand."""
    yield from _sources()
    yield from _evidence()
    yield from _spellings()
    yield from _statements()
    yield from _erasures()
    yield from _lines()


def _sources() -> Iterator[Case]:
    for is_open, name in ((True, "open"), (False, "closed")):
        city = City(LONG_ID, is_open)
        city.accept(
            "s0", "温度 25℃".encode(), observed="昨天 ☀️ 😀", key='"\\/\u2028\ufeffé', by="api:.."
        )
        city.accept("s1", b"", type="application/vnd.a-b+json", by=f"key:{LONG_ID}")
        city.seal()
        yield valid(f"words of all scripts, {name}", city.receipt("s0", 0), RECORD)
        yield valid(f"long ids and an empty payload, {name}", city.receipt("s1", 0), RECORD)
    city = City()
    ends = datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)
    city.accept("s0", b"0", received=datetime(1, 1, 1, tzinfo=UTC))
    city.accept("s1", b"1", received=datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC))
    city.accept("s2", b"2", received=ends)
    city.seal()
    for number, when in enumerate(("the first moment", "a leap day", "the last moment")):
        yield valid(f"received at {when}", city.receipt(f"s{number}", 0), RECORD)


def with_evidence(evidence: Any) -> dict[str, Any]:
    """The usual receipt with a ledger that the trust file doesn't list."""
    city = make()
    anchor = city.anchor(0) | {"ledger": "other", "kind": "evm", "evidence": evidence}
    return city.receipt() | {"anchors": [anchor]}


def _nested(depth: int) -> Any:
    """Lists in lists; of the evidence's members the first list is the fifth level."""
    found: Any = []
    for _ in range(depth - 1):
        found = [found]
    return found


def _evidence() -> Iterator[Case]:
    strange = {
        "B": [True, False, None, -(2**53) + 1, 2**53 - 1, 0],
        "_": '\x00\x1f\x7f\u2028\u2029\ufeff\ufffd\U0001f600\b\t\n\f\r"\\/',
        "a": {"": "", "A": {}, "a": []},
        "deep": _nested(60),
    }
    yield valid("evidence with every sort of value", with_evidence(strange), UNLISTED)
    yield case("evidence nested 65 deep", _dumps(with_evidence({"d": _nested(61)})), FORM)
    yield case("evidence nested 500 deep", _dumps(with_evidence({"d": _nested(497)})), FORM)
    for desc, value in (
        ("a fraction", 1.5),
        ("an integer of 2^53", 2**53),
        ("an integer of -2^53", -(2**53)),
        ("an integer of 400 digits", 10**399),
        ("a name that isn't ASCII", {"名": 1}),
        ("not a number", float("nan")),
        ("infinity", float("inf")),
        ("half of a surrogate pair", "\ud83d"),
    ):
        escaped = json.dumps(value) == '"\\ud83d"'
        text = _dumps(with_evidence({"x": "\ud83d" if escaped else value}))
        text = text.replace("\ud83d", "\\ud83d")
        yield case(f"evidence with {desc}", text, FORM)


def _dumps(value: Any) -> str:
    """As canonical JSON spells it, also what it refuses."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _spellings() -> Iterator[Case]:
    text = canonical.dumps(with_evidence({"a": "\x1f/城", "b": 0}))
    for desc, old, new, error in (
        ("zero with a sign", '"b":0', '"b":-0', SPELLED),
        ("an escape in capitals", "\\u001f", "\\u001F", SPELLED),
        ("a slash that is escaped", "/城", "\\/城", SPELLED),
        ("a character that is escaped", "城", "\\u57ce", SPELLED),
        ("an escape for the short one", '"a":"', '"a":"\\u000a', SPELLED),
        ("names in another order", '"a":"\\u001f/城","b":0', '"b":0,"a":"\\u001f/城"', SPELLED),
        ("a blank behind a colon", '"b":0', '"b": 0', SPELLED),
        ("a blank that is none of JSON", '"b":0', '"b":\u00a00', FORM),
        ("a number with leading zeros", '"b":0', '"b":00', FORM),
        ("a number with a plus sign", '"b":0', '"b":+0', FORM),
        ("a number that ends with its point", '"b":0', '"b":0.', FORM),
        ("an exponent", '"b":0', '"b":0e0', FORM),
        ("a number of digits that aren't ASCII", '"b":0', '"b":\u0663', FORM),
        ("a hexadecimal number", '"b":0', '"b":0x0', FORM),
        ("a word that is none", '"b":0', '"b":undefined', FORM),
        ("a word in capitals", '"b":0', '"b":True', FORM),
        ("single quotes", '"b":0', "'b':0", FORM),
        ("a name without quotes", '"b":0', "b:0", FORM),
        ("a comma at the end", '"b":0', '"b":0,', FORM),
        ("a comment", '"b":0', '"b":0/**/', FORM),
        ("a name twice, spelled otherwise", '"b":0', '"b":0,"\\u0062":0', FORM),
        ("a bare tab in a string", "/城", "\t城", FORM),
        ("a bare line feed in a string", "/城", "\n城", FORM),
        ("an unknown escape", "/城", "\\x2f城", FORM),
        ("half a pair, escaped", "/城", "\\ud83d", FORM),
        ("the halves the wrong way round", "/城", "\\ude00\\ud83d", FORM),
        ("an escape of three digits", "/城", '\\u02f"', FORM),
    ):
        assert text.count(old) == 1, desc
        yield case(f"spelling: {desc}", text.replace(old, new), error)
    yield case("spelling: names out of order, and a fraction", text.replace(
        '"a":"\\u001f/城","b":0', '"b":0.5,"a":""'), FORM)  # fmt: skip
    yield case("spelling: a form feed before it", "\f" + text, FORM)
    yield case("spelling: a tab before it", "\t" + text, SPELLED)
    yield case("spelling: a second value behind it", text + "{}", FORM)
    yield case("spelling: U+0000 behind it", text + "\x00", FORM)
    yield case("spelling: a string", json.dumps("receipt"), FORM)
    yield case("spelling: a number", "7", FORM)


def _statements() -> Iterator[Case]:
    receipt = make().receipt("s1", 2)
    text = receipt["statement"]

    def other(desc: str, **members: Any) -> Case:
        return case(
            f"statement: {desc}", receipt | {"statement": retold(text, **members)}, STATEMENT
        )

    for name in ("dataset", "source"):
        for bad in ("", ".", "..", "a b", "a/b", "é", "a\n", "x" * 129, "\uff21"):
            yield other(f"{name} {bad[:9]!a} of {len(bad)}", **{name: bad})
        yield other(f"{name} that is a number", **{name: 7})
    day = "2026-11-24T08:00:06"
    for bad in (
        f"{day}.000000z", f"{day}.00000Z", f"{day}.0000000Z", f"{day}Z", f"{day}.000000+00:00",
        f"{day},000000Z", f" {day}.000000Z", f"{day}.000000Z\n", "2026-11-24 08:00:06.000000Z",
        "2026-02-29T08:00:06.000000Z", "2026-11-31T08:00:06.000000Z", "2026-13-24T08:00:06.000000Z",
        "2026-11-24T23:59:60.000000Z", "2026-11-24T08:60:06.000000Z", "0000-11-24T08:00:06.000000Z",
        "2026-11-24T0\u0668:00:06.000000Z", "+026-11-24T08:00:06.000000Z",
        "1900-02-29T08:00:06.000000Z",
    ):  # fmt: skip
        yield other(f"received {bad!a}", received=bad)
    for bad in ("Acl", "key:", "key", "key:a b", "api:é", "acl ", "key:" + "x" * 129, "nobody:x"):
        yield other(f"by {bad[:12]!a} of {len(bad)}", by=bad)
    for bad in (
        "", "text", "text/", "/plain", "Text/plain", "text/plain; charset=utf-8", "text/pl ain",
        "a/b/c", "+a/b", "a/é", "a/" + "b" * 126,
    ):  # fmt: skip
        yield other(f"type {bad[:12]!a} of {len(bad)}", type=bad)
    for name, most in (("observed", 64), ("key", 128)):
        bads = ("", "\x00", "\x1f", "\x7f", "a\n", "x" * (most + 1), "😀" * (most + 1))
        for bad in bads:
            yield other(f"{name} {bad[:3]!a} of {len(bad)}", **{name: bad})
        yield other(f"{name} that is null", **{name: None})
    for name in ("n", "chain"):
        for number in (-1, True, "2", None):
            yield other(f"{name} {number!r}", **{name: number})
    for bad in ("aa" * 31, "AA" * 32, "aa" * 33, "g" * 64, 7, "\uff41" * 64):
        yield other(f"prev {str(bad)[:4]!a} of {len(str(bad))}", prev=bad)
        yield other(f"message {str(bad)[:4]!a} of {len(str(bad))}", message=bad)
    yield other("prev at the first record", n=0)
    yield other("both hashes", commitment="aa" * 32)
    blanks = receipt | {"statement": text + " " * 4096}
    yield case("statement: more than 4,096 bytes", blanks, STATEMENT)
    yield case(
        "statement: a newline behind it",
        receipt | {"statement": text + "\n"},
        f"{STATEMENT}.not-canonical",
    )
    yield case("statement: a list", receipt | {"statement": f"[{text}]"}, STATEMENT)
    yield case("statement: nothing", receipt | {"statement": ""}, STATEMENT)


def _erasures() -> Iterator[Case]:
    without = bare(make().receipt())
    want = UNLISTED | {"payload": "not-checked", "erased": "own-word"}
    long = ERASED | {"ground": "😀" * 500, "record": "\u0080\ufeff"}
    yield valid("a ground of 500 characters beyond U+FFFF", without | {"erased": long}, want)
    for desc, members in (
        ("a ground of 501 characters beyond U+FFFF", {"ground": "😀" * 501}),
        ("no ground", {"ground": ""}),
        ("a ground that is null", {"ground": None}),
        ("a record with U+007F", {"record": "a\x7f"}),
        ("a record that is a number", {"record": 12}),
        ("a time without decimals", {"at": "2027-01-02T03:04:05Z"}),
        ("a time that is null", {"at": None}),
        ("one member more", {"by": "me"}),
    ):
        yield case(f"erased: {desc}", without | {"erased": ERASED | members}, FORM)
    yield case("erased: null", without | {"erased": None}, FORM)
    yield case("erased: a list", without | {"erased": [ERASED]}, FORM)


def _lines() -> Iterator[Case]:
    """Names in the lines of keys that nobody knows."""
    receipt = make().receipt()
    signed: str = receipt["checkpoint"]
    text, lines = signed.split("\n\n")

    def noted(*more: str) -> dict[str, Any]:
        return receipt | {"checkpoint": f"{text}\n\n{''.join(more)}{lines}"}

    def line(name: str, blob: bytes = b"1234" + bytes(64)) -> str:
        return f"\u2014 {name} {b64encode(blob).decode()}\n"

    strange = [
        line(name) for name in ("x", "城", "\ufeffa", "a\u200bb", "a\x7f", "\U0001f600", "-")
    ]
    yield valid("lines of unknown keys of all sorts", noted(*strange), RECORD)
    sized = [line("x", b"1234" + bytes(size)) for size in (1, 8, 72, 2428)]
    yield valid("unknown signatures of all lengths", noted(*sized), RECORD)
    yield valid("a hundred lines", noted(*[line("x")] * 99), RECORD)
    yield valid("the log's line twice", noted(lines), RECORD)
    yield case("note: a hundred and one lines", noted(*[line("x")] * 100), NOTE)
    for name in ("", "a+b", "a\u00a0b", "a\x85b", "a\u2028b", "a\u3000b", "a\u1680b", "a\u202fb"):
        yield case(f"note: a key named {name!a}", noted(line(name)), NOTE)
    for name in ("a\tb", "a\x1fb", "a\x00b", "a\rb"):
        yield case(f"note: a key named {name!a}", noted(line(name)), NOTE)
    yield case("note: a key id alone", noted(line("x", b"1234")), NOTE)
    yield case("note: three bytes", noted(line("x", b"123")), NOTE)
    yield case("note: no base64", noted("\u2014 x ====\n"), NOTE)
    yield case("note: base64url", noted("\u2014 x MTIz_-8_\n"), NOTE)
    yield case("note: two blanks", noted("\u2014 x  MTIzNAAA\n"), NOTE)
    yield case("note: a blank at the end", noted("\u2014 x MTIzNAAA \n"), NOTE)
    yield case("note: a hyphen for the dash", noted("- x MTIzNAAA\n"), NOTE)
    yield case("note: an en dash", noted("\u2013 x MTIzNAAA\n"), NOTE)
    yield case("note: bits behind the end of base64", noted("\u2014 x MTIzNAB=\n"), NOTE)
    broken = line(LOG.verifier.name, LOG.verifier.key_id + bytes(64))
    yield case(
        "note: a second line of the log's key that doesn't hold", noted(broken), "bad-signature"
    )
    yield case("note: an empty line among the signatures", noted(line("x") + "\n"), "bad-signature")
    moved = changed(receipt, "checkpoint", to=f"\n{signed}")
    yield case("note: an empty line before the text", moved, "bad-signature")
