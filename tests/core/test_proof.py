# SPDX-License-Identifier: Apache-2.0
"""Honest proofs hold; a proof changed in any way does not."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notary.core.errors import MalformedProof, RootMismatch
from notary.core.hashing import EMPTY_ROOT, LeafHash, RootHash
from notary.core.proof import root_from_inclusion, verify_consistency, verify_inclusion
from tests.core import reference

LEAVES = reference.made_up_leaves(300)
ROOTS = [RootHash(reference.mth(LEAVES[:size])) for size in range(301)]
MADE_UP = b"\xaa" * 32


def leaf(index: int) -> LeafHash:
    return LeafHash(LEAVES[index])


def flipped(text: bytes, place: int = 0) -> bytes:
    return text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]


def variants(path: Sequence[bytes]) -> list[list[bytes]]:
    """The path with one bit of one hash flipped, for each hash, and with neighbours exchanged."""
    path = list(path)
    changed = [[*path[:i], flipped(path[i], i % 32), *path[i + 1 :]] for i in range(len(path))]
    for i in range(len(path) - 1):
        changed.append([*path[:i], path[i + 1], path[i], *path[i + 2 :]])
    return changed


def misshapen(path: Sequence[bytes]) -> list[object]:
    """The path with a hash too many, too few, too short, too long, or not a path at all."""
    path = list(path)
    shapes: list[object] = [
        [*path, MADE_UP],
        [MADE_UP, *path],
        [*path, *path, MADE_UP],
        [*path, *[MADE_UP] * 64],
        [MADE_UP] * 10_000,
        None,
        7,
        iter(path),
        {"path": path},
    ]
    if path:
        shapes += [
            path[1:],
            path[:-1],
            [],
            [path[0][:31], *path[1:]],
            [*path[:-1], path[-1] + b"\x00"],
            [*path[:-1], b""],
            [*path[:-1], path[-1].hex()],
            [*path[:-1], bytearray(path[-1])],
            [*path[:-1], None],
            b"".join(path),
            "a" * len(path),
        ]
    return shapes


def test_every_honest_inclusion_proof_holds() -> None:
    """Each leaf of each tree of 1 to 40 leaves; and the root is computed, not taken."""
    for size in range(1, 41):
        for index in range(size):
            path = reference.path(index, LEAVES[:size])
            verify_inclusion(leaf(index), index, size, path, ROOTS[size])
            verify_inclusion(leaf(index), index, size, tuple(path), ROOTS[size])
            assert root_from_inclusion(leaf(index), index, size, path) == ROOTS[size]


def test_every_honest_consistency_proof_holds() -> None:
    """Between each two sizes of 1 to 40 leaves."""
    for size2 in range(1, 41):
        for size1 in range(1, size2 + 1):
            path = reference.proof(size1, LEAVES[:size2])
            verify_consistency(size1, ROOTS[size1], size2, ROOTS[size2], path)


def test_a_changed_inclusion_proof_is_refused() -> None:
    """One bit of any hash, of the leaf or of the root; hashes exchanged; another leaf's place."""
    for size in range(1, 18):
        for index in range(size):
            path = reference.path(index, LEAVES[:size])
            for other in variants(path):
                with pytest.raises(RootMismatch):
                    verify_inclusion(leaf(index), index, size, other, ROOTS[size])
            with pytest.raises(RootMismatch):
                verify_inclusion(LeafHash(flipped(leaf(index))), index, size, path, ROOTS[size])
            with pytest.raises(RootMismatch):
                verify_inclusion(leaf(index), index, size, path, RootHash(flipped(ROOTS[size])))
            for place in set(range(size)) - {index}:
                with pytest.raises((RootMismatch, MalformedProof)):
                    verify_inclusion(leaf(index), place, size, path, ROOTS[size])


def test_a_changed_consistency_proof_is_refused() -> None:
    """One bit of any hash or root; hashes exchanged; roots exchanged."""
    for size2 in range(2, 18):
        for size1 in range(1, size2):
            root1, root2 = ROOTS[size1], ROOTS[size2]
            path = reference.proof(size1, LEAVES[:size2])
            for other in variants(path):
                with pytest.raises(RootMismatch):
                    verify_consistency(size1, root1, size2, root2, other)
            with pytest.raises(RootMismatch):
                verify_consistency(size1, RootHash(flipped(root1)), size2, root2, path)
            with pytest.raises(RootMismatch):
                verify_consistency(size1, root1, size2, RootHash(flipped(root2)), path)
            with pytest.raises(RootMismatch):
                verify_consistency(size1, root2, size2, root1, path)


def test_a_proof_of_another_shape_is_refused() -> None:
    """Hashes added, left out, cut, or something that is no list of hashes."""
    for index, size in [(0, 1), (0, 2), (3, 7), (6, 7), (8, 9), (130, 300)]:
        for path in misshapen(reference.path(index, LEAVES[:size])):
            with pytest.raises(MalformedProof):
                verify_inclusion(leaf(index), index, size, path, ROOTS[size])  # type: ignore[arg-type]
    for size1, size2 in [(1, 1), (1, 2), (3, 7), (4, 7), (8, 9), (130, 300), (256, 300)]:
        for path in misshapen(reference.proof(size1, LEAVES[:size2])):
            with pytest.raises(MalformedProof):
                verify_consistency(size1, ROOTS[size1], size2, ROOTS[size2], path)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("index", "size"),
    [
        (-1, 7),
        (7, 7),
        (8, 7),
        (0, 0),
        (0, -1),
        (-1, -1),
        (3, 2**63),
        (3, 10**5000),
        (10**5000, 10**5001),
        (True, 7),
        (0, True),
        (3.0, 7),
        (3, 7.0),
        ("3", 7),
        (3, "7"),
        (None, 7),
        (3, None),
    ],
    ids=lambda value: str(value)[:12] if not isinstance(value, int) or value < 2**65 else "huge",
)
def test_an_index_outside_the_tree_is_refused(index: object, size: object) -> None:
    """And one that is no whole number: a bool or a float is never taken for one."""
    path = reference.path(3, LEAVES[:7])
    with pytest.raises(MalformedProof):
        verify_inclusion(leaf(3), index, size, path, ROOTS[7])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size1", "size2"),
    [(0, 7), (-1, 7), (8, 7), (7, 3), (3, 2**63), (True, 7), (3, 7.0), ("3", 7), (3, None)],
)
def test_sizes_that_are_not_in_order_are_refused(size1: object, size2: object) -> None:
    """Nothing is ever proved from an empty tree, and a log does not shrink."""
    path = reference.proof(3, LEAVES[:7])
    with pytest.raises(MalformedProof):
        verify_consistency(size1, ROOTS[3], size2, ROOTS[7], path)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", [[], [MADE_UP], [ROOTS[7]]])
def test_a_consistency_proof_from_nothing_is_refused(path: list[bytes]) -> None:
    """Whoever starts from nothing has to say so himself, not by a proof."""
    with pytest.raises(MalformedProof):
        verify_consistency(0, EMPTY_ROOT, 7, ROOTS[7], path)


def test_equal_sizes_need_equal_roots_and_an_empty_path() -> None:
    """Two roots of one size are a forked log, whatever path comes with them."""
    verify_consistency(7, ROOTS[7], 7, ROOTS[7], [])
    with pytest.raises(RootMismatch):
        verify_consistency(7, ROOTS[7], 7, RootHash(MADE_UP), [])
    with pytest.raises(MalformedProof):
        verify_consistency(7, ROOTS[7], 7, ROOTS[7], [MADE_UP])


@pytest.mark.parametrize("bad", [b"", b"x" * 31, b"x" * 33, "x" * 32, bytearray(32), None])
def test_a_leaf_or_root_that_is_not_32_bytes_is_refused(bad: object) -> None:
    """The length says what kind of bytes they are; nothing else is compared."""
    path = reference.path(3, LEAVES[:7])
    with pytest.raises(MalformedProof):
        verify_inclusion(bad, 3, 7, path, ROOTS[7])  # type: ignore[arg-type]
    with pytest.raises(MalformedProof):
        verify_inclusion(leaf(3), 3, 7, path, bad)  # type: ignore[arg-type]
    with pytest.raises(MalformedProof):
        verify_consistency(7, bad, 7, bad, [])  # type: ignore[arg-type]
    with pytest.raises(MalformedProof):
        verify_consistency(7, ROOTS[7], 7, bad, [])  # type: ignore[arg-type]


def test_a_log_that_rewrote_an_old_leaf_is_found_out() -> None:
    """No path leads from the old root to that of a tree with one earlier leaf changed."""
    for size1 in range(1, 12):
        rewritten = [MADE_UP, *LEAVES[1:12]]
        path = reference.proof(size1, rewritten)
        with pytest.raises(RootMismatch):
            verify_consistency(size1, ROOTS[size1], 12, RootHash(reference.mth(rewritten)), path)


def test_a_proof_alone_does_not_tell_the_size() -> None:
    """One path fits many sizes, so size and root must come from one signed checkpoint."""
    path = reference.path(0, LEAVES[:255])
    for size in range(129, 257):
        verify_inclusion(leaf(0), 0, size, path, ROOTS[255])
    for size in (128, 257):
        with pytest.raises(MalformedProof):
            verify_inclusion(leaf(0), 0, size, path, ROOTS[255])


def test_a_mismatch_says_what_was_found_and_what_was_wanted() -> None:
    """Both roots stand in the error's facts, in hex."""
    with pytest.raises(RootMismatch) as caught:
        verify_inclusion(leaf(0), 0, 1, [], ROOTS[2])
    assert caught.value.facts["got"] == LEAVES[0].hex()
    assert caught.value.facts["want"] == ROOTS[2].hex()


def test_the_deepest_possible_tree_has_paths_of_63_hashes() -> None:
    """The largest size works; one hash more is refused unread."""
    root = root_from_inclusion(leaf(0), 0, 2**63 - 1, [MADE_UP] * 63)
    verify_inclusion(leaf(0), 0, 2**63 - 1, [MADE_UP] * 63, root)
    with pytest.raises(MalformedProof):
        root_from_inclusion(leaf(0), 0, 2**63 - 1, [MADE_UP] * 64)
    with pytest.raises(MalformedProof):  # between such sizes even the right number is too many
        verify_consistency(3, ROOTS[3], 2**63 - 1, ROOTS[7], [MADE_UP] * 64)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_no_bit_of_a_proof_can_be_flipped(data: st.DataObject) -> None:
    """A tree of up to 300 leaves, one bit flipped anywhere: refused."""
    size = data.draw(st.integers(2, 300))
    index = data.draw(st.integers(0, size - 1))
    path = reference.path(index, LEAVES[:size])
    parts = [leaf(index), ROOTS[size], *path]
    bit = data.draw(st.integers(0, 256 * len(parts) - 1))
    part, place = divmod(bit // 8, 32)
    changed = bytearray(parts[part])
    changed[place] ^= 1 << bit % 8
    parts[part] = bytes(changed)
    with pytest.raises(RootMismatch):
        verify_inclusion(LeafHash(parts[0]), index, size, parts[2:], RootHash(parts[1]))
