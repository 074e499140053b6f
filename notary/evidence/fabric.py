# SPDX-License-Identifier: Apache-2.0
"""
Evidence of a Hyperledger Fabric channel, such as BSN's: the block with the transaction that
anchored a checkpoint. docs/spec/anchor-bsn-fabric.md.

Shown is that the ordering service issued this block, and that peers of the organisations in the
trust file endorsed what the transaction writes. The time is the word of whoever created the
transaction, its validity that of the peer which gave out the block; that the block is in the
chain as others see it, only they can say.
"""

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

from notary.core.errors import BadSignature, MalformedText, ReceiptRefused
from notary.core.receipt_ledgers import Found
from notary.core.receipt_parts import Anchor
from notary.core.trust import LedgerTrust
from notary.core.words import format_time, parse_hash
from notary.evidence.fabric_block import MAX_BLOCK_BYTES, Block, format_block, parse_block
from notary.evidence.fabric_identity import identify, parse_identity
from notary.evidence.fabric_transaction import Transaction, find
from notary.evidence.fabric_trust import FabricTrust, parse_members
from notary.evidence.members import octets, only, refused, wanted
from notary.evidence.protobuf import Message

FUNCTION: Final = b"set"
VALID: Final = 0
NOT_CHECKED: Final = Found("not-checked", {"reason": "sm2"})
_KEY = re.compile(r"base_key_(([0-9a-f]{64})-([1-9][0-9]{0,15}))", re.ASCII)
_VALUE = re.compile(rb'\{"BaseKey":"([^"\\]*)","BaseInfo":"([0-9a-f]{64})"\}')


def check(anchor: Anchor, ledger: LedgerTrust, origin: str) -> Found:
    """
    The evidence's block holds a transaction that anchored this checkpoint.

    Raises:
        ReceiptRefused: ledger-evidence where it is malformed or doesn't hold, ledger-other where
            it is another checkpoint's.
        MalformedTrust: what the trust file says of the ledger is of no use.
    """
    trust = _trust(ledger.members)
    if trust is None:
        return NOT_CHECKED
    # anchor-bsn-fabric.md, step 3.
    only(anchor.evidence, {"block", "tx"})
    block = octets(anchor.evidence["block"], "block", MAX_BLOCK_BYTES)
    return _judge(block, anchor.evidence["tx"], wanted(anchor, origin), trust)


def check_block(
    block: bytes, tx: object, checkpoint: bytes, members: Mapping[str, object]
) -> Found:
    """
    The same for a block's bytes and the 72 bytes that are anchored: SHA-256 of the origin, size
    in 8 bytes, root.

    Raises:
        ReceiptRefused, MalformedTrust: as `check`.
    """
    trust = _trust(members)
    return NOT_CHECKED if trust is None else _judge(block, tx, checkpoint, trust)


def evidence(block: bytes, tx: str) -> dict[str, object]:
    """
    The evidence to keep of a peer's block: without what nobody signed.

    Raises:
        MalformedText: it is no block.
    """
    reduced = format_block(parse_block(block))
    return {"block": base64.b64encode(reduced).decode(), "tx": tx}


def anchored(transaction: Transaction, chaincode: str) -> bytes:
    """
    The 72 bytes that a transaction anchors by the preset chaincode's `set`; nothing is verified.

    Raises:
        MalformedText: it is no such transaction, or writes anything else.

    docs/spec/anchor-bsn-fabric.md, rule 7.
    """
    if transaction.chaincode != chaincode or transaction.args[:1] != (FUNCTION,):
        raise MalformedText("The transaction doesn't call the chaincode's function set.")
    writes = [item for item in transaction.writes if item.namespace == chaincode]
    key = _KEY.fullmatch(writes[0].key) if len(writes) == 1 else None
    if key is None or writes[0].is_delete:
        raise MalformedText("The transaction doesn't write one checkpoint and nothing else.")
    value = _VALUE.fullmatch(writes[0].value)
    if value is None or value[1] != key[1].encode():
        raise MalformedText("The written value is not that of its key.")
    reads = [item for item in transaction.reads if item.namespace == chaincode]
    if [item.key for item in reads] != [writes[0].key] or not reads[0].is_new:
        raise MalformedText("The transaction wrote over something, or didn't look.")
    root = bytes.fromhex(value[2].decode())
    return bytes.fromhex(key[2]) + int(key[3]).to_bytes(8, "big") + root


def _trust(members: Mapping[str, object]) -> FabricTrust | None:
    """The ledger of the trust file; None where it can't be checked here."""
    # anchor-bsn-fabric.md, step 1.
    trust = parse_members(members)
    # anchor-bsn-fabric.md, step 2.
    return None if trust.is_sm2 else trust


def _judge(block: bytes, tx: object, checkpoint: bytes, trust: FabricTrust) -> Found:
    try:
        return _check(block, parse_hash(tx, "transaction's id").hex(), checkpoint, trust)
    except (MalformedText, BadSignature) as error:
        raise refused(error.detail) from None


def _check(data: bytes, tx: str, checkpoint: bytes, trust: FabricTrust) -> Found:
    block = parse_block(data)
    # anchor-bsn-fabric.md, step 3.
    if format_block(block) != data:
        raise MalformedText("The block holds what nobody signed, or is spelt otherwise.")
    # anchor-bsn-fabric.md, step 4.
    if sha256(b"".join(block.envelopes)).digest() != block.data_hash:
        raise BadSignature("The block's data are not those of its header.")
    place, transaction = find(block, tx)
    _check_transaction(transaction, trust)
    orderers = check_orderers(block, trust, transaction.time)
    # anchor-bsn-fabric.md, step 8.
    if len(block.codes) != len(block.envelopes):
        raise MalformedText("The block hasn't one code for each transaction.")
    code = block.codes[place]
    if code != VALID:
        raise ReceiptRefused(
            f"The peers found the transaction invalid, code {code}.",
            reason="ledger-evidence",
            validation=code,
        )
    endorsers = _check_endorsements(transaction, trust)
    # anchor-bsn-fabric.md, step 10.
    if anchored(transaction, trust.chaincode) != checkpoint:
        raise refused("The transaction anchors another checkpoint.", "ledger-other")
    facts = {
        "reason": "offline",
        "time": format_time(transaction.time),
        "who": parse_identity(transaction.creator, "creator")[0],
        "channel": transaction.channel,
        "block": block.number,
        "endorsers": ", ".join(endorsers),
        "orderers": ", ".join(orderers),
        "validation": "peer",
    }
    return Found("held", facts)


def _check_transaction(transaction: Transaction, trust: FabricTrust) -> None:
    # anchor-bsn-fabric.md, step 5.
    if transaction.channel != trust.channel:
        raise BadSignature("The transaction is of another channel.")
    if sha256(transaction.nonce + transaction.creator).hexdigest() != transaction.tx_id:
        raise BadSignature("The transaction's id is not that of its creator and nonce.")
    # anchor-bsn-fabric.md, step 6.
    creator = identify(transaction.creator, trust.msps, transaction.time, "creator")
    if trust.creator not in (None, creator.msp):
        raise BadSignature(f"The creator is of {creator.msp}.")
    creator.verify(transaction.signature, transaction.payload, "creator")


def check_orderers(block: Block, trust: FabricTrust, at: datetime) -> list[str]:
    """Who ordered the block: the MSP ids, sorted. Raises BadSignature, MalformedText."""
    # anchor-bsn-fabric.md, step 7.
    found: set[str] = set()
    for item in block.signatures:
        creator = Message(item.header, "orderer's signature header").octets(1)
        orderer = identify(creator, trust.orderers, at, "orderer", "orderer")
        orderer.verify(item.signature, block.value + item.header + block.header, "orderer")
        found.add(orderer.msp)
    if not found:
        raise BadSignature("No orderer signed the block.")
    return sorted(found)


def _check_endorsements(transaction: Transaction, trust: FabricTrust) -> list[str]:
    """Who endorsed the transaction: the MSP ids, sorted; what is of others doesn't count."""
    # anchor-bsn-fabric.md, step 9.
    if transaction.proposal != transaction.proposal_hash:
        raise BadSignature("What was endorsed is not what was proposed.")
    found: set[str] = set()
    for item in transaction.endorsements:
        if parse_identity(item.endorser, "endorser")[0] in trust.msps:
            endorser = identify(item.endorser, trust.msps, transaction.time, "endorser", "peer")
            endorser.verify(item.signature, transaction.response + item.endorser, "endorser")
            found.add(endorser.msp)
    if len(found) < trust.endorsements:
        raise BadSignature(
            f"{len(found)} organisations endorsed, {trust.endorsements} are demanded."
        )
    return sorted(found)
