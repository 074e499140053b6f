# SPDX-License-Identifier: Apache-2.0
"""RLP is read in its one spelling, and written as another maker writes it."""

from typing import Any

import pytest
import rlp as other
from hypothesis import given
from hypothesis import strategies as st

from notary.evidence.rlp import (
    MAX_BYTES,
    MAX_DEPTH,
    Item,
    NotRlp,
    decode,
    encode,
    encode_integer,
    integer,
)

ITEMS: st.SearchStrategy[Any] = st.recursive(
    st.binary(max_size=80), lambda inner: st.lists(inner, max_size=8), max_leaves=30
)
KNOWN: list[tuple[Item, str]] = [
    (b"", "80"),
    (b"\x00", "00"),
    (b"\x7f", "7f"),
    (b"\x80", "8180"),
    (b"dog", "83646f67"),
    ([], "c0"),
    ([b"cat", b"dog"], "c88363617483646f67"),
    ([[], [[]], [[], [[]]]], "c7c0c1c0c3c0c1c0"),
    (b"a" * 55, "b7" + "61" * 55),
    (b"a" * 56, "b838" + "61" * 56),
    ([b"a"] * 55, "f7" + "61" * 55),
    ([b"a"] * 56, "f838" + "61" * 56),
    (b"a" * 1024, "b90400" + "61" * 1024),
]
WRONG = {
    "nothing": "",
    "something behind it": "8000",
    "a second item behind it": "c0c0",
    "a small byte with a length": "8100",
    "the largest small byte with a length": "817f",
    "a short string in the long form": "b803646f67",
    "a length of 55 in the long form": "b837" + "61" * 55,
    "a length with a leading zero": "b90038" + "61" * 56,
    "a short list in the long form": "f803646f67",
    "a list's length with a leading zero": "f90038" + "61" * 56,
    "a string that is cut off": "83646f",
    "a long string that is cut off": "b838" + "61" * 55,
    "a length that is cut off": "b904",
    "a length alone": "bf",
    "a list that is cut off": "c883636174",
    "an item longer than its list": "c383646f",
    "an item longer than the data": "c3b83861",
    "a length of eight bytes": "bf" + "ff" * 8,
    "a list's length of eight bytes": "ff" + "ff" * 8,
    "a small byte with a length, inside": "c28100",
    "a list inside with something of its parent's": "c4c483646f",
}


@pytest.mark.parametrize(("item", "data"), KNOWN)
def test_what_everybody_knows_is_read_and_written(item: Item, data: str) -> None:
    """Also at the edge between short and long."""
    assert encode(item).hex() == data
    assert decode(bytes.fromhex(data)) == item


@pytest.mark.parametrize("what", WRONG)
def test_another_spelling_is_refused(what: str) -> None:
    """So one item has one hash."""
    with pytest.raises(NotRlp):
        decode(bytes.fromhex(WRONG[what]))


@given(ITEMS)
def test_it_agrees_with_another_maker(item: Item) -> None:
    """Whatever is nested in what."""
    assert encode(item) == other.encode(item)
    assert decode(encode(item)) == item


@given(st.binary(max_size=200))
def test_what_is_read_was_spelt_as_it_is_written(data: bytes) -> None:
    """Any bytes are refused, or the only ones for their item; another maker agrees."""
    try:
        item = decode(data)
    except NotRlp:
        with pytest.raises(other.exceptions.DecodingError):
            other.decode(data, strict=True)
        return
    assert encode(item) == data


def test_too_deep_and_too_long_is_refused() -> None:
    """Before a stack or a memory is full."""
    nested: Item = []
    for _ in range(MAX_DEPTH - 1):
        nested = [nested]
    assert decode(encode(nested)) == nested
    for wrong in (encode([nested]), b"\xc1" * 60_000 + b"\xc0"):
        with pytest.raises(NotRlp):
            decode(wrong)
    whole = encode(bytes(MAX_BYTES - 3))
    assert len(whole) == MAX_BYTES
    assert decode(whole) == bytes(MAX_BYTES - 3)
    with pytest.raises(NotRlp):
        decode(encode(bytes(MAX_BYTES - 2)))


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 2**32, 2**64 - 1])
def test_a_number_has_one_spelling(number: int) -> None:
    """No leading zeros; 0 is no bytes."""
    data = encode_integer(number)
    assert integer(data) == number
    assert encode(data) == other.encode(number)
    with pytest.raises(NotRlp):
        integer(b"\x00" + data[1:] if len(data) == 8 else b"\x00" + data)


def test_a_number_is_no_list_and_has_64_bits() -> None:
    """Whatever a header says."""
    for wrong in ([], [b"\x01"], b"\x01" + bytes(8)):
        with pytest.raises(NotRlp):
            integer(wrong)
