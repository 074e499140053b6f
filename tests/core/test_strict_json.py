# SPDX-License-Identifier: Apache-2.0
"""JSON from outside: what two readers could understand differently is refused."""

import json

import pytest

from notary.core.errors import MalformedText
from notary.core.strict_json import MAX_DIGITS, Number, loads

ATTACKS = {
    "not-utf-8": [b"\xff", b'"\xc0\x80"', b'"\xed\xa0\x80"', '"é"'.encode("latin-1")],
    "not-json": [
        b"", b" ", b"{", b"[1,]", b"{'a':1}", b"01", b"+1", b".5", b"1.", b"1 2", b'"\n"',
        b'{"a":1}x', b"\xef\xbb\xbf{}", b"nul", b"True", b'{"a"}', b"0x10", b'"\\x41"',
    ],
    "bad-value": [
        b"NaN", b"Infinity", b"-Infinity", b"[NaN]", b"1e400", b"-1e400", b'{"v":1e999}',
        b"9" * (MAX_DIGITS + 1), b"0." + b"1" * MAX_DIGITS,
        b'{"a":1,"a":1}', b'{"a":1,"a":2}', b'[{"x":{"b":1,"b":2}}]', b'{"a":1,"\\u0061":2}',
        b'"\\u0000"', b'"\\ud800"', b'"\\udc00"', b'"\\uDFFF"', b'"\\ud800x"', b'"\\udc00\\ud800"',
        b'{"\\u0000":1}', b'{"a":{"\\ud800":1}}', b'[[["\\ud800"]]]', b'["fine",{"a":"\\u0000"}]',
    ],
    "too-deep": [b"[" * 200_000, b'{"a":' * 200_000, b"[" * 200_000 + b"]" * 200_000],
}  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "data"),
    [(reason, data) for reason, every in ATTACKS.items() for data in every],
    ids=lambda value: repr(value[:24]),
)
def test_what_is_not_plain_is_refused_with_its_reason(reason: str, data: bytes) -> None:
    """Never another exception: the sender learns why, the service goes on."""
    with pytest.raises(MalformedText) as refused:
        loads(data)
    assert refused.value.facts["reason"] == reason


@pytest.mark.parametrize(
    "data",
    [
        b"{}", b"[]", b'""', b"null", b"[true,false]", b'{"a":{"a":"a"}}', b' {"a" : [ ] }\n',
        '{"气温":"晴 🌤"}'.encode(), b'"\\ud83c\\udf24"', b'["\\ud83c\\udf24",{"\\ud83c\\udf24":null}]',  # noqa: E501
        b'"\\\\u0000"', b'"\\\\ud800"', b'"\\u0001\\u007f"', b"[" * 50 + b"]" * 50,
    ],
    ids=lambda value: repr(value[:24]),
)  # fmt: skip
def test_what_is_plain_is_read_as_everybody_reads_it(data: bytes) -> None:
    """Whole pairs of surrogates, an escaped backslash before u0000, some depth: all legal."""
    assert loads(data) == json.loads(data)


@pytest.mark.parametrize(
    "text",
    ["0", "-0", "10.0", "1e2", "1E+2", "12345678901234567890", "0.1000", "1e-400"],
)
def test_a_number_stays_the_text_that_was_sent(text: str) -> None:
    """10.0 is not 10, and no digit gets lost; a string of digits is no number."""
    value = loads(f'[{text},"{text}"]'.encode())
    assert isinstance(value, list)
    number, string = value
    assert number == text
    assert type(number) is Number
    assert type(string) is str


def test_as_many_digits_as_allowed_are_allowed() -> None:
    """The bound is the bound."""
    text = "0." + "1" * (MAX_DIGITS - 2)
    assert loads(text.encode()) == text
