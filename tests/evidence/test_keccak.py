# SPDX-License-Identifier: Apache-2.0
"""Keccak-256 is Ethereum's, byte for byte."""

import hashlib

import pytest

from notary.evidence.keccak import RATE_BYTES, keccak256
from tests.evidence.chain import hashed

EMPTY = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
"""printf '' | openssl dgst -keccak-256"""


def test_the_hash_of_nothing_is_the_one_that_everybody_knows() -> None:
    """And not that of SHA-3, which pads otherwise."""
    assert keccak256(b"").hex() == EMPTY
    assert keccak256(b"") != hashlib.sha3_256(b"").digest()


def test_it_agrees_with_another_maker_at_every_length_of_three_blocks() -> None:
    """Where the padding fills a byte, a block, or begins one."""
    data = bytes(at * 7 % 256 for at in range(3 * RATE_BYTES + 2))
    for length in range(len(data)):
        assert keccak256(data[:length]) == hashed(data[:length]), length


@pytest.mark.parametrize("bit", range(0, 8 * 160, 37))
def test_each_bit_counts(bit: int) -> None:
    """Over the edge of a block too."""
    data = bytearray(160)
    data[bit // 8] ^= 1 << bit % 8
    assert keccak256(bytes(data)) == hashed(bytes(data)) != keccak256(bytes(160))
