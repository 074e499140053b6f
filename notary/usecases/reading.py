# SPDX-License-Identifier: Apache-2.0
"""What is handed in, and what is answered."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

KEY_REUSED = 1
"""Flag of a record: its key was known, with other bytes."""


class Pack:
    """A message that carried several readings; its digest is computed once."""

    __slots__ = ("_digest", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._digest: bytes | None = None

    @property
    def digest(self) -> bytes:
        """SHA-256 of the message's bytes."""
        if self._digest is None:
            self._digest = sha256(self.data).digest()
        return self._digest


@dataclass(frozen=True, slots=True)
class Reading:
    """
    One reading or item on its way in: ids as text, the payload's bytes as received.

    `observed` and `key` are the sender's time and message id as sent; `pack` is the
    message from which the reading was split. Both stand in the statement of an open
    dataset; in any other only where the feed says so (`keeps_names`). `closed_only`: the
    payload holds a password, so an open dataset, whose digests can be guessed at, refuses it.
    """

    dataset: str
    source: str
    payload: bytes
    type: str
    by: str
    observed: str | None = None
    key: str | None = None
    pack: Pack | None = None
    keeps_names: bool = False
    closed_only: bool = False


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A promise: the record is durable. `duplicate` says that it was there before."""

    dataset: str
    source: str
    chain: int
    n: int
    leaf: bytes
    received: datetime
    duplicate: bool = False
    key_reused: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reading can't become a record: a reason code, and a sentence."""

    reason: str
    detail: str
    facts: dict[str, object] = field(default_factory=dict)


Outcome = Acceptance | Refusal
