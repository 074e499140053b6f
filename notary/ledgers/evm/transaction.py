# SPDX-License-Identifier: Apache-2.0
"""
Transactions of the notary's account, one at a time.

The account serves this notary alone, so its next nonce is the number of its transactions that
are in blocks. Whatever is sent before one of that nonce is in a block takes its place: never
do two wait with different nonces, and a crash at any moment leaves at most one that waits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from notary.ledgers.evm.chain import Chain, Pooled
from notary.ledgers.evm.rpc import NodeSaid
from notary.ledgers.evm.settings import GWEI
from notary.ledgers.evm.shapes import checksummed, nonsense, shown
from notary.ledgers.port import LedgerUnavailable

MAX_GAS: Final = 3_000_000
"""No anchor takes a tenth of it; to create the contract takes less than half."""
MAX_TRIES: Final = 40
"""Raised by an eighth each time, a fee is a hundred times what it was."""

_KNOWN: Final = ("already known", "already imported", "alreadyknown", "known transaction")
_UNDERPRICED: Final = ("underpriced", "replacementnotallowed", "replacement not allowed")
_POOR: Final = ("insufficient funds", "insufficientfunds", "upfront cost exceeds")


@dataclass(frozen=True, slots=True)
class Fees:
    """
    What is offered for a unit of gas, in wei: at most `price`; of it `tip` to who makes the
    block. Without a tip it is a transaction of the old kind, with one price.
    """

    price: int
    tip: int | None

    @property
    def members(self) -> dict[str, int]:
        """As a transaction has them."""
        if self.tip is None:
            return {"gasPrice": self.price}
        return {"type": 2, "maxFeePerGas": self.price, "maxPriorityFeePerGas": self.tip}

    def above(self, price: int, tip: int, ceiling: int) -> "Fees":
        """
        These fees, or what it takes to replace a transaction with those: 12.5 % more of each.

        Raises:
            LedgerUnavailable: that is more than the ceiling.
        """
        wanted = max(self.price, _more(price))
        tip_wanted = None if self.tip is None else max(self.tip, _more(tip))
        if wanted > ceiling:
            raise LedgerUnavailable(
                f"A transaction waits, and to replace it takes {wanted / GWEI:g} gwei for a unit "
                f"of gas: more than max_fee_gwei, {ceiling // GWEI}."
            )
        return Fees(wanted, tip_wanted)


@dataclass(frozen=True, slots=True)
class Flight:
    """A transaction that waits: for what it was sent, and what it offers where that is known."""

    purpose: bytes | None
    hash: bytes | None
    price: int
    tip: int


class Signing(Protocol):
    """The account: its address (20 bytes), and what signs for it (account.py)."""

    address: bytes

    def sign(self, transaction: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """A transaction as signed bytes, and its hash."""


class Sender:
    """Sends for one account on one chain, from one thread."""

    def __init__(
        self, chain: Chain, account: Signing, *, ceiling_wei: int, patience_blocks: int
    ) -> None:
        self.account = account
        self._chain = chain
        self._ceiling = ceiling_wei
        self._patience = patience_blocks
        self._sent: tuple[bytes, bytes] | None = None
        """Purpose and hash of the last transaction that was sent."""
        self._waits: tuple[int, int] | None = None
        """A nonce, and the newest block when its transaction was first seen to wait."""

    def send(
        self, to: bytes, data: bytes, *, purpose: bytes, reference: bytes | None = None
    ) -> bytes:
        """
        Send calldata to a contract (to b"": create one); the hash of the transaction.

        What was sent for the same purpose and waits is left to wait, until it has waited for
        too many blocks: then it is replaced, for a higher fee.

        Raises:
            NodeSaid: the call would be reverted (`data` says why), or the node has its reasons.
            LedgerUnavailable: another transaction waits, or the fee would be too high.
        """
        nonce = self._chain.nonce(self.account.address, "latest")
        flight = self._flight(nonce, purpose, reference)
        if flight is not None and self.waited(nonce) < self._patience:
            if flight.purpose == purpose and flight.hash is not None:
                return flight.hash
            raise LedgerUnavailable("An earlier transaction is not in a block yet.")
        fees = market_fees(self._chain, self._ceiling)
        if flight is not None:
            fees = fees.above(flight.price, flight.tip, self._ceiling)
        transaction = {
            "chainId": self._chain.id,
            "nonce": nonce,
            "to": checksummed(to) if to else b"",
            "value": 0,
            "data": data,
            "gas": self._gas(to, data),
        }
        return self._hand_over(transaction, fees, purpose)

    def waited(self, nonce: int) -> int:
        """For how many blocks a transaction of this nonce has been seen to wait."""
        tip = self._chain.tip()
        if self._waits is None or self._waits[0] != nonce or self._waits[1] > tip:
            self._waits = (nonce, tip)
        return tip - self._waits[1]

    def waits(self, transaction: Pooled) -> bool:
        """Whether a transaction that no block has should be waited for still."""
        return self.waited(transaction.nonce) < self._patience

    def _flight(self, nonce: int, purpose: bytes, reference: bytes | None) -> Flight | None:
        """What waits under this nonce; None: nothing."""
        known = [(purpose, reference)] if reference is not None else []
        if self._sent is not None:
            known.insert(0, self._sent)
        for its_purpose, its_hash in known:
            found = self._chain.transaction(its_hash)
            if found is not None and not found.is_in_block and found.nonce == nonce:
                return Flight(its_purpose, its_hash, found.price, found.tip)
        if self._chain.nonce(self.account.address, "pending") > nonce:
            # Sent before a crash; which one it is, is not known.
            return Flight(None, None, 0, 0)
        return None

    def _gas(self, to: bytes, data: bytes) -> int:
        call = {"from": shown(self.account.address), "data": shown(data)}
        if to:
            call["to"] = shown(to)
        gas = self._chain.estimate_gas(call)
        if not 0 < gas <= MAX_GAS:
            raise nonsense(f"{gas} gas for an anchor")
        return gas * 5 // 4

    def _hand_over(self, transaction: Mapping[str, Any], fees: Fees, purpose: bytes) -> bytes:
        for _ in range(MAX_TRIES):
            signed, its_hash = self.account.sign({**transaction, **fees.members})
            # Kept first: where the answer is lost, it may have come all the same.
            self._sent, self._waits = (purpose, its_hash), None
            try:
                if self._chain.send(signed) != its_hash:
                    raise nonsense("it is another transaction's hash")
                return its_hash
            except NodeSaid as said:
                message = said.message.lower()
                if any(word in message for word in _KNOWN):
                    return its_hash
                if any(word in message for word in _POOR):
                    raise LedgerUnavailable(
                        f"The account {shown(self.account.address)} can't pay for an anchor: "
                        "send it funds."
                    ) from None
                if not any(word in message for word in _UNDERPRICED):
                    raise
            # One waits whose fees are not known, or the node wants more.
            fees = fees.above(fees.price, fees.tip or 0, self._ceiling)
        raise LedgerUnavailable("The node calls each fee too low.")


def market_fees(chain: Chain, ceiling: int) -> Fees:
    """
    What the chain asks for now.

    Raises:
        LedgerUnavailable: more than the ceiling.
    """
    block = chain.block("latest")
    if block is None:
        raise nonsense("there is no newest block")
    if block.base_fee is None:
        fees, least = Fees(chain.gas_price(), None), 0
    else:
        tip = chain.tip_fee()
        if tip is None:
            tip = max(chain.gas_price() - block.base_fee, 0)
        least = block.base_fee + tip
        # The base fee may double within six full blocks.
        fees = Fees(max(least, min(2 * block.base_fee + tip, ceiling)), tip)
    if fees.price > ceiling:
        raise LedgerUnavailable(
            f"The chain asks for {fees.price / GWEI:g} gwei for a unit of gas: more than "
            f"max_fee_gwei, {ceiling // GWEI}."
        )
    return fees


def _more(wei: int) -> int:
    """An eighth more, and at least one."""
    return wei + max(-(-wei // 8), 1)
