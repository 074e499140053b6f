# SPDX-License-Identifier: Apache-2.0
"""What a ledger promises to the notary."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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

    @property
    def octets(self) -> bytes:
        """The same as 72 bytes: origin's hash, size in 8 bytes, big-endian, root."""
        return self.origin_hash + self.size.to_bytes(8, "big") + self.root


def anchorable(origin: str, size: int, root: bytes) -> Anchorable:
    """The anchorable form of a checkpoint."""
    return Anchorable(sha256(origin.encode()).digest(), size, root)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    What an adapter may ask of the notary around it.

    In `submit` and `confirm` alone: `growth(old, new)`, the consistency path of our log between
    two sizes (RFC 9162 section 2.1.4.1; requires 1 <= old <= new), and `root(size)`, its root at a
    size of at least 1. `first(name)` is the smallest size whose anchor on the ledger of that name
    is verified, None before that. All raise NotaryError where the log isn't that large or the
    database is away: let it pass. `writes`: this process may submit; others need no private key.
    """

    growth: Callable[[int, int], Sequence[bytes]]
    root: Callable[[int], bytes]
    first: Callable[[str], int | None]
    writes: bool


class Ledger(Protocol):
    """
    One configured ledger. `name` is its id in the trust file, `kind` says which evidence
    it gives, `own_word` is true where nobody but the notary stands behind it, `remembers`
    where it can be asked what it holds (a time-stamping authority can't), `interval` is the time
    between two anchors (None: the notary's). Where `required` is true a record is
    called anchored only once this ledger has it.

    A `reference` is what `submit` returned for the checkpoint: text of the adapter's own by
    which it finds again what it handed over (an id of a transaction, a token). The caller keeps
    it and hands it back. None where a crash or a time-out lost it: the adapter must then find
    out from the ledger itself, or hand over again.
    """

    name: str
    kind: str
    own_word: bool
    remembers: bool
    required: bool
    interval: timedelta | None

    def submit(self, checkpoint: Anchorable, reference: str | None, now: datetime) -> str:
        """
        Hand a checkpoint to the ledger, and say by what it is found again there.

        Idempotent for (origin, size, root): the sealer calls again after a crash.
        Durable, or raises, before it returns. Need not be final: that is `confirm`'s
        business. The caller retries LedgerUnavailable; it never retries LedgerRefused,
        which another root for a known size must raise.
        """

    def confirm(self, checkpoint: Anchorable, reference: str | None) -> AnchorState:
        """
        Say how far the ledger itself is, read back from it: `verified` once it holds
        exactly this checkpoint for good, `submitted` or `committed` before that,
        `failed` where it never will and nothing is wrong (a larger size is there, say),
        `unknown` where it can't tell: it is then handed over again. May be eventually
        consistent. Raises LedgerUnavailable, LedgerRefused.
        """

    def evidence(self, checkpoint: Anchorable, reference: str | None) -> Mapping[str, object]:
        """
        What goes into receipts (JSON of strings and integers) so that a stranger can
        check the anchor. Requires `confirm` to have said `verified`. Always the same
        for the same checkpoint and reference. Raises LedgerUnavailable.
        """

    def newest(self, origin: str) -> tuple[int, bytes] | None:
        """
        The largest (size, root) of a log that the ledger holds, or None: a high-water
        mark for the gate. An adapter for a remote ledger answers from what it last read
        back in this process, also where that is more than it was asked for.
        """

    def trust(self) -> Mapping[str, object]:
        """
        What the trust file says of this ledger, beside its id and kind. Raises
        LedgerUnavailable where there is nothing to say yet: it is left out then.
        """

    def probe(self) -> Mapping[str, object]:
        """
        Look at configuration and connection, and say what was found, in texts, numbers and
        truth values; nothing is anchored. Raises LedgerUnavailable, LedgerRefused.
        """
