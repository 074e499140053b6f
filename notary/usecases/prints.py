# SPDX-License-Identifier: Apache-2.0
"""
Prints: keyed hashes under the instance secret, by which what came before is known again.

A print of a key or of a payload goes with its record when that is erased.
"""

from hashlib import blake2b
from typing import NamedTuple


class SourcePrints(NamedTuple):
    """
    What the prints of a source's keys, and of its times where there is no key, are made of.

    They all begin with the two bytes `place`, so that a source's prints lie together in the
    index, and a pack of readings touches a page or two of it. The other six tell keys apart.
    """

    place: bytes
    key_head: bytes
    time_head: bytes


def source_prints(secret: bytes, dataset: int, label: str) -> SourcePrints:
    """Those of a source, by the dataset's id and the source's label."""
    who = f"{dataset}/{label}/"
    place = _keyed(secret, f"source {who}".encode(), 2)
    return SourcePrints(place, f"key {who}".encode(), f"time {who}".encode())


def key_print(
    secret: bytes, source: SourcePrints, key: str | None, observed: str | None
) -> int | None:
    """The print of a key, else of the sender's time; None where neither is known."""
    if key is not None:
        data = source.key_head + key.encode()
    elif observed is not None:
        data = source.time_head + observed.encode()
    else:
        return None
    return int.from_bytes(source.place + _keyed(secret, data, 6), "big", signed=True)


def payload_print(secret: bytes, digest: bytes | None, payload: bytes) -> int:
    """
    The print of a payload. The `digest` of an open dataset is public, and its beginning is
    the print; of no other (None) a payload shows in its print.
    """
    if digest is not None:
        return int.from_bytes(digest[:4], "big", signed=True)
    return int.from_bytes(_keyed(secret, b"payload " + payload, 4), "big", signed=True)


def _keyed(secret: bytes, data: bytes, size_bytes: int) -> bytes:
    """A keyed hash (RFC 7693) of so many bytes."""
    return blake2b(data, digest_size=size_bytes, key=secret).digest()
