# SPDX-License-Identifier: Apache-2.0
"""Rows for `COPY ... FROM STDIN (FORMAT binary)`: PostgreSQL's own format, big-endian."""

import struct
from collections.abc import Iterable
from datetime import UTC, datetime

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_LENGTH = struct.Struct(">i")
_INT2 = struct.Struct(">ih")
_INT4 = struct.Struct(">ii")
_INT8 = struct.Struct(">iq")


def microseconds(time: datetime) -> int:
    """Microseconds since 2000-01-01 UTC, as a timestamptz is stored."""
    delta = time - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def days(time: datetime) -> int:
    """Days since 2000-01-01 UTC."""
    return (time - _EPOCH).days


def int2(value: int) -> bytes:
    """A smallint field."""
    return _INT2.pack(2, value)


def int4(value: int) -> bytes:
    """An integer field."""
    return _INT4.pack(4, value)


def int8(value: int) -> bytes:
    """A bigint field; also a timestamptz, by `microseconds`."""
    return _INT8.pack(8, value)


def data(value: bytes | None) -> bytes:
    """A bytea field (or text in UTF-8), or NULL."""
    return NULL if value is None else _LENGTH.pack(len(value)) + value


def text(value: str | None) -> bytes:
    """A text field, or NULL."""
    if value is None:
        return NULL
    encoded = value.encode()
    return _LENGTH.pack(len(encoded)) + encoded


def array(values: Iterable[int]) -> str:
    """Whole numbers as an array's text: one constant to the server, where a list is many."""
    return "{" + ",".join(map(str, values)) + "}"


def table(rows: list[bytes]) -> bytes:
    """The whole stream; each row begins with its number of fields (`struct` ">h")."""
    return b"".join((HEADER, *rows, TRAILER))
