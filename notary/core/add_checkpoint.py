# SPDX-License-Identifier: Apache-2.0
"""
What a log hands to a witness (C2SP tlog-witness, add-checkpoint).

    old <size>               of the checkpoint that the witness cosigned last
    <base64 of a hash>       0 to 63: the consistency path from there (RFC 9162 2.1.4)
                             an empty line
    <checkpoint>             a signed note
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from notary.core.errors import MalformedNote
from notary.core.hashing import HASH_BYTES
from notary.core.proof import MAX_PATH
from notary.core.tree import MAX_SIZE
from notary.core.vkey import decode_base64, encode_base64

MAX_REQUEST_BYTES: Final = 1 << 17
SIZE_TYPE: Final = "text/x.tlog.size"
"""The media type of an answer that says which size the witness has."""

_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SIZE: Final = re.compile(r"(0|[1-9][0-9]{0,18})\n")


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """The size that the witness should have, the path from there, the signed note."""

    old: int
    path: tuple[bytes, ...]
    note: str


def format_request(old: int, path: Sequence[bytes], note: str) -> bytes:
    """Write the body of a request. Requires what `parse_request` demands."""
    hashes = "".join(f"{encode_base64(hash_)}\n" for hash_ in path)
    return f"old {old}\n{hashes}\n{note}".encode()


def parse_request(body: bytes) -> AddCheckpoint:
    """
    Read the body of a request. The note is not looked at.

    Raises:
        MalformedNote: it is not exactly such a body.
    """
    if len(body) > MAX_REQUEST_BYTES:
        raise MalformedNote(f"a request has at most {MAX_REQUEST_BYTES} bytes")
    try:
        head, empty, note = body.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise MalformedNote("a request is UTF-8") from None
    first, *lines = head.split("\n")
    old = _OLD.fullmatch(first)
    if not empty or old is None or int(old[1]) > MAX_SIZE:
        raise MalformedNote("a request is `old SIZE`, a path, an empty line and a checkpoint")
    if len(lines) > MAX_PATH:
        raise MalformedNote(f"a path has at most {MAX_PATH} hashes")
    path = tuple(map(decode_base64, lines))
    if any(len(hash_) != HASH_BYTES for hash_ in path):
        raise MalformedNote("each hash of a path is exactly 32 bytes")
    return AddCheckpoint(int(old[1]), path, note)


def parse_size(body: bytes) -> int:
    """
    Read a witness's answer that it has another size.

    Raises:
        MalformedNote: it is not exactly a size and a newline.
    """
    found = _SIZE.fullmatch(body.decode("ascii", "replace"))
    if found is None or int(found[1]) > MAX_SIZE:
        raise MalformedNote("a size is decimal, without leading zeros, and a newline")
    return int(found[1])
