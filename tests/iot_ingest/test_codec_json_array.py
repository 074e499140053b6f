# SPDX-License-Identifier: Apache-2.0
"""JSON arrays: an element is a reading as it stands in the message."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_ingest.codecs import Decoded, Fault, Members
from iot_ingest.codecs.json_array import MAX_ELEMENTS
from iot_ingest.codecs.slices import Text, object_reader, read, read_parts
from tests.examples import examples
from tests.iot_ingest.decoding import decode, fault, readings

MEMBERS = Members("time", "id")


def test_an_elements_bytes_are_kept_as_they_stand() -> None:
    """Blanks inside, the order of members, decimals and escapes belong to the evidence."""
    elements = ['{ "time":10.0,\n"id":"\\u6e29" }', '{"id":"温😀"}', "{}", '{"b":1,"a":1e2}']
    message = "\t[ " + " ,\r\n".join(elements) + "\n] \n"
    assert readings("json-array", message, MEMBERS) == [
        Decoded(elements[0].encode(), "10.0", "温"),
        Decoded(elements[1].encode(), None, "温😀"),
        Decoded(b"{}"),
        Decoded(elements[3].encode()),
    ]


BAD_ELEMENTS = {
    "1": "bad-value",
    "null": "bad-value",
    '"{}"': "bad-value",
    "[]": "bad-value",
    "NaN": "bad-value",
    '{"a":NaN}': "bad-value",
    '{"a":1e400}': "bad-value",
    '{"a":' + "7" * 5_000 + "}": "bad-value",
    '{"a":1,"a":2}': "bad-value",
    '{"x":[{"id":1,"id":1}]}': "bad-value",
    '{"id":"\\ud800"}': "bad-value",
    '{"\\u0000":1}': "bad-value",
    '{"id":{}}': "bad-value",
    '{"id":true}': "bad-value",
    '{"time":[1]}': "bad-value",
    '{"time":false}': "bad-value",
    '{"a":"' + "x" * 400_000 + '"}': "too-large",
}


@pytest.mark.parametrize(
    ("bad", "reason"), BAD_ELEMENTS.items(), ids=lambda value: repr(value)[:24]
)
@pytest.mark.parametrize("around", ["", '"温"'])
def test_a_bad_element_costs_only_itself(bad: str, reason: str, around: str) -> None:
    """Between two good ones, in a text of one byte a character and in one of more."""
    good = f'{{"id":"1","a":[{around}]}}'
    before, found, after = decode("json-array", f"[{good}, {bad} ,{good}]", MEMBERS)
    assert isinstance(found, Fault)
    assert (found.payload, found.reason) == (bad.encode(), reason)
    assert found.detail
    assert before == after == Decoded(good.encode(), None, "1")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "not-json"),
        (b" ", "not-json"),
        (b"[", "not-json"),
        (b"[{}", "not-json"),
        (b"[{},", "not-json"),
        (b"[{},]", "not-json"),
        (b"[,{}]", "not-json"),
        (b"[{} {}]", "not-json"),
        (b"[{}]]", "not-json"),
        (b"[{}]x", "not-json"),
        (b"[{}][{}]", "not-json"),
        (b"[{};{}]", "not-json"),
        (b"[{'a':1}]", "not-json"),
        (b'[{"a":01}]', "not-json"),
        (b'[{"a":"\n"}]', "not-json"),
        (b"[{}\x0c]", "not-json"),
        (b"[{}\xc2\xa0]", "not-json"),
        (b"\xef\xbb\xbf[{}]", "not-json"),
        (b'[{"a":\xff}]', "not-utf-8"),
        (b'[{"a":"\xed\xa0\x80"}]', "not-utf-8"),
        (b"{}", "bad-value"),
        (b"1", "bad-value"),
        (b'"[{}]"', "bad-value"),
        (b"[]", "empty"),
        (b" [ \n] ", "empty"),
        (b"[" * 200_000, "too-deep"),
        (b'[{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}]", "too-deep"),
        (b"[" + b"{}," * MAX_ELEMENTS + b"{}]", "too-many"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_message_that_is_no_list_is_one_fault(message: bytes, reason: str) -> None:
    """With all of its bytes; no element before the break is taken from it."""
    found = fault("json-array", message)
    assert (found.payload, found.reason) == (message, reason)
    assert found.detail


def test_as_many_elements_as_are_allowed_are_read() -> None:
    """The limit itself is legal."""
    assert len(readings("json-array", b"[" + b"{}," * (MAX_ELEMENTS - 1) + b"{}]")) == MAX_ELEMENTS


def test_a_feeds_own_limit_is_for_an_element() -> None:
    """And not for the message."""
    small, large = decode("json-array", '[{"a":1},{"a":12}]', Members(max_bytes=7))
    assert isinstance(small, Decoded)
    assert isinstance(large, Fault)
    assert large.reason == "too-large"


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e9, 1e9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(TEXT, VALUES, max_size=3), min_size=1, max_size=4),
    st.sampled_from([None, 0, 3]),
    st.booleans(),
)
@examples(300)
def test_every_list_of_objects_is_read_however_it_is_written(
    elements: list[dict[str, Any]], indent: int | None, ascii_only: bool
) -> None:
    """Each payload is in the message, reads as the element, and no byte of it is another's."""
    message = json.dumps(elements, indent=indent, ensure_ascii=ascii_only).encode()
    found = readings("json-array", message)
    assert [json.loads(one.payload) for one in found] == elements
    assert all(one.payload in message for one in found)


@given(VALUES, st.sampled_from([None, 0, 3]))
@examples(300)
def test_a_text_read_in_parts_is_the_text_read_at_once(value: Any, indent: int | None) -> None:
    """Lists and members with readers of their own don't change what is read."""
    text = Text(f" {json.dumps({'a': value, 'b': [value]}, indent=indent)}\n".encode())
    found = read(text, object_reader({"a": read_parts, "b": read_parts}))
    whole = read(text, Text.value)
    assert isinstance(found, dict)
    assert isinstance(whole, dict)
    assert [part.value for part in found["b"]] == whole["b"]
    if isinstance(value, list):
        assert [part.value for part in found["a"]] == whole["a"]
    else:
        assert found["a"] == whole["a"]
