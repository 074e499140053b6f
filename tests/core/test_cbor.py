# SPDX-License-Identifier: Apache-2.0
"""CBOR in its one spelling: against RFC 8949's examples and against PyPI `cbor2`."""

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core import cbor
from notary.core.errors import MalformedText

EXAMPLES: list[tuple[str, Any]] = [
    ("00", 0),
    ("17", 23),
    ("1818", 24),
    ("1903e8", 1000),
    ("1a000f4240", 1_000_000),
    ("1bffffffffffffffff", 2**64 - 1),
    ("20", -1),
    ("3903e7", -1000),
    ("3bffffffffffffffff", -(2**64)),
    ("f6", None),
    ("40", b""),
    ("4401020304", bytes([1, 2, 3, 4])),
    ("60", ""),
    ("6449455446", "IETF"),
    ("62c3bc", "\u00fc"),
    ("80", []),
    ("83010203", [1, 2, 3]),
    ("98190102030405060708090a0b0c0d0e0f101112131415161718181819", list(range(1, 26))),
    ("a0", {}),
    ("a201020304", {1: 2, 3: 4}),
    ("a26161016162820203", {"a": 1, "b": [2, 3]}),
]
"""Hexadecimal and value, from RFC 8949 appendix A."""

NOT_ONE_SPELLING = {
    "a number with a longer head": "1801",
    "a number in two bytes": "190001",
    "a text with a longer head": "780161",
    "keys out of order": "a203040102",
    "a key twice": "a201020103",
    "two items": "0000",
}
REFUSED = {
    "nothing": "",
    "a head that is cut": "19",
    "a head that is cut in the middle": "1900",
    "bytes that are cut": "4201",
    "a text that is cut": "6261",
    "a list that is cut": "8201",
    "a map without its last value": "a101",
    "a list of 2^64 items": "9bffffffffffffffff",
    "a map of 2^32 pairs": "baffffffff",
    "bytes of indefinite length": "5f4101ff",
    "a list of indefinite length": "9f01ff",
    "a map of indefinite length": "bf0102ff",
    "a reserved head": "1c",
    "a tag": "c100",
    "true": "f5",
    "undefined": "f7",
    "a float": "f93c00",
    "a break": "ff",
    "a text that is not UTF-8": "61ff",
    "half of a surrogate pair": "63eda080",
    "bytes as a key": "a1410001",
    "a list as a key": "a18001",
    "null as a key": "a1f601",
    "nested too deeply": "81" * 9 + "00",
    "nested far too deeply": "81" * 100_000 + "00",
}
VALUES = st.recursive(
    st.none() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=300) | st.text(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=30)
        | st.dictionaries(st.integers(-(2**64), 2**64 - 1) | st.text(max_size=30), inner)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(("text", "value"), EXAMPLES)
def test_the_examples_of_the_rfc(text: str, value: Any) -> None:
    """Written and read."""
    assert cbor.dumps(value).hex() == text
    assert cbor.loads(bytes.fromhex(text)) == value


@pytest.mark.parametrize("name", NOT_ONE_SPELLING | REFUSED)
def test_what_is_not_the_one_spelling_is_refused(name: str) -> None:
    """Also what another reader would take."""
    with pytest.raises(MalformedText):
        cbor.loads(bytes.fromhex({**NOT_ONE_SPELLING, **REFUSED}[name]))


def test_eight_levels_are_enough_and_allowed() -> None:
    """The limit is where it is said to be."""
    assert cbor.loads(bytes.fromhex("81" * 8 + "00")) == [[[[[[[[0]]]]]]]]


@pytest.mark.parametrize(
    "value", [True, 1.5, {1.5: 1}, {1, 2}, 2**64, -(2**64) - 1, [object()], "\ud800"]
)
def test_what_has_no_form_is_not_written(value: Any) -> None:
    """Nor rounded, nor cut."""
    with pytest.raises(MalformedText):
        cbor.dumps(value)


@given(VALUES)
def test_what_is_written_is_read_and_cbor2_reads_the_same(value: Any) -> None:
    """Another implementation understands every value as we do."""
    try:
        data = cbor.dumps(value)
    except MalformedText:
        pytest.fail("a value of the strategy has a form")
    try:
        assert cbor.loads(data) == value
    except MalformedText as error:
        assert "deeply" in error.detail  # noqa: PT017
    assert plain(cbor2.loads(data)) == value


@given(st.binary(max_size=60))
def test_whatever_is_read_has_one_spelling(data: bytes) -> None:
    """Any bytes are refused, or are exactly what their value is written as."""
    try:
        value = cbor.loads(data)
    except MalformedText:
        return
    assert cbor.dumps(value) == data


def plain(value: Any) -> Any:
    """Lists and dicts in the place of what `cbor2` makes of them."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    return value
