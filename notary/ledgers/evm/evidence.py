# SPDX-License-Identifier: Apache-2.0
"""
What a stranger needs to see an event in a block: the header, and the way to the receipt.

Both are built anew from the node's JSON, and only count where they hash to what they must:
the header to the block's hash, the receipts of the whole block to the header's root.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from notary.evidence.keccak import keccak256
from notary.evidence.rlp import Item, encode, encode_integer
from notary.ledgers.evm.chain import Block, Chain
from notary.ledgers.evm.shapes import ADDRESS_BYTES, HASH_BYTES, items, members, octets, quantity
from notary.ledgers.evm.trie import root_and_proof
from notary.ledgers.port import LedgerUnavailable

BLOOM_BYTES: Final = 256
_NUMBER: Final = -1
"""In the place of a length: a whole number."""
_ANY: Final = None

_HEADER: Final[tuple[tuple[str, int | None], ...]] = (
    ("parentHash", HASH_BYTES),
    ("sha3Uncles", HASH_BYTES),
    ("miner", ADDRESS_BYTES),
    ("stateRoot", HASH_BYTES),
    ("transactionsRoot", HASH_BYTES),
    ("receiptsRoot", HASH_BYTES),
    ("logsBloom", BLOOM_BYTES),
    ("difficulty", _NUMBER),
    ("number", _NUMBER),
    ("gasLimit", _NUMBER),
    ("gasUsed", _NUMBER),
    ("timestamp", _NUMBER),
    ("extraData", _ANY),
    ("mixHash", HASH_BYTES),
    ("nonce", 8),
)
_LATER: Final[tuple[tuple[str, int | None], ...]] = (
    ("baseFeePerGas", _NUMBER),  # London
    ("withdrawalsRoot", HASH_BYTES),  # Shanghai
    ("blobGasUsed", _NUMBER),  # Cancun
    ("excessBlobGas", _NUMBER),
    ("parentBeaconBlockRoot", HASH_BYTES),
    ("requestsHash", HASH_BYTES),  # Prague
)
"""What came with later versions of the chain's rules, in this order."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event is: its block, its transaction's index there, its own in the receipt."""

    number: int
    block_hash: bytes
    transaction: bytes
    index: int
    log: int


def build_evidence(chain: Chain, place: Place) -> Mapping[str, object]:
    """
    The evidence for an event, as it goes into receipts.

    Raises:
        LedgerUnavailable: what the node says of the block doesn't hash to what it must.
    """
    block = chain.block_of_hash(place.block_hash)
    if block is None or block.number != place.number or len(block.transactions) <= place.index:
        raise LedgerUnavailable("The node does not have the block any more.")
    if block.transactions[place.index] != place.transaction:
        raise LedgerUnavailable("The block has another transaction in that place.")
    header = header_bytes(block)
    values = {
        encode(encode_integer(index)): receipt_bytes(receipt)
        for index, receipt in enumerate(chain.receipts(block))
    }
    root, proof = root_and_proof(values, encode(encode_integer(place.index)))
    if root != octets(block.fields.get("receiptsRoot"), "receiptsRoot", HASH_BYTES):
        raise LedgerUnavailable(
            f"The receipts of block {block.number} don't hash to the root in its header."
        )
    return {
        "header": _base64(header),
        "index": place.index,
        "log": place.log,
        "proof": [_base64(node) for node in proof],
    }


def header_bytes(block: Block) -> bytes:
    """
    A block's header in RLP.

    Raises:
        LedgerUnavailable: it doesn't hash to the block's hash: the node errs, or the chain
            hashes its blocks by rules of its own.
    """
    later = [one for one in _LATER if block.fields.get(one[0]) is not None]
    parts: list[Item] = [
        _field(block.fields.get(name), name, kind) for name, kind in (*_HEADER, *later)
    ]
    header = encode(parts)
    if keccak256(header) != block.hash:
        raise LedgerUnavailable(
            f"The header of block {block.number} does not hash to the block's hash: the node "
            "errs, or its chain hashes blocks in a way of its own, and can't give evidence."
        )
    return header


def receipt_bytes(receipt: Mapping[str, object]) -> bytes:
    """A receipt as the trie holds it: RLP, behind the transaction's type where it has one."""
    logs: list[Item] = []
    for one in items(receipt.get("logs"), "a receipt's events"):
        log = members(one, "an event")
        topics = items(log.get("topics"), "an event's topics")
        logs.append(
            [
                octets(log.get("address"), "an address", ADDRESS_BYTES),
                [octets(topic, "a topic", HASH_BYTES) for topic in topics],
                octets(log.get("data"), "an event's data"),
            ]
        )
    status = receipt.get("status")
    data = encode(
        [
            # Before Byzantium a receipt had a state root there.
            octets(receipt.get("root"), "a state root", HASH_BYTES)
            if status is None
            else encode_integer(quantity(status, "a status")),
            encode_integer(quantity(receipt.get("cumulativeGasUsed"), "the gas used")),
            octets(receipt.get("logsBloom"), "a bloom", BLOOM_BYTES),
            logs,
        ]
    )
    kind = quantity(receipt.get("type", "0x0"), "a transaction's type")
    if kind > 0x7F:
        raise LedgerUnavailable(f"A transaction of the unknown type {kind} is in the block.")
    return bytes([kind]) + data if kind else data


def _field(value: object, name: str, kind: int | None) -> bytes:
    if kind == _NUMBER:
        return encode_integer(quantity(value, name))
    return octets(value, name, kind)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
