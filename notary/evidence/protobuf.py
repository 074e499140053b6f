# SPDX-License-Identifier: Apache-2.0
"""
The wire format of protocol buffers, as far as the messages of a ledger's blocks need it.

    message = field*
    field   = varint(number * 8 + kind) value      number from 1 to 2^29 - 1
    value   = varint (kind 0), 8 bytes (1), varint(length) bytes (2), 4 bytes (5)

Fields that nobody asks for are skipped, since later versions add some. Refused is what two
readers could take for different things: a field that may stand once and stands twice (one
reader takes the last, another merges them), a varint longer than need be, another kind of
value than the message has, text that isn't UTF-8. What is absent is 0 or empty, as in proto3.
docs/spec/anchor-bsn-fabric.md, rule 4.
"""

from typing import Final

from notary.core.errors import MalformedText

MAX_FIELDS: Final = 1 << 16
"""So many fields may one message have."""

_VARINT, _FIXED64, _OCTETS, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES: Final = {_FIXED64: 8, _FIXED32: 4}
_MOST_NUMBER: Final = (1 << 29) - 1
_MOST_VARINT_BYTES: Final = 10

Value = int | bytes | None
"""A varint, octets, or None for a value of fixed width, which no message here has."""


class Message:
    """
    The fields of one message, by number.

    Raises:
        MalformedText: the octets are no message; on reading a field, it isn't one of its kind.
    """

    __slots__ = ("_fields", "_what")

    def __init__(self, data: bytes, what: str) -> None:
        self._what = what
        self._fields: dict[int, list[Value]] = {}
        at = count = 0
        while at < len(data):
            number, value, at = self._field(data, at)
            self._fields.setdefault(number, []).append(value)
            count += 1
            if count > MAX_FIELDS:
                raise self._bad(f"has more than {MAX_FIELDS} fields")

    def has(self, number: int) -> bool:
        """Whether the field is there."""
        return number in self._fields

    def integer(self, number: int) -> int:
        """A field of kind 0, not negative; 0 where it is absent."""
        value = self._one(number, 0)
        if not isinstance(value, int):
            raise self._bad(f"has no integer in field {number}")
        return value

    def flag(self, number: int) -> bool:
        """A bool: 0 or 1."""
        value = self.integer(number)
        if value > 1:
            raise self._bad(f"has neither true nor false in field {number}")
        return value == 1

    def octets(self, number: int) -> bytes:
        """A field of kind 2; empty where it is absent."""
        value = self._one(number, b"")
        if not isinstance(value, bytes):
            raise self._bad(f"has no octets in field {number}")
        return value

    def text(self, number: int) -> str:
        """A string: UTF-8."""
        try:
            return self.octets(number).decode()
        except UnicodeDecodeError:
            raise self._bad(f"has no UTF-8 in field {number}") from None

    def message(self, number: int, what: str) -> "Message":
        """A message inside; an empty one where it is absent."""
        return Message(self.octets(number), what)

    def each(self, number: int) -> list[bytes]:
        """A field that may stand many times, in order."""
        values = self._fields.get(number, [])
        octets = [value for value in values if isinstance(value, bytes)]
        if len(octets) != len(values):
            raise self._bad(f"has no octets in field {number}")
        return octets

    def _one(self, number: int, absent: Value) -> Value:
        values = self._fields.get(number, [absent])
        if len(values) > 1:
            raise self._bad(f"has field {number} twice")
        return values[0]

    def _field(self, data: bytes, at: int) -> tuple[int, Value, int]:
        """The number and value of the field that begins at a place, and the place behind it."""
        tag, at = self._varint(data, at)
        number, kind = tag >> 3, tag & 7
        if not 1 <= number <= _MOST_NUMBER:
            raise self._bad("has a field whose number is none")
        if kind == _VARINT:
            value, at = self._varint(data, at)
            return number, value, at
        if kind == _OCTETS:
            size, at = self._varint(data, at)
        elif kind in _FIXED_BYTES:
            size = _FIXED_BYTES[kind]
        else:
            raise self._bad("has a field of a kind that doesn't occur")
        if size > len(data) - at:
            raise self._bad("ends too early")
        return number, data[at : at + size] if kind == _OCTETS else None, at + size

    def _varint(self, data: bytes, at: int) -> tuple[int, int]:
        """Seven bits a byte, the lowest first; in its shortest form, below 2^64."""
        value = 0
        for place in range(_MOST_VARINT_BYTES):
            if at + place >= len(data):
                raise self._bad("ends too early")
            byte = data[at + place]
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                if (byte == 0 and place > 0) or value >= 1 << 64:
                    break
                return value, at + place + 1
        raise self._bad("has an integer that is not in its shortest form or beyond 64 bits")

    def _bad(self, what: str) -> MalformedText:
        return MalformedText(f"The {self._what} {what}.")


def field(number: int, value: int | bytes) -> bytes:
    """Write one field, an integer from 0 or octets."""
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    return _varint(number << 3 | _OCTETS) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])
