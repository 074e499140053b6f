# SPDX-License-Identifier: Apache-2.0
"""
Checkpoints: the signed size and root of a log (C2SP tlog-checkpoint).

    <origin>                 the log's name, the same as its key's
    <size>                   number of leaves, decimal, no leading zero
    <base64 of the root>     44 characters

Our checkpoints have exactly these three lines. Others may add lines of extension; those
are neither audited by monitors nor covered by every cosignature, so they are refused.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from notary.core.errors import MalformedNote, UnknownSigner
from notary.core.hashing import EMPTY_ROOT, HASH_BYTES, RootHash
from notary.core.note import Note, open_note
from notary.core.tree import MAX_SIZE
from notary.core.vkey import KIND_ED25519, Verifier, check_name, decode_base64, encode_base64

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """
    The state of a log: `size` leaves (below 2^63) under a 32-byte `root`.

    Raises:
        MalformedNote: a member is not of its form, or a log of size 0 has another
            root than SHA-256("").
    """

    origin: str
    size: int
    root: RootHash

    def __post_init__(self) -> None:
        check_name(self.origin)
        if type(self.size) is not int or not 0 <= self.size <= MAX_SIZE:
            raise MalformedNote("the size of a log is a whole number below 2^63")
        if type(self.root) is not bytes or len(self.root) != HASH_BYTES:
            raise MalformedNote("a root is exactly 32 bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise MalformedNote("the root of an empty log is the hash of nothing")


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """Write the text of a checkpoint: three lines, final newline included."""
    root = encode_base64(checkpoint.root)
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """
    Read the text of a checkpoint. It says nothing about who signed it.

    Raises:
        MalformedNote: it is not exactly what `format_checkpoint` writes.
    """
    # note-v1.md, step 5.
    origin, size, root = checkpoint_lines(text)
    return Checkpoint(origin, size, RootHash(root))


def checkpoint_lines(text: str) -> tuple[str, int, bytes]:
    """
    Origin, size and root as they stand in a text: whether they can be a log's is not judged.

    Raises:
        MalformedNote: it is not exactly three lines of that form.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise MalformedNote("a checkpoint is exactly three lines")
    origin, size, root = lines[:3]
    if not _SIZE.fullmatch(size):
        raise MalformedNote("the size of a log is decimal, without leading zeros")
    return origin, int(size), decode_base64(root)


def open_checkpoint(
    note: str | bytes, verifiers: Iterable[Verifier | str]
) -> tuple[Checkpoint, Note]:
    """
    Check a signed checkpoint and read it.

    Besides what `open_note` checks, a known log key (kind 0x01) whose name is the origin
    must have signed: cosignatures alone don't make a checkpoint, nor does another log's key.

    Raises:
        MalformedNote: it is not exactly a note with a checkpoint in it.
        BadSignature: a line names a known key and its signature does not hold.
        UnknownSigner: the log itself did not sign with a known key.
    """
    opened = open_note(note, verifiers)
    checkpoint = parse_checkpoint(opened.text)
    signers = [item.verifier for item in opened.verified]
    if not any(key.kind == KIND_ED25519 and key.name == checkpoint.origin for key in signers):
        raise UnknownSigner("the log did not sign with a key that is trusted here")
    return checkpoint, opened
