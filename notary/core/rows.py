# SPDX-License-Identifier: Apache-2.0
"""
How the file of a version is cut into rows: the profiles of docs/spec/rows-v1.md.

A cutter is fed the file in parts of any size and hands out (byte offset in the file, bytes
of the row) in order. It holds one row and one part at most, whatever the file's size.
"""

from collections.abc import Callable, Mapping
from typing import Final, NoReturn, Protocol

from notary.core.errors import MalformedText

MAX_ROW_BYTES: Final = 1 << 20
"""How many bytes of the file one row may take: a record of CSV without its end, a value of
JSON with the blanks behind it."""
MAX_CELLS: Final = 65_536
"""How many cells a record of CSV may have: each takes far more memory than its comma."""
BLANKS: Final = b" \t\r\n"
BOM: Final = b"\xef\xbb\xbf"

Row = tuple[int, bytes]
"""Where the row begins in the file, and its bytes as they go into the leaf."""


class MalformedRows(MalformedText):
    """The file can't be cut into rows."""

    code = "malformed-rows"


class RowCutter(Protocol):
    """Cuts one file. After it raised it is of no more use."""

    def feed(self, data: bytes) -> list[Row]:
        """
        The rows that are whole with this part of the file.

        Raises:
            MalformedRows: `facts` has `reason`, `row` (from 0) and `offset` (bytes).
        """

    def finish(self) -> list[Row]:
        """The rows that only the end of the file completes. Raises MalformedRows."""


class NoRows:
    """The profile `none`: the file has no rows."""

    def feed(self, data: bytes) -> list[Row]:
        """None."""
        return []

    def finish(self) -> list[Row]:
        """None."""
        return []


def refuse(reason: str, row: int, offset: int) -> NoReturn:
    """Raise MalformedRows with the sentence for a reason."""
    said = WHY[reason]
    raise MalformedRows(
        f"Row {row}, at byte {offset}: {said}", reason=reason, row=row, offset=offset, why=said
    )


WHY: Final[Mapping[str, str]] = {
    "not-utf-8": "the bytes are not UTF-8.",
    "nul": "a cell holds U+0000.",
    "lone-cr": "a carriage return stands without a line feed behind it.",
    "quote-inside": "a quote stands inside a cell that doesn't begin with one.",
    "text-after-quote": "behind a cell's closing quote something other than a comma stands.",
    "open-quote": "a quote is opened and never closed.",
    "row-too-large": f"a row has at most {MAX_ROW_BYTES} bytes.",
    "too-many-cells": f"a row has at most {MAX_CELLS} cells.",
    "not-json": "it is not JSON.",
    "bad-value": "it is JSON with a value that readers understand differently.",
    "too-deep": "its brackets are nested too deep.",
    "not-array": "the file does not begin with a bracket.",
    "after-array": "something stands behind the end of the array.",
    "open-array": "the file ends before its array does.",
}


class Buffer:
    """
    What of the file isn't handed out yet: `rest`, which begins at byte `offset` of it,
    and the number of the next row.
    """

    def __init__(self, row: int, offset: int) -> None:
        self.row, self.offset, self.rest = row, offset, b""
        self._begun = row > 0 or offset > 0

    def add(self, data: bytes) -> bool:
        """Take in a part, without the mark at the file's beginning; False: wait for more."""
        self.rest += data
        if not self._begun:
            if len(self.rest) < len(BOM) and BOM.startswith(self.rest):
                return False
            self._begun = True
            if self.rest.startswith(BOM):
                self.drop(len(BOM))
        return True

    def drop(self, size: int) -> None:
        """Leave the first bytes behind."""
        self.rest = self.rest[size:]
        self.offset += size

    def drop_blanks(self) -> int:
        """Leave blanks at the beginning behind, and say how many."""
        size = len(self.rest) - len(self.rest.lstrip(BLANKS))
        if size:
            self.drop(size)
        return size

    def refuse(self, reason: str, at: int = 0) -> NoReturn:
        """Raise MalformedRows for a place in `rest`."""
        refuse(reason, self.row, self.offset + at)


Maker = Callable[[int, int], RowCutter]
"""Makes a cutter that goes on at a row and a byte offset; both 0: from the beginning."""
