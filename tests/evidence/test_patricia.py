# SPDX-License-Identifier: Apache-2.0
"""Proofs of a trie: every key is proved, and nothing else is, whatever its nodes look like."""

from collections.abc import Callable
from typing import Any

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from notary.evidence.patricia import NotProved, value_at
from tests.evidence.chain import Trie, child, hashed, mine, part, transaction_receipt, transfer

KEY = rlp.encode(3)
BLOCK = mine(transaction_receipt([transfer(1)]), count=40)
ROOT, PROOF = BLOCK.receipts.root, BLOCK.receipts.proof(KEY)
VALUE = BLOCK.receipts.items[KEY]


@pytest.mark.parametrize("count", [1, 2, 16, 17, 127, 128, 129, 300])
def test_each_receipt_of_a_block_is_proved(count: int) -> None:
    """By a trie of our tests' and of another maker's; also over the key of two bytes."""
    trie = mine(transaction_receipt([]), index=0, count=count).receipts
    theirs = HexaryTrie({})
    for key, value in trie.items.items():
        theirs[key] = value
    assert trie.root == theirs.root_hash
    for at in {0, 1, count // 2, count - 1} & set(range(count)):
        key = rlp.encode(at)
        assert value_at(trie.root, key, trie.proof(key)) == trie.items[key]


@settings(max_examples=30)
@given(st.dictionaries(st.binary(max_size=3), st.binary(min_size=1, max_size=40), min_size=1))
def test_each_key_of_any_trie_is_proved_and_no_other(items: dict[bytes, bytes]) -> None:
    """Keys that begin others, values in branches, nodes inside nodes."""
    trie, theirs = Trie(items), HexaryTrie({})
    for key, value in items.items():
        theirs[key] = value
    assert trie.root == theirs.root_hash
    for key, value in items.items():
        assert value_at(trie.root, key, trie.proof(key)) == value
        for other in (key + b"\x01", key[:-1], b"\x00" + key):
            if other not in items:
                with pytest.raises(NotProved):
                    value_at(trie.root, other, trie.proof(key))


def test_each_byte_of_a_proof_counts(long: bool) -> None:
    """And each of the root; in short runs every third one."""
    for at, data in enumerate(PROOF):
        for place in range(0, len(data), 1 if long else 3):
            changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            with pytest.raises(NotProved):
                value_at(ROOT, KEY, [*PROOF[:at], changed, *PROOF[at + 1 :]])
    with pytest.raises(NotProved):
        value_at(bytes([ROOT[0] ^ 1]) + ROOT[1:], KEY, PROOF)


BROKEN: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "nothing": lambda nodes: [],
    "without its first": lambda nodes: nodes[1:],
    "without its last": lambda nodes: nodes[:-1],
    "without its second": lambda nodes: [nodes[0], *nodes[2:]],
    "backwards": lambda nodes: nodes[::-1],
    "the first twice": lambda nodes: [nodes[0], *nodes],
    "the last twice": lambda nodes: [*nodes, nodes[-1]],
    "with a node of another way": lambda nodes: [*nodes, BLOCK.receipts.proof(rlp.encode(9))[-1]],
    "the last of another way": lambda nodes: BLOCK.receipts.proof(rlp.encode(9)),
    "a node cut off": lambda nodes: [*nodes[:-1], nodes[-1][:-1]],
    "a node and more": lambda nodes: [*nodes[:-1], nodes[-1] + b"\x80"],
    "an empty node": lambda nodes: [*nodes[:-1], b""],
    "a thousand nodes": lambda nodes: nodes * 500,
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_proof_is_refused(what: str) -> None:
    """Nodes missing, doubled, in another order, of another way, cut off."""
    assert value_at(ROOT, KEY, PROOF) == VALUE
    assert len(PROOF) >= 3
    with pytest.raises(NotProved):
        value_at(ROOT, KEY, BROKEN[what](PROOF))


@pytest.mark.parametrize("index", [2, 4, 19, 39, 40, 128, 2**31])
def test_the_proof_of_one_index_is_none_of_another(index: int) -> None:
    """Of a neighbour, of one under the same branch, of one that isn't there."""
    with pytest.raises(NotProved):
        value_at(ROOT, rlp.encode(index), PROOF)


LEAF = [part((1,), is_leaf=True), b"v" * 40]
BRANCH: list[Any] = [hashed(rlp.encode(LEAF)) if at == 2 else b"" for at in range(17)]
"""Under the way 2, then 1: the key 0x21."""


def proof_of(*nodes: list[Any] | bytes) -> list[bytes]:
    return [bytes(rlp.encode(node)) for node in nodes]


def branch_to(what: Any) -> list[Any]:
    """A branch that has a child or a value at the way 2."""
    return [what if at == 2 else b"" for at in range(17)]


LONG_INSIDE = [part((1,), is_leaf=True), b"v" * 40]
SHORT = [part((1,), is_leaf=True), b"v"]
VALUED: list[Any] = [*[b""] * 16, b"v" * 40]
SECOND = [part((1,), is_leaf=False), hashed(rlp.encode(VALUED))]
ODD: dict[str, list[bytes]] = {
    "an extension to an extension": proof_of(
        [part((2,), is_leaf=False), hashed(rlp.encode(SECOND))], SECOND, VALUED
    ),
    "an extension to a leaf": proof_of([part((2,), is_leaf=False), hashed(rlp.encode(LEAF))], LEAF),
    "an extension of no length": proof_of(
        [part((), is_leaf=False), hashed(rlp.encode(BRANCH))], BRANCH, LEAF
    ),
    "an extension of no length inside another": proof_of(
        [part((), is_leaf=False), [part((), is_leaf=False), b""]]
    ),
    "a leaf with more of a way": proof_of([part((2, 1, 0), is_leaf=True), b"v" * 40]),
    "a leaf with less of a way": proof_of([part((2,), is_leaf=True), b"v" * 40]),
    "a leaf with another way": proof_of([part((2, 2), is_leaf=True), b"v" * 40]),
    "a leaf as an extension to its value": proof_of([part((2, 1), is_leaf=False), b"v" * 32]),
    "a leaf without a value": proof_of([part((2, 1), is_leaf=True), b""]),
    "a leaf whose value is a list": proof_of([part((2, 1), is_leaf=True), [b"v"]]),
    "a leaf whose way is a list": proof_of([[part((2, 1), is_leaf=True)], b"v"]),
    "a leaf whose way is nothing": proof_of([b"", b"v" * 40]),
    "a way that begins with 4": proof_of([b"\x40\x21", b"v" * 40]),
    "a way that begins with 8": proof_of([b"\x80\x21", b"v" * 40]),
    "an even way that isn't filled with 0": proof_of([b"\x21\x21", b"v" * 40]),
    "an odd leaf's flag on an even way": proof_of([b"\x3f\x21", b"v" * 40]),
    "a branch of sixteen": proof_of(BRANCH[:16], LEAF),
    "a branch of eighteen": proof_of([*BRANCH, b""], LEAF),
    "a node of three": proof_of([part((2, 1), is_leaf=True), b"v" * 40, b""]),
    "a node of none": proof_of([]),
    "a node that is a string": proof_of(b"v" * 40),
    "a branch with nothing on the way": proof_of([b""] * 17, LEAF),
    "a branch whose child is 31 bytes": proof_of(branch_to(b"c" * 31), LEAF),
    "a branch whose child is 33 bytes": proof_of(branch_to(b"c" * 33), LEAF),
    "a branch with its value on the way": proof_of(branch_to(b"v")),
    "a long node inside its parent": proof_of(branch_to(LONG_INSIDE)),
    "a short node beside its parent": proof_of(branch_to(hashed(rlp.encode(SHORT))), SHORT),
    "a leaf and a node that isn't on the way": proof_of([part((2, 1), is_leaf=True), b"v"], LEAF),
    "a node deep inside its parent": proof_of(branch_to([[[[b"v"]]]])),
}


@pytest.mark.parametrize("what", ODD)
def test_a_node_that_no_trie_has_is_refused(what: str) -> None:
    """Though each is the one that is named."""
    honest = proof_of(BRANCH, LEAF)
    assert value_at(hashed(honest[0]), b"\x21", honest) == b"v" * 40
    with pytest.raises(NotProved):
        value_at(hashed(ODD[what][0]), b"\x21", ODD[what])


def test_a_short_node_stands_inside_its_parent() -> None:
    """There it needs no proof of its own; the root is always named."""
    inside = proof_of(branch_to(child(SHORT)))
    assert value_at(hashed(inside[0]), b"\x21", inside) == b"v"
    alone = proof_of([part((2, 1), is_leaf=True), b"v"])
    assert value_at(hashed(alone[0]), b"\x21", alone) == b"v"
