# SPDX-License-Identifier: Apache-2.0
"""
Windows that hold, and windows out of which something was taken.

Payloads, where a case has them, are pairs of salt (hex or null) and payload (base64) for
each record carried, or null for one that isn't given.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from notary.core import canonical
from tests.core.maker import WITNESSES, City, Made, make, short
from tests.vectors import expected, steps, trusts
from tests.vectors.receipt_attacks import changed, retold
from tests.vectors.receipt_valid import ERASED, RECORD, WITNESSED, Case

FORM, BROKEN, START = (
    "malformed-window",
    "malformed-window.broken-chain",
    "malformed-window.no-start",
)
MISMATCH, PAYLOAD = "root-mismatch", "payload-mismatch"
ALL = {"by": "n", "from": 0, "to": 10}
HELD = {"window": "held", "asked": "held", "payloads": "not-checked"}
OPEN = HELD | {"window-end": "not-checked"}
Payloads = list[tuple[str | None, str] | None]


def case(
    desc: str,
    window: dict[str, Any] | str,
    error: str | None,
    step: int | None = None,
    **more: Any,
) -> Case:
    """One case under the usual trust file, or the one that is named; which step refuses it."""
    text = window if isinstance(window, str) else canonical.dumps(window)
    more |= steps.step("window-v1.md", error, step)
    return {"desc": desc, "window": text, "trust": "usual", "wantErr": error} | more


def valid(
    desc: str,
    window: dict[str, Any],
    want: dict[str, str],
    asked: list[int | None],
    of_receipt: dict[str, str] | None = None,
    **more: Any,
) -> Case:
    """A case that holds: the first and last record asked for, and how many they are."""
    found = case(desc, window, None, want=want, asked=asked, **more)
    trust = json.loads(trusts.TEXTS[found["trust"]])
    told = found | {"of_receipt": of_receipt or RECORD}
    verdict = expected.window_verdict(window, trust, told, len(window["rest"]) + 1)
    return found | {"verdict": verdict}


def opened(made: Sequence[Made]) -> Payloads:
    """The payloads that belong to the records."""
    return [
        (None if item.salt is None else item.salt.hex(), b64encode(item.payload).decode())
        for item in made
    ]


def cases() -> Iterator[Case]:
    """By what was done."""
    yield from _valid()
    for is_open, name in ((True, "open"), (False, "closed")):
        city = make(is_open, rounds=5)
        for found in (_records(city), _payloads(city, is_open)):
            for item in found:
                yield item | {"desc": f"{name}: {item['desc']}"}
    city = make(rounds=5)
    yield from _spans(city)
    yield from _characters()
    yield from _numbers()
    yield from _receipts(city)
    yield from _form(city.window(ALL))


def asked_by_time(start: str, stop: str, by: str = "received") -> dict[str, Any]:
    """A span of time on the day of the test data."""
    return {"by": by, "from": f"2026-11-24T08:00:{start}Z", "to": f"2026-11-24T08:00:{stop}Z"}


def _valid() -> Iterator[Case]:
    city = make(rounds=5)
    whole = city.window(ALL)
    yield valid("a whole chain", whole, HELD, [0, 9, 10])
    yield valid("one record", city.window({"by": "n", "from": 0, "to": 1}, 0, 0), HELD, [0, 0, 1])
    part = city.window({"by": "n", "from": 3, "to": 7}, 2, 7)
    yield valid("n = 3 to 6 with both neighbours", part, HELD, [3, 6, 4])
    bare = city.window({"by": "n", "from": 3, "to": 7}, 3, 6)
    yield valid("n = 3 to 6 without neighbours", bare, HELD, [3, 6, 4])
    more = city.window({"by": "n", "from": 3, "to": 100}, 3)
    yield valid("an end that isn't there yet", more, OPEN, [3, 9, 7])
    soon = city.window({"by": "n", "from": 3, "to": 11}, 3)
    yield valid("an end that is one record away", soon, OPEN, [3, 9, 7])
    # s1 was received at 2, 3, 6, 7, 10, 11, 14, 15, 18 and 19 seconds.
    between = city.window(asked_by_time("06.000000", "11.000000"), 1, 5)
    yield valid("received from 6 to before 11", between, HELD, [2, 4, 3])
    nothing = city.window(asked_by_time("04.000000", "05.000000"), 1, 2)
    yield valid("a span without records", nothing, HELD, [None, None, 0])
    beginning = city.window(asked_by_time("00.000000", "06.000000"), 0, 2)
    yield valid("a span from before the first", beginning, HELD, [0, 1, 2])
    end = city.window(asked_by_time("15.000000", "59.000000"), 6)
    yield valid("a span to after the last", end, OPEN, [7, 9, 3])
    sent = {"by": "observed", "from": "2013-01-01T02", "to": "2013-01-01T04"}
    observed = HELD | {"asked": "own-word"}
    yield valid("the sender's time", city.window(sent, 3, 8), observed, [4, 7, 4])
    closed = make(is_open=False, rounds=5)
    checked = HELD | {"payloads": "held"}
    for some, name in ((city, "an open"), (closed, "a closed")):
        payloads = opened(some.records["s1"])
        window = some.window(ALL)
        yield valid(f"payloads of {name} dataset", window, checked, [0, 9, 10], payloads=payloads)
    payloads = opened(closed.records["s1"])
    payloads[4] = None
    erased = closed.window(ALL) | {"erased": [{"n": 4, **ERASED}]}
    want = checked | {"erased": "own-word"}
    yield valid("an erased record", erased, want, [0, 9, 10], payloads=payloads)
    ends = closed.window({"by": "n", "from": 2, "to": 6}, 1, 6)
    ends["erased"] = [{"n": 1, **ERASED}, {"n": 6, **ERASED}]
    want = HELD | {"erased": "own-word"}
    yield valid("erased records at both ends", ends, want, [2, 5, 4])
    yield valid("members of every kind", _motley(), HELD, [0, 5, 6])
    cosigned = city.window(ALL, witnesses=WITNESSES[:1])
    witnessed = RECORD | WITNESSED
    yield valid("cosigned", cosigned, HELD, [0, 9, 10], witnessed, trust="quorum of 1")


def _motley() -> dict[str, Any]:
    """Senders, types, keys, messages and times that come, stay and go."""
    city = City()
    city.accept("s1", b"0")
    city.accept("s1", b"1", by="key:k1", type="text/plain", key="m-1", observed="昨天")
    city.accept("s1", b"2", by="key:k1", type="text/plain", message=bytes(32))
    city.accept("s1", b"3", by="none", key='"\\/')
    city.accept("s1", b"4", message=b"\xff" * 32, observed="x" * 64)
    city.now = city.records["s1"][-1].statement.received
    city.accept("s1", b"5", received=city.now)
    city.seal()
    return city.window({"by": "n", "from": 0, "to": 6})


def _records(city: City) -> Iterator[Case]:
    """What may happen to the records carried; the receipt of the last one stays."""
    window = city.window(ALL)
    rest = window["rest"]

    def with_rest(desc: str, items: list[Any], error: str) -> Case:
        return case(desc, window | {"rest": items}, error)

    for i in range(len(rest)):
        yield with_rest(f"record {i + 1} left out", rest[:i] + rest[i + 1 :], BROKEN)
        merged = deepcopy(rest[:i] + rest[i + 1 :])
        if i < len(merged):
            merged[i]["r"] += rest[i]["r"]
            yield with_rest(f"record {i + 1} left out, times mended", merged, BROKEN)
        doubled = [*rest[: i + 1], rest[i], *rest[i + 1 :]]
        yield with_rest(f"record {i + 1} doubled", doubled, BROKEN)
        bit = ("A" if rest[i]["d"][0] != "A" else "B") + rest[i]["d"][1:]
        yield with_rest(f"record {i + 1} of another content", changed_at(rest, i, d=bit), BROKEN)
        late = changed_at(rest, i, r=rest[i]["r"] + 1)
        yield with_rest(f"record {i + 1} a microsecond later", late, BROKEN)
    for i in range(len(rest) - 1):
        swapped = [*rest[:i], rest[i + 1], rest[i], *rest[i + 2 :]]
        yield with_rest(f"records {i + 1} and {i + 2} swapped", swapped, BROKEN)
    yield with_rest("all but the first left out", [], BROKEN)
    yield with_rest("in reverse", rest[::-1], BROKEN)
    yield with_rest("one more at the end", [*rest, rest[0]], BROKEN)
    yield with_rest("another observed time", changed_at(rest, 3, o="2014"), BROKEN)
    yield with_rest("an added key", changed_at(rest, 3, k="m-1"), BROKEN)
    yield with_rest("an added message", changed_at(rest, 3, m=short(bytes(32))), BROKEN)
    yield with_rest("another sender", changed_at(rest, 3, b="none"), BROKEN)
    yield with_rest("another type", changed_at(rest, 3, t="text/plain"), BROKEN)
    dropped = [{key: item[key] for key in item if key != "o"} for item in rest]
    yield with_rest("observed times left out", dropped, BROKEN)
    head = json.loads(window["head"])
    hashed = "digest" if "digest" in head else "commitment"
    for name, value in (
        (hashed, "aa" * 32),
        ("observed", "2014"),
        ("received", "2026-11-24T08:00:01.999999Z"),
        ("source", "s2"),
        ("dataset", "traffic"),
        ("chain", 1),
        ("by", "none"),
    ):
        other = window | {"head": retold(window["head"], **{name: value})}
        yield case(f"a head with {name} {value}", other, BROKEN)
    later = {"n": 1, "prev": "aa" * 32}
    moved = window | {"head": retold(window["head"], **later)}
    yield case("a head that claims to be the second", moved, BROKEN)
    second = city.records["s1"][1].text
    headless = window | {"head": second, "rest": rest[1:]}
    yield case("the first left out", headless, START)


def changed_at(items: list[Any], place: int, **members: Any) -> list[Any]:
    """The items, one of them changed."""
    return [*items[:place], items[place] | members, *items[place + 1 :]]


def _payloads(city: City, is_open: bool) -> Iterator[Case]:
    window, payloads = city.window(ALL), opened(city.records["s1"])
    salt, content = payloads[4] or ("", "")

    def with_payloads(desc: str, items: Payloads, error: str = PAYLOAD) -> Case:
        return case(desc, window, error, payloads=items)

    yield with_payloads("one payload missing", payloads[:-1], f"{PAYLOAD}.too-few")
    yield with_payloads("no payload at all", [], f"{PAYLOAD}.too-few")
    yield with_payloads("one payload more", [*payloads, None], f"{PAYLOAD}.too-many")
    yield with_payloads(
        "two payloads swapped", [*payloads[:1], payloads[2], payloads[1], *payloads[3:]]
    )

    def other(desc: str, pair: tuple[str | None, str]) -> Case:
        return with_payloads(desc, [*payloads[:4], pair, *payloads[5:]])

    yield other("another payload", (salt, b64encode(b"{}").decode()))
    yield other("an empty payload", (salt, ""))
    if is_open:
        yield other("a salt where there is none", ("aa" * 32, content))
        yield other("an empty salt", ("", content))
        return
    raw = bytes.fromhex(str(salt))
    yield other("no salt", (None, content))
    yield other("an empty salt", ("", content))
    payload = city.records["s1"][4].payload
    yield other("the salt moved to the payload", (None, b64encode(raw + payload).decode()))
    yield other("the salt moved, an empty one left", ("", b64encode(raw + payload).decode()))
    moved = b64encode(raw[31:] + payload).decode()
    yield other("a byte of the salt moved to the payload", (raw[:31].hex(), moved))
    longer = (raw + payload[:1]).hex(), b64encode(payload[1:]).decode()
    yield other("a byte of the payload moved to the salt", longer)


def _spans(city: City) -> Iterator[Case]:
    """Windows that don't answer what was asked."""
    late = city.window({"by": "n", "from": 3, "to": 7}, 4, 6)
    yield case("the first record asked for left out", late, START)
    yield case("asked from 0, carried from 1", city.window(ALL, 1), START)
    exact = city.window(asked_by_time("06.000000", "11.000000"), 2, 5)
    yield case("the record before the span left out", exact, START)
    inside = city.window(asked_by_time("06.000000", "11.000000"), 3, 5)
    yield case("the first of the span left out", inside, START)
    before = city.window(asked_by_time("02.000000", "11.000000"), 1, 5)
    yield case("a span from the very first, which is left out", before, START)
    for desc, asked in (
        ("from after to", {"by": "n", "from": 7, "to": 3}),
        ("from equal to to", {"by": "n", "from": 3, "to": 3}),
        ("a negative from", {"by": "n", "from": -1, "to": 3}),
        ("n as text", {"by": "n", "from": "0", "to": "3"}),
        ("n that is true", {"by": "n", "from": 0, "to": True}),
        ("times the wrong way round", asked_by_time("06.000000", "05.000000")),
        ("from without fraction", asked_by_time("06", "07.000000")),
        ("to without fraction", asked_by_time("06.000000", "07")),
        ("times as numbers", {"by": "received", "from": 1, "to": 2}),
        ("an empty sender's time", {"by": "observed", "from": "", "to": "2"}),
        ("a sender's time with a newline", {"by": "observed", "from": "1\n", "to": "2"}),
        ("a sender's time that is too long", {"by": "observed", "from": "1", "to": "2" * 65}),
        ("asked by key", {"by": "key", "from": "a", "to": "b"}),
        ("asked by nothing", {"from": 0, "to": 1}),
        ("asked for more", {"by": "n", "from": 0, "to": 1, "limit": 5}),
        ("asked as a list", ["n", 0, 1]),
    ):
        yield case(desc, city.window(ALL) | {"asked": asked}, FORM)


def _characters() -> Iterator[Case]:
    """The sender's times are compared code point by code point, not as UTF-16 has them."""
    city = City()
    for text in ("\uff5e", "\U0001f600", "z", "\u00e9"):
        city.accept("s1", b"1", observed=text)
    city.accept("s1", b"1")
    city.seal()
    own = HELD | {"asked": "own-word"}

    def sent(start: str, stop: str) -> dict[str, Any]:
        return city.window({"by": "observed", "from": start, "to": stop})

    yield valid("a span over the end of U+FFFF", sent("\uff00", "\U0001f000"), own, [0, 0, 1])
    yield valid("a span beyond U+FFFF", sent("\U0001f000", "\U0001ffff"), own, [1, 1, 1])
    yield valid("a span of texts of several lengths", sent("a", "\U0010ffff" * 64), own, [0, 3, 4])
    yield valid("a span of the sender's that is empty", sent("a", "b"), own, [None, None, 0])
    for start, stop in (
        ("\U0001f600", "\uff5e"),
        ("b", "a"),
        ("a", "a"),
        ("a\x00", "b"),
        ("a", "b\x7f"),
        ("a", "\U0001f600" * 65),
    ):
        yield case(
            f"a span from {start[:4]!a} to {stop[:4]!a} of {len(stop)}", sent(start, stop), FORM
        )


def _numbers() -> Iterator[Case]:
    """Numbers and members at their edges."""
    window = make(rounds=5).window(ALL)
    rest = window["rest"]
    for number in (2**53, -(2**53), 1.0, "1", None, True, [1]):
        item = {"asked": {"by": "n", "from": 0, "to": number}}
        yield case(f"asked to {number!r}", _plain(window | item), FORM)
        item = {"asked": {"by": "n", "from": number, "to": 10}}
        yield case(f"asked from {number!r}", _plain(window | item), FORM)
        late = [*rest[:3], rest[3] | {"r": number}, *rest[4:]]
        told = f"a record {number!r} microseconds later"
        yield case(told, _plain(window | {"rest": late}), FORM)
    far = [*rest[:3], rest[3] | {"r": 2**53 - 1}, *rest[4:]]
    yield case("a record 285 years later", window | {"rest": far}, BROKEN)
    last = retold(window["head"], n=2**53 - 1, prev="aa" * 32)
    yield case("a record behind the greatest n", window | {"head": last}, FORM)
    for name, text in (
        ("o", "\U0001f600" * 65),
        ("k", "\U0001f600" * 129),
        ("o", "\x7f"),
        ("k", ""),
    ):
        item = [*rest[:3], rest[3] | {name: text}, *rest[4:]]
        told = f"a record with {name} {text[:1]!a} of {len(text)}"
        yield case(told, window | {"rest": item}, FORM)
    for text in ("A" * 42, "A" * 44, "A" * 42 + "B", "A" * 42 + "=", "A" * 21 + "\n" + "A" * 21):
        for name in ("d", "m"):
            item = [*rest[:3], rest[3] | {name: text}, *rest[4:]]
            told = f"a record with {name} {text[20:]!a}"
            yield case(told, window | {"rest": item}, FORM)


def _plain(window: dict[str, Any]) -> str:
    """As canonical JSON spells it, also what it refuses."""
    return json.dumps(window, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _receipts(city: City) -> Iterator[Case]:
    window = city.window(ALL)

    def with_receipt(desc: str, receipt: Any, error: str, **more: Any) -> Case:
        at = None if error in (FORM, BROKEN) else 3
        return case(desc, window | {"receipt": receipt}, error, at, **more)

    yield with_receipt("receipt of an earlier record", city.receipt("s1", 8), BROKEN)
    yield with_receipt("receipt of another source", city.receipt("s2", 4), BROKEN)
    elsewhere = make(dataset="traffic", rounds=5).receipt("s1", 9)
    yield with_receipt("receipt of another dataset", elsewhere, BROKEN)
    receipt = city.receipt("s1", 9)
    broken = changed(receipt, "path", to=["aa" * 32, *receipt["path"][1:]])
    yield with_receipt("receipt with another path", broken, MISMATCH)
    other = changed(receipt, "payload", to="e30=")
    yield with_receipt("receipt with another payload", other, PAYLOAD)
    yield with_receipt("receipt without run", changed(receipt, "run", to=...), FORM)
    yield with_receipt("receipt as text", canonical.dumps(receipt), FORM)
    yield with_receipt("no receipt", None, FORM)
    made = make(rounds=1)
    made.seal_version([b"a\n"], b"a\n")
    yield with_receipt("receipt of a row", made.row_receipt(1, 0, b"a\n"), FORM)
    yield with_receipt("receipt of a file", made.file_receipt(1), FORM)
    signer = "unknown-signer"
    yield with_receipt("receipt of another log", receipt, signer, trust="another log")
    quorum = "quorum-not-met"
    yield with_receipt("receipt without witnesses", receipt, quorum, trust="quorum of 1")


def _form(window: dict[str, Any]) -> Iterator[Case]:
    text, rest = canonical.dumps(window), window["rest"]
    spelled = f"{FORM}.not-canonical"
    yield case("two final newlines", text + "\n\n", spelled)
    yield case("indented", json.dumps(window, indent=1, sort_keys=True), spelled)
    yield case("cut off", text[:-2], FORM)
    yield case("nothing", "", FORM)
    yield case("a list", "[]", FORM)
    for name in window:
        yield case(f"without {name}", changed(window, name, to=...), FORM)
        yield case(f"{name} that is null", window | {name: None}, FORM)
    yield case("an unknown member", window | {"comment": ""}, FORM)
    yield case("another version", window | {"v": "window/2"}, FORM)
    yield case("a head that is an object", window | {"head": json.loads(window["head"])}, FORM)
    yield case("a head with a newline", window | {"head": window["head"] + "\n"}, spelled)
    last = retold(window["head"], received="9999-12-31T23:59:59.999999Z")
    yield case("a time beyond the calendar", window | {"head": last}, FORM)
    yield case("a rest that is an object", window | {"rest": {}}, FORM)
    for desc, members in (
        ("an unknown member", {"x": 1}),
        ("d with padding", {"d": rest[3]["d"] + "="}),
        ("d cut short", {"d": rest[3]["d"][:-1]}),
        ("d in base64 of the other alphabet", {"d": "+" + rest[3]["d"][1:]}),
        ("d with bits behind its end", {"d": rest[3]["d"][:-1] + "_"}),
        ("d that is no base64", {"d": "é" * 43}),
        ("d that is null", {"d": None}),
        ("a time that goes back", {"r": -1}),
        ("a time with fraction", {"r": "1.5"}),
        ("a time that is true", {"r": True}),
        ("b that doesn't change", {"b": "acl"}),
        ("t that doesn't change", {"t": "application/json"}),
        ("an unknown sender", {"b": "god"}),
        ("a type in capitals", {"t": "TEXT/PLAIN"}),
        ("an empty observed time", {"o": ""}),
        ("an observed time of 65 characters", {"o": "x" * 65}),
        ("a key that is a number", {"k": 1}),
        ("a key with a control character", {"k": "\x1b"}),
        ("a message that is hex", {"m": "aa" * 32}),
    ):
        item = changed_at(rest, 3, **members)
        yield case(f"a record with {desc}", window | {"rest": item}, FORM)
    for name in ("d", "r"):
        item = [*rest[:3], {key: rest[3][key] for key in rest[3] if key != name}, *rest[4:]]
        yield case(f"a record without {name}", window | {"rest": item}, FORM)
    yield case("a record that is text", window | {"rest": ["d"]}, FORM)
    part = make(rounds=5).window({"by": "n", "from": 3, "to": 5}, 2, 5)
    before = part | {"erased": [{"n": 1, **ERASED}]}
    yield case("an erasure of the record before the first", before, FORM)
    after = part | {"erased": [{"n": 6, **ERASED}]}
    yield case("an erasure of the record after the last", after, FORM)
    for desc, erased in (
        ("no erasure", []),
        ("an erasure of what is not carried", [{"n": 10, **ERASED}]),
        ("an erasure twice", [{"n": 4, **ERASED}, {"n": 4, **ERASED}]),
        ("erasures out of order", [{"n": 4, **ERASED}, {"n": 3, **ERASED}]),
        ("an erasure without n", [ERASED]),
        ("an erasure without time", [{"n": 4, "ground": "x", "record": "y"}]),
        ("an erasure with more", [{"n": 4, "by": "me", **ERASED}]),
        ("an erasure that is text", ["4"]),
        ("erasures that are no list", {}),
        ("more erasures than records", [{"n": n, **ERASED} for n in range(11)]),
    ):
        yield case(desc, window | {"erased": erased}, FORM)
