# SPDX-License-Identifier: Apache-2.0
"""
A Fabric channel of BSN as a ledger. A reference is the id of a transaction.

`submit` has the root set, or finds the transaction that already did; nothing is anchored by that.
`confirm` reads the block that holds the transaction, and says `verified` only where a stranger who
got nothing but this block would: docs/spec/anchor-bsn-fabric.md. What the gateway says beside
the bytes decides at most how long we wait.

A crash or a time-out anywhere leaves a transaction that we don't know. The next `set` of its key
is then refused by the chaincode, or, while both wait for a block, one of the two by the peers.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from notary.evidence.fabric import evidence
from notary.ledgers.bsn.chaincode import Chaincode, NotTaken
from notary.ledgers.bsn.gateway import TX
from notary.ledgers.bsn.look import Looked, look
from notary.ledgers.bsn.probe import probe
from notary.ledgers.port import Anchorable, AnchorState, LedgerRefused, LedgerUnavailable

PATIENCE: Final = 10
"""So many looks find no block; then the root is set once more."""


class BsnLedger:
    """One channel and chaincode; without `chaincode`, the app's key, it only says what to trust."""

    kind = "bsn-fabric"
    own_word = False
    remembers = True

    def __init__(
        self,
        name: str,
        trust: Mapping[str, object],
        chaincode: Chaincode | None,
        *,
        required: bool = False,
        interval: timedelta | None = None,
    ) -> None:
        self.name = name
        self.required = required
        self.interval = interval
        self._trust = trust
        self._chaincode = chaincode
        self._waited: dict[str, int] = {}
        self._newest: dict[bytes, tuple[int, bytes]] = {}
        self._last: tuple[Anchorable, str, bytes] | None = None

    def submit(self, checkpoint: Anchorable, reference: str | None, now: datetime) -> str:
        """Have the root set under its key; known (origin, size, root) change nothing."""
        known = _known(reference)
        if known is not None and not self._is_lost(checkpoint, known):
            return known
        try:
            return self._writing().set(checkpoint)
        except NotTaken as error:
            # The key is there already, or it is another reason: free text doesn't decide that.
            found = self._find(checkpoint)
            if found is None:
                raise LedgerUnavailable(error.detail) from None
            return found

    def confirm(self, checkpoint: Anchorable, reference: str | None) -> AnchorState:
        """`submitted` until there is a block, `verified` once its bytes hold."""
        known = _known(reference)
        if known is None:
            return "unknown" if self._find(checkpoint) is None else "verified"
        looked = self._look(checkpoint, known)
        if looked.state == "failed":
            raise LedgerRefused(looked.why)
        if looked.state == "verified":
            return "verified"
        if looked.state == "again":
            return "unknown"
        self._waited[known] = self._waited.get(known, 0) + 1
        is_patient = looked.state == "waiting" and self._waited[known] < PATIENCE
        return "submitted" if is_patient else "unknown"

    def evidence(self, checkpoint: Anchorable, reference: str | None) -> Mapping[str, object]:
        """The block whose bytes were checked, and the transaction's id."""
        known = _known(reference)
        last = self._last
        if last is None or last[0] != checkpoint or known not in (None, last[1]):
            if self.confirm(checkpoint, known) != "verified" or self._last is None:
                raise LedgerUnavailable(f"Size {checkpoint.size} is in no block that can be read.")
            last = self._last
        return evidence(last[2], last[1])

    def newest(self, origin: str) -> tuple[int, bytes] | None:
        """The largest size that this object read back; nobody is asked."""
        return self._newest.get(sha256(origin.encode()).digest())

    def trust(self) -> Mapping[str, object]:
        """Channel, chaincode, and the certificates of those who sign blocks and transactions."""
        return self._trust

    def probe(self) -> Mapping[str, object]:
        """What the gateway says of channel and app, and whether that is as configured."""
        return probe(self._writing().gateway, self._trust)

    def _writing(self) -> Chaincode:
        if self._chaincode is None:
            raise LedgerUnavailable(f"This process has no key for the app of ledger {self.name}.")
        return self._chaincode

    def _is_lost(self, checkpoint: Anchorable, tx: str) -> bool:
        """Whether the transaction never will hold, or was waited for long enough."""
        state = self._look(checkpoint, tx).state
        if state == "verified":
            return False
        if state in ("waiting", "doubtful") and self._waited.get(tx, 0) < PATIENCE:
            return False
        self._waited.pop(tx, None)
        return True

    def _find(self, checkpoint: Anchorable) -> str | None:
        """The transaction by which the key was set, found by its history, read from its block."""
        good = [
            tx
            for tx in self._writing().history(checkpoint)
            if self._look(checkpoint, tx).state == "verified"
        ]
        return good[0] if good else None

    def _look(self, checkpoint: Anchorable, tx: str) -> Looked:
        """
        Read a transaction from its block. Raises LedgerRefused where the key has another root.
        """
        looked = look(self._writing().gateway, self._trust, checkpoint, tx)
        if looked.state == "verified":
            self._waited.pop(tx, None)
            self._last = (checkpoint, tx, looked.block)
            newest = self._newest.get(checkpoint.origin_hash)
            if newest is None or newest[0] < checkpoint.size:
                self._newest[checkpoint.origin_hash] = (checkpoint.size, checkpoint.root)
        return looked


def _known(reference: str | None) -> str | None:
    """What a transaction's id can be; anything else is as good as lost."""
    return reference if reference is not None and TX.fullmatch(reference) else None
