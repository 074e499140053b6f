# SPDX-License-Identifier: Apache-2.0
"""
Verifying Merkle proofs (RFC 9162 section 2.1; docs/spec/tree-v1.md).

Everything about the shape of a proof (types, ranges, number and length of hashes) is
checked before the first hash is computed. So the loops need not skip the levels where a
node has no sibling, as the RFC's do: such a node is the last of its level, and on every
level above its ancestor is the last one too and takes its sibling from the left.
"""

from collections.abc import Sequence
from typing import Final

from notary.core.errors import MalformedProof, RootMismatch
from notary.core.hashing import HASH_BYTES, LeafHash, RootHash, node_hash
from notary.core.tree import MAX_SIZE, check_hashes

MAX_PATH: Final = 63
"""The most hashes that a proof can have; a longer one is refused unread."""


def root_from_inclusion(leaf: LeafHash, index: int, size: int, path: Sequence[bytes]) -> RootHash:
    """
    Compute the root that a leaf and its path lead to.

    Hashes are 32 bytes. The path runs from the leaf's sibling up to the root's child.
    Requires 0 <= index < size < 2^63.

    Raises:
        MalformedProof: the path cannot belong to a tree of this size.

    RFC 9162 section 2.1.3.2.
    """
    # tree-v1.md, step 1.
    _check_hash(leaf)
    _check_range(0, index, size - 1 if type(size) is int else size)
    _check_path(path, _levels_to_climb(index, size - 1))
    # tree-v1.md, step 2.
    node: bytes = leaf
    place, last = index, size - 1
    for sibling in path:
        pair = (sibling, node) if place % 2 or place == last else (node, sibling)
        node = node_hash(*pair)
        place, last = place >> 1, last >> 1
    return RootHash(node)


def verify_inclusion(
    leaf: LeafHash, index: int, size: int, path: Sequence[bytes], root: RootHash
) -> None:
    """
    Check that a leaf stands at this index in the tree with this size and root.

    Hashes are 32 bytes. Requires 0 <= index < size < 2^63. One path fits trees of several
    sizes, so size and root must come from one checkpoint or descriptor that is trusted.

    Raises:
        MalformedProof: the path cannot belong to a tree of this size.
        RootMismatch: the path is well formed and leads to another root.

    RFC 9162 section 2.1.3.2.
    """
    _check_hash(root)
    # tree-v1.md, step 3.
    _compare(root_from_inclusion(leaf, index, size, path), root)


def verify_consistency(
    size1: int, root1: RootHash, size2: int, root2: RootHash, path: Sequence[bytes]
) -> None:
    """
    Check that the tree of `size2` leaves begins with the `size1` leaves of the other.

    Hashes are 32 bytes. Requires 1 <= size1 <= size2 < 2^63: nothing can be proved about
    an empty tree, so whoever starts from one treats it apart. Equal sizes are
    consistent only with equal roots and an empty path.

    Raises:
        MalformedProof: the path cannot belong to trees of these sizes.
        RootMismatch: the path is well formed and leads to another root, old or new.

    RFC 9162 section 2.1.4.2.
    """
    # tree-v1.md, step 4.
    _check_hash(root1)
    _check_hash(root2)
    _check_range(1, size1, size2)
    if size1 == size2:
        _check_path(path, 0)
        _compare(root1, root2)
        return
    place, last = _last_subtree(size1, size2)
    # Place 0: the old tree is one complete subtree, so its root begins the path.
    _check_path(path, _levels_to_climb(place, last) + (1 if place else 0))
    # tree-v1.md, step 5.
    old, new = _climb(place, last, list(path) if place else [root1, *path])
    # tree-v1.md, step 6.
    _compare(old, root1)
    _compare(new, root2)


def roots_from_consistency(
    size1: int, size2: int, path: Sequence[bytes]
) -> tuple[RootHash, RootHash]:
    """
    Compute the roots of two sizes of one tree from a consistency path that is written out whole.

    Whole: its first hash stands there also where `verify_consistency` takes the old root for it,
    that is where `size1` is a power of two. Requires 1 <= size1 < size2 < 2^63.

    Raises:
        MalformedProof: the path cannot belong to trees of these sizes.

    docs/spec/fork-v1.md, step 5; RFC 9162 section 2.1.4.2.
    """
    _check_range(1, size1, size2 - 1 if type(size2) is int else size2)
    place, last = _last_subtree(size1, size2)
    _check_path(path, _levels_to_climb(place, last) + 1)
    old, new = _climb(place, last, path)
    return RootHash(old), RootHash(new)


def _last_subtree(size1: int, size2: int) -> tuple[int, int]:
    """
    The place of the largest complete subtree that ends where the old tree does, and the last
    place of its level in the new one.
    """
    place, last = size1 - 1, size2 - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    return place, last


def _climb(place: int, last: int, steps: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Both roots over the subtree at `place`, which is the first of the steps."""
    old = new = steps[0]
    for sibling in steps[1:]:
        if place % 2 or place == last:
            old = node_hash(sibling, old)
            new = node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return old, new


def _levels_to_climb(index: int, last: int) -> int:
    """
    Count the hashes between a node and the root; `last` is the last node's index.

    Below the level where both nodes' ways meet there is a sibling each time; above it
    the node lies on the right edge, with a sibling (on its left) where a bit is set.
    """
    inner = (index ^ last).bit_length()
    return inner + (index >> inner).bit_count()


def _check_hash(value: object) -> None:
    if type(value) is not bytes or len(value) != HASH_BYTES:
        raise MalformedProof("each hash is exactly 32 bytes")


def _check_range(low: int, value: object, high: object) -> None:
    if type(value) is not int or type(high) is not int:
        raise MalformedProof("index and size are whole numbers")
    if not low <= value <= high <= MAX_SIZE:
        raise MalformedProof("index and size do not fit together", value=value)


def _check_path(path: object, expected: int) -> None:
    if not isinstance(path, Sequence) or len(path) > MAX_PATH:
        raise MalformedProof("a path is a sequence of at most 63 hashes")
    if len(path) != expected:
        raise MalformedProof(
            "the path has another length than a tree of this size demands",
            got=len(path),
            want=expected,
        )
    check_hashes(path)


def _compare(got: bytes, want: bytes) -> None:
    if got != want:
        raise RootMismatch(got=got.hex(), want=want.hex())
