# SPDX-License-Identifier: Apache-2.0
"""
Reading a transaction from the block that holds it.

An answer isn't bound to what was asked: each may be a true answer of yesterday. So the
transaction, its key and its root are looked for in the bytes, and the bytes are checked as the
evidence of a receipt is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from notary.core.errors import MalformedText, ReceiptRefused
from notary.evidence.fabric import anchored, check_block
from notary.evidence.fabric_block import Block, format_block, parse_block
from notary.evidence.fabric_transaction import find
from notary.ledgers.bsn.gateway import BlockData, Declined, Gateway
from notary.ledgers.bsn.verdicts import NO_BLOCK, NOT_VALIDATED, SET_AGAIN, VALID, name_of
from notary.ledgers.port import Anchorable, LedgerRefused, LedgerUnavailable

KEY_OCTETS: Final = 40
"""Of the 72 that are anchored: the origin's hash and the size, which are the key."""


@dataclass(frozen=True, slots=True)
class Looked:
    """
    What was found: `verified` with the block in its reduced form, `waiting` for a block,
    `doubtful` whether one comes, `again` where only a new transaction helps, `failed` for a
    reason that lasts.
    """

    state: Literal["verified", "waiting", "doubtful", "again", "failed"]
    why: str = ""
    block: bytes = b""


def look(gateway: Gateway, trust: Mapping[str, object], checkpoint: Anchorable, tx: str) -> Looked:
    """
    Where a transaction stands that should set a checkpoint's root, under a ledger's trust.

    Raises:
        LedgerRefused: a block that holds sets another root under the key.
        LedgerUnavailable: the answers can't be used.
    """
    try:
        processed = gateway.transaction(tx)
        data = gateway.block_of(tx)
    except Declined:
        return _without_block(gateway, tx)
    block = _parsed(tx, data)
    try:
        index, transaction = find(block, tx)
    except MalformedText as error:
        raise _unusable(tx, error.detail) from None
    if block.envelopes[index] not in processed:
        raise _unusable(tx, "the transaction in it is not the one that was served alone.")
    try:
        held = anchored(transaction, str(trust["chaincode"]))
    except MalformedText:
        return Looked("again")
    if held[:KEY_OCTETS] != checkpoint.octets[:KEY_OCTETS]:
        return Looked("again")
    code = block.codes[index] if index < len(block.codes) else NOT_VALIDATED
    return _judged(trust, checkpoint, tx, block, code, held)


def _without_block(gateway: Gateway, tx: str) -> Looked:
    """Whether waiting has a point; that the gateway calls it valid is worth nothing."""
    try:
        status = gateway.status(tx)
    except Declined:
        return Looked("waiting")
    return Looked("doubtful" if status == NO_BLOCK else "waiting")


def _parsed(tx: str, data: BlockData) -> Block:
    try:
        block = parse_block(data.octets)
    except MalformedText as error:
        raise _unusable(tx, error.detail) from None
    if (block.number, block.hash.hex()) != (data.number, data.hash):
        raise _unusable(tx, "number or hash are not those of its bytes.")
    return block


def _judged(
    trust: Mapping[str, object],
    checkpoint: Anchorable,
    tx: str,
    block: Block,
    code: int,
    held: bytes,
) -> Looked:
    """By the peer's code; and where that is 0, by everything that is signed."""
    if code == NOT_VALIDATED:
        return Looked("waiting")
    if code in SET_AGAIN:
        return Looked("again")
    if code != VALID:
        return Looked(
            "failed",
            f"Transaction {tx} is in block {block.number} with the validation code {code}, "
            f"{name_of(code)}: ask whoever runs the gateway and the chaincode.",
        )
    reduced = format_block(block)
    try:
        found = check_block(reduced, tx, held, trust)
    except ReceiptRefused as error:
        raise _unusable(tx, error.detail) from None
    if found.status != "held":
        raise _unusable(tx, "its signatures can't be checked here.")
    if held != checkpoint.octets:
        raise LedgerRefused(
            f"Block {block.number} sets another root for size {checkpoint.size}: a fork of the "
            "log, or somebody else with the app's key."
        )
    return Looked("verified", block=reduced)


def _unusable(tx: str, why: str) -> LedgerUnavailable:
    return LedgerUnavailable(f"What the gateway serves as the block of {tx} does not count: {why}")
