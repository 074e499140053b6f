# SPDX-License-Identifier: Apache-2.0
"""
What a receipt is made of, read from its file and not yet verified.

Hashes, salts and roots are bytes (32 of them), times aware UTC. How they are written:
notary/core/receipt_format.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class RunPart:
    """An entry's text and its place in the run list, which has `size` entries."""

    entry: str
    index: int
    size: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class RecordPart:
    """A record: its statement's text, its way into the batch, and what opens its hashes."""

    statement: str
    run: RunPart
    path: tuple[bytes, ...]
    payload: bytes | None = None
    salt: bytes | None = None
    tag_salt: bytes | None = None


@dataclass(frozen=True, slots=True)
class RowPart:
    """A version's row: its number is its index in the tree; `salt` has 0 or 32 bytes."""

    number: int
    data: bytes
    salt: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class FilePart:
    """A version's file, which is not inside; `salt` has 0 or 32 bytes."""

    salt: bytes


Subject = RecordPart | RowPart | FilePart
"""What a receipt proves."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A checkpoint on a ledger; `path` leads from the descriptor to `root` at `size`."""

    ledger: str
    kind: str
    size: int
    root: bytes
    path: tuple[bytes, ...]
    evidence: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Consistency:
    """A path which shows that the log of `size` grew from the checkpoint's."""

    size: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """When content was erased, on what ground, and by which record: the notary's word."""

    at: datetime
    ground: str
    record: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt, parsed and not yet verified. Texts are kept as they are hashed."""

    subject: Subject
    descriptor: str
    log_index: int
    log_path: tuple[bytes, ...]
    checkpoint: str
    anchors: tuple[Anchor, ...] = ()
    consistency: Consistency | None = None
    erased: Erased | None = None

    @property
    def kind(self) -> Literal["record", "row", "file"]:
        """What the receipt proves."""
        if isinstance(self.subject, RecordPart):
            return "record"
        return "row" if isinstance(self.subject, RowPart) else "file"
