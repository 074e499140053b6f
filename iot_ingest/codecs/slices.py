# SPDX-License-Identifier: Apache-2.0
"""
A JSON text read in parts, each with the place where it stands, by the rules of
notary.core.strict_json.

A part whose value is refused costs only itself: its value is then the MalformedText that
says why. What isn't JSON can't be parted: it costs the whole text.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, NoReturn

from iot_ingest.codecs.json_members import bad_value
from notary.core import strict_json
from notary.core.errors import MalformedText

_BLANK: Final = re.compile(r"[ \t\r\n]*")
_LENIENT: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
"""Finds where a value ends by its form alone."""
_NAMES: Final = json.JSONDecoder(
    parse_float=str,
    parse_int=str,
    parse_constant=str,
    object_pairs_hook=lambda pairs: [name for name, _ in pairs],
)
"""Makes a list of names of each object."""


class Part(NamedTuple):
    """A value, or why it is refused, and where it stands: from `start`, before `end`."""

    value: object
    start: int
    end: int


class Text:
    """
    A message in UTF-8. Places are counted in characters.

    Raises:
        MalformedText: it isn't UTF-8.
    """

    __slots__ = ("_data", "_suspect", "text")

    def __init__(self, data: bytes) -> None:
        try:
            self.text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedText("The bytes are not UTF-8.", reason="not-utf-8") from None
        self._data = data if len(data) == len(self.text) else None
        self._suspect = strict_json.is_suspect(data)

    def bytes_of(self, part: Part) -> bytes:
        """The part's bytes as they came."""
        if self._data is not None:
            return self._data[part.start : part.end]
        return self.text[part.start : part.end].encode()

    def skip(self, at: int) -> int:
        """The next place that isn't blank."""
        match = _BLANK.match(self.text, at)
        return at if match is None else match.end()

    def value(self, at: int) -> Part:
        """The value that begins at a place. Raises MalformedText."""
        value, end = strict_json.scan(self.text, at)
        if self._suspect:
            strict_json.check_strings(value)
        return Part(value, at, end)

    def part(self, at: int) -> Part:
        """The same, or why it is refused; raises only where its end can't be found."""
        try:
            return self.value(at)
        except MalformedText as error:
            if error.facts["reason"] != "bad-value":
                raise
            return Part(error, at, self._end(at))

    def names(self, part: Part) -> list[str] | None:
        """The names of a refused object's members; None where it is none, or too deep."""
        if self.text[part.start] != "{":
            return None
        try:
            found: list[str] = _NAMES.raw_decode(self.text, part.start)[0]
        except RecursionError:
            return None
        return found

    def _end(self, at: int) -> int:
        try:
            return _LENIENT.raw_decode(self.text, at)[1]
        except RecursionError:
            raise MalformedText("Its brackets are nested too deep.", reason="too-deep") from None
        except ValueError:
            _refuse()


Reader = Callable[[Text, int], Part]
"""Reads what begins at a place. Raises MalformedText."""


def read(text: Text, reader: Reader) -> object:
    """What a reader makes of the whole text. Raises MalformedText."""
    part = reader(text, text.skip(0))
    if text.skip(part.end) != len(text.text):
        _refuse()
    return part.value


def read_parts(text: Text, at: int) -> Part:
    """A list as its parts; any other value as it is. Raises MalformedText."""
    if text.text[at : at + 1] != "[":
        return text.value(at)
    parts: list[Part] = []
    end = text.skip(at + 1)
    if text.text[end : end + 1] == "]":
        return Part(parts, at, end + 1)
    while True:
        part = text.part(end)
        parts.append(part)
        end = text.skip(part.end)
        mark = text.text[end : end + 1]
        if mark == "]":
            return Part(parts, at, end + 1)
        if mark != ",":
            _refuse()
        end = text.skip(end + 1)


def object_reader(readers: Mapping[str, Reader]) -> Reader:
    """A reader of an object some of whose members have readers of their own."""

    def read_object(text: Text, at: int) -> Part:
        if text.text[at : at + 1] != "{":
            return text.value(at)
        members: dict[str, object] = {}
        end = text.skip(at + 1)
        if text.text[end : end + 1] == "}":
            return Part(members, at, end + 1)
        while True:
            name, end = _name(text, end)
            if name in members:
                raise bad_value("A member stands twice.")
            part = readers.get(name, Text.value)(text, end)
            members[name] = part.value
            end = text.skip(part.end)
            mark = text.text[end : end + 1]
            if mark == "}":
                return Part(members, at, end + 1)
            if mark != ",":
                _refuse()
            end = text.skip(end + 1)

    return read_object


def _name(text: Text, at: int) -> tuple[str, int]:
    """A member's name, and where its value begins."""
    if text.text[at : at + 1] != '"':
        _refuse()
    part = text.value(at)
    end = text.skip(part.end)
    if text.text[end : end + 1] != ":":
        _refuse()
    return str(part.value), text.skip(end + 1)


def _refuse() -> NoReturn:
    raise MalformedText("It is not JSON.", reason="not-json")
