# SPDX-License-Identifier: Apache-2.0
"""The hashes that everything else is made of (SHA-256, RFC 9162 section 2.1)."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NewType

from notary.core.errors import RecordRejected

LeafHash = NewType("LeafHash", bytes)
"""The 32-byte hash of one leaf's data."""

RootHash = NewType("RootHash", bytes)
"""The 32-byte hash at the top of a tree."""

HASH_BYTES: Final = 32
SALT_BYTES: Final = 32

# printf '' | sha256sum
EMPTY_ROOT: Final = RootHash(
    bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
)


def leaf_hash(data: bytes) -> LeafHash:
    """
    Hash the data of one leaf.

    SHA-256(0x00 || data); RFC 9162 section 2.1.1.
    """
    return LeafHash(sha256(b"\x00" + data).digest())


def node_hash(left: bytes, right: bytes) -> bytes:
    """
    Hash two neighbouring subtrees into their parent. Both are 32 bytes.

    SHA-256(0x01 || left || right); RFC 9162 section 2.1.1.
    """
    return sha256(b"\x01" + left + right).digest()


def digest(payload: bytes) -> bytes:
    """
    Hash the payload of a record in an open dataset: 32 bytes.

    SHA-256(payload).
    """
    return sha256(payload).digest()


def commitment(salt: bytes, payload: bytes) -> bytes:
    """
    Commit to the payload of a record in a dataset that is not open: 32 bytes.

    SHA-256(salt || payload). Requires a salt of exactly 32 bytes: with any other
    length the boundary between salt and payload could be moved.

    Raises:
        RecordRejected: the salt has another length.
    """
    if type(salt) is not bytes or len(salt) != SALT_BYTES:
        raise RecordRejected("a salt is exactly 32 bytes")
    return sha256(salt + payload).digest()


def hash_pieces(salt: bytes, pieces: Iterable[bytes]) -> tuple[bytes, int]:
    """
    `digest` (with an empty salt) or `commitment` of a payload that comes in pieces, and its
    size in bytes. One piece is held at a time.

    Raises:
        RecordRejected: the salt is neither empty nor 32 bytes.
    """
    if salt and len(salt) != SALT_BYTES:
        raise RecordRejected("a salt is exactly 32 bytes")
    hasher, size_bytes = sha256(salt), 0
    for piece in pieces:
        hasher.update(piece)
        size_bytes += len(piece)
    return hasher.digest(), size_bytes
