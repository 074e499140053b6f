# SPDX-License-Identifier: Apache-2.0
"""
A small EVM chain for tests: tries, receipts of transactions, headers, and evidence of them.

Written apart from what it tests: RLP and Keccak-256 are those of the packages `rlp` and
`pycryptodome`, and the trie is made by plain recursion over all its items.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import rlp
from Crypto.Hash import keccak

from notary.core.receipt_parts import Anchor
from notary.core.trust import LedgerTrust
from tests.core import reference
from tests.core.maker import ORIGIN, City, hexes

CONTRACT = bytes.fromhex("c0ffee" + "00" * 16 + "01")
SENDER = bytes.fromhex("5e4de4" + "00" * 16 + "02")
LEDGER = {
    "id": "chain",
    "kind": "evm",
    "chain_id": 31337,
    "contract": "0x" + CONTRACT.hex(),
    "sender": "0x" + SENDER.hex(),
    "from_size": 1,
}
TIME = 1_795_507_332
"""2026-11-24 08:02:12."""
SIGNATURE = b"Appended(address,bytes32,uint64,bytes32,uint64)"

Way = tuple[int, ...]
Pairs = list[tuple[Way, bytes]]


def hashed(data: bytes) -> bytes:
    """Keccak-256 of another maker."""
    return keccak.new(digest_bits=256, data=data).digest()


# -- a trie


def halves(key: bytes) -> Way:
    """A key as its half bytes."""
    return tuple(half for byte in key for half in (byte >> 4, byte & 15))


def part(way: Way, *, is_leaf: bool) -> bytes:
    """A part of the way as a node writes it."""
    flag = 2 * is_leaf + len(way) % 2
    whole = (flag, *way) if len(way) % 2 else (flag, 0, *way)
    return bytes(whole[at] << 4 | whole[at + 1] for at in range(0, len(whole), 2))


def shared(ways: Sequence[Way]) -> int:
    """So many half bytes all of them begin with."""
    one, two = min(ways), max(ways)
    return next((at for at, half in enumerate(one) if half != two[at]), len(one))


def node(pairs: Pairs) -> list[Any]:
    """The node over these items, the part of the way above it cut off."""
    if len(pairs) == 1:
        return [part(pairs[0][0], is_leaf=True), pairs[0][1]]
    common = shared([way for way, _ in pairs])
    if common:
        below = node([(way[common:], value) for way, value in pairs])
        return [part(pairs[0][0][:common], is_leaf=False), child(below)]
    found: list[Any] = [b""] * 17
    for half in range(16):
        under = [(way[1:], value) for way, value in pairs if way[:1] == (half,)]
        if under:
            found[half] = child(node(under))
    found[16] = next((value for way, value in pairs if not way), b"")
    return found


def child(below: list[Any]) -> Any:
    """As it stands in its parent."""
    data = rlp.encode(below)
    return below if len(data) < 32 else hashed(data)


@dataclass(frozen=True)
class Trie:
    """All of a trie's items."""

    items: Mapping[bytes, bytes]

    @property
    def pairs(self) -> Pairs:
        """The items by their ways."""
        return [(halves(key), value) for key, value in self.items.items()]

    @property
    def root(self) -> bytes:
        """The hash at its top."""
        return hashed(rlp.encode(node(self.pairs)))

    def proof(self, key: bytes) -> list[bytes]:
        """The nodes on the way to a key that are named by hashes."""
        found, pairs, way = [], self.pairs, halves(key)
        while True:
            here = node(pairs)
            data = rlp.encode(here)
            if not found or len(data) >= 32:
                found.append(data)
            if len(pairs) == 1 or not way:
                return found
            common = shared([one for one, _ in pairs]) or 1
            pairs = [(one[common:], value) for one, value in pairs if one[:common] == way[:common]]
            way = way[common:]


# -- receipts of transactions, and a block


def event(origin: str, size: int, root: bytes, previous: int = 0, **instead: Any) -> list[Any]:
    """The contract's event; `instead` has other parts: contract, topics, data, sender."""
    topics = [
        hashed(SIGNATURE),
        instead.get("sender", SENDER).rjust(32, b"\x00"),
        sha256(origin.encode()).digest(),
        size.to_bytes(32, "big"),
    ]
    data = root + previous.to_bytes(32, "big")
    return [
        instead.get("contract", CONTRACT),
        instead.get("topics", topics),
        instead.get("data", data),
    ]


def transfer(number: int) -> list[Any]:
    """Somebody else's log."""
    topics = [hashed(b"Transfer(address,address,uint256)"), number.to_bytes(32, "big")]
    return [bytes([number % 250 + 1]) * 20, topics, bytes(31) + b"\x05"]


def transaction_receipt(logs: Sequence[Any], kind: int = 2, status: bytes = b"\x01") -> bytes:
    """As a trie holds it; kind 0 is the one without a type."""
    data = rlp.encode([status, b"\x52\x08", bytes(256), list(logs)])
    return (bytes([kind]) if kind else b"") + bytes(data)


def header(receipts_root: bytes, **instead: bytes) -> list[bytes]:
    """The members of a block's header, as of today; `instead` has others by name."""
    members = {
        "parent": hashed(b"the block before"),
        "ommers": hashed(rlp.encode([])),
        "beneficiary": b"\xbe" * 20,
        "state": hashed(b"state"),
        "transactions": hashed(b"transactions"),
        "receipts": receipts_root,
        "bloom": bytes(256),
        "difficulty": b"",
        "number": b"\x10\x92",
        "limit": b"\x01\xc9\xc3\x80",
        "used": b"\x02\x52\x08",
        "time": TIME.to_bytes(4, "big"),
        "extra": b"",
        "mix": hashed(b"mix"),
        "nonce": bytes(8),
        "base_fee": b"\x07",
        "withdrawals": hashed(rlp.encode(b"")),
    }
    return list((members | instead).values())


@dataclass(frozen=True)
class Mined:
    """A block's header, and the receipts of its transactions by index."""

    head: list[bytes]
    receipts: Trie

    @property
    def hash(self) -> bytes:
        """Of the header."""
        return hashed(rlp.encode(self.head))

    def evidence(self, index: int, log: int) -> dict[str, Any]:
        """Of a log of a transaction."""
        return {
            "header": base64(rlp.encode(self.head)),
            "index": index,
            "log": log,
            "proof": [base64(data) for data in self.receipts.proof(rlp.encode(index))],
        }


def mine(ours: bytes, index: int = 3, count: int = 6, **instead: bytes) -> Mined:
    """A block of so many transactions, of which one has this receipt."""
    found = {
        rlp.encode(at): ours if at == index else transaction_receipt([transfer(at)], kind=at % 5)
        for at in range(count)
    }
    trie = Trie(found)
    return Mined(header(trie.root, **instead), trie)


def base64(data: bytes) -> str:
    """As evidence writes bytes."""
    return b64encode(data).decode()


# -- anchors


def evm_anchor(city: City, index: int, size: int | None = None) -> dict[str, Any]:
    """The anchor of a city's log on the chain, for the descriptor of that index."""
    leaves = city.log_leaves(size)
    root = reference.mth(leaves)
    ours = transaction_receipt([transfer(7), event(ORIGIN, len(leaves), root)])
    return {
        "ledger": "chain",
        "kind": "evm",
        "size": len(leaves),
        "root": root.hex(),
        "path": hexes(reference.path(index, leaves)),
        "evidence": mine(ours).evidence(3, 1),
    }


def parsed(anchor: Mapping[str, Any]) -> Anchor:
    """As a checker gets it."""
    names = ("ledger", "kind", "size", "evidence")
    root, path = bytes.fromhex(anchor["root"]), tuple(map(bytes.fromhex, anchor["path"]))
    return Anchor(root=root, path=path, **{name: anchor[name] for name in names})


def trusted(**instead: Any) -> LedgerTrust:
    """The ledger as a checker gets it from the trust file."""
    members = {name: value for name, value in (LEDGER | instead).items() if value is not ...}
    return LedgerTrust("chain", "evm", members)
