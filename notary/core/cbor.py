# SPDX-License-Identifier: Apache-2.0
"""
CBOR (RFC 8949) as far as COSE receipts need it, in its one deterministic spelling.

Integers of 64 bits, byte and text strings, arrays, maps with integers and texts as keys, null.
Tags, floats, booleans and indefinite lengths don't occur and are refused.
"""

from typing import Final

from notary.core.errors import MalformedText

MAX_DEPTH: Final = 8

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP = range(6)
_NULL: Final = 0xF6
_WIDTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_CUT: Final = "The CBOR ends too early."


def dumps(value: object) -> bytes:
    """
    Write a value in deterministic CBOR: shortest heads, keys in the order of their bytes.

    Raises:
        MalformedText: a value has no form here.

    RFC 8949 section 4.2.1.
    """
    if value is None:
        return bytes([_NULL])
    if type(value) is int:
        return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    if isinstance(value, bytes):
        return _head(_BYTES, len(value)) + value
    if isinstance(value, str):
        raw = _encode(value)
        return _head(_TEXT, len(raw)) + raw
    if isinstance(value, list | tuple):
        return _head(_ARRAY, len(value)) + b"".join(map(dumps, value))
    if isinstance(value, dict):
        pairs = sorted((dumps(key), dumps(item)) for key, item in value.items())
        return _head(_MAP, len(pairs)) + b"".join(key + item for key, item in pairs)
    raise MalformedText(f"A {type(value).__name__} has no form in CBOR here.")


def loads(data: bytes) -> object:
    """
    Read one value, and nothing may stand behind it. Arrays come as lists.

    Raises:
        MalformedText: it is not exactly what `dumps` writes for a value.
    """
    value, end = _item(data, 0, 0)
    if end != len(data) or dumps(value) != data:
        raise MalformedText("The CBOR is not in deterministic form (RFC 8949).")
    return value


def _head(major: int, number: int) -> bytes:
    if number < min(_WIDTHS):
        return bytes([major << 5 | number])
    for low, width in _WIDTHS.items():
        if number < 1 << 8 * width:
            return bytes([major << 5 | low]) + number.to_bytes(width, "big")
    raise MalformedText("An integer is beyond 64 bits.")


def _item(data: bytes, at: int, depth: int) -> tuple[object, int]:
    """The value that begins at a place, and the place behind it."""
    if depth > MAX_DEPTH:
        raise MalformedText("The CBOR is nested too deeply.")
    first = data[at : at + 1]
    if first == bytes([_NULL]):
        return None, at + 1
    major, number, at = _parse_head(data, at)
    if major in (_UNSIGNED, _NEGATIVE):
        return (number if major == _UNSIGNED else -1 - number), at
    if number > len(data) - at:  # an item has at least one byte
        raise MalformedText(_CUT)
    if major in (_BYTES, _TEXT):
        raw, at = data[at : at + number], at + number
        return (raw if major == _BYTES else _decode(raw)), at
    if major == _ARRAY:
        items: list[object] = []
        for _ in range(number):
            item, at = _item(data, at, depth + 1)
            items.append(item)
        return items, at
    members: dict[int | str, object] = {}
    for _ in range(number):
        key, at = _item(data, at, depth + 1)
        if not isinstance(key, int | str):
            raise MalformedText("A key of a CBOR map is neither integer nor text.")
        members[key], at = _item(data, at, depth + 1)
    return members, at


def _parse_head(data: bytes, at: int) -> tuple[int, int, int]:
    """Major type, its number, and the place behind them."""
    if at >= len(data):
        raise MalformedText(_CUT)
    major, low = data[at] >> 5, data[at] & 31
    width = 0 if low < min(_WIDTHS) else _WIDTHS.get(low, -1)
    if major > _MAP or width < 0:
        raise MalformedText("The CBOR has what doesn't belong here.")
    if width == 0:
        return major, low, at + 1
    raw = data[at + 1 : at + 1 + width]
    if len(raw) < width:
        raise MalformedText(_CUT)
    return major, int.from_bytes(raw, "big"), at + 1 + width


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise MalformedText("A text in the CBOR is not UTF-8.") from None


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise MalformedText("A text holds half of a surrogate pair.") from None
