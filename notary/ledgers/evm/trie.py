# SPDX-License-Identifier: Apache-2.0
"""
A Merkle-Patricia trie over a block's receipts: its root, and the way to one of them.

Keys are nibbles, from the top. A node is a leaf [rest of the key, value], an extension
[shared nibbles, child] or a branch of 16 children and a value; a child of fewer than 32 bytes
lies in its parent, else its Keccak-256 does. Yellow paper, appendix D; no key here is the
beginning of another, so no branch has a value.
"""

from collections.abc import Mapping, Sequence

from notary.evidence.keccak import keccak256
from notary.evidence.rlp import Item, encode
from notary.ledgers.evm.shapes import HASH_BYTES

_Pairs = Sequence[tuple[str, bytes]]


def root_and_proof(values: Mapping[bytes, bytes], key: bytes) -> tuple[bytes, list[bytes]]:
    """
    The root over these keys and values, and the nodes from the root to `key`.

    Nodes that lie in their parent are not listed by themselves. Requires `key` to be one of
    the keys, no key to be the beginning of another, and no value to be empty.
    """
    pairs = sorted((name.hex(), value) for name, value in values.items())
    builder = _Builder(key.hex())
    top = encode(builder.node(pairs, 0))
    return keccak256(top), [top, *reversed(builder.proof)]


class _Builder:
    """Builds from the bottom, and keeps the nodes above `key` as they come."""

    def __init__(self, key: str) -> None:
        self._key = key
        self.proof: list[bytes] = []

    def node(self, pairs: _Pairs, depth: int) -> list[Item]:
        """The node over keys which agree in their first `depth` nibbles."""
        first, last = pairs[0][0], pairs[-1][0]
        if len(pairs) == 1:
            return [_compact(first[depth:], is_leaf=True), pairs[0][1]]
        alike = next(i for i in range(depth, len(first)) if first[i] != last[i])
        if alike > depth:
            return [_compact(first[depth:alike], is_leaf=False), self._child(pairs, alike)]
        children: list[Item] = []
        for nibble in "0123456789abcdef":
            below = [pair for pair in pairs if pair[0][depth] == nibble]
            children.append(self._child(below, depth + 1) if below else b"")
        return [*children, b""]

    def _child(self, pairs: _Pairs, depth: int) -> Item:
        item = self.node(pairs, depth)
        data = encode(item)
        if len(data) < HASH_BYTES:
            return item
        if pairs[0][0][:depth] == self._key[:depth]:
            self.proof.append(data)
        return keccak256(data)


def _compact(nibbles: str, *, is_leaf: bool) -> bytes:
    """Nibbles as bytes, with a flag for a leaf and one for an odd number of them."""
    flag = 2 if is_leaf else 0
    return bytes.fromhex(f"{flag + 1}{nibbles}" if len(nibbles) % 2 else f"{flag}0{nibbles}")
