# SPDX-License-Identifier: Apache-2.0
"""
The profile `csv-v1`: a row is its cells, each with its length before it.

    a,"b,c",   ->   00000001 61  00000003 62 2c 63  00000000

docs/spec/rows-v1.md, section csv-v1.
"""

import re
from itertools import islice
from typing import Final, NoReturn

from notary.core.errors import MalformedText
from notary.core.rows import MAX_CELLS, MAX_ROW_BYTES, Buffer, Row

LENGTH_BYTES: Final = 4
_QUOTED: Final = re.compile(rb'"([^"]*(?:""[^"]*)*)"(?!")')
_PLAIN: Final = re.compile(rb'[^",]*')
_CELL: Final = re.compile(rb',(?:"([^"]*(?:""[^"]*)*)"(?!")|([^",\r]*))')
_RECORD: Final = re.compile(rb'(?:,(?:"[^"]*(?:""[^"]*)*"(?!")|[^",\r]*))*')
"""Only a comma before each cell makes both the same for the first one and the others."""


class CsvRows:
    """Cuts a CSV file; see notary/core/rows.py."""

    def __init__(self, row: int = 0, offset: int = 0) -> None:
        self._buffer = Buffer(row, offset)
        self._seen = 0
        """So much of the buffer was looked through for the end of the row."""
        self._inside = False
        """Whether a quoted cell is open there."""

    def feed(self, data: bytes) -> list[Row]:
        """The rows that are whole with this part. Raises MalformedRows."""
        buffer = self._buffer
        if not buffer.add(data):
            return []
        rows: list[Row] = []
        text, start, seen = buffer.rest, 0, self._seen
        base = buffer.offset
        while (end := text.find(b"\n", seen)) >= 0:
            # As many quotes as there are before it say whether a line feed ends the row.
            is_first = seen == start and not self._inside
            self._inside ^= text.count(b'"', seen, end) % 2 == 1
            seen = end + 1
            if self._inside:
                if is_first:
                    self._look(text[start:seen], base + start, is_open=True)
                # Nothing before the next quote ends the cell.
                quote = text.find(b'"', seen)
                seen = len(text) if quote < 0 else quote
                continue
            line = text[start : end - 1] if text[end - 1 : end] == b"\r" else text[start:end]
            rows.append((base + start, self._row(line, base + start)))
            buffer.row += 1
            start = seen
        buffer.drop(start)
        self._seen = seen - start
        if len(buffer.rest) > MAX_ROW_BYTES + len(b"\r"):
            self._look(buffer.rest, buffer.offset, is_open=True)
            buffer.refuse("row-too-large")
        return rows

    def finish(self) -> list[Row]:
        """The last row where no line feed ends it. Raises MalformedRows."""
        buffer = self._buffer
        if not buffer.rest:
            return []
        return [(buffer.offset, self._row(buffer.rest, buffer.offset))]

    def _row(self, line: bytes, offset: int) -> bytes:
        """A whole record, without its end, as a row."""
        if len(line) > MAX_ROW_BYTES:
            self._refuse("row-too-large", offset)
        if not line.isascii():
            try:
                line.decode()
            except UnicodeDecodeError as error:
                self._refuse("not-utf-8", offset + error.start)
        if b"\0" in line:
            self._refuse("nul", offset + line.index(b"\0"))
        if line.count(b",") >= MAX_CELLS and _count_cells(line) > MAX_CELLS:
            self._refuse("too-many-cells", offset)
        if b'"' in line:
            behind_comma = b"," + line
            if not _RECORD.fullmatch(behind_comma):
                self._look(line, offset)  # says what is wrong
            found = _CELL.findall(behind_comma)
            cells = [plain or quoted.replace(b'""', b'"') for quoted, plain in found]
        elif b"\r" in line:
            self._refuse("lone-cr", offset + line.index(b"\r"))
        else:
            cells = line.split(b",")
        return b"".join([len(cell).to_bytes(LENGTH_BYTES, "big") + cell for cell in cells])

    def _look(self, line: bytes, offset: int, *, is_open: bool = False) -> None:
        """
        Refuse a record that isn't one of cells; `is_open`: it is the beginning of one.

        Raises:
            MalformedRows: for the first thing that is wrong, if anything is.
        """
        at, end = 0, len(line)
        while True:
            if line[at : at + 1] == b'"':
                quoted = _QUOTED.match(line, at)
                if quoted is None:
                    if is_open:
                        return
                    self._refuse("open-quote", offset + at)
                at = quoted.end()
            else:
                cell = line[at : (at := _PLAIN.match(line, at).end())]  # type: ignore[union-attr]
                if b"\r" in cell:
                    self._refuse("lone-cr", offset + at - len(cell) + cell.index(b"\r"))
                if line[at : at + 1] == b'"':
                    self._refuse("quote-inside", offset + at)
            if at == end:
                return
            if line[at : at + 1] != b",":
                self._refuse("text-after-quote", offset + at)
            at += 1

    def _refuse(self, reason: str, offset: int) -> NoReturn:
        self._buffer.refuse(reason, offset - self._buffer.offset)


def _count_cells(line: bytes) -> int:
    """How many cells a record has, but no more than one too many, without holding them."""
    found = _CELL.finditer(b"," + line)
    return sum(1 for _ in islice(found, MAX_CELLS + 1))


def csv_cells(row: bytes) -> list[str]:
    """
    The cells of a row, from its bytes.

    Raises:
        MalformedText: no file is cut into such a row.
    """
    cells, at = [], 0
    while at < len(row):
        start = at + LENGTH_BYTES
        at = start + int.from_bytes(row[at:start], "big")
        cells.append(row[start:at])
    if at != len(row) or not cells:
        raise MalformedText("The bytes are not a row of csv-v1.")
    try:
        return [cell.decode() for cell in cells]
    except UnicodeDecodeError:
        raise MalformedText("The bytes are not a row of csv-v1.") from None
