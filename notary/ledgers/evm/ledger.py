# SPDX-License-Identifier: Apache-2.0
"""
The ledger on an EVM chain. What counts is what the contract holds, and what a block proves.

A reference is the hash of the transaction that was sent last. Nothing hangs on it: the
contract tells what it holds, and the event is found by its topics.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal

from notary.core.errors import NotaryError, ReceiptRefused
from notary.core.hashing import digest
from notary.evidence import evm as check
from notary.ledgers.evm.append_only_log import Head, append_call, read_revert
from notary.ledgers.evm.chain import Chain
from notary.ledgers.evm.events import find_by_topics, find_by_transaction
from notary.ledgers.evm.evidence import Place, build_evidence
from notary.ledgers.evm.rpc import NodeSaid
from notary.ledgers.evm.settings import EvmSettings
from notary.ledgers.evm.shapes import shown
from notary.ledgers.evm.transaction import Sender
from notary.ledgers.port import (
    Anchorable,
    AnchorState,
    LedgerRefused,
    LedgerUnavailable,
    Surroundings,
)

Standing = Literal["open", "held", "overtaken"]
"""The chain holds less than a checkpoint, just it, or more."""

_HASH: Final = re.compile(r"0x[0-9a-f]{64}")
_DATA: Final = re.compile(r"0x((?:[0-9a-fA-F]{2})*)")


class EvmLedger:
    """One contract on one chain, written to by one account; only the sealer has `sender`."""

    kind = "evm"
    own_word = False
    remembers = True

    def __init__(
        self,
        name: str,
        required: bool,
        interval: timedelta | None,
        chain: Chain,
        settings: EvmSettings,
        around: Surroundings,
        sender: Sender | None,
    ) -> None:
        self.name = name
        self.required = required
        self.interval = interval
        self._chain = chain
        self._settings = settings
        self._around = around
        self._sender = sender
        self._checks_contract = True
        self._built: tuple[Anchorable, Place, Mapping[str, object]] | None = None
        self._newest: dict[bytes, tuple[int, bytes]] = {}

    def submit(self, checkpoint: Anchorable, reference: str | None, now: datetime) -> str:
        """
        One transaction, with the consistency path from what the chain itself holds; none
        where it holds the checkpoint already.
        """
        if self._sender is None:
            raise LedgerRefused("This process has no key for the chain.")
        self._chain.check_id()
        if self._checks_contract:
            self._chain.check_contract()
            self._checks_contract = False
        head, stands = self._stands(checkpoint)
        if stands != "open":
            place = self._find(checkpoint, reference)
            return reference or "" if place is None else shown(place.transaction)
        path = self._around.growth(head.size, checkpoint.size) if head else []
        try:
            sent = self._sender.send(
                self._chain.contract,
                append_call(checkpoint, path),
                purpose=checkpoint.octets,
                reference=_hash(reference),
            )
        except NodeSaid as said:
            raise self._refusal(said, head, checkpoint) from None
        return shown(sent)

    def confirm(self, checkpoint: Anchorable, reference: str | None) -> AnchorState:
        """
        `committed` once a block has it, `verified` once that block is as deep as it must be
        and its evidence holds; `unknown` where no block has it (any more) and none waits.
        """
        self._chain.check_id()
        _, stands = self._stands(checkpoint)
        if stands == "open":
            return self._waiting(checkpoint, reference)
        place = self._find(checkpoint, reference)
        if place is None:
            if stands == "overtaken":
                return "failed"
            raise LedgerUnavailable("The node shows no event for what the contract holds.")
        # The depth first: while it is asked for, the block may be replaced by another.
        is_final = self._is_final(place)
        self._check_canonical(place)
        if not is_final:
            return "committed"
        self._evidence(checkpoint, place)
        self._remember(checkpoint)
        return "verified"

    def evidence(self, checkpoint: Anchorable, reference: str | None) -> Mapping[str, object]:
        """Header of the block, and the way to the receipt: docs/spec/anchor-evm.md."""
        self._chain.check_id()
        place = self._find(checkpoint, reference)
        if place is None:
            raise LedgerUnavailable(f"Size {checkpoint.size} is in no block.")
        self._check_canonical(place)
        return self._evidence(checkpoint, place)

    def newest(self, origin: str) -> tuple[int, bytes] | None:
        """The largest checkpoint that this object saw verified; the chain isn't asked."""
        return self._newest.get(digest(origin.encode()))

    def trust(self) -> Mapping[str, object]:
        """
        Chain, contract, account, and the size from which append-only holds: the first that
        was anchored.

        Raises:
            LedgerUnavailable: nothing is anchored yet.
        """
        first = self._around.first(self.name)
        if first is None:
            raise LedgerUnavailable(f"Nothing is anchored on {self.name} yet.")
        return {
            "chain_id": self._chain.id,
            "contract": shown(self._chain.contract),
            "sender": shown(self._settings.account),
            "from_size": first,
        }

    def probe(self) -> Mapping[str, object]:
        """Look at chain, contract, account and fees; nothing is sent."""
        self._chain.check_id()
        self._chain.check_contract()
        tip = self._chain.block("latest")
        if tip is None:
            raise LedgerUnavailable("The node has no block.")
        return {
            "chain_id": self._chain.id,
            "block": tip.number,
            "contract": shown(self._chain.contract),
            "account": shown(self._settings.account),
            "balance_wei": str(self._chain.balance(self._settings.account)),
            "transactions": self._chain.nonce(self._settings.account, "latest"),
            "gas_price_wei": str(self._chain.gas_price()),
            "has_key": self._sender is not None,
        }

    def _latest(self, checkpoint: Anchorable) -> Head | None:
        return self._chain.latest(self._settings.account, checkpoint.origin_hash)

    def _stands(self, checkpoint: Anchorable) -> tuple[Head | None, Standing]:
        """What the chain holds, and how the checkpoint stands beside it. Raises as `_compare`."""
        head = self._latest(checkpoint)
        try:
            return head, self._compare(head, checkpoint)
        except LedgerRefused:
            self._prove_head(head, checkpoint)
            raise

    def _compare(self, head: Head | None, checkpoint: Anchorable) -> Standing:
        """
        Where a checkpoint stands beside what the chain holds.

        Raises:
            LedgerRefused: they are not two states of one log.
        """
        if head is None:
            return "open"
        is_it = head.size == checkpoint.size
        ours = checkpoint.root if is_it else self._around.root(head.size)
        if head.root != ours:
            raise LedgerRefused(
                f"The chain holds another root for size {head.size}: {head.root.hex()}, and "
                f"ours is {ours.hex()}."
            )
        if is_it:
            return "held"
        return "open" if head.size < checkpoint.size else "overtaken"

    def _waiting(self, checkpoint: Anchorable, reference: str | None) -> AnchorState:
        sent = _hash(reference)
        found = None if sent is None else self._chain.transaction(sent)
        if found is None:
            return "unknown"
        if found.is_in_block:
            # Since we looked; or it failed there, and the contract still doesn't hold it.
            return "unknown" if self._stands(checkpoint)[1] == "open" else "submitted"
        if self._sender is not None and not self._sender.waits(found):
            return "unknown"
        return "submitted"

    def _find(self, checkpoint: Anchorable, reference: str | None) -> Place | None:
        account, sent = self._settings.account, _hash(reference)
        if sent is not None:
            place = find_by_transaction(self._chain, account, checkpoint, sent)
            if place is not None:
                return place
        return find_by_topics(self._chain, account, checkpoint, self._settings.from_block)

    def _check_canonical(self, place: Place) -> None:
        block = self._chain.block(place.number)
        if block is None or block.hash != place.block_hash:
            raise LedgerUnavailable(f"Block {place.number} is just being replaced by another.")

    def _is_final(self, place: Place) -> bool:
        if self._settings.final == "finalized":
            final = self._chain.block("finalized")
            return final is not None and final.number >= place.number
        return self._chain.tip() - place.number + 1 >= self._settings.confirmations

    def _evidence(self, checkpoint: Anchorable, place: Place) -> Mapping[str, object]:
        """The evidence, checked as every stranger checks it; the last one is kept."""
        if self._built is None or self._built[:2] != (checkpoint, place):
            evidence = build_evidence(self._chain, place)
            chain = check.Chain(self._chain.id, self._chain.contract, self._settings.account, 1)
            try:
                block = check.prove(evidence, chain, checkpoint.octets)
            except ReceiptRefused as refused:
                raise LedgerUnavailable(
                    f"The node's evidence does not hold: {refused.detail}"
                ) from None
            if (block.number, block.hash) != (place.number, place.block_hash):
                raise LedgerUnavailable("The node's evidence is of another block.")
            self._built = (checkpoint, place, evidence)
        return self._built[2]

    def _remember(self, checkpoint: Anchorable) -> None:
        newest = self._newest.get(checkpoint.origin_hash)
        if newest is None or newest[0] < checkpoint.size:
            self._newest[checkpoint.origin_hash] = (checkpoint.size, checkpoint.root)

    def _prove_head(self, head: Head | None, checkpoint: Anchorable) -> None:
        """
        What the chain holds and we do not is told to the gate, which may close: only where a
        block proves it, and not because a node said so.
        """
        if head is None:
            return
        held = replace(checkpoint, size=head.size, root=head.root)
        with suppress(LedgerUnavailable):
            place = self._find(held, None)
            if place is not None:
                self._check_canonical(place)
                self._evidence(held, place)
                self._remember(held)

    def _refusal(self, said: NodeSaid, head: Head | None, checkpoint: Anchorable) -> NotaryError:
        """What it means that the node won't take the transaction."""
        revert = read_revert(_revert_data(said.data))
        if revert is None:
            return said
        if self._latest(checkpoint) != head:
            return LedgerUnavailable("The chain's state changed just now.")
        return LedgerRefused(f"The contract refuses size {checkpoint.size}: {revert}.")


def _hash(reference: str | None) -> bytes | None:
    if reference is None or not _HASH.fullmatch(reference):
        return None
    return bytes.fromhex(reference[2:])


def _revert_data(data: object) -> bytes:
    """What the contract returned; nodes put it into `data` in one of several ways."""
    if isinstance(data, dict):
        data = data.get("data")
    found = _DATA.search(data) if isinstance(data, str) else None
    return b"" if found is None else bytes.fromhex(found[1])
