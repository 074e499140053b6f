# SPDX-License-Identifier: Apache-2.0
"""
Prints: keyed hashes under the instance secret, by which what came before is known again.

A print of a key or of a payload goes with its record when that is erased.
"""

from hashlib import blake2b


def keyed_print(secret: bytes, data: bytes, size_bytes: int = 8) -> int:
    """A keyed hash (RFC 7693) of so many bytes, as a number of the database."""
    print_ = blake2b(data, digest_size=size_bytes, key=secret).digest()
    return int.from_bytes(print_, "big", signed=True)


def print_heads(dataset: int, label: str) -> tuple[bytes, bytes]:
    """What prints of a source's keys, and of its times where there is no key, begin with."""
    who = f"{dataset}/{label}/"
    return f"key {who}".encode(), f"time {who}".encode()


def payload_print(secret: bytes, digest: bytes | None, payload: bytes) -> int:
    """
    The print of a payload. The `digest` of an open dataset is public, and its beginning is
    the print; of no other (None) a payload shows in its print.
    """
    if digest is not None:
        return int.from_bytes(digest[:4], "big", signed=True)
    return keyed_print(secret, b"payload " + payload, 4)
