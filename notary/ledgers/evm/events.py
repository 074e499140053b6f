# SPDX-License-Identifier: Apache-2.0
"""
Where a checkpoint's event is on the chain, as the node tells: by its transaction, else by
its topics. There is one such event at most for each sender, origin and size.
"""

from collections.abc import Mapping
from typing import Final

from notary.ledgers.evm.append_only_log import topics
from notary.ledgers.evm.chain import Chain
from notary.ledgers.evm.evidence import Place
from notary.ledgers.evm.rpc import NodeSaid
from notary.ledgers.evm.shapes import (
    ADDRESS_BYTES,
    HASH_BYTES,
    items,
    members,
    nonsense,
    octets,
    quantity,
)
from notary.ledgers.port import Anchorable, LedgerRefused, LedgerUnavailable

WINDOW_BLOCKS: Final = 1_000
"""So many blocks are searched at once where a node won't search all."""
MAX_WINDOWS: Final = 100


def find_by_transaction(
    chain: Chain, sender: bytes, checkpoint: Anchorable, transaction: bytes
) -> Place | None:
    """
    The event of this checkpoint in this transaction; None: no block has it, or it failed.

    Raises:
        LedgerRefused: the event is there with another root.
    """
    receipt = chain.receipt(transaction)
    if receipt is None or receipt.get("blockHash") is None:
        return None
    if quantity(receipt.get("status"), "a status") != 1:
        return None
    wanted = topics(sender, checkpoint)
    for index, one in enumerate(items(receipt.get("logs"), "a receipt's events")):
        log = members(one, "an event")
        if octets(log.get("address"), "an address", ADDRESS_BYTES) != chain.contract:
            continue
        if _topics(log) == wanted:
            _check_root(log, checkpoint)
            return _place(receipt, transaction, index)
    return None


def find_by_topics(
    chain: Chain, sender: bytes, checkpoint: Anchorable, from_block: int
) -> Place | None:
    """
    The event of this checkpoint in any block since that one; None: there is none.

    Raises:
        LedgerRefused: the event is there with another root.
    """
    log = _search(chain, topics(sender, checkpoint), from_block)
    if log is None:
        return None
    transaction = octets(log.get("transactionHash"), "a hash", HASH_BYTES)
    place = find_by_transaction(chain, sender, checkpoint, transaction)
    if place is None:
        raise nonsense("the event is in none of its transaction's receipts")
    return place


def _search(chain: Chain, wanted: list[bytes], from_block: int) -> Mapping[str, object] | None:
    tip = chain.tip()
    try:
        return _only(chain.logs(wanted, min(from_block, tip), tip))
    except NodeSaid as said:
        refusal = said
    last = tip
    for _ in range(MAX_WINDOWS):
        first = max(from_block, last - WINDOW_BLOCKS + 1)
        found = _only(chain.logs(wanted, first, last))
        if found is not None or first <= from_block:
            return found
        last = first - 1
    raise LedgerUnavailable(
        f"The node won't search so many blocks: set from_block to the block in which the "
        f"contract was created. {refusal.detail}"
    )


def _only(found: list[Mapping[str, object]]) -> Mapping[str, object] | None:
    if len(found) > 1:
        raise nonsense("the contract has no size twice")
    return found[0] if found else None


def _topics(log: Mapping[str, object]) -> list[bytes]:
    listed = items(log.get("topics"), "an event's topics")
    return [octets(topic, "a topic", HASH_BYTES) for topic in listed]


def _check_root(log: Mapping[str, object], checkpoint: Anchorable) -> None:
    data = octets(log.get("data"), "an event's data", 2 * HASH_BYTES)
    if data[:HASH_BYTES] != checkpoint.root:
        raise LedgerRefused(
            f"The chain holds another root for size {checkpoint.size}: "
            f"{data[:HASH_BYTES].hex()}, and ours is {checkpoint.root.hex()}."
        )


def _place(receipt: Mapping[str, object], transaction: bytes, log: int) -> Place:
    return Place(
        quantity(receipt.get("blockNumber"), "a block's number"),
        octets(receipt.get("blockHash"), "a block's hash", HASH_BYTES),
        transaction,
        quantity(receipt.get("transactionIndex"), "a transaction's index"),
        log,
    )
