# SPDX-License-Identifier: Apache-2.0
"""Every value has one spelling (RFC 8785), and nothing else is read."""

import json
import string

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from notary.core import canonical
from notary.core.canonical import MAX_DEPTH, MAX_INTEGER
from notary.core.errors import MalformedReceipt, MalformedText

NAMES = st.text(string.ascii_letters + string.digits + "_.-$\"\\ '/", max_size=12)
SCALARS = st.characters(exclude_categories=["Cs"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.text(SCALARS, max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
def test_an_independent_implementation_writes_the_same(value: object) -> None:
    """PyPI `rfc8785` agrees on every value that we allow."""
    assert canonical.dumps(value).encode() == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    """And by the text alone."""
    assert canonical.loads(canonical.dumps(value), max_bytes=1 << 20) == value


def test_members_are_sorted_and_nothing_is_escaped_without_need() -> None:
    """Chinese stays as it is, U+007F and U+2028 too; control characters are escaped."""
    value = {"b": "城\u007f\u2028/", "a": '"\\\b\f\n\r\t\x00\x1f'}
    text = '{"a":"\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f","b":"城\u007f\u2028/"}'
    assert canonical.dumps(value) == text
    assert canonical.loads(text, max_bytes=100) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "nothing",
        '{"a":1}x',
        '{"a":1} ',
        ' {"a":1}',
        '{"a":1}\n',
        '{"a": 1}',
        '{"b":1,"a":2}',
        '{"a":1,"a":1}',
        '{"a":1,"a":2}',
        '{"a":{"b":1,"b":1}}',
        '{"\\u0061":1}',
        '{"é":1}',
        '"\\u00e9"',
        '"\\/"',
        '"\\u000A"',
        '"\\u001F"',
        '"\\ud800"',
        '"\ud800"',
        '"\n"',
        "1.0",
        "1e2",
        "1e400",
        "-0",
        "-0.0",
        "01",
        "+1",
        "NaN",
        "Infinity",
        "-Infinity",
        "9007199254740992",
        "-9007199254740992",
        "9" * 5000,
        "[" * 200_000,
        '{"a":' * 200_000,
        "[1,]",
        "[1 ,2]",
        "'a'",
        "True",
        "\ufeff1",
    ],
)
def test_what_is_not_canonical_is_refused(text: str) -> None:
    """Other spellings, doubled members, fractions, large numbers, deep nesting."""
    with pytest.raises(MalformedText):
        canonical.loads(text, max_bytes=1 << 21)


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        float("nan"),
        MAX_INTEGER + 1,
        -MAX_INTEGER - 1,
        "\ud800",
        {"a": "\udfff"},
        {"é": 1},
        {1: 1},
        b"bytes",
        {1, 2},
        [[object()]],
    ],
)
def test_what_has_no_canonical_form_is_not_written(value: object) -> None:
    """Fractions, numbers that JavaScript can't hold, surrogates, names beyond ASCII."""
    with pytest.raises(MalformedText):
        canonical.dumps(value)


def nested(depth: int, by: str) -> object:
    """Arrays in arrays, objects in objects, or both in turn."""
    value: object = 1
    for level in range(depth):
        is_array = by == "arrays" or (by == "both" and level % 2)
        value = [value] if is_array else {"a": value}
    return value


@pytest.mark.parametrize("by", ["arrays", "objects", "both"])
def test_values_are_nested_64_deep_and_no_deeper(by: str) -> None:
    """Whether it is read or written, and however deep Python itself could go."""
    deepest = nested(MAX_DEPTH, by)
    assert canonical.loads(canonical.dumps(deepest), max_bytes=4096) == deepest
    for depth in (MAX_DEPTH + 1, MAX_DEPTH + 2, 500):
        with pytest.raises(MalformedText):
            canonical.dumps(nested(depth, by))
        with pytest.raises(MalformedText):
            canonical.loads(json.dumps(nested(depth, by), separators=(",", ":")), max_bytes=8192)


def test_the_limit_is_in_bytes_of_utf_8() -> None:
    """Three Chinese characters and two quotes are eleven bytes."""
    assert canonical.loads('"城市人"', max_bytes=11) == "城市人"
    with pytest.raises(MalformedText):
        canonical.loads('"城市人"', max_bytes=10)


def test_a_fault_keeps_its_reason_under_another_name() -> None:
    """So the verifier can say that a receipt was reformatted."""
    with pytest.raises(MalformedText) as caught:
        canonical.loads("[1, 2]", max_bytes=10)
    renamed = caught.value.renamed(MalformedReceipt)
    assert (renamed.code, renamed.facts["reason"]) == ("malformed-receipt", "not-canonical")
    assert renamed.detail == caught.value.detail
