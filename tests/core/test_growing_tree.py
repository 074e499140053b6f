# SPDX-License-Identifier: Apache-2.0
"""The tree that grows is the tree that is built at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core.errors import MalformedProof
from notary.core.growing_tree import GrowingTree
from notary.core.tiles import tiles_of
from notary.core.tree import root
from tests.core import reference

LEAVES = reference.made_up_leaves(700)


@given(st.integers(0, 700), st.integers(1, 300))
def test_tiles_and_root_are_those_of_the_whole_tree(size: int, step: int) -> None:
    """In whatever parts the leaves come."""
    tree, tiles = GrowingTree(), []
    for at in range(0, size, step):
        tiles += tree.extend(LEAVES[at : min(at + step, size)])
    assert tree.size == size
    assert tree.root == root(LEAVES[:size])
    assert sorted([*tiles, *tree.partial()]) == sorted(tiles_of(LEAVES[:size]))


def test_a_third_level_grows() -> None:
    """65,536 leaves are one hash of the level above the second."""
    leaves = [n.to_bytes(32, "big") for n in range(65_536 + 300)]
    tree = GrowingTree()
    tiles = [*tree.extend(leaves), *tree.partial()]
    assert tree.root == root(leaves)
    assert sorted(tiles) == sorted(tiles_of(leaves))


def test_a_leaf_of_another_length_is_refused() -> None:
    """Before a tile with it is handed out."""
    tree = GrowingTree()
    with pytest.raises(MalformedProof):
        list(tree.extend([bytes(32)] * 255 + [bytes(31)]))
