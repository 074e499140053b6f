# SPDX-License-Identifier: Apache-2.0
"""What is handed in, and what is answered."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

KEY_REUSED = 1
"""Flag of a record: its key was known, with other bytes."""
REPLAYED = 2
"""Flag of a record: its signature came before, or was made more than a day ago."""
FUTURE_DATED = 4
"""Flag of a record: the sender's time lies more than a day ahead of our clock."""


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


class Reading(NamedTuple):
    """
    One reading or item on its way in: ids as text, the payload's bytes as received.

    `observed` and `key` are the sender's time and message id as sent; `pack` is the
    message from which the reading was split. Both stand in the statement of an open
    dataset; in any other only where the feed says so (`keeps_names`). `closed_only`: the
    payload holds a password, so an open dataset, whose digests can be guessed at, refuses it.
    `answer_to` is where the answer goes, if anywhere; `flags` (REPLAYED, FUTURE_DATED) are
    what the way in found odd.
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
    answer_to: "Asked | None" = None
    flags: int = 0


class Acceptance(NamedTuple):
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


@dataclass(slots=True, eq=False)
class Address:
    """
    Where the answer to one message goes, which carried `of` readings of `source` (or of
    sources that they name themselves).

    `refused` is what of them can't become a record, by place, and `told` the places that
    were answered. `signed`: signed acceptances go with it; `notices`: "sealed" and
    "anchored" follow.
    """

    broker: str
    topic: str
    correlation: bytes | None
    dataset: str
    source: str
    of: int = 1
    signed: bool = False
    notices: bool = True
    refused: dict[int, Refusal] = field(default_factory=dict)
    told: set[int] = field(default_factory=set)


class Asked(NamedTuple):
    """The answer that a reading wants: to which message, and its place in it."""

    address: Address
    place: int
