# SPDX-License-Identifier: Apache-2.0
"""What is hashed, byte by byte."""

import hashlib

import pytest

from notary.core.errors import RecordRejected
from notary.core.hashing import (
    EMPTY_ROOT,
    commitment,
    digest,
    hash_pieces,
    leaf_hash,
    node_hash,
)


def test_each_hash_is_the_sha256_of_its_formula() -> None:
    """Prefix 0 for a leaf, prefix 1 for a node, none for a payload."""
    assert leaf_hash(b"abc") == hashlib.sha256(b"\x00abc").digest()
    assert (
        node_hash(b"l" * 32, b"r" * 32) == hashlib.sha256(b"\x01" + b"l" * 32 + b"r" * 32).digest()
    )
    assert digest(b"abc") == hashlib.sha256(b"abc").digest()
    assert commitment(b"s" * 32, b"abc") == hashlib.sha256(b"s" * 32 + b"abc").digest()
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT


def test_a_node_cannot_be_passed_off_as_a_leaf() -> None:
    """The data of a node (two hashes), notarised as a record, has another hash."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)
    assert leaf_hash(b"\x01" + left + right) != node_hash(left, right)


@pytest.mark.parametrize("length", [0, 1, 16, 31, 33, 64])
def test_a_salt_of_another_length_is_refused(length: int) -> None:
    """Otherwise bytes could move between salt and payload under one commitment."""
    with pytest.raises(RecordRejected):
        commitment(b"s" * length, b"payload")


def test_a_salt_that_is_not_bytes_is_refused() -> None:
    """32 characters of text are not a salt."""
    with pytest.raises(RecordRejected):
        commitment("s" * 32, b"payload")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "pieces", [[b"abc"], [b"a", b"", b"bc"], [b"", b"abc"], list(b"a b c".split())]
)
def test_pieces_have_the_hash_of_the_whole(pieces: list[bytes]) -> None:
    """Wherever it is parted; with its size."""
    assert hash_pieces(b"", iter(pieces)) == (digest(b"abc"), 3)
    assert hash_pieces(b"s" * 32, iter(pieces)) == (commitment(b"s" * 32, b"abc"), 3)


@pytest.mark.parametrize("length", [1, 31, 33, 64])
def test_pieces_have_no_salt_of_another_length(length: int) -> None:
    """As a whole payload has none: before a piece is read."""
    with pytest.raises(RecordRejected):
        hash_pieces(b"s" * length, iter([b"payload"]))
