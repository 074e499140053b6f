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

from notary.core.errors import MalformedProof
from notary.core.hashing import EMPTY_ROOT, HASH_BYTES, RootHash


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

    def inclusion_path(self, index: int) -> list[bytes]:
        """
        The hashes from a leaf's sibling up to the root's child.

        Requires 0 <= index < size. RFC 9162 section 2.1.3.1.

        Raises:
            MalformedProof: there is no such leaf.
        """
        if type(index) is not int or not 0 <= index < self.size:
            raise MalformedProof("there is no leaf with this index", index=index, size=self.size)
        return self._path_from(0, index)

    def consistency_path(self, size1: int) -> list[bytes]:
        """
        The hashes which show that the first `size1` leaves are a tree this one grew from.

        Requires 1 <= size1 <= size. Empty when both sizes are equal. RFC 9162 section 2.1.4.1.

        Raises:
            MalformedProof: there was no tree of that size.
        """
        if type(size1) is not int or not 1 <= size1 <= self.size:
            raise MalformedProof("there is no earlier tree of this size", size1=size1)
        if size1 == self.size:
            return []
        # Up to the largest complete subtree that ends where the old tree ended.
        level, index = 0, size1 - 1
        while index % 2:
            level, index = level + 1, index // 2
        # Index 0: that subtree is the whole old tree, whose root the verifier has.
        start = [self._levels[level][index]] if index else []
        return start + self._path_from(level, index)

    def _path_from(self, level: int, index: int) -> list[bytes]:
        path = []
        for nodes in self._levels[level:-1]:
            sibling = index ^ 1
            if sibling < len(nodes):
                path.append(nodes[sibling])
            index //= 2
        return path


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
