# SPDX-License-Identifier: Apache-2.0
"""
DER (ITU-T X.690), as far as time stamps need it: read strictly, written plainly.

An element is a tag of one byte, a length and a content. Whatever isn't the one encoding that
DER allows is refused: two readers then never see two things in the same bytes.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OID: Final = 0x06
UTF8_STRING: Final = 0x0C
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31
MAX_INTEGER_BYTES: Final = 64
MAX_OID_BYTES: Final = 64

_TIME = re.compile(r"(\d{14})(?:\.(\d{0,8}[1-9]))?Z", re.ASCII)
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,39}))+", re.ASCII)


class NotDer(ValueError):
    """The bytes aren't what they should be, in the one encoding that DER allows."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its tag, its content, and the whole of it with tag and length."""

    tag: int
    content: bytes
    whole: bytes


class Reader:
    """The elements inside of some bytes, one after another."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def tag(self) -> int | None:
        """The tag of the next element; None at the end."""
        return self._data[self._at] if self._at < len(self._data) else None

    def take(self, tag: int, what: str) -> Element:
        """The next element, which must have this tag. Raises NotDer."""
        if self.tag != tag:
            raise NotDer(f"{what} is missing or of another type.")
        head, length = _length(self._data, self._at + 1, what)
        end = head + length
        if end > len(self._data):
            raise NotDer(f"{what} is cut off.")
        element = Element(tag, self._data[head:end], self._data[self._at : end])
        self._at = end
        return element

    def take_if(self, tag: int, what: str) -> Element | None:
        """The next element where it has this tag, else None. Raises NotDer."""
        return self.take(tag, what) if self.tag == tag else None

    def open(self, tag: int, what: str) -> "Reader":
        """What is inside of the next element, which must have this tag. Raises NotDer."""
        return Reader(self.take(tag, what).content)

    def integer(self, what: str) -> int:
        """The next element, an integer. Raises NotDer."""
        return read_integer(self.take(INTEGER, what).content, what)

    def oid(self, what: str) -> str:
        """The next element, the name of an object, as dotted text. Raises NotDer."""
        return read_oid(self.take(OID, what).content, what)

    def algorithm(self, what: str) -> str:
        """The name of an algorithm without parameters, or with NULL for them. Raises NotDer."""
        inner = self.open(SEQUENCE, what)
        name = inner.oid(what)
        nothing = inner.take_if(NULL, what)
        inner.close(what)
        if nothing is not None and nothing.content:
            raise NotDer(f"{what} is not written as DER does.")
        return name

    def true_if(self, what: str) -> bool:
        """Whether a true stands here; false is the default, which DER leaves out. Raises NotDer."""
        found = self.take_if(BOOLEAN, what)
        if found is not None and found.content != b"\xff":
            raise NotDer(f"{what} is not written as DER does.")
        return found is not None

    def all(self, tag: int, what: str) -> list[Element]:
        """All that are left, each with this tag. Raises NotDer."""
        found = []
        while self.tag is not None:
            found.append(self.take(tag, what))
        return found

    def close(self, what: str) -> None:
        """Nothing may be left. Raises NotDer."""
        if self.tag is not None:
            raise NotDer(f"Something stands behind {what}.")


def one(data: bytes, tag: int, what: str) -> Reader:
    """What is inside of the one element that the bytes are. Raises NotDer."""
    outer = Reader(data)
    inner = outer.open(tag, what)
    outer.close(what)
    return inner


def _length(data: bytes, at: int, what: str) -> tuple[int, int]:
    """Where the content begins, and how long it is: X.690, 8.1.3 and 10.1."""
    first = data[at] if at < len(data) else 0xFF
    if first < 0x80:
        return at + 1, first
    count = first & 0x7F
    length = int.from_bytes(data[at + 1 : at + 1 + count], "big")
    if not 1 <= count <= 4 or length < 0x80 or length >> (8 * count - 8) == 0:
        raise NotDer(f"The length of {what} is not written as DER does.")
    return at + 1 + count, length


def read_integer(content: bytes, what: str) -> int:
    """An integer, in as few bytes as it needs (X.690, 8.3.2). Raises NotDer."""
    value = int.from_bytes(content, "big", signed=True)
    if not 1 <= len(content) <= MAX_INTEGER_BYTES or _integer_bytes(value) != content:
        raise NotDer(f"{what} is no integer.")
    return value


def read_oid(content: bytes, what: str) -> str:
    """The name of an object as dotted text (X.690, 8.19). Raises NotDer."""
    if not 1 <= len(content) <= MAX_OID_BYTES or content[-1] & 0x80:
        raise NotDer(f"{what} is no object identifier.")
    numbers, number, begins = [], 0, True
    for octet in content:
        if begins and octet == 0x80:
            raise NotDer(f"{what} is no object identifier.")
        number, begins = number << 7 | octet & 0x7F, octet < 0x80
        if begins:
            numbers.append(number)
            number = 0
    top = min(numbers[0] // 40, 2)
    return ".".join(map(str, (top, numbers[0] - 40 * top, *numbers[1:])))


def read_time(content: bytes, what: str) -> datetime:
    """
    A time in UTC with whole seconds or a fraction (X.690, 11.7), cut to microseconds.

    Raises:
        NotDer: another spelling, or no time.
    """
    found = _TIME.fullmatch(content.decode("latin-1"))
    if found is None:
        raise NotDer(f"{what} is no time in UTC.")
    digits, fraction = found[1], found[2] or "0"
    try:
        time = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise NotDer(f"{what} is no time in UTC.") from None
    return time + timedelta(microseconds=int(fraction.ljust(6, "0")[:6]))


# -- written


def element(tag: int, *contents: bytes) -> bytes:
    """An element of these contents, one behind the other."""
    content = b"".join(contents)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(value: int) -> bytes:
    """An integer."""
    return element(INTEGER, _integer_bytes(value))


def oid(text: str) -> bytes:
    """The name of an object, from dotted text. Raises NotDer."""
    if not _OID.fullmatch(text):
        raise NotDer(f"{text} is no object identifier.")
    top, second, *rest = map(int, text.split("."))
    content = b"".join(_base_128(number) for number in (40 * top + second, *rest))
    if (top < 2 and second > 39) or len(content) > MAX_OID_BYTES:
        raise NotDer(f"{text} is no object identifier.")
    return element(OID, content)


def _integer_bytes(value: int) -> bytes:
    return value.to_bytes(
        (value if value >= 0 else ~value).bit_length() // 8 + 1, "big", signed=True
    )


def _base_128(number: int) -> bytes:
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(0x80 | number & 0x7F)
    return bytes(reversed(octets))
