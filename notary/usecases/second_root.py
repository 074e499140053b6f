# SPDX-License-Identifier: Apache-2.0
"""
A batch's root by somebody else's code (DESIGN, invariant 3).

PyPI `merkletools` builds the same shape of tree; with the hashing of RFC 9162 put in, its
root must be ours. Its release can't be a plain dependency, so it is looked for here.
"""

import warnings
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

from notary.core.errors import NotaryError

SecondRoot = Callable[[Sequence[bytes]], bytes]


class SecondRootMissing(NotaryError):
    """Sealing needs `merkletools` for the second root, and it isn't installed."""

    code = "second-root-missing"


class RootsDisagree(NotaryError):
    """The two roots of a batch disagree; sealing has stopped."""

    code = "roots-disagree"


class _Node:
    """What merkletools asks of a hash object, for the node hash of RFC 9162."""

    def __init__(self, data: bytes) -> None:
        self._hash = sha256(b"\x01" + data)

    def digest(self) -> bytes:
        return self._hash.digest()


def load_second_root() -> SecondRoot:
    """
    The second root of a sequence of 32-byte leaf hashes, by merkletools.

    Raises:
        SecondRootMissing: says how to install it, or to do without on purpose.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from merkletools import MerkleTools
    except ImportError:
        raise SecondRootMissing(
            "Sealing needs merkletools for the second root: pip install --no-deps "
            "merkletools==1.0.3, or set NOTARY_SECOND_ROOT=off."
        ) from None

    def second_root(leaves: Sequence[bytes]) -> bytes:
        tools: Any = MerkleTools(hash_type="sha256")
        tools.hash_function = lambda data=b"": _Node(bytes(data))
        tools.add_leaf([leaf.hex() for leaf in leaves])
        tools.make_tree()
        return bytes.fromhex(tools.get_merkle_root())

    return second_root


def check_roots(leaves: Sequence[bytes], ours: bytes, second: SecondRoot | None) -> None:
    """Compare both roots of a batch. Raises RootsDisagree."""
    if second is not None:
        theirs = second(leaves)
        if theirs != ours:
            raise RootsDisagree(got=theirs.hex(), want=ours.hex())
