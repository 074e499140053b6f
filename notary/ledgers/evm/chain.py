# SPDX-License-Identifier: Apache-2.0
"""One EVM chain as its node tells of it. Every answer's shape is checked; none is believed."""

from collections.abc import Mapping
from dataclasses import dataclass

from notary.ledgers.evm.append_only_log import Head, artefact, latest_call, read_latest
from notary.ledgers.evm.rpc import Node, NodeSaid
from notary.ledgers.evm.shapes import (
    ADDRESS_BYTES,
    HASH_BYTES,
    items,
    members,
    nonsense,
    octets,
    quantity,
    shown,
)
from notary.ledgers.port import LedgerUnavailable


@dataclass(frozen=True, slots=True)
class Block:
    """A block: number, hash, what a unit of gas costs at least in it (None: no such rule)."""

    number: int
    hash: bytes
    base_fee: int | None
    transactions: tuple[bytes, ...]
    fields: Mapping[str, object]
    """All that the node says of it."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """A transaction that the node knows: its nonce, what it offers, whether a block has it."""

    hash: bytes
    nonce: int
    price: int
    tip: int
    is_in_block: bool


class Chain:
    """The chain of this id behind a node, and the contract (20 bytes) on it."""

    def __init__(self, node: Node, chain_id: int, contract: bytes) -> None:
        self.id = chain_id
        self.contract = contract
        self.node = node

    def check_id(self) -> None:
        """Raises LedgerUnavailable where the node is one of another chain."""
        said = quantity(self.node.call("eth_chainId"), "the chain's id")
        if said != self.id:
            raise LedgerUnavailable(
                f"The node is one of chain {said}, and notary.toml says {self.id}: "
                "nothing is sent to it, nothing believed."
            )

    def check_contract(self) -> None:
        """Raises LedgerUnavailable where the contract isn't AppendOnlyLog as we compile it."""
        answer = self.node.call("eth_getCode", shown(self.contract), "latest")
        code = octets(answer, "the contract's code")
        if code != octets(artefact()["deployedBytecode"], "the compiled contract"):
            what = "another contract" if code else "no contract"
            raise LedgerUnavailable(
                f"There is {what} at {shown(self.contract)} of chain {self.id}: "
                "`notary anchors deploy` puts AppendOnlyLog there."
            )

    def latest(self, sender: bytes, origin_hash: bytes) -> Head | None:
        """What the contract holds of a sender's log; None: nothing."""
        call = {"to": shown(self.contract), "data": shown(latest_call(sender, origin_hash))}
        return read_latest(octets(self.node.call("eth_call", call, "latest"), "what it holds"))

    def tip(self) -> int:
        """The newest block's number."""
        return quantity(self.node.call("eth_blockNumber"), "the newest block's number")

    def block(self, which: int | str) -> Block | None:
        """A block by its number, or `latest` or `finalized`; None where there is none."""
        name = hex(which) if isinstance(which, int) else which
        found = self.node.call("eth_getBlockByNumber", name, False)
        block = None if found is None else _block(found)
        if block is not None and isinstance(which, int) and block.number != which:
            raise nonsense("it is another block")
        return block

    def block_of_hash(self, hash_: bytes) -> Block | None:
        """A block by its hash, canonical or not."""
        found = self.node.call("eth_getBlockByHash", shown(hash_), False)
        block = None if found is None else _block(found)
        if block is not None and block.hash != hash_:
            raise nonsense("it is another block")
        return block

    def receipt(self, transaction: bytes) -> Mapping[str, object] | None:
        """What became of a transaction; None while no block has it."""
        found = self.node.call("eth_getTransactionReceipt", shown(transaction))
        if found is None:
            return None
        receipt = members(found, "a receipt")
        if octets(receipt.get("transactionHash"), "a hash", HASH_BYTES) != transaction:
            raise nonsense("it is another transaction's receipt")
        return receipt

    def receipts(self, block: Block) -> list[Mapping[str, object]]:
        """The receipts of all transactions of a block, in their order."""
        try:
            answer = self.node.call("eth_getBlockReceipts", shown(block.hash))
            found = [members(one, "a receipt") for one in items(answer, "the block's receipts")]
        except NodeSaid:
            # Not every node has that method, or has it by the hash of a block.
            each = [self.receipt(one) for one in block.transactions]
            found = [one for one in each if one is not None]
        if len(found) != len(block.transactions):
            raise nonsense("the block has another number of receipts")
        return found

    def transaction(self, hash_: bytes) -> Pooled | None:
        """A transaction that waits or that a block has; None where the node knows none."""
        found = self.node.call("eth_getTransactionByHash", shown(hash_))
        if found is None:
            return None
        said = members(found, "a transaction")
        if octets(said.get("hash"), "a hash", HASH_BYTES) != hash_:
            raise nonsense("it is another transaction")
        price = said.get("maxFeePerGas") or said.get("gasPrice")
        tip = said.get("maxPriorityFeePerGas") or price
        return Pooled(
            hash_,
            quantity(said.get("nonce"), "a nonce"),
            quantity(price, "a fee"),
            quantity(tip, "a fee"),
            said.get("blockHash") is not None,
        )

    def logs(self, topics: list[bytes], first: int, last: int) -> list[Mapping[str, object]]:
        """The contract's events with exactly these topics, in these blocks."""
        asked = {
            "address": shown(self.contract),
            "topics": [shown(topic) for topic in topics],
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        answer = self.node.call("eth_getLogs", asked)
        return [members(one, "an event") for one in items(answer, "the events")]

    def nonce(self, account: bytes, when: str) -> int:
        """How many transactions of an account are in blocks (`latest`), or wait too (`pending`)."""
        return quantity(self.node.call("eth_getTransactionCount", shown(account), when), "a nonce")

    def balance(self, account: bytes) -> int:
        """What an account can pay, in wei."""
        return quantity(self.node.call("eth_getBalance", shown(account), "latest"), "a balance")

    def gas_price(self) -> int:
        """What the node would offer for a unit of gas, in wei."""
        return quantity(self.node.call("eth_gasPrice"), "the price of gas")

    def tip_fee(self) -> int | None:
        """What the node would offer beyond the base fee, in wei; None: it doesn't say."""
        try:
            return quantity(self.node.call("eth_maxPriorityFeePerGas"), "a fee")
        except NodeSaid:
            return None

    def estimate_gas(self, call: Mapping[str, str]) -> int:
        """
        The gas that a call takes on top of the newest block. Raises NodeSaid where it would be
        reverted.
        """
        # Not on top of what waits: it may be what this call is to replace.
        return quantity(self.node.call("eth_estimateGas", dict(call), "latest"), "the gas")

    def send(self, signed: bytes) -> bytes:
        """Hand over a signed transaction; its hash as the node says it. Raises NodeSaid."""
        return octets(self.node.call("eth_sendRawTransaction", shown(signed)), "a hash", HASH_BYTES)


def _block(value: object) -> Block:
    said = members(value, "a block")
    fee = said.get("baseFeePerGas")
    listed = items(said.get("transactions"), "a block's list of transactions")
    return Block(
        quantity(said.get("number"), "a block's number"),
        octets(said.get("hash"), "a block's hash", HASH_BYTES),
        None if fee is None else quantity(fee, "the base fee"),
        tuple(octets(one, "a transaction's hash", HASH_BYTES) for one in listed),
        said,
    )


def created_address(receipt: Mapping[str, object]) -> bytes:
    """The address of the contract that a transaction created."""
    return octets(receipt.get("contractAddress"), "the contract's address", ADDRESS_BYTES)
