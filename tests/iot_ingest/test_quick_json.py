# SPDX-License-Identifier: Apache-2.0
"""The quick look at JSON never says another thing than the strict reader."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iot_ingest.codecs import quick_json
from iot_ingest.codecs.json_object import text_of
from notary.core import strict_json
from notary.core.errors import MalformedText

QUICK = [
    (b'{"time":"06:00","id":17,"v":1.5}', ("06:00", "17")),
    (b' {"v": {"a": [1, "x", {"b": null}]}, "id": "k"}\n', (None, "k")),
    ('{"time":"6 时","气温":"晴"}'.encode(), ("6 时", None)),
    (b"{}", (None, None)),
    (b'{"time":null,"id":-5}', (None, "-5")),
]
CLOSER = {
    "a doubled member": b'{"id":"a","id":"b"}',
    "a doubled member, other spacing": b'{"id" :1,\n"id": 2,"v":"x"}',
    "a doubled member inside": b'{"id":"a","v":{"b":1,"b":"c"}}',
    "a doubled member in a list": b'{"v":[{"b":1,"b":1}]}',
    "an escape": b'{"id":"\\u0061"}',
    "half a surrogate pair": b'{"id":"\\ud800"}',
    "an escaped quote": b'{"id":"\\""}',
    "a fraction as id": b'{"id":1.0}',
    "a power as id": b'{"id":1e5}',
    "minus zero as id": b'{"id":-0}',
    "a large whole number as id": b'{"id":18446744073709551616}',
    "true as id": b'{"id":true}',
    "a list as time": b'{"time":[1]}',
    "an overflow": b'{"v":1e400}',
    "many digits": b'{"v":' + b"1" * 401 + b"}",
    "many decimals": b'{"v":0.' + b"1" * 401 + b"}",
    "NaN": b'{"v":NaN}',
    "no object": b'["id"]',
    "not UTF-8": b'{"id":"\xff"}',
    "a surrogate in UTF-8": b'{"id":"\xed\xa0\x80"}',
    "a control character": b'{"id":"\x01"}',
    "a mark of byte order": b'\xef\xbb\xbf{"id":"a"}',
    "two values": b'{"id":"a"}{}',
    "deep": b'{"v":' + b"[" * 60 + b"]" * 60 + b"}",
    "nothing": b"",
}


def strictly(payload: bytes) -> tuple[str | None, str | None]:
    """What the strict reader finds; raises MalformedText."""
    value = strict_json.loads(payload)
    if not isinstance(value, dict):
        raise MalformedText("It is no object.")
    return text_of(value, "time"), text_of(value, "id")


def agree(payload: bytes) -> bool:
    """Whether there was a quick answer; it must be the strict one."""
    quick = quick_json.look(payload, "time", "id")
    if quick is None:
        return False
    assert quick == strictly(payload)
    return True


@pytest.mark.parametrize(("payload", "found"), QUICK)
def test_a_plain_object_is_read_quickly(
    payload: bytes, found: tuple[str | None, str | None]
) -> None:
    """The same as strictly."""
    assert quick_json.look(payload, "time", "id") == found == strictly(payload)


@pytest.mark.parametrize("payload", CLOSER.values(), ids=CLOSER)
def test_what_could_be_understood_differently_gets_a_closer_look(payload: bytes) -> None:
    """Never an answer, and never an error of its own."""
    assert quick_json.look(payload, "time", "id") is None


TEXTS = st.text(max_size=6) | st.sampled_from(["time", "id", '"', "\\", "\x00", "\x7f"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=400)
@given(
    st.dictionaries(TEXTS, VALUES, max_size=4),
    st.dictionaries(st.sampled_from(["time", "id"]), VALUES, max_size=2),
    st.booleans(),
)
def test_a_quick_answer_is_the_strict_one(
    some: dict[str, object], more: dict[str, object], is_ascii: bool
) -> None:
    """Of any object."""
    agree(json.dumps(some | more, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass"))


def test_of_bytes_changed_at_random_a_quick_answer_is_the_strict_one(long: bool) -> None:
    """20,000 (or 500,000) of them, cut, doubled and changed; many still get an answer."""
    dice, answers = random.Random(8), 0
    seeds = [payload for payload, _ in QUICK] + list(CLOSER.values())
    letters = b'{}[]":,\\ 0123456789eE.+-truefalsnulidm\xc3\xa9\x00'
    for _ in range(500_000 if long else 20_000):
        data = bytearray(dice.choice(seeds))
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(data) + 1)
            if dice.random() < 0.5:
                data[at:at] = bytes([dice.choice(letters)])
            elif dice.random() < 0.5:
                del data[at : at + dice.randrange(1, 5)]
            else:
                data[at:at] = data[dice.randrange(len(data) + 1) :][: dice.randrange(1, 12)]
        answers += agree(bytes(data))
    assert answers > 100
