# SPDX-License-Identifier: Apache-2.0
"""A statement is one text, and everything that is not exactly one is refused."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core import canonical
from notary.core.errors import MalformedStatement
from notary.core.statement import (
    MAX_STATEMENT_BYTES,
    Statement,
    format_statement,
    parse_statement,
    statement_leaf,
    write_statement,
)

MEMBERS: dict[str, Any] = {
    "by": "acl",
    "chain": 0,
    "dataset": "weather",
    "digest": "ba" * 32,
    "key": "m-1",
    "message": "cc" * 32,
    "n": 7,
    "observed": "2013-01-01T06:00:00Z",
    "prev": "9f" * 32,
    "received": "2026-11-24T23:32:34.123456Z",
    "source": "JFK",
    "type": "application/json",
    "v": "statement/1",
}
TEXT = canonical.dumps(MEMBERS)
STATEMENT = Statement(
    dataset="weather",
    source="JFK",
    chain=0,
    n=7,
    prev=b"\x9f" * 32,
    received=datetime(2026, 11, 24, 23, 32, 34, 123456, UTC),
    by="acl",
    type="application/json",
    digest=b"\xba" * 32,
    observed="2013-01-01T06:00:00Z",
    key="m-1",
    message=b"\xcc" * 32,
)
OUTSIDE = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"]), min_size=1)
OUTSIDE = OUTSIDE.filter(lambda text: "\x7f" not in text)


def test_the_text() -> None:
    """Canonical JSON of the members, in both directions."""
    assert format_statement(STATEMENT) == TEXT
    assert parse_statement(TEXT) == STATEMENT


def test_the_leaf_is_the_hash_of_a_zero_byte_and_the_text() -> None:
    """RFC 9162 section 2.1.1."""
    assert statement_leaf(TEXT) == hashlib.sha256(b"\x00" + TEXT.encode()).digest()


HASHES = st.binary(min_size=32, max_size=32)


@given(
    observed=st.none() | OUTSIDE.map(lambda text: text[:64]),
    key=st.none() | OUTSIDE.map(lambda text: text[:128]),
    message=st.none() | HASHES,
    n=st.integers(1, 2**53 - 1),
    received=st.datetimes(timezones=st.just(UTC)),
    is_open=st.booleans(),
)
def test_statements_are_read_back(
    observed: str | None,
    key: str | None,
    message: bytes | None,
    n: int,
    received: datetime,
    is_open: bool,
) -> None:
    """With any string that a sender may send, and as the generic writer writes them."""
    hashed = {"digest": bytes(32), "commitment": None}
    if not is_open:
        hashed = {"digest": None, "commitment": bytes(32)}
    given_ = replace(
        STATEMENT, observed=observed, key=key, message=message, n=n, received=received, **hashed
    )
    text = format_statement(given_)
    assert parse_statement(text) == given_
    assert text == canonical.dumps(json.loads(text)) == write_statement(given_)


def test_the_longest_statement_fits() -> None:
    """All members at their longest, each character escaped or of four bytes."""
    longest = replace(
        STATEMENT,
        dataset="d" * 128,
        source="s" * 128,
        chain=2**53 - 1,
        n=2**53 - 1,
        by="bad-signature:" + "k" * 128,
        type="x/" + "y" * 125,
        observed="😀" * 64,
        key='"' * 127 + "😀",
    )
    text = format_statement(longest)
    assert len(text.encode()) < MAX_STATEMENT_BYTES
    assert parse_statement(text) == longest


def changed(**members: Any) -> dict[str, Any]:
    """The members, some changed, those that are given as Ellipsis left out."""
    return {name: value for name, value in (MEMBERS | members).items() if value is not ...}


ATTACKS: dict[str, dict[str, Any]] = {
    "both digest and commitment": {"commitment": "ba" * 32},
    "neither": {"digest": ...},
    "an unknown member": {"place": "roof"},
    "another version": {"v": "statement/2"},
    "a version that is no text": {"v": 1},
    "a dataset that is a path": {"dataset": "../weather"},
    "a source with a blank": {"source": "J K"},
    "a chain below zero": {"chain": -1},
    "n as text": {"n": "7"},
    "n as true": {"n": True},
    "a short prev": {"prev": "9f" * 31},
    "a prev in capitals": {"prev": "9F" * 32},
    "a link before the first": {"n": 0},
    "a time of another zone": {"received": "2026-11-25T07:32:34.123456+08:00"},
    "a time that is null": {"received": None},
    "a time without fraction": {"received": "2026-11-24T23:32:34Z"},
    "an unknown word for the sender": {"by": "god"},
    "a media type with parameters": {"type": "text/csv; header=present"},
    "a digest of another length": {"digest": "ba" * 33},
    "a commitment that is null": {"digest": ..., "commitment": None},
    "a message that is empty": {"message": ""},
    "an observed time of 65 characters": {"observed": "x" * 65},
    "an observed time with a newline": {"observed": "a\nb"},
    "an observed time as a number": {"observed": 1},
    "an empty key": {"key": ""},
    "a key with NUL": {"key": "a\x00"},
} | {
    f"without {name}": {name: ...} for name in MEMBERS if name not in ("key", "message", "observed")
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_member_of_another_form_is_refused(attack: str) -> None:
    """Each member has its own rule."""
    with pytest.raises(MalformedStatement):
        parse_statement(canonical.dumps(changed(**ATTACKS[attack])))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        TEXT + "\n",
        " " + TEXT,
        TEXT.replace(",", ", "),
        TEXT[:-1] + ',"v":"statement/1"}',
        TEXT.replace('"acl"', '"\\u0061cl"'),
        json.dumps(MEMBERS | {"by": "acl"}, separators=(",", ":"))[::-1],
        TEXT.replace(':7,"', ':7.0,"'),
        TEXT.replace("weather", "weather\ud800"),
        "x" * (MAX_STATEMENT_BYTES + 1),
        "row/1 csv-v1\n" + TEXT,
    ],
)
def test_a_text_of_another_form_is_refused(text: str) -> None:
    """What is hashed has exactly one spelling."""
    with pytest.raises(MalformedStatement):
        parse_statement(text)


@pytest.mark.parametrize(
    "members",
    [
        {"received": STATEMENT.received.replace(tzinfo=None)},
        {"commitment": bytes(32)},
        {"digest": None},
        {"digest": b"short"},
        {"message": b""},
        {"prev": bytes(31)},
        {"n": 0},
        {"n": 2**53},
        {"dataset": "."},
        {"source": ""},
        {"by": ""},
        {"type": ""},
        {"observed": "\ud800"},
        {"key": "\x7f"},
        {"chain": True},
    ],
)
def test_what_would_not_be_read_back_is_not_written(members: dict[str, Any]) -> None:
    """A time without zone, two hashes, a hash of another length and the like."""
    with pytest.raises(MalformedStatement):
        format_statement(replace(STATEMENT, **members))


def test_the_first_of_a_chain_has_no_link() -> None:
    """64 zeros, and only there demanded."""
    first = replace(STATEMENT, n=0, prev=bytes(32))
    assert parse_statement(format_statement(first)) == first
