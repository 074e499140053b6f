# SPDX-License-Identifier: Apache-2.0
"""
The tree of RFC 9162 section 2.1, written down as the definitions read: slow and recursive.

`leaves` are leaf hashes here, so MTH({d(0)}) is the leaf itself. It shares no code with
the core, hashing included.
"""

import hashlib


def made_up_leaves(count: int) -> list[bytes]:
    """Distinct leaf hashes for tests: those of the data "leaf 0", "leaf 1" and so on."""
    return [hashlib.sha256(b"\x00leaf %d" % i).digest() for i in range(count)]


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def node(left: bytes, right: bytes) -> bytes:
    """HASH(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def mth(leaves: list[bytes]) -> bytes:
    """Section 2.1.1: the Merkle Tree Hash."""
    n = len(leaves)
    if n == 0:
        return hashlib.sha256(b"").digest()
    if n == 1:
        return leaves[0]
    k = split(n)
    return node(mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """Section 2.1.3.1: the inclusion proof of leaf m."""
    n = len(leaves)
    if n == 1:
        return []
    k = split(n)
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def proof(m: int, leaves: list[bytes]) -> list[bytes]:
    """Section 2.1.4.1: the consistency proof from size m."""
    return subproof(m, leaves, True)


def subproof(m: int, leaves: list[bytes], known: bool) -> list[bytes]:
    """Section 2.1.4.1: `known` says that the verifier has this subtree's hash already."""
    n = len(leaves)
    if m == n:
        return [] if known else [mth(leaves)]
    k = split(n)
    if m <= k:
        return [*subproof(m, leaves[:k], known), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]
