# SPDX-License-Identifier: Apache-2.0
"""Protocol buffers, written. Our own, and apart from the reader in notary/evidence."""


def varint(value: int, least_bytes: int = 1) -> bytes:
    """Seven bits a byte; with more `least_bytes` than need be it is the same number, spelt long."""
    groups = [value & 127]
    while value := value >> 7:
        groups.append(value & 127)
    groups += [0] * (least_bytes - len(groups))
    return bytes([group | 128 for group in groups[:-1]] + groups[-1:])


def number(field: int, value: int) -> bytes:
    """A varint field; proto3 leaves a zero out."""
    return varint(field * 8) + varint(value) if value else b""


def octets(field: int, value: bytes | str) -> bytes:
    """A field of bytes, text or a message; proto3 leaves it out where it is empty."""
    return item(field, value) if value else b""


def item(field: int, value: bytes | str) -> bytes:
    """One of many, or a message inside: there even where it is empty."""
    data = value.encode() if isinstance(value, str) else value
    return varint(field * 8 + 2) + varint(len(data)) + data
