# SPDX-License-Identifier: Apache-2.0
"""The trees are those of RFC 9162, and nothing but leaf hashes gets in."""

import importlib
import warnings
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notary.core import tree
from notary.core.errors import MalformedProof
from notary.core.hashing import EMPTY_ROOT, leaf_hash
from tests.core import reference

LEAVES = reference.made_up_leaves(600)

# The leaf data and roots with which implementations of RFC 6962 are usually compared. Root of
# the empty leaf alone, for one: printf '\0' | sha256sum
KNOWN_DATA = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
KNOWN_DATA += ["606162636465666768696a6b6c6d6e6f"]
KNOWN_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_roots_that_other_implementations_publish() -> None:
    """Eight small leaves and the roots of the trees over the first 0 to 8 of them."""
    leaves = [leaf_hash(bytes.fromhex(data)) for data in KNOWN_DATA]
    roots = [tree.root(leaves[:size]).hex() for size in range(9)]
    assert roots == KNOWN_ROOTS


def test_root_equals_the_recursive_definition_for_0_to_300_leaves() -> None:
    """Level by level gives the same as RFC 9162's split."""
    for size in range(301):
        assert tree.root(LEAVES[:size]) == reference.mth(LEAVES[:size])
        assert tree.Tree(LEAVES[:size]).root == reference.mth(LEAVES[:size])


def test_root_equals_merkletools_for_1_to_300_leaves() -> None:
    """Somebody else's tree, with RFC 9162's node hash put in, has the same roots."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it wants a hash that we don't use
        merkletools = importlib.import_module("merkletools")
    for size in range(1, 301):
        other = merkletools.MerkleTools()
        other.hash_function = lambda pair: sha256(b"\x01" + pair)
        other.add_leaf([leaf.hex() for leaf in LEAVES[:size]])
        other.make_tree()
        assert tree.root(LEAVES[:size]).hex() == other.get_merkle_root()


def test_paths_equal_the_recursive_definition() -> None:
    """Every inclusion and consistency path of every tree of 1 to 40 leaves."""
    for size in range(1, 41):
        leaves = LEAVES[:size]
        kept = tree.Tree(leaves)
        for index in range(size):
            assert kept.inclusion_path(index) == reference.path(index, leaves)
            assert kept.consistency_path(index + 1) == reference.proof(index + 1, leaves)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, len(LEAVES)), st.data())
def test_paths_of_larger_trees_equal_the_recursive_definition(
    size: int, data: st.DataObject
) -> None:
    """Trees of up to 600 leaves, at places chosen at random."""
    leaves, index = LEAVES[:size], data.draw(st.integers(0, size - 1))
    assert tree.inclusion_path(leaves, index) == reference.path(index, leaves)
    assert tree.consistency_path(leaves, index + 1) == reference.proof(index + 1, leaves)


def test_complete_nodes_are_the_roots_of_their_leaves() -> None:
    """And a level that has none is empty, not an error."""
    kept = tree.Tree(LEAVES[:21])
    for level in range(8):
        width = 2**level
        starts = range(0, 21 - width + 1, width)
        want = [reference.mth(LEAVES[start : start + width]) for start in starts]
        assert list(kept.complete(level)) == want
    assert list(tree.Tree([]).complete(0)) == []


def test_no_leaves_have_the_hash_of_nothing() -> None:
    """The empty tree has a root and no paths."""
    assert tree.root([]) == EMPTY_ROOT
    assert tree.Tree([]).root == EMPTY_ROOT


def test_doubling_the_last_leaf_changes_the_root() -> None:
    """Trees that pair an odd leaf with itself give both lists one root; ours does not."""
    for size in range(1, 20):
        leaves = LEAVES[:size]
        assert tree.root([*leaves, leaves[-1]]) != tree.root(leaves)


def test_leaves_in_another_order_change_the_root() -> None:
    """Two neighbours exchanged, anywhere."""
    for place in range(8):
        leaves = LEAVES[:9]
        leaves[place : place + 2] = reversed(leaves[place : place + 2])
        assert tree.root(leaves) != tree.root(LEAVES[:9])


@pytest.mark.parametrize(
    "leaves",
    [
        [b""],
        [LEAVES[0], b"x" * 31],
        [LEAVES[0], b"x" * 33],
        ["x" * 32],
        [bytearray(32)],
        [memoryview(bytes(32))],
        [None],
        [LEAVES[:32]],
        b"x" * 32,
        "x" * 32,
        None,
        7,
        {0: LEAVES[0]},
        iter(LEAVES[:2]),
    ],
    ids=lambda value: repr(value).partition(" at 0x")[0],
)
def test_anything_but_a_sequence_of_32_byte_hashes_is_refused(leaves: object) -> None:
    """A root over something else would commit to nothing that can be proved."""
    with pytest.raises(MalformedProof):
        tree.root(leaves)  # type: ignore[arg-type]
    if not hasattr(leaves, "__next__"):
        with pytest.raises(MalformedProof):
            tree.Tree(leaves)  # type: ignore[arg-type]


@pytest.mark.parametrize("index", [-1, 5, 6, 2**64, True, 1.0, "1", None])
def test_there_is_no_path_for_a_leaf_that_is_not_there(index: object) -> None:
    """A negative index never counts from the end."""
    with pytest.raises(MalformedProof):
        tree.inclusion_path(LEAVES[:5], index)  # type: ignore[arg-type]


@pytest.mark.parametrize("size1", [-1, 0, 6, 2**64, True, 1.0, "1", None])
def test_there_is_no_path_from_a_size_that_never_was(size1: object) -> None:
    """From the empty tree there is nothing to prove either."""
    with pytest.raises(MalformedProof):
        tree.consistency_path(LEAVES[:5], size1)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [2**63, True, 9.0, None])
def test_the_size_of_a_tree_is_a_whole_number_below_2_to_the_63(size: object) -> None:
    """Also where only the places of nodes are asked for."""
    with pytest.raises(MalformedProof):
        tree.inclusion_nodes(0, size)  # type: ignore[arg-type]
    with pytest.raises(MalformedProof):
        tree.consistency_nodes(1, size)  # type: ignore[arg-type]
