# SPDX-License-Identifier: Apache-2.0
"""The trie over a block's receipts, against another maker's (PyPI `trie`), and its proofs."""

import random
from functools import cache

import pytest
from trie import HexaryTrie

from notary.evidence.patricia import NotProved, value_at
from notary.evidence.rlp import encode, encode_integer
from notary.ledgers.evm.trie import root_and_proof


def receipts(count: int, longest: int = 300) -> dict[bytes, bytes]:
    """Made-up receipts of a block under their keys; of one byte at least."""
    dice = random.Random(count * 1000 + longest)
    return {
        encode(encode_integer(index)): dice.randbytes(dice.randrange(1, longest))
        for index in range(count)
    }


@cache
def theirs(count: int, longest: int) -> HexaryTrie:
    """The same trie by the other maker."""
    values = receipts(count, longest)
    made = HexaryTrie({})
    for key, value in values.items():
        made[key] = value
    return made


SIZES = [1, 2, 16, 17, 127, 129, 260]


@pytest.mark.parametrize("longest", [2, 40, 150])
@pytest.mark.parametrize("count", SIZES)
def test_the_root_is_the_other_makers(count: int, longest: int) -> None:
    """With nodes of less than 32 bytes, which lie in their parents, and without."""
    values = receipts(count, longest)
    root, _ = root_and_proof(values, encode(encode_integer(0)))
    assert root == theirs(count, longest).root_hash


@pytest.mark.parametrize("longest", [2, 40, 150])
@pytest.mark.parametrize("count", SIZES)
def test_each_receipt_is_proved(count: int, longest: int) -> None:
    """By the check that every verifier makes, and by the other maker's."""
    values = receipts(count, longest)
    indexes = {0, count // 2, count - 1, 128} & set(range(count))
    for index in sorted(indexes):
        key = encode(encode_integer(index))
        root, proof = root_and_proof(values, key)
        assert value_at(root, key, proof) == values[key]
        their_nodes = theirs(count, longest).get_proof(key)
        assert HexaryTrie.get_from_proof(root, key, their_nodes) == values[key]


def test_a_proof_is_of_its_key_alone() -> None:
    """Under another key it shows nothing, or what is there."""
    values = receipts(40)
    key = encode(encode_integer(7))
    root, proof = root_and_proof(values, key)
    for other in values.keys() - {key}:
        with pytest.raises(NotProved):
            value_at(root, other, proof)
