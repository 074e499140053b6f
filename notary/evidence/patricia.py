# SPDX-License-Identifier: Apache-2.0
"""
Proofs of a Merkle Patricia trie, the tree under a block's `receiptsRoot`.

A key is a way of half bytes. A node is a branch (a child for each half byte, and a value), an
extension (a part of the way, and the branch behind it) or a leaf (the rest of the way, and the
value). A child of less than 32 bytes stands inside its parent, any other is named by its
Keccak-256.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from notary.evidence.keccak import keccak256
from notary.evidence.rlp import Item, NotRlp, decode, encode

HASH_BYTES: Final = 32
_BRANCH_ITEMS: Final = 17


class NotProved(ValueError):
    """The nodes don't show what the trie holds under the key."""


def value_at(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes:
    """
    The value that the trie with this root (32 bytes) holds under a key.

    `proof` has the nodes on the way that are named by hashes, the root's first, each as its RLP
    of at most 64 KiB; all of them are needed, and no further one.

    Raises:
        NotProved: a node is missing, too many, not the one that is named, or none; or the key
            is not there.
    """
    way = _halves(key)
    if len(proof) > len(way) + 1:  # before anything is hashed
        raise NotProved("there are more nodes than the key is long")
    nodes = iter(proof)
    try:
        value = _walk(root, way, nodes)
    except NotRlp as error:
        raise NotProved(f"a node is no RLP: {error}") from None
    if next(nodes, None) is not None:
        raise NotProved("a node is not on the way")
    if isinstance(value, list) or not value:
        raise NotProved("nothing is there")
    return value


def _walk(root: bytes, way: list[int], nodes: Iterator[bytes]) -> Item:
    """Each turn uses up a part of the way, or ends."""
    node, is_behind_extension = _node(root, nodes, is_root=True), False
    while True:
        if len(node) == _BRANCH_ITEMS:
            if not way:
                return node[-1]
            child, way, is_behind_extension = node[way[0]], way[1:], False
        elif len(node) == 2 and not is_behind_extension:
            part, is_leaf = _part(node[0])
            if way[: len(part)] != part:
                raise NotProved("the key is not there")
            child, way, is_behind_extension = node[1], way[len(part) :], True
            if is_leaf and not way:
                return child
            if is_leaf or not part:
                raise NotProved("a leaf ends before the key, or an extension leads nowhere")
        else:
            raise NotProved("a node is neither branch nor extension nor leaf")
        node = _node(child, nodes)


def _node(child: Item, nodes: Iterator[bytes], *, is_root: bool = False) -> list[Item]:
    """A child: what stands inside its parent, or the next node, which must be the one named."""
    if isinstance(child, list):
        if len(encode(child)) >= HASH_BYTES:
            raise NotProved("a long node stands inside its parent")
        return child
    if len(child) != HASH_BYTES:
        raise NotProved("nothing is there")
    data = next(nodes, None)
    if data is None:
        raise NotProved("a node is missing")
    if len(data) < HASH_BYTES and not is_root:
        raise NotProved("a short node does not stand inside its parent")
    node = decode(data)
    if keccak256(data) != child:
        raise NotProved("a node is not the one that is named")
    if not isinstance(node, list):
        raise NotProved("a node is no list")
    return node


def _part(item: Item) -> tuple[list[int], bool]:
    """
    The half bytes of an extension (0, 1) or a leaf (2, 3), and whether it is a leaf.

    The first half byte says which, and whether their number is odd; where it is even, a 0
    fills the byte.
    """
    if isinstance(item, list) or not item:
        raise NotProved("a part of the way is none")
    first, *halves = _halves(item)
    is_odd, is_leaf = first & 1, first >= 2
    if first > 3 or (not is_odd and halves[0] != 0):
        raise NotProved("a part of the way is not in its one spelling")
    return halves if is_odd else halves[1:], is_leaf


def _halves(data: bytes) -> list[int]:
    return [half for byte in data for half in (byte >> 4, byte & 15)]
