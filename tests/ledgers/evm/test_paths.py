# SPDX-License-Identifier: Apache-2.0
"""
The contract takes honest consistency paths, and no other (RFC 9162 section 2.1.4.2).

In process, one transaction after another; test_many_paths.py has the numbers.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256

import pytest

from notary.core.errors import NotaryError
from notary.core.hashing import RootHash
from notary.core.proof import verify_consistency
from notary.core.tree import Tree
from tests.core.reference import made_up_leaves, mth, proof
from tests.ledgers.evm.grown import MAX_SIZE, Growth, random_pairs
from tests.ledgers.evm.in_process import Evm

LEAVES = made_up_leaves(40)
TREES = [Tree(LEAVES[:size]) for size in range(41)]
MADE_UP = b"\xaa" * 32
PROOF_ERRORS = {"WrongPathLength", "OldRootMismatch", "NewRootMismatch", "TooManyHashes"}
LARGE = [
    (1, 2**31),
    (2**30 - 1, 2**30),
    (2**30, 2**30 + 1),
    (2**30, 2**31),
    (2**31 - 1, 2**32 + 1),
    (2**32 - 1, 2**32),
    (2**62, 2**62 + 1),
    (2**62 - 1, 2**62),
    (2**62, MAX_SIZE),
    (2**62 + 1, 2**62 + 2),
    (MAX_SIZE - 1, MAX_SIZE),
    (2**62 - 2, MAX_SIZE),
]
"""On both sides of powers of two, and at the largest sizes."""
PAIRS = [
    *[(1, 2), (1, 3), (2, 3), (3, 4), (3, 7), (4, 5), (4, 8), (5, 6), (6, 8), (6, 7)],
    *[(7, 8), (7, 15), (8, 13), (11, 12), (12, 40), (13, 37), (31, 40)],
    *[(2**30 - 1, 2**30), (2**20 + 5, 2**30 + 77)],
]
"""Sizes whose paths are spoiled: small ones of each shape, large ones."""


@pytest.fixture(scope="module")
def _deployed() -> Evm:
    """The contract, and for each size of the tree an origin of which this size is held."""
    evm = Evm()
    for size in range(1, 41):
        assert evm.append(size, TREES[size].root, origin=origin_of(size)).error is None
    return evm


@pytest.fixture
def evm(_deployed: Evm) -> Iterator[Evm]:
    """The same; each test's transactions are undone."""
    with _deployed.undone():
        yield _deployed


def origin_of(*sizes: int) -> bytes:
    """An origin for these sizes alone."""
    return sha256(repr(sizes).encode()).digest()


def refused(evm: Evm, growth: Growth, path: Sequence[bytes], root: bytes = b"") -> str:
    """The name of the error, having seen that the core refuses the same."""
    old, new = RootHash(growth.old_root), RootHash(root or growth.new_root)
    with pytest.raises(NotaryError):
        verify_consistency(growth.old, old, growth.new, new, list(path))
    done = evm.append(growth.new, new, path, origin=origin_of(growth.old, growth.new))
    assert done.events == ()
    assert done.error is not None
    assert done.error[0] in PROOF_ERRORS
    return str(done.error[0])


@pytest.mark.parametrize("old", range(1, 18))
def test_every_honest_path_is_taken(evm: Evm, old: int) -> None:
    """From each size to each larger one up to 18: the core's path, which is that of the RFC."""
    for new in range(old + 1, 19):
        path = TREES[new].consistency_path(old)
        assert path == proof(old, LEAVES[:new])
        with evm.undone():
            done = evm.append(new, TREES[new].root, path, origin=origin_of(old))
        assert done.error is None
        assert [event.previous for event in done.events] == [old]


@pytest.mark.parametrize("old", range(1, 10))
def test_a_path_between_other_sizes_is_taken_only_where_the_core_takes_it(
    evm: Evm, old: int
) -> None:
    """
    A root or a path of neighbouring sizes. A root doesn't hold its size, so some fit: from 2 on
    3 leaves and 4 have the same shape. The checkpoint's signature says which it is.
    """
    for new in range(old + 1, 12):
        for other in (new - 1, new + 1):
            if other > old:
                judged_alike(evm, old, new, TREES[other].root, TREES[other].consistency_path(old))
            judged_alike(evm, old, new, TREES[other].root, TREES[new].consistency_path(old))
            judged_alike(evm, old, new, TREES[new].root, TREES[new].consistency_path(old % new + 1))


def judged_alike(evm: Evm, old: int, new: int, root: RootHash, path: Sequence[bytes]) -> None:
    """Contract and core give the same answer."""
    with evm.undone():
        done = evm.append(new, root, path, origin=origin_of(old))
    try:
        verify_consistency(old, TREES[old].root, new, root, path)
    except NotaryError:
        assert done.error is not None, (old, new)
        assert done.error[0] in PROOF_ERRORS
    else:
        assert done.error is None, (old, new)


def spoiled(path: list[bytes], step: int) -> Iterator[list[bytes]]:
    """
    A hash flipped, left out, doubled, exchanged with its neighbour; one added. At every step-th
    place and at the last ones.
    """
    for place in sorted({*range(0, len(path), step), *range(max(0, len(path) - 2), len(path))}):
        before, hash_, after = path[:place], path[place], path[place + 1 :]
        yield [*before, bytes([hash_[0] ^ 0x80]) + hash_[1:], *after]
        yield [*before, hash_[:-1] + bytes([hash_[-1] ^ 1]), *after]
        yield [*before, *after]
        yield [*before, hash_, hash_, *after]
        yield [*before, *after[:1], hash_, *after[1:]]
        yield [*before, MADE_UP, hash_, *after]
    yield []
    yield [*path, MADE_UP]
    yield path * 2
    yield path[::-1]
    yield [bytes(32)] * len(path)
    yield [MADE_UP] * 63


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_a_spoiled_path_is_refused(evm: Evm, old: int, new: int, long: bool) -> None:
    """As the core refuses it; what is held stays."""
    growth = Growth(old, new)
    origin = origin_of(old, new)
    path = growth.path
    assert evm.append(old, growth.old_root, origin=origin).error is None
    for other in spoiled(path, 1 if long or len(path) < 8 else 10):
        if other != path:
            refused(evm, growth, other)
    assert evm.latest(origin=origin) == (old, growth.old_root, old)
    assert evm.append(new, growth.new_root, path, origin=origin).error is None


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_the_path_with_the_old_root_before_it_is_refused(evm: Evm, old: int, new: int) -> None:
    """Where the RFC leaves it out it may not stand there, nor where it doesn't."""
    growth = Growth(old, new)
    evm.append(old, growth.old_root, origin=origin_of(old, new))
    assert refused(evm, growth, [growth.old_root, *growth.path]) == "WrongPathLength"
    if old & (old - 1):
        refused(evm, growth, growth.path[1:])


@pytest.mark.parametrize(("old", "new"), [(3, 7), (4, 7), (6, 8), (13, 37)])
def test_the_error_says_which_root_the_path_leads_to(evm: Evm, old: int, new: int) -> None:
    """So whoever sent it sees where the two histories part."""
    growth = Growth(old, new)
    origin = origin_of(old, new)
    evm.append(old, MADE_UP, origin=origin)
    done = evm.append(new, growth.new_root, growth.path, origin=origin)
    if old & (old - 1):
        assert done.error == ("OldRootMismatch", growth.old_root, MADE_UP)
    else:
        assert done.error is not None
        assert done.error[0] == "NewRootMismatch"
        assert done.error[2] == growth.new_root


def test_a_rewritten_history_is_refused(evm: Evm) -> None:
    """One old leaf is other, all the rest is honest: each path that the liar can make."""
    for old in range(1, 9):
        for changed in range(old):
            lie = [*LEAVES]
            lie[changed] = MADE_UP
            origin = origin_of(old, changed, 0)
            assert evm.append(old, TREES[old].root, origin=origin).error is None
            for new in {old + 1, 17}:
                for path in (proof(old, lie[:new]), proof(old, LEAVES[:new])):
                    done = evm.append(new, mth(lie[:new]), path, origin=origin)
                    assert done.error is not None
                    assert done.error[0] in ("OldRootMismatch", "NewRootMismatch")


@pytest.mark.parametrize(("old", "new"), LARGE)
def test_honest_paths_of_large_trees_are_taken(evm: Evm, old: int, new: int) -> None:
    """And one with a bit flipped in its last hash is not."""
    taken_once(evm, Growth(old, new))


def test_honest_paths_of_random_sizes_are_taken(evm: Evm, long: bool) -> None:
    """Of all magnitudes up to 2^62."""
    for old, new in random_pairs(1500 if long else 12, 2**62, seed=9162):
        taken_once(evm, Growth(old, new))


def taken_once(evm: Evm, growth: Growth) -> None:
    """The honest path is taken by the core and by the contract, a flipped one by neither."""
    origin = origin_of(growth.old, growth.new)
    path = growth.path
    old, new = RootHash(growth.old_root), RootHash(growth.new_root)
    verify_consistency(growth.old, old, growth.new, new, path)
    with evm.undone():
        assert evm.append(growth.old, growth.old_root, origin=origin).error is None
        refused(evm, growth, [*path[:-1], path[-1][:-1] + bytes([path[-1][-1] ^ 1])])
        assert evm.append(growth.new, growth.new_root, path, origin=origin).error is None
        assert evm.latest(origin=origin) == (growth.new, growth.new_root, growth.old)
