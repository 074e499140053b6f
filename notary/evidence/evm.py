# SPDX-License-Identifier: Apache-2.0
"""
Evidence of an EVM chain: the block's header, and the proof that the receipt of one of its
transactions holds the contract's `Appended` event. docs/spec/anchor-evm.md.

That shows what happened in the block with this hash. Whether that block is in the chain only the
chain can say: notary/evidence/online.py asks a node of the asker's own choice.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from notary.core.errors import MalformedText, MalformedTrust
from notary.core.receipt_ledgers import Found
from notary.core.receipt_parts import Anchor
from notary.core.trust import LedgerTrust
from notary.core.words import check_count, format_time
from notary.evidence.keccak import keccak256
from notary.evidence.members import octets, only, refused, wanted
from notary.evidence.patricia import NotProved, value_at
from notary.evidence.rlp import Item, NotRlp, decode, encode, encode_integer, integer

MAX_HEADER_BYTES: Final = 1 << 16
MAX_NODE_BYTES: Final = 1 << 16
MAX_NODES: Final = 16
MAX_BYTES: Final = 96 << 10
"""Of header and proof together: all of them are hashed, which takes its time in Python."""
MAX_INDEX: Final = (1 << 32) - 1
TYPES: Final = frozenset((1, 2, 3, 4))
"""Types of transactions whose receipts have the four members of a legacy one (EIP-2718)."""
TOPIC: Final = keccak256(b"Appended(address,bytes32,uint64,bytes32,uint64)")
"""Names the event; behind it sender, origin and size, in the data root and previous size."""

_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40}", re.ASCII)
_FIXED: Final[Mapping[int, int]] = {0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: 256}
"""Lengths of the header's first members; `receiptsRoot` is the sixth."""
_RECEIPTS_ROOT, _NUMBER, _TIME, _LEAST_ITEMS = 5, 8, 11, 15
_RECEIPT_ITEMS, _LOG_ITEMS = 4, 3
_WORD: Final = 32


@dataclass(frozen=True, slots=True)
class Chain:
    """What the trust file says of a chain: addresses are 20 bytes; from a size on it counts."""

    chain_id: int
    contract: bytes
    sender: bytes
    from_size: int

    @property
    def name(self) -> str:
        """The chain as CAIP-2 names it."""
        return f"eip155:{self.chain_id}"


@dataclass(frozen=True, slots=True)
class Block:
    """The block in which the event happened: its hash has 32 bytes, its time is aware UTC."""

    number: int
    hash: bytes
    time: datetime
    receipts_root: bytes

    @property
    def facts(self) -> dict[str, object]:
        """As they go into a verdict."""
        time = format_time(self.time)
        return {"block": self.number, "block_hash": f"0x{self.hash.hex()}", "time": time}


def check(anchor: Anchor, ledger: LedgerTrust, origin: str) -> Found:
    """
    The evidence holds as far as it can without the chain itself: always `not-checked`.

    Raises:
        ReceiptRefused: it is malformed, doesn't hold, or is another checkpoint's.
        MalformedTrust: the trust file's members are not those of a chain.
    """
    chain = chain_of(ledger.members)
    block = prove(anchor.evidence, chain, wanted(anchor, origin))
    return found_of(anchor, chain, block)


def found_of(anchor: Anchor, chain: Chain, block: Block) -> Found:
    """What is found while nobody has asked the chain."""
    facts = {"who": chain.name, **block.facts}
    # anchor-evm.md, step 8.
    if anchor.size < chain.from_size:
        more = {"reason": "below-from-size", "from_size": chain.from_size}
        return Found("not-checked", facts | more)
    return Found("not-checked", facts | {"reason": "ask-the-chain"})


def chain_of(members: Mapping[str, object]) -> Chain:
    """
    Read the members of a ledger of kind `evm` in a trust file.

    Raises:
        MalformedTrust: one is missing, unknown or out of range.
    """
    # anchor-evm.md, step 1.
    names = {"id", "kind", "chain_id", "contract", "sender", "from_size"}
    if members.keys() != names:
        raise MalformedTrust(f"A ledger of kind evm has the members {', '.join(sorted(names))}.")
    try:
        return Chain(
            chain_id=check_count(members["chain_id"], "chain id", 1),
            contract=_address(members["contract"], "contract"),
            sender=_address(members["sender"], "sender"),
            from_size=check_count(members["from_size"], "first size", 1),
        )
    except MalformedText as error:
        raise error.renamed(MalformedTrust) from None


def prove(evidence: Mapping[str, object], chain: Chain, octets_wanted: bytes) -> Block:
    """
    The block in which the contract took these 72 octets (origin's hash, size, root) from the
    sender.

    Raises:
        ReceiptRefused: `ledger-evidence` where the evidence is malformed or doesn't hold,
            `ledger-other` where it is another checkpoint's.
    """
    # anchor-evm.md, step 2.
    only(evidence, {"header", "index", "log", "proof"})
    header = octets(evidence["header"], "header", MAX_HEADER_BYTES)
    index, place = (_index(evidence[name], name) for name in ("index", "log"))
    nodes = evidence["proof"]
    if not isinstance(nodes, list) or not 1 <= len(nodes) <= MAX_NODES:
        raise refused(f"The proof is not a list of 1 to {MAX_NODES} nodes.")
    proof = [octets(node, "node", MAX_NODE_BYTES) for node in nodes]
    if len(header) + sum(map(len, proof)) > MAX_BYTES:
        raise refused(f"Header and proof have more than {MAX_BYTES} bytes.")
    try:
        block = parse_header(header)
        # anchor-evm.md, step 4.
        receipt = value_at(block.receipts_root, encode(encode_integer(index)), proof)
        logs = logs_of(receipt)
    except (NotRlp, NotProved) as error:
        raise refused(f"The block's evidence: {error}.") from None
    # anchor-evm.md, step 6.
    if place >= len(logs):
        raise refused("The transaction left no such log.")
    _check_event(logs[place], chain, octets_wanted)
    return block


def parse_header(header: bytes) -> Block:
    """
    Read a block's header: at least the fifteen members that every chain has.

    Raises:
        NotRlp: it is none.
    """
    # anchor-evm.md, step 3.
    items = decode(header, MAX_HEADER_BYTES)
    if not isinstance(items, list) or len(items) < _LEAST_ITEMS:
        raise NotRlp("the header has too few members")
    texts = [item for item in items if isinstance(item, bytes)]
    if len(texts) != len(items) or any(len(texts[at]) != size for at, size in _FIXED.items()):
        raise NotRlp("the header's members are not of their lengths")
    try:
        time = datetime.fromtimestamp(integer(texts[_TIME]), UTC)
    except (ValueError, OverflowError, OSError):
        raise NotRlp("the header's time is none") from None
    return Block(integer(texts[_NUMBER]), keccak256(header), time, texts[_RECEIPTS_ROOT])


def logs_of(receipt: bytes) -> list[Item]:
    """
    The logs of a transaction that did what it should, from its receipt as the trie holds it.

    Raises:
        NotRlp: it is no receipt, or one of a transaction that failed.
    """
    # anchor-evm.md, step 5.
    items = decode(receipt[1:] if receipt[0] in TYPES else receipt)
    if not isinstance(items, list) or len(items) != _RECEIPT_ITEMS:
        raise NotRlp("what is proved is no receipt of a transaction")
    status, _, _, logs = items
    if status != b"\x01":
        raise NotRlp("the transaction failed")
    if not isinstance(logs, list):
        raise NotRlp("the logs are no list")
    return logs


def _check_event(log: Item, chain: Chain, octets_wanted: bytes) -> None:
    if not isinstance(log, list) or len(log) != _LOG_ITEMS:
        raise refused("The log is none.")
    contract, topics, data = log
    if contract != chain.contract:
        raise refused("The log is another contract's.")
    sender = chain.sender.rjust(_WORD, b"\x00")
    if not isinstance(topics, list) or len(topics) != 4 or topics[:2] != [TOPIC, sender]:
        raise refused("The log is not the event of this sender.")
    if not isinstance(data, bytes) or len(data) != 2 * _WORD:
        raise refused("The event's data are not a root and a size.")
    # anchor-evm.md, step 7.
    origin, size, root = octets_wanted[:32], octets_wanted[32:40], octets_wanted[40:]
    if (topics[2], topics[3], data[:_WORD]) != (origin, size.rjust(_WORD, b"\x00"), root):
        raise refused("The event is another checkpoint's.", "ledger-other")


def _index(value: object, what: str) -> int:
    if type(value) is not int or not 0 <= value <= MAX_INDEX:
        raise refused(f"The member {what} is no index.")
    return value


def _address(value: object, what: str) -> bytes:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise MalformedText(f"The {what} must be 0x and 40 lower-case hexadecimal digits.")
    return bytes.fromhex(value[2:])
