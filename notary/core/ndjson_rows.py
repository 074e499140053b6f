# SPDX-License-Identifier: Apache-2.0
"""
The profile `ndjson-v1`: a row is the exact bytes of one JSON value.

The values stand in lines, or in one array where the file begins with a bracket. Each is
strict JSON (notary/core/strict_json.py). docs/spec/rows-v1.md, section ndjson-v1.
"""

import re
from typing import Final

from notary.core import strict_json
from notary.core.errors import MalformedText
from notary.core.rows import BLANKS, BOM, MAX_ROW_BYTES, Buffer, Row

_STRING: Final = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_INSIDE: Final = re.compile(rb'(?:[^"\[\]{}]+|' + _STRING + rb"){0,1000}", re.DOTALL)
"""Up to the next bracket, or to a string that isn't whole yet, by bounded steps."""
_BETWEEN: Final = re.compile(rb'(?:[^"\[\]{},]+|' + _STRING + rb"){0,1000}", re.DOTALL)
"""The same, or up to a comma."""


def is_array(beginning: bytes) -> bool | None:
    """Whether a file that begins so holds one array; None: its beginning doesn't say."""
    rest = beginning.removeprefix(BOM).lstrip(BLANKS)
    return rest.startswith(b"[") if rest else None


class NdjsonRows:
    """Cuts a file of lines or of one array, whichever it is; see notary/core/rows.py."""

    def __init__(self, row: int = 0, offset: int = 0) -> None:
        self._buffer = Buffer(row, offset)
        self._cutter: JsonLines | JsonArray | None = None

    def feed(self, data: bytes) -> list[Row]:
        """The rows that are whole with this part. Raises MalformedRows."""
        if self._cutter is None:
            buffer = self._buffer
            if not buffer.add(data):
                return []
            buffer.drop_blanks()
            if not buffer.rest:
                return []
            data, buffer.rest = buffer.rest, b""
            kind = JsonArray if data.startswith(b"[") else JsonLines
            self._cutter = kind(buffer)
        return self._cutter.feed(data)

    def finish(self) -> list[Row]:
        """The rows that the end completes. Raises MalformedRows."""
        if self._cutter is not None:
            return self._cutter.finish()
        if self._buffer.rest:
            self._buffer.refuse("not-utf-8")
        return []


class JsonLines:
    """Cuts lines. A line of blanks alone is no row."""

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer

    def feed(self, data: bytes) -> list[Row]:
        """The rows that are whole with this part. Raises MalformedRows."""
        buffer = self._buffer
        seen = len(buffer.rest)
        text = buffer.rest + data
        rows: list[Row] = []
        start = 0
        while (end := text.find(b"\n", max(seen, start))) >= 0:
            rows += _value(buffer, text[start:end], start)
            start = end + 1
        buffer.rest = text
        buffer.drop(start)
        buffer.drop_blanks()
        if len(buffer.rest) > MAX_ROW_BYTES:
            buffer.refuse("row-too-large")
        return rows

    def finish(self) -> list[Row]:
        """The last line where no line feed ends it. Raises MalformedRows."""
        return _value(self._buffer, self._buffer.rest, 0)


class JsonArray:
    """Cuts the elements of an array; `inside`: from the beginning of an element on."""

    def __init__(self, buffer: Buffer, *, inside: bool = False) -> None:
        self._buffer = buffer
        self._seen = 0
        self._depth = 0
        self._count = 0
        self._state = "element" if inside else "before"

    def feed(self, data: bytes) -> list[Row]:
        """The rows that are whole with this part. Raises MalformedRows."""
        buffer = self._buffer
        buffer.rest += data
        if self._state == "before":
            if not buffer.rest:
                return []
            if not buffer.rest.startswith(b"["):
                buffer.refuse("not-array")
            buffer.drop(1)
            self._state = "element"
        rows: list[Row] = []
        text, start, at = buffer.rest, 0, self._seen
        while self._state == "element":
            pattern = _INSIDE if self._depth else _BETWEEN
            while (end := pattern.match(text, at).end()) > at:  # type: ignore[union-attr]
                at = end
            mark = text[at : at + 1]
            if mark in (b"", b'"'):
                break
            if mark in (b"[", b"{"):
                self._depth += 1
            elif self._depth:
                self._depth -= 1
            else:
                rows += self._element(text[start:at], start, mark)
                start = at + 1
            at += 1
        buffer.drop(start)
        self._seen = at - start
        self._seen = max(0, self._seen - buffer.drop_blanks())
        if self._state == "after" and buffer.rest:
            buffer.refuse("after-array")
        if len(buffer.rest) > MAX_ROW_BYTES:
            buffer.refuse("row-too-large")
        return rows

    def _element(self, text: bytes, start: int, mark: bytes) -> list[Row]:
        """One element, and what its end means: a comma, or the end of the array."""
        buffer = self._buffer
        if mark == b"}":
            buffer.refuse("not-json", start)
        found = _value(buffer, text, start)
        if not found and (mark == b"," or self._count):
            buffer.refuse("not-json", start)
        self._count += len(found)
        if mark == b"]":
            self._state = "after"
        return found

    def finish(self) -> list[Row]:
        """Nothing: the bracket completed the last one. Raises MalformedRows without it."""
        if self._state != "after":
            self._buffer.refuse("open-array")
        return []


def _value(buffer: Buffer, text: bytes, start: int) -> list[Row]:
    """The row that a stretch of the file holds between blanks, or none."""
    value = text.lstrip(BLANKS)
    if not value:
        return []
    place = start + len(text) - len(value)
    if len(value) > MAX_ROW_BYTES:
        buffer.refuse("row-too-large", place)
    value = value.rstrip(BLANKS)
    try:
        strict_json.loads(value)
    except MalformedText as error:
        buffer.refuse(str(error.facts["reason"]), place)
    buffer.row += 1
    return [(buffer.offset + place, value)]
