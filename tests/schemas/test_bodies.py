# SPDX-License-Identifier: Apache-2.0
"""Bodies as they are read, without a service around them."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from notary.core.errors import NotaryError
from notary.usecases.lanes import LANES
from schemas.bodies import parse_body, parse_records
from schemas.dataset import NewDataset
from schemas.faults import (
    MAX_FAULTS,
    Fault,
    UnreadableBody,
    escape,
    faults_of,
)
from schemas.queries import PageQuery, ReceiptQuery
from schemas.record import Item

JSON, NDJSON = "application/json", "application/x-ndjson"


def one(member: str, value: object) -> Item | list[Fault]:
    """What becomes of one item."""
    body = parse_records(json.dumps({"source": "a", member: value}).encode(), JSON)
    assert body.is_one
    return body.items[0]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
def test_a_text_is_kept_as_its_utf_8(text: str) -> None:
    """Whatever the text, the payload is its bytes; nothing is normalised or trimmed."""
    item = one("payload_text", text)
    assert isinstance(item, Item)
    assert item.payload == text.encode()
    assert item.type == "text/plain"


@given(st.binary(max_size=300))
def test_bytes_come_through_base64(data: bytes) -> None:
    """Any bytes come out as they went in."""
    item = one("payload_base64", base64.b64encode(data).decode())
    assert isinstance(item, Item)
    assert item.payload == data
    assert item.type == "application/octet-stream"


@given(st.binary(max_size=200), st.sampled_from([JSON, NDJSON]))
def test_any_bytes_are_read_or_refused(data: bytes, type: str) -> None:
    """No body ends in anything but items or an error of ours."""
    try:
        body = parse_records(data, type)
    except NotaryError:
        return
    assert body.items


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["source", "payload_text", "records", "x"]) | st.text(),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_read_or_refused(value: object) -> None:
    """No value, whatever its shape, ends in anything but items or an error of ours."""
    data = json.dumps(value).encode()
    for type in (JSON, NDJSON):
        try:
            items = parse_records(data, type).items
        except NotaryError:
            continue
        for item in items:
            assert isinstance(item, Item) or all(isinstance(fault, Fault) for fault in item)
    try:
        parse_body(data, NewDataset())
    except NotaryError:
        return
    assert isinstance(value, dict)


def test_lines_are_told_apart_by_newlines_alone() -> None:
    """U+2028, form feeds and carriage returns inside a line end no line."""
    line = '{"source":"a","payload_text":"x\u2028y\u0085z"}'
    body = parse_records(f"{line}\r\n\n  \n{line}".encode(), NDJSON)
    assert [item.payload for item in body.items if isinstance(item, Item)] == [
        "x\u2028y\u0085z".encode()
    ] * 2


def test_a_byte_order_mark_is_not_json() -> None:
    """It is refused, and not silently taken away."""
    with pytest.raises(UnreadableBody):
        parse_records(b'\xef\xbb\xbf{"source":"a","payload_text":"x"}', JSON)


def test_numbers_are_no_texts() -> None:
    """The reader keeps numbers as they were spelt; no field takes one for a text."""
    for member in ("payload_text", "payload_base64", "key", "observed", "type"):
        data = f'{{"source":"a","payload_text":"x","{member}":5}}'
        if member != "payload_text":
            (item,) = parse_records(data.encode(), JSON).items
            assert Fault(f"/{member}", "string") in item  # type: ignore[operator]


def test_the_number_of_faults_is_bounded() -> None:
    """A thousand unknown members are answered by a hundred faults."""
    members = {f"m{number}": 1 for number in range(1000)}
    (item,) = parse_records(json.dumps(members).encode(), JSON).items
    assert isinstance(item, list)
    assert len(item) == MAX_FAULTS


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("a/b", "a~1b"),
        ("~", "~0"),
        ("~1", "~01"),
        ("\ud800", "?"),
        ("x" * 200, "x" * 100),
        (3, "3"),
    ],
)
def test_a_step_of_a_pointer_is_escaped(name: object, step: str) -> None:
    """RFC 6901; what UTF-8 can't write is replaced, long names are cut."""
    assert escape(name) == step


def test_nested_messages_become_flat() -> None:
    """Each place once, from the outside in."""
    messages = {"items": {0: {"a": ["missing"], "_schema": ["object"]}}, "_schema": ["unknown"]}
    assert faults_of(messages) == [
        Fault("/items/0/a", "missing"),
        Fault("/items/0", "object"),
        Fault("", "unknown"),
    ]


@pytest.mark.parametrize("value", ["", " 1", "+1", "1.0", "0x1", "1_0", "\u0661", "1e2", "-0"])
def test_a_limit_is_plain_digits(value: str) -> None:
    """What Python's int() would also take is refused."""
    with pytest.raises(ValidationError) as caught:
        PageQuery().load({"limit": value})
    assert caught.value.messages == {"limit": ["integer"]}


def test_queries_have_their_defaults() -> None:
    """Without a word: a hundred items, a receipt once it is signed, in the form of Accept."""
    assert PageQuery().load({}) == {"limit": 100}
    assert ReceiptQuery().load({}) == {"until": "signed", "format": None}


def test_a_dataset_gets_the_same_number_of_lanes_whoever_creates_it() -> None:
    """Over HTTP as on the command line, so that all pipelines find lanes of their own."""
    asked = parse_body(b'{"id":"air","label":"Air","open":true}', NewDataset())
    assert asked["lanes"] == LANES
