# SPDX-License-Identifier: Apache-2.0
"""
What the file ledger holds: one signed note for each checkpoint, linked by hashes.

    city-notary/file-ledger/1
    <sequence number from 0>
    <SHA-256 of the whole previous note in hex, 64 zeros at 0>
    <SHA-256 of the log's origin in hex>
    <size>
    <root in hex>
    <time, UTC>

It is the notary's own word, signed with a key that isn't the log's.
See docs/spec/receipt-v1.md, section File ledger.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from notary.core.errors import MalformedNote, MalformedText
from notary.core.words import check_count, format_time, parse_hash, parse_time

HEADING: Final = "city-notary/file-ledger/1"
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of the file ledger. Hashes have 32 bytes, `time` is aware UTC."""

    sequence: int
    prev: bytes
    origin_hash: bytes
    size: int
    root: bytes
    time: datetime


def format_entry(entry: LedgerEntry) -> str:
    """Write the entry as the text of a note, final newline included."""
    return (
        f"{HEADING}\n{entry.sequence}\n{entry.prev.hex()}\n{entry.origin_hash.hex()}\n"
        f"{entry.size}\n{entry.root.hex()}\n{format_time(entry.time)}\n"
    )


def parse_entry(text: str) -> LedgerEntry:
    """
    Read the text of an entry's note.

    Raises:
        MalformedNote: not exactly the seven lines.
    """
    lines = text.split("\n")
    if len(lines) != 8 or lines[0] != HEADING or lines[7] != "":
        raise MalformedNote("The text is not an entry of a file ledger.")
    try:
        return LedgerEntry(
            sequence=_decimal(lines[1]),
            prev=parse_hash(lines[2]),
            origin_hash=parse_hash(lines[3]),
            size=_decimal(lines[4]),
            root=parse_hash(lines[5]),
            time=parse_time(lines[6]),
        )
    except MalformedText as error:
        raise MalformedNote(error.detail) from None


def _decimal(text: str) -> int:
    if not _DECIMAL.fullmatch(text):
        raise MalformedNote("A number is not canonical decimal.")
    return check_count(int(text), "number")
