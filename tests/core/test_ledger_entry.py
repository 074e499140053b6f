# SPDX-License-Identifier: Apache-2.0
"""An entry of the file ledger is exactly seven lines."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core.errors import MalformedNote
from notary.core.ledger_entry import LedgerEntry, format_entry, parse_entry

ENTRY = LedgerEntry(
    sequence=12,
    prev=b"\xaa" * 32,
    origin_hash=b"\xbb" * 32,
    size=42,
    root=b"\xcc" * 32,
    time=datetime(2026, 11, 24, 23, 32, 34, 123456, UTC),
)
LINES = [
    "city-notary/file-ledger/1",
    "12",
    "aa" * 32,
    "bb" * 32,
    "42",
    "cc" * 32,
    "2026-11-24T23:32:34.123456Z",
]
TEXT = "\n".join(LINES) + "\n"


def test_the_seven_lines() -> None:
    """Heading, sequence, link, origin, size, root, time."""
    assert format_entry(ENTRY) == TEXT
    assert parse_entry(TEXT) == ENTRY


HASHES = st.binary(min_size=32, max_size=32)


@given(
    st.builds(
        LedgerEntry,
        sequence=st.integers(0, 2**53 - 1),
        prev=HASHES,
        origin_hash=HASHES,
        size=st.integers(0, 2**53 - 1),
        root=HASHES,
        time=st.datetimes(timezones=st.just(UTC)),
    )
)
def test_entries_are_read_back(entry: LedgerEntry) -> None:
    """Every number, hash and time."""
    assert parse_entry(format_entry(entry)) == entry


def with_line(place: int, line: str) -> str:
    return "\n".join([*LINES[:place], line, *LINES[place + 1 :]]) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n" * 7,
        TEXT[:-1],
        TEXT + "\n",
        TEXT + "more\n",
        "\n".join(LINES[:6]) + "\n",
        TEXT.replace("\n", "\r\n"),
        with_line(0, "city-notary/file-ledger/2"),
        with_line(1, ""),
        with_line(1, "-1"),
        with_line(1, "012"),
        with_line(1, "+12"),
        with_line(1, " 12"),
        with_line(1, "1" * 17),
        with_line(1, "9007199254740992"),
        with_line(1, "١٢"),
        with_line(2, "aa" * 31),
        with_line(2, "AA" * 32),
        with_line(3, "bb" * 33),
        with_line(3, ""),
        with_line(4, "4.2"),
        with_line(4, "0x2a"),
        with_line(5, "cc" * 31 + "cg"),
        with_line(6, "2026-11-24T23:32:34Z"),
        with_line(6, "2026-11-31T23:32:34.123456Z"),
        with_line(6, ""),
    ],
)
def test_other_lines_are_refused(text: str) -> None:
    """Missing, further or reordered lines, other spellings of numbers, hashes and times."""
    with pytest.raises(MalformedNote):
        parse_entry(text)
