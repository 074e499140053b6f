# SPDX-License-Identifier: Apache-2.0
"""What a ledger promises to the notary."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal, Protocol

from notary.core.errors import NotaryError

AnchorState = Literal["built", "submitted", "committed", "verified", "failed", "unknown"]


class LedgerUnavailable(NotaryError):
    """The ledger can't be reached just now; the anchor is tried again later."""

    code = "ledger-unavailable"


class LedgerRefused(NotaryError):
    """The ledger refused the checkpoint; a person must look before anything goes on."""

    code = "ledger-refused"


@dataclass(frozen=True, slots=True)
class Anchorable:
    """
    All that a ledger gets to see: SHA-256 of the log's origin, size and 32-byte root.

    No name of a city, a dataset or a device.
    """

    origin_hash: bytes
    size: int
    root: bytes


def anchorable(origin: str, size: int, root: bytes) -> Anchorable:
    """The anchorable form of a checkpoint."""
    return Anchorable(sha256(origin.encode()).digest(), size, root)


class Ledger(Protocol):
    """
    One configured ledger. `name` is its id in the trust file, `kind` says which evidence
    it gives, `own_word` is true where nobody but the notary stands behind it.
    """

    name: str
    kind: str
    own_word: bool
    required: bool

    def submit(self, checkpoint: Anchorable, now: datetime) -> None:
        """
        Hand a checkpoint to the ledger.

        Idempotent for (origin, size, root): the sealer calls again after a crash.
        Durable, or raises, before it returns. Need not be final: that is `confirm`'s
        business. The caller retries LedgerUnavailable; it never retries LedgerRefused,
        which another root for a known size must raise.
        """

    def confirm(self, checkpoint: Anchorable) -> AnchorState:
        """
        Say how far the ledger itself is, read back from it: `verified` once it holds
        exactly this checkpoint for good, `submitted` or `committed` before that,
        `failed` where it never will, `unknown` where it can't tell (asked again later).
        May be eventually consistent. Raises LedgerUnavailable.
        """

    def evidence(self, checkpoint: Anchorable) -> Mapping[str, object]:
        """
        What goes into receipts (JSON of strings and integers) so that a stranger can
        check the anchor. Requires `confirm` to have said `verified`. Always the same
        for the same checkpoint. Raises LedgerUnavailable.
        """

    def newest(self, origin: str) -> tuple[int, bytes] | None:
        """
        The largest (size, root) of a log that the ledger holds, or None: a high-water
        mark for the gate. An adapter for a remote ledger may answer from what it last
        read back, and None when it can't be reached.
        """

    def trust(self) -> Mapping[str, object]:
        """What the trust file says of this ledger, beside its id and kind."""
