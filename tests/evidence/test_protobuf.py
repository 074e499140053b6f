# SPDX-License-Identifier: Apache-2.0
"""Protocol buffers are read in one way only: what two readers could differ in is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core.errors import MalformedText
from notary.evidence import protobuf
from notary.evidence.protobuf import MAX_FIELDS, Message, field
from tests.fabric.wire import item, number, octets, varint


def test_a_message_is_read_as_it_was_written() -> None:
    """Integers to 2^64 - 1, octets, text, messages inside, fields that stand many times."""
    inner = number(1, 2**64 - 1)
    message = Message(
        number(1, 300) + octets(2, "Grüße") + item(3, inner) + item(4, b"") + item(4, b"x"), "it"
    )
    assert (message.integer(1), message.text(2), message.each(4)) == (300, "Grüße", [b"", b"x"])
    assert message.message(3, "inner").integer(1) == 2**64 - 1
    assert message.has(4)


def test_what_is_absent_is_zero_or_empty() -> None:
    """As in proto3."""
    message = Message(b"", "it")
    assert (message.integer(1), message.octets(1), message.text(1)) == (0, b"", "")
    assert (message.flag(1), message.each(1), message.has(1)) == (False, [], False)
    assert message.message(1, "inner").octets(2) == b""


def test_fields_that_nobody_asks_for_are_skipped() -> None:
    """Of every kind: a later version of the ledger may have them."""
    unknown = varint(15 * 8 + 1) + bytes(8) + varint(16 * 8 + 5) + bytes(4) + number(17, 9)
    assert Message(unknown + number(1, 5) + unknown, "it").integer(1) == 5


MALFORMED = {
    "a tag without value": varint(8),
    "a tag that is cut": b"\x80",
    "a length beyond the end": varint(10) + varint(5) + b"abcd",
    "a length of 2^63": varint(10) + varint(2**63) + b"abcd",
    "eight bytes that are seven": varint(9) + bytes(7),
    "four bytes that are three": varint(13) + bytes(3),
    "a group's begin": varint(11),
    "a group's end": varint(12),
    "kind 6": varint(14) + b"\x00",
    "kind 7": varint(15) + b"\x00",
    "field 0": varint(0) + varint(1),
    "field 2^29": varint(2**29 * 8) + varint(1),
    "a tag spelt long": varint(8, 2) + varint(1),
    "an integer spelt long": varint(8) + varint(1, 2),
    "a zero in ten bytes": varint(8) + varint(0, 10),
    "a length spelt long": varint(10) + varint(1, 3) + b"a",
    "an integer of eleven bytes": varint(8) + b"\xff" * 10 + b"\x01",
    "an integer of 2^64": varint(8) + varint(2**64),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_octets_that_are_no_message_are_refused(data: bytes) -> None:
    """With a sentence that names the message."""
    with pytest.raises(MalformedText, match=r"^The letter .*\.$"):
        Message(data, "letter")


OF_ANOTHER_KIND = {
    "octets for an integer": (octets(1, "a"), "integer"),
    "eight bytes for an integer": (varint(9) + bytes(8), "integer"),
    "an integer for octets": (number(1, 1), "octets"),
    "four bytes for octets": (varint(13) + bytes(4), "octets"),
    "an integer for text": (number(1, 1), "text"),
    "an integer among many": (item(1, b"a") + number(1, 1), "each"),
    "2 for true": (number(1, 2), "flag"),
    "text that is no UTF-8": (octets(1, b"\xff"), "text"),
    "text with half a surrogate pair": (octets(1, b"\xed\xa0\x80"), "text"),
    "an integer twice": (number(1, 1) * 2, "integer"),
    "a flag twice": (number(1, 1) * 2, "flag"),
    "octets twice": (octets(1, "a") * 2, "octets"),
    "text twice, the same": (octets(1, "a") * 2, "text"),
    "octets and an integer": (octets(1, "a") + number(1, 1), "octets"),
}


@pytest.mark.parametrize(("data", "how"), OF_ANOTHER_KIND.values(), ids=OF_ANOTHER_KIND)
def test_a_field_of_another_kind_or_twice_is_refused(data: bytes, how: str) -> None:
    """One reader would take the last, another skip it."""
    message = Message(data, "letter")
    with pytest.raises(MalformedText, match=r"^The letter has .*field 1"):
        getattr(message, how)(1)


def test_a_message_inside_that_stands_twice_is_refused() -> None:
    """Other readers merge the two."""
    with pytest.raises(MalformedText):
        Message(item(1, number(1, 1)) + item(1, number(2, 1)), "it").message(1, "inner")


def test_a_message_has_a_bounded_number_of_fields() -> None:
    """Two bytes each would else become many objects."""
    Message(number(1, 1) * MAX_FIELDS, "it")
    with pytest.raises(MalformedText, match=str(MAX_FIELDS)):
        Message(number(1, 1) * (MAX_FIELDS + 1), "it")


@given(st.integers(1, 2**29 - 1), st.integers(0, 2**64 - 1) | st.binary(max_size=300))
def test_what_is_written_is_what_the_other_writer_writes(where: int, value: int | bytes) -> None:
    """And comes back."""
    written = field(where, value)
    if isinstance(value, int):
        assert written == varint(where * 8) + varint(value)
        assert Message(written, "it").integer(where) == value
    else:
        assert written == item(where, value)
        assert Message(written, "it").octets(where) == value


@given(st.binary(max_size=60))
def test_any_octets_are_a_message_or_refused(data: bytes) -> None:
    """No other error, and what is read covers every byte: it can be written again."""
    try:
        message = Message(data, "it")
    except MalformedText:
        return
    again = b"".join(
        field(where, value)
        for where, values in message._fields.items()
        for value in values
        if value is not None
    )
    fixed = sum(value is None for values in message._fields.values() for value in values)
    assert len(again) <= len(data) <= len(again) + 13 * fixed


def test_the_bound_is_what_the_page_says() -> None:
    """docs/spec/anchor-bsn-fabric.md, rule 4."""
    assert protobuf.MAX_FIELDS == 65_536
