# SPDX-License-Identifier: Apache-2.0
"""
RLP, in which Ethereum writes headers, receipts and trie nodes: byte strings and lists of items.

Read strictly: each item has one spelling, and nothing stands behind it.
"""

from typing import Final, TypeAlias

Item: TypeAlias = "bytes | list[Item]"

MAX_BYTES: Final = 1 << 16
MAX_DEPTH: Final = 16
"""So deep may lists be nested, the outermost being the first."""
MAX_INTEGER_BYTES: Final = 8

_STRING, _LIST, _LONG = 0x80, 0xC0, 55


class NotRlp(ValueError):
    """The bytes are not one item in its one spelling."""


def decode(data: bytes, max_bytes: int = MAX_BYTES) -> Item:
    """
    Read one item.

    Raises:
        NotRlp: it is cut off, followed by something, spelt otherwise, too long or too deep.
    """
    if len(data) > max_bytes:
        raise NotRlp(f"more than {max_bytes} bytes")
    item, end = _item(data, 0, len(data), MAX_DEPTH)
    if end != len(data):
        raise NotRlp("something follows the item")
    return item


def encode(item: Item) -> bytes:
    """Write an item."""
    if isinstance(item, list):
        body = b"".join(map(encode, item))
        return _head(_LIST, len(body)) + body
    if len(item) == 1 and item[0] < _STRING:
        return item
    return _head(_STRING, len(item)) + item


def integer(item: Item) -> int:
    """
    A number of at most 64 bits: big-endian, without leading zeros, 0 as no bytes.

    Raises:
        NotRlp: it is a list, spelt otherwise, or larger.
    """
    if isinstance(item, list) or len(item) > MAX_INTEGER_BYTES or item.startswith(b"\x00"):
        raise NotRlp("a number is not in its one spelling")
    return int.from_bytes(item, "big")


def encode_integer(number: int) -> bytes:
    """A number as `integer` reads it; not an item's encoding yet. Requires it not negative."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _head(base: int, length: int) -> bytes:
    if length <= _LONG:
        return bytes([base + length])
    told = encode_integer(length)
    return bytes([base + _LONG + len(told)]) + told


def _item(data: bytes, at: int, end: int, depth: int) -> tuple[Item, int]:
    """The item that begins at a place and lies before `end`, and the place behind it."""
    if at >= end:
        raise NotRlp("cut off")
    if data[at] < _STRING:
        return data[at : at + 1], at + 1
    is_list = data[at] >= _LIST
    at, stop = _span(data, at, end, _LIST if is_list else _STRING)
    if not is_list:
        if stop - at == 1 and data[at] < _STRING:
            raise NotRlp("a small byte with a length before it")
        return data[at:stop], stop
    if depth == 0:
        raise NotRlp("nested too deeply")
    items: list[Item] = []
    while at < stop:
        item, at = _item(data, at, stop, depth - 1)
        items.append(item)
    return items, stop


def _span(data: bytes, at: int, end: int, base: int) -> tuple[int, int]:
    """Where the content of the string or list at a place begins and ends."""
    length, at = data[at] - base, at + 1
    if length > _LONG:
        width = length - _LONG
        told, at = data[at : at + width], at + width
        length = int.from_bytes(told, "big")
        if at > end or told[0] == 0 or length <= _LONG:
            raise NotRlp("a length is not in its one spelling")
    if length > end - at:
        raise NotRlp("cut off")
    return at, at + length
