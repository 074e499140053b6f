# SPDX-License-Identifier: Apache-2.0
"""
Merkle trees over leaf hashes (RFC 9162 section 2.1), built level by level.

A node without a right neighbour moves up unchanged. This gives the same tree as
RFC 9162's split at the largest power of two below n: neighbours are paired from the
left, so each left subtree is complete, and nothing is ever doubled.

            root
           /    \\
         ab      c        level 1: ab c
        /  \\     |
       a    b    c        level 0: a b c
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from notary.core.errors import MalformedProof
from notary.core.hashing import EMPTY_ROOT, HASH_BYTES, RootHash

MAX_SIZE: Final = 2**63 - 1
"""The largest size that a tree can have."""

Node = tuple[int, int]
"""Level (0 = leaves) and index within it. A node at level l spans up to 2^l leaves."""


def check_hashes(hashes: object) -> None:
    """
    Demand a sequence of 32-byte hashes.

    Raises:
        MalformedProof: it is no sequence, or an item is not `bytes` of length 32.
    """
    if not isinstance(hashes, Sequence):
        raise MalformedProof("hashes come as a sequence")
    if not set(map(type, hashes)) <= {bytes} or not set(map(len, hashes)) <= {HASH_BYTES}:
        raise MalformedProof("each hash is exactly 32 bytes")


def inclusion_nodes(index: int, size: int) -> list[Node]:
    """
    Name the nodes of an inclusion path, from the leaf's sibling up to the root's child.

    Requires 0 <= index < size < 2^63. RFC 9162 section 2.1.3.1.

    Raises:
        MalformedProof: there is no such leaf.
    """
    if type(index) is not int or type(size) is not int or not 0 <= index < size <= MAX_SIZE:
        raise MalformedProof("there is no leaf with this index", index=index, size=size)
    return _siblings(0, index, size)


def consistency_nodes(size1: int, size2: int) -> list[Node]:
    """
    Name the nodes of a consistency path between two sizes of one tree.

    Requires 1 <= size1 <= size2 < 2^63. RFC 9162 section 2.1.4.1.

    Raises:
        MalformedProof: there was no tree of the smaller size.
    """
    if type(size1) is not int or type(size2) is not int or not 1 <= size1 <= size2 <= MAX_SIZE:
        raise MalformedProof("there is no earlier tree of this size", size1=size1, size2=size2)
    if size1 == size2:
        return []
    # Up to the largest complete subtree that ends where the old tree ended.
    level, index = 0, size1 - 1
    while index % 2:
        level, index = level + 1, index // 2
    # Index 0: that subtree is the whole old tree, whose root the verifier has.
    start = [(level, index)] if index else []
    return start + _siblings(level, index, size2)


def _siblings(level: int, index: int, size: int) -> list[Node]:
    nodes = []
    last = (size - 1) >> level
    while last:
        if index ^ 1 <= last:
            nodes.append((level, index ^ 1))
        level, index, last = level + 1, index // 2, last // 2
    return nodes


def parents(level: Sequence[bytes]) -> list[bytes]:
    """
    Hash one level of a tree into the next one above.

    SHA-256(0x01 || left || right) for each pair (`node_hash`, written out here because
    this line is where the time goes); an odd last node moves up unchanged.
    """
    pairs = zip(level[0::2], level[1::2], strict=False)
    above = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    if len(level) % 2:
        above.append(level[-1])
    return above


class Tree:
    """
    A tree with all its levels kept, for many paths over the same leaves.

    Raises:
        MalformedProof: a leaf is not 32 bytes.
    """

    def __init__(self, leaves: Sequence[bytes]) -> None:
        check_hashes(leaves)
        self.size = len(leaves)
        self._levels: list[Sequence[bytes]] = [leaves]
        while len(self._levels[-1]) > 1:
            self._levels.append(parents(self._levels[-1]))

    @property
    def root(self) -> RootHash:
        """The 32-byte root; of no leaves, the hash of nothing."""
        top = self._levels[-1]
        return RootHash(top[0]) if top else EMPTY_ROOT

    def complete(self, level: int) -> Sequence[bytes]:
        """
        The nodes at one level whose subtrees are complete (2^level leaves each).

        These never change when leaves are added. Requires 0 <= level.
        """
        if level >= len(self._levels):
            return []
        return self._levels[level][: self.size >> level]

    def inclusion_path(self, index: int) -> list[bytes]:
        """
        The hashes from a leaf's sibling up to the root's child.

        Requires 0 <= index < size.

        Raises:
            MalformedProof: there is no such leaf.
        """
        return [self._levels[level][i] for level, i in inclusion_nodes(index, self.size)]

    def consistency_path(self, size1: int) -> list[bytes]:
        """
        The hashes which show that this tree grew from that of the first `size1` leaves.

        Requires 1 <= size1 <= size. Empty when both sizes are equal.

        Raises:
            MalformedProof: there was no tree of that size.
        """
        return [self._levels[level][i] for level, i in consistency_nodes(size1, self.size)]


def root(leaves: Sequence[bytes]) -> RootHash:
    """
    Compute the 32-byte root over 32-byte leaf hashes.

    RFC 9162 section 2.1.1; of no leaves, the hash of nothing.

    Raises:
        MalformedProof: a leaf is not 32 bytes.
    """
    check_hashes(leaves)
    level = leaves
    while len(level) > 1:
        level = parents(level)
    return RootHash(level[0]) if level else EMPTY_ROOT


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """
    The path of one leaf: see `Tree.inclusion_path`.

    Requires 0 <= index < len(leaves).

    Raises:
        MalformedProof: a leaf is not 32 bytes, or there is no such leaf.
    """
    return Tree(leaves).inclusion_path(index)


def consistency_path(leaves: Sequence[bytes], size1: int) -> list[bytes]:
    """
    The path from the tree over the first `size1` leaves: see `Tree.consistency_path`.

    Requires 1 <= size1 <= len(leaves).

    Raises:
        MalformedProof: a leaf is not 32 bytes, or there was no tree of that size.
    """
    return Tree(leaves).consistency_path(size1)
