# SPDX-License-Identifier: Apache-2.0
"""SenML packs as JSON and CBOR: each record resolved by RFC 8428, each bad one alone."""

import base64
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_ingest.codecs import Decoded, Fault, Members
from tests.examples import examples
from tests.iot_ingest.decoding import decode, fault, payloads, readings

UNNAMED = Members(names_source=False)
NOW = 2**28
LABELS = {
    "bver": -1, "bn": -2, "bt": -3, "bu": -4, "bv": -5, "bs": -6,
    "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4, "s": 5, "t": 6, "ut": 7, "vd": 8,
}  # fmt: skip


def cbor(*records: dict[str, Any]) -> bytes:
    """A pack in CBOR, by the names of JSON."""
    return cbor2.dumps([{LABELS.get(k, k): v for k, v in one.items()} for one in records])


RULES = {
    "a name is put behind the base name": (
        '[{"bn":"urn:dev:ow:1:","n":"t","v":1},{"n":"h","v":2},{"v":3}]',
        [
            '{"n":"urn:dev:ow:1:t","v":1}',
            '{"n":"urn:dev:ow:1:h","v":2}',
            '{"n":"urn:dev:ow:1:","v":3}',
        ],
    ),
    "a base name holds until the next": (
        '[{"bn":"a","v":1},{"bn":"b","v":2},{"v":3},{"bn":"","n":"c","v":4}]',
        ['{"n":"a","v":1}', '{"n":"b","v":2}', '{"n":"b","v":3}', '{"n":"c","v":4}'],
    ),
    "each base field holds for itself": (
        '[{"bn":"a","bt":300000000,"bu":"V","v":1},{"bn":"b","v":2},{"bu":"A","v":3}]',
        [
            '{"n":"a","u":"V","v":1,"t":300000000}',
            '{"n":"b","u":"V","v":2,"t":300000000}',
            '{"n":"b","u":"A","v":3,"t":300000000}',
        ],
    ),
    "a record's unit goes before the base unit, even an empty one": (
        '[{"bn":"a","bu":"V","u":"A","v":1},{"u":"","v":2},{"v":3}]',
        ['{"n":"a","u":"A","v":1}', '{"n":"a","u":"","v":2}', '{"n":"a","u":"V","v":3}'],
    ),
    "times are added exactly": (
        '[{"bn":"a","bt":1.320067464e+09,"v":1},{"t":0.1,"v":2},{"t":-5,"v":3},{"t":1e1,"v":4}]',
        [
            '{"n":"a","v":1,"t":1.320067464e+09}',
            '{"n":"a","v":2,"t":1320067464.1}',
            '{"n":"a","v":3,"t":1320067459}',
            '{"n":"a","v":4,"t":1320067474}',
        ],
    ),
    "a base time may be written in any record": (
        '[{"n":"a","t":300000000,"v":1},{"bt":10,"n":"a","t":300000000,"v":1}]',
        ['{"n":"a","v":1,"t":300000000}', '{"n":"a","v":1,"t":300000010}'],
    ),
    "values are added exactly": (
        '[{"bn":"a","bv":0.1,"v":0.2},{"v":10.0},{"v":1e-3},{"v":-0.1},{"v":12345678901234567890}]',
        [
            '{"n":"a","v":0.3}',
            '{"n":"a","v":10.1}',
            '{"n":"a","v":0.101}',
            '{"n":"a","v":0.0}',
            '{"n":"a","v":12345678901234567890.1}',
        ],
    ),
    "a missing value beside a base value is zero": (
        '[{"bn":"a","bv":20.50}]',
        ['{"n":"a","v":20.50}'],
    ),
    "a base value is not for text, data and booleans": (
        '[{"bn":"a","bv":1,"vs":"on"},{"vb":false},{"vd":"aGk"}]',
        ['{"n":"a","vs":"on"}', '{"n":"a","vb":false}', '{"n":"a","vd":"aGk"}'],
    ),
    "sums are added, and stand without a value": (
        '[{"bn":"a","s":1.50},{"bs":100,"s":2},{"v":1},{"vs":"x","s":0.5}]',
        [
            '{"n":"a","s":1.50}',
            '{"n":"a","s":102}',
            '{"n":"a","v":1,"s":100}',
            '{"n":"a","vs":"x","s":100.5}',
        ],
    ),
    "a number that is alone is the text that was sent": (
        '[{"n":"a","v":10.0},{"n":"a","v":-0},{"n":"a","v":1E+2},{"n":"a","s":1.10,"ut":60.0}]',
        [
            '{"n":"a","v":10.0}',
            '{"n":"a","v":-0}',
            '{"n":"a","v":1E+2}',
            '{"n":"a","s":1.10,"ut":60.0}',
        ],
    ),
    "version 10 is told or not, and means the same": (
        '[{"bver":10,"n":"a","v":1},{"n":"a","v":2},{"bver":10,"n":"a","v":3}]',
        ['{"n":"a","v":1}', '{"n":"a","v":2}', '{"n":"a","v":3}'],
    ),
    "another version stands in each record": (
        '[{"bver":26,"n":"a","u":"km/h","v":1},{"n":"a","v":2}]',
        ['{"bver":26,"n":"a","u":"km/h","v":1}', '{"bver":26,"n":"a","v":2}'],
    ),
    "unknown fields are kept, behind those of the format": (
        '[{"x":{"b":1.0,"a":[null,true]},"n":"a","_y":"\\u6e29","v":1}]',
        ['{"n":"a","v":1,"x":{"b":1.0,"a":[null,true]},"_y":"温"}'],
    ),
    "a text may be empty": ('[{"n":"a","vs":""}]', ['{"n":"a","vs":""}']),
    "data may be empty": ('[{"n":"a","vd":""}]', ['{"n":"a","vd":""}']),
}  # fmt: skip


@pytest.mark.parametrize(("pack", "told"), RULES.values(), ids=RULES)
def test_a_record_is_resolved(pack: str, told: list[str]) -> None:
    """Each rule of RFC 8428 sections 4.1 to 4.6, with the payload that it gives."""
    assert payloads("senml-json", pack, UNNAMED) == told


def test_the_source_is_the_resolved_name() -> None:
    """Where the feed has none of its own."""
    pack = '[{"bn":"urn:dev:ow:1:","n":"t","v":1},{"n":"h.2_x-y","v":2}]'
    assert [one.source for one in readings("senml-json", pack)] == [
        "urn:dev:ow:1:t",
        "urn:dev:ow:1:h.2_x-y",
    ]
    assert [one.source for one in readings("senml-json", pack, UNNAMED)] == [None, None]


@pytest.mark.parametrize("name", ["a/b", "2001:db8::2/temperature", "n" * 129])
def test_a_name_that_is_no_id_needs_a_feed_that_names_the_source(name: str) -> None:
    """Nothing is mapped: two names would become one source."""
    pack = json.dumps([{"n": name, "v": 1}])
    found = fault("senml-json", pack)
    assert found.reason == "bad-source"
    assert name[:128] in found.detail
    assert payloads("senml-json", pack, UNNAMED) == [f'{{"n":"{name}","v":1}}']


TIMES = [
    ('"t":268435456', "268435456"),
    ('"t":268435456.0', "268435456.0"),
    ('"t":2.68435456e8', "2.68435456e8"),
    ('"bt":268435456', "268435456"),
    ('"bt":268435450,"t":6', "268435456"),
    ('"bt":1e9,"t":-1', "999999999"),
    ('"t":268435455.999', None),
    ('"bt":268435455', None),
    ('"t":0', None),
    ('"t":-5', None),
    ('"t":5', None),
    ('"bt":0,"t":-268435457', None),
    ('"bt":268435456,"t":-1', None),
    ("", None),
]


@pytest.mark.parametrize(("fields", "observed"), TIMES)
def test_only_a_time_since_1970_is_told(fields: str, observed: str | None) -> None:
    """Below 2^28 it is relative to the pack's coming: equal ones are different times."""
    pack = f'[{{"n":"a",{fields}{"," if fields else ""}"v":1}}]'
    (one,) = readings("senml-json", pack)
    assert (one.observed, one.key) == (observed, None)


def test_a_relative_time_stays_relative_in_the_payload() -> None:
    """As the statement's `received` is the time that it counts from."""
    assert payloads("senml-json", '[{"bn":"a","bt":-10,"t":-5.50,"v":1}]') == [
        '{"n":"a","v":1,"t":-15.50}'
    ]


BAD_FIELDS = [
    ("n", 1), ("n", None), ("n", True), ("n", ["a"]), ("n", ""), ("n", " a"), ("n", "a b"),
    ("n", "-a"), ("n", "_a"), ("n", "/a"), ("n", "a%20b"),
    ("n", "温"), ("n", "a\n"), ("n", "n" * 1_001),
    ("u", 1), ("u", None), ("u", {}),
    ("v", "1"), ("v", True), ("v", None), ("v", [1]), ("v", {}),
    ("vs", 1), ("vs", None), ("vs", False),
    ("vb", 1), ("vb", "true"), ("vb", None),
    ("vd", 1), ("vd", "aGk="), ("vd", "a"), ("vd", "a+k"), ("vd", "a k"), ("vd", None),
    ("s", "1"), ("s", None), ("s", False),
    ("t", "1"), ("t", None), ("t", "2026-03-01T10:00:00Z"), ("t", True),
    ("ut", "1"), ("ut", None), ("ut", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD_FIELDS, ids=lambda value: repr(value)[:16])
def test_a_bad_field_costs_only_its_record(name: str, value: Any) -> None:
    """What is set aside is a pack that means the same alone: base fields come with it."""
    record = {**({} if name.startswith("v") else {"v": 1}), **({"n": "x"} | {name: value})}
    pack = json.dumps(
        [{"bn": "", "bt": NOW, "bver": 26, "n": "a", "v": 1}, record, {"n": "b", "v": 2}]
    )
    before, found, after = decode("senml-json", pack)
    assert isinstance(before, Decoded)
    assert isinstance(found, Fault)
    assert isinstance(after, Decoded)
    assert found.reason in ("bad-value", "missing")
    assert found.detail.count("1") >= 1
    assert json.loads(found.payload) == [{"bver": 26, "bn": "", "bt": NOW, **record}]
    again = fault("senml-json", found.payload)
    assert (again.reason, again.payload) == (found.reason, found.payload)


BAD_RECORDS = {
    "two values": '{"n":"x","v":1,"vs":"a"}',
    "a number and data": '{"n":"x","v":1,"vd":"aGk"}',
    "text and a boolean": '{"n":"x","vs":"1","vb":true}',
    "no value and no sum": '{"n":"x"}',
    "base fields alone": '{"bn":"x"}',
    "a label twice": '{"n":"x","v":1,"v":2}',
    "a label twice, once escaped": '{"n":"x","v":1,"\\u0076":2}',
    "NaN": '{"n":"x","v":NaN}',
    "an overflow": '{"n":"x","v":1e400}',
    "too many digits": '{"n":"x","v":' + "7" * 500 + "}",
    "half of a pair": '{"n":"x","vs":"\\ud800"}',
    "U+0000": '{"n":"x","vs":"\\u0000"}',
    "an unknown member twice inside": '{"n":"x","v":1,"y":{"a":1,"a":2}}',
    "a time of too many digits": '{"n":"x","v":1,"t":1%s.5}' % ("0" * 70),
}


@pytest.mark.parametrize("record", BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_bad_record_costs_only_itself(record: str) -> None:
    """Its own bytes are set aside, behind the base fields in force."""
    before, found, after = decode(
        "senml-json", f'[{{"bn":"a","bu":"V","v":1}}, {record} ,{{"v":2}}]'
    )
    assert isinstance(found, Fault)
    assert found.reason in ("bad-value", "missing")
    assert isinstance(before, Decoded)
    assert isinstance(after, Decoded)
    base = '"bu":"V"' if '"bn"' in record else '"bn":"a","bu":"V"'
    assert found.payload.decode() == f"[{{{base},{record[1:]}]"
    assert fault("senml-json", found.payload).payload == found.payload
    assert after.source == ("x" if '"bn"' in record else "a")


BROKEN_PACKS = {
    '{"n":"a","v":1}': "bad-value",
    "1": "bad-value",
    "null": "bad-value",
    "[]": "empty",
    "[1]": "bad-value",
    '[{"n":"a","v":1},[]]': "bad-value",
    '[{"n":"a","v":1},null]': "bad-value",
    '[{"n":"a","v":1}': "not-json",
    "": "not-json",
    '[{"n":"a","v":1},{"n":"b","v":2,"x_":1}]': "not-understood",
    '[{"n":"a","v":1,"_":null}]': "not-understood",
    '[{"n":"a","v":1},{"x_":NaN}]': "bad-value",
    '[{"bver":11,"n":"a","v":1}]': "not-understood",
    '[{"bver":9,"n":"a","v":1}]': "not-understood",
    '[{"bver":0,"n":"a","v":1}]': "bad-value",
    '[{"bver":-10,"n":"a","v":1}]': "bad-value",
    '[{"bver":10.0,"n":"a","v":1}]': "bad-value",
    '[{"bver":1e1,"n":"a","v":1}]': "bad-value",
    '[{"bver":"10","n":"a","v":1}]': "bad-value",
    '[{"bver":null,"n":"a","v":1}]': "bad-value",
    '[{"bver":10,"n":"a","v":1},{"bver":26,"n":"b","v":1}]': "bad-value",
    '[{"n":"a","v":1},{"bver":26,"n":"b","v":1}]': "bad-value",
    '[{"bver":26,"n":"a","v":1},{"bver":10,"n":"b","v":1}]': "bad-value",
    '[{"n":"a","v":1},{"bn":1,"v":2}]': "bad-value",
    '[{"bn":null,"n":"a","v":1}]': "bad-value",
    '[{"bt":"1","n":"a","v":1}]': "bad-value",
    '[{"bt":null,"n":"a","v":1}]': "bad-value",
    '[{"bu":1,"n":"a","v":1}]': "bad-value",
    '[{"bv":"1","n":"a","v":1}]': "bad-value",
    '[{"bv":true,"n":"a","v":1}]': "bad-value",
    '[{"bs":[],"n":"a","v":1}]': "bad-value",
    '[{"bn":"a","v":1},{"bn":"b","bn":"c","v":2},{"v":3}]': "bad-value",
    '[{"bn":"a","v":1},{"\\u0062n":"b","v":NaN},{"v":3}]': "bad-value",
    '[{"bn":"a","v":1},{"bt":1e400,"v":2},{"v":3}]': "bad-value",
    '[{"bn":"\\ud800","v":2},{"v":3}]': "bad-value",
    "[" + '{"n":"a","v":1},' * 10_000 + '{"n":"a","v":1}]': "too-many",
    '[{"n":"a","v":1,"x":' + "[" * 100_000 + "]" * 100_000 + "}]": "too-deep",
}


@pytest.mark.parametrize(
    ("pack", "reason"), BROKEN_PACKS.items(), ids=[name[:60] for name in BROKEN_PACKS]
)
def test_a_broken_pack_gives_no_reading_at_all(pack: str, reason: str) -> None:
    """Where a base field, a version or what must be understood is in doubt, all records are."""
    found = fault("senml-json", pack, UNNAMED)
    assert (found.payload, found.reason) == (pack.encode(), reason)
    assert found.detail


@pytest.mark.parametrize(
    "fields",
    [
        '"bv":1e300,"v":1e-300',
        '"bv":1e-99999999999999999999,"v":1',
        '"bv":1,"v":1e-999999999',
        '"bt":1e-401,"t":1',
        '"bs":0e-5000,"s":1',
        '"bs":1e300,"s":1e-99',
        '"bv":1e308,"v":1e308',
    ],
)
def test_a_sum_that_no_number_can_be_is_refused_at_once(fields: str) -> None:
    """What is resolved can be sent again; a huge exponent doesn't fill the memory."""
    value = "" if '"v"' in fields else ',"vs":"x"'
    pack = f'[{{"n":"a",{fields}{value}}}]'
    assert fault("senml-json", pack).reason == "bad-value"


def test_a_record_larger_than_a_reading_may_be_is_refused() -> None:
    """By what it is resolved to."""
    pack = '[{"bn":"aaaaaaaa","v":1},{"n":"a","v":1}]'
    small, large = decode("senml-json", pack, Members(max_bytes=len('{"n":"aaaaaaaa","v":1}')))
    assert isinstance(small, Decoded)
    assert isinstance(large, Fault)
    assert large.reason == "too-large"


# -- CBOR


@pytest.mark.parametrize("pack", [one[0] for one in RULES.values()], ids=RULES)
def test_a_pack_in_cbor_is_resolved_as_the_same_in_json(pack: str) -> None:
    """Numbers as decimal fractions keep every digit, so the payloads agree in value."""
    records = json.loads(pack, parse_float=Decimal)
    for record in records:
        if "vd" in record:
            record["vd"] = base64.urlsafe_b64decode(record["vd"] + "==")
        if "x" in record:
            record["x"] = {"b": 1.0, "a": [None, True]}
    found = readings("senml-cbor", cbor(*records), UNNAMED)
    told = [json.loads(one, parse_float=Fraction) for one in payloads("senml-json", pack, UNNAMED)]
    assert [json.loads(one.payload, parse_float=Fraction) for one in found] == told
    assert [list(json.loads(one.payload)) for one in found] == [list(one) for one in told]


NUMBERS = [
    (1, "1"), (-0.0, "-0.0"), (0.1, "0.1"), (20.0, "20.0"), (1e16, "1e+16"), (5e-324, "5e-324"),
    (2**64, "18446744073709551616"), (-(2**63) - 1, "-9223372036854775809"),
    (Decimal("10.0"), "10.0"), (Decimal("1.10"), "1.10"), (Decimal("-273.15"), "-273.15"),
    (Decimal("1E+2"), "100"), (Decimal("1E-7"), "0.0000001"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "text"), NUMBERS, ids=[text for _, text in NUMBERS])
def test_a_number_of_cbor_has_one_text(number: Any, text: str) -> None:
    """Integers and fractions exactly, floats as the shortest decimal of their double."""
    assert payloads("senml-cbor", cbor({"n": "a", "v": number})) == [f'{{"n":"a","v":{text}}}']


@pytest.mark.parametrize(
    ("code", "text"), [("f93c00", "1.0"), ("fa3dcccccd", "0.10000000149011612")]
)
def test_a_short_float_is_read_as_a_double(code: str, text: str) -> None:
    """Half and single precision, as RFC 8428 section 6 compares them."""
    pack = bytes.fromhex(f"81a2006161 02{code}")
    assert payloads("senml-cbor", pack) == [f'{{"n":"a","v":{text}}}']


def test_a_pack_of_indefinite_length_is_read() -> None:
    """Array, map and strings."""
    pack = bytes.fromhex("9fbf 00 7f61616162ff 03 7f6178ff ff ff")
    assert payloads("senml-cbor", pack) == ['{"n":"ab","vs":"x"}']


BAD_CBOR_FIELDS: list[dict[Any, Any]] = [
    {"v": float("nan")}, {"v": float("inf")}, {"v": "1"}, {"v": True}, {"v": None}, {"v": b"1"},
    {"v": cbor2.undefined}, {"v": cbor2.CBORSimpleValue(99)}, {"v": 2**1100}, {"v": {}},
    {"v": Decimal("1E+309")}, {"v": Decimal("1E-401")}, {"v": Decimal("1" * 401)},
    {"vs": b"a"}, {"vs": 1}, {"vs": "\0"}, {"vd": "aGk"}, {"vd": 1}, {"vd": None},
    {"vb": 1}, {"vb": None}, {"vb": b"\1"}, {"v": 1, "vs": "a"}, {"s": b"1"}, {"s": "1"},
    {"v": 1, "t": "1"}, {"v": 1, "t": b"1"}, {"v": 1, "ut": "1"}, {"v": 1, "u": 1},
    {"v": 1, "u": b"V"},
    {"v": 1, "n": 1}, {"v": 1, "n": b"a"}, {"v": 1, "n": "a b"}, {"v": 1, "x": cbor2.undefined},
    {"v": 1, "x": {1: 2}}, {"v": 1, "x": [float("nan")]}, {"v": 1, "x\0": 1},
    {"v": 1, "x": ["\0"]}, {},
]  # fmt: skip


@pytest.mark.parametrize("fields", BAD_CBOR_FIELDS, ids=lambda value: repr(value)[:40])
def test_a_bad_field_in_cbor_costs_only_its_record(fields: dict[Any, Any]) -> None:
    """What is set aside is a pack in CBOR that means the same alone."""
    good = {"n": "a", "v": 1}
    pack = cbor({"bn": "x:", "bt": NOW, **good}, {"n": "b", **fields}, good)
    before, found, after = decode("senml-cbor", pack)
    assert isinstance(before, Decoded)
    assert isinstance(found, Fault)
    assert isinstance(after, Decoded)
    assert found.reason in ("bad-value", "missing")
    assert found.detail
    again = fault("senml-cbor", found.payload)
    assert (again.reason, again.payload) == (found.reason, found.payload)


BROKEN_CBOR = {
    "nothing": b"",
    "a number": b"\x01",
    "a map": cbor2.dumps({0: "a", 2: 1}),
    "an empty array": b"\x80",
    "a record that is none": cbor2.dumps([{0: "a", 2: 1}, 1]),
    "a record in a record": cbor2.dumps([[{0: "a", 2: 1}]]),
    "cut short": cbor({"n": "a", "v": 1})[:-1],
    "something behind": cbor({"n": "a", "v": 1}) + b"\0",
    "a second pack behind": cbor({"n": "a", "v": 1}) * 2,
    "a label twice": bytes.fromhex("81a3 006161 0201 0202"),
    "a label twice in another size": bytes.fromhex("81a3 006161 0201 180202"),
    "a label that SenML has not": cbor2.dumps([{0: "a", 2: 1, 9: "link"}]),
    "a negative label that SenML has not": cbor2.dumps([{0: "a", 2: 1, -7: "link"}]),
    "a name as text that has a number": cbor2.dumps([{0: "a", "v": 1}]),
    "a base name as text": cbor2.dumps([{"bn": "a", 2: 1}]),
    "a boolean as label": cbor2.dumps([{0: "a", 2: 1, True: 1}]),
    "a float as label": cbor2.dumps([{0.0: "a", 2: 1}]),
    "bytes as label": cbor2.dumps([{0: "a", 2: 1, b"x": 1}]),
    "a null as label": cbor2.dumps([{0: "a", 2: 1, None: 1}]),
    "an array as label": bytes.fromhex("81a3 006161 0201 8001"),
    "what must be understood": cbor({"n": "a", "v": 1, "x_": 1}),
    "version 11": cbor({"bver": 11, "n": "a", "v": 1}),
    "a version as float": cbor({"bver": 10.0, "n": "a", "v": 1}),
    "a version as fraction": cbor({"bver": Decimal(10), "n": "a", "v": 1}),
    "a version as bytes": cbor({"bver": b"10", "n": "a", "v": 1}),
    "a negative version": cbor({"bver": -10, "n": "a", "v": 1}),
    "another version later": cbor({"n": "a", "v": 1}, {"bver": 26, "n": "a", "v": 1}),
    "a base name of bytes": cbor({"bn": b"a", "v": 1}),
    "a base time that is NaN": cbor({"bt": float("nan"), "n": "a", "v": 1}),
    "a base value of text": cbor({"bv": "1", "n": "a", "v": 1}),
    "a base sum of null": cbor({"bs": None, "n": "a", "s": 1}),
    "a base unit of a number": cbor({"bu": 1, "n": "a", "v": 1}),
    "text that is not UTF-8": bytes.fromhex("81a2 0062c328 0201"),
    "half of a surrogate pair": bytes.fromhex("81a2 0063eda080 0201"),
    "brackets without end": b"\x81" * 100_000,
    "an array of 2^64 records": bytes.fromhex("9bffffffffffffffff"),
    "a text of 2^63 bytes": bytes.fromhex("81a2 007b7fffffffffffffff"),
    "a break alone": b"\xff",
    "a reserved head": b"\x1c",
    "a date": cbor2.dumps([{0: "a", 2: 1, "x": cbor2.CBORTag(0, "2026-03-01T10:00:00Z")}]),
    "a pattern that costs a core": cbor2.dumps([{0: "a", "x": cbor2.CBORTag(35, "(a+)+$")}]),
    "a shared value in itself": bytes.fromhex("81a2 006161 d81c 81 d81d00"),
    "a tag that nobody knows": cbor2.dumps([{0: "a", 2: cbor2.CBORTag(4711, 1)}]),
    "a bigfloat": cbor2.dumps([{0: "a", 2: cbor2.CBORTag(5, [1, 1])}]),
    "a rational": cbor2.dumps([{0: "a", 2: cbor2.CBORTag(30, [1, 3])}]),
    "a fraction of a huge exponent": bytes.fromhex("81a2 006161 02c4821b0fffffffffffffff01"),
    "a fraction that is none": bytes.fromhex("81a2 006161 02c48101"),
    "a pack that describes itself": cbor2.dumps(cbor2.CBORTag(55799, [{0: "a", 2: 1}])),
    "too many records": cbor2.dumps([{0: "a", 2: 1}] * 10_001),
}  # fmt: skip


@pytest.mark.parametrize("pack", BROKEN_CBOR.values(), ids=BROKEN_CBOR)
def test_a_broken_pack_in_cbor_gives_no_reading_at_all(pack: bytes) -> None:
    """One fault with all of its bytes."""
    found = fault("senml-cbor", pack, UNNAMED)
    assert found.payload == pack
    assert found.reason in ("not-cbor", "bad-value", "empty", "too-many", "not-understood")
    assert found.detail


# -- properties

NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9:._-]{0,9}\Z")
DECIMALS = st.decimals(-(10**10), 10**10, places=3)


@st.composite
def packs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Packs of numbers, with base fields wherever they may be."""
    found: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 5))):
        record: dict[str, Any] = {"bn": draw(NAMES)} if not number else {}
        for name, strategy in (
            ("bn", NAMES), ("bt", DECIMALS), ("bv", DECIMALS), ("bs", DECIMALS), ("bu", NAMES),
            ("n", NAMES), ("u", NAMES), ("t", DECIMALS), ("s", DECIMALS), ("v", DECIMALS),
        ):  # fmt: skip
            if name == "v" or draw(st.booleans()):
                record[name] = draw(strategy)
        found.append(record)
    return found


def resolved(pack: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Section 4.6, written down once more, with fractions."""
    told = []
    for at, record in enumerate(pack):
        base: dict[str, Any] = {}
        for one in pack[: at + 1]:
            base |= {name: value for name, value in one.items() if name.startswith("b")}
        whole: dict[str, Any] = {"n": base["bn"] + record.get("n", "")}
        if "bu" in base or "u" in record:
            whole["u"] = record["u"] if "u" in record else base["bu"]
        for name in ("v", "s", "t"):
            parts = [Fraction(x) for x in (base.get(f"b{name}"), record.get(name)) if x is not None]
            if parts:
                whole[name] = sum(parts)
        told.append(whole)
    return told


def written(pack: list[dict[str, Any]]) -> str:
    """A pack in JSON whose numbers have all their digits."""
    records = []
    for record in pack:
        fields = [
            f'"{name}":{value if isinstance(value, Decimal) else json.dumps(value)}'
            for name, value in record.items()
        ]
        records.append("{" + ",".join(fields) + "}")
    return f"[{','.join(records)}]"


@given(packs())
@examples(300)
def test_packs_are_resolved_as_the_rules_say(pack: list[dict[str, Any]]) -> None:
    """In both forms, against the rules written a second time."""
    told = resolved(pack)
    for codec, message in (("senml-json", written(pack)), ("senml-cbor", cbor(*pack))):
        found = readings(codec, message)
        parsed = [
            json.loads(one.payload, parse_float=Fraction, parse_int=Fraction) for one in found
        ]
        assert parsed == told
        assert [one.source for one in found] == [one["n"] for one in told]
        assert [one.observed is not None for one in found] == [
            one.get("t", 0) >= 2**28 for one in told
        ]


@given(packs())
@examples(200)
def test_what_is_resolved_resolves_to_itself(pack: list[dict[str, Any]]) -> None:
    """A resolved record is a pack of its own that means the same."""
    for one in readings("senml-json", written(pack)):
        assert readings("senml-json", b"[" + one.payload + b"]") == [one]


@given(st.binary(max_size=60))
@examples(1000)
def test_any_bytes_are_a_reading_or_a_fault(message: bytes) -> None:
    """As CBOR, nearly everything is well formed."""
    for pack in (
        message,
        b"\x81\xa2\x00\x61a" + message,
        b"\x81\xa3\x00\x61a\x02\x01\x61x" + message,
    ):
        found = decode("senml-cbor", pack)
        assert found
        assert all(one.payload for one in found) or not pack
