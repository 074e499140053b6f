# SPDX-License-Identifier: Apache-2.0
"""The rules of docs/spec/append-only-log.md that aren't about paths, and who tries to get round."""

from collections.abc import Iterator
from hashlib import sha256

import pytest

from tests.core.reference import made_up_leaves, mth, node, proof
from tests.ledgers.evm.grown import MAX_SIZE, Growth
from tests.ledgers.evm.in_process import (
    APPEND,
    ARTEFACT,
    DEPLOYED,
    ORIGIN,
    Event,
    Evm,
    append_call,
    signature,
)

LEAVES = made_up_leaves(20)
ROOTS = [mth(LEAVES[:size]) for size in range(21)]
OTHER = sha256(b"other.example/log").digest()
MADE_UP = b"\xaa" * 32


@pytest.fixture(scope="module")
def _deployed() -> Evm:
    """The contract, before anybody used it."""
    return Evm()


@pytest.fixture
def evm(_deployed: Evm) -> Iterator[Evm]:
    """The contract; each test's transactions are undone."""
    with _deployed.undone():
        yield _deployed


def grow(evm: Evm, *sizes: int) -> None:
    """Append these sizes of the honest tree one after another."""
    held = 0
    for size in sizes:
        path = proof(held, LEAVES[:size]) if held else []
        assert evm.append(size, ROOTS[size], path).error is None
        held = size


def test_a_series_of_honest_checkpoints_is_held_one_after_another(evm: Evm) -> None:
    """Each with one event that names the size before."""
    held = 0
    for size in (3, 4, 5, 8, 13, 20):
        path = proof(held, LEAVES[:size]) if held else []
        done = evm.append(size, ROOTS[size], path)
        assert done.events == (Event(evm.senders[0], ORIGIN, size, ROOTS[size], held),)
        assert evm.latest() == (size, ROOTS[size], 3)
        held = size


def test_nothing_is_held_of_an_unknown_log(evm: Evm) -> None:
    """Zeros, which no checkpoint can have."""
    assert evm.latest() == (0, bytes(32), 0)


@pytest.mark.parametrize("size", [1, 2, 3, 2**62, 2**62 + 1, MAX_SIZE])
def test_the_first_checkpoint_is_taken_as_it_is(evm: Evm, size: int) -> None:
    """Append-only is claimed from there, so the contract says where."""
    done = evm.append(size, MADE_UP)
    assert done.events == (Event(evm.senders[0], ORIGIN, size, MADE_UP, 0),)
    assert evm.latest() == (size, MADE_UP, size)


@pytest.mark.parametrize("hashes", [1, 2, 63])
def test_a_path_of_the_first_checkpoint_is_refused(evm: Evm, hashes: int) -> None:
    """There is nothing that it could lead from."""
    done = evm.append(5, ROOTS[5], [MADE_UP] * hashes)
    assert done.error == ("WrongPathLength", hashes, 0, 5)
    assert evm.latest() == (0, bytes(32), 0)


@pytest.mark.parametrize("held", [0, 5, MAX_SIZE])
@pytest.mark.parametrize("size", [0, 2**63, 2**64 - 1])
def test_a_size_that_no_tree_has_is_refused(evm: Evm, held: int, size: int) -> None:
    """As the first one and as a later one; no tree has 2^63 leaves (docs/spec/tree-v1.md)."""
    if held:
        evm.append(held, MADE_UP)
    assert evm.append(size, MADE_UP).error == ("SizeOutOfRange", size)
    assert evm.latest()[0] == held


@pytest.mark.parametrize("size", [2**64, 2**64 + 6, 2**255, 2**256 - 1])
def test_a_size_beyond_64_bits_is_not_cut_down(evm: Evm, size: int) -> None:
    """A call whose size has higher bits is refused, rather than read as a smaller one."""
    grow(evm, 5)
    data = bytearray(append_call(6, ROOTS[6], proof(5, LEAVES[:6])))
    data[4 + 32 : 4 + 64] = size.to_bytes(32, "big")
    done = evm.transact(evm.senders[0], evm.contract, bytes(data))
    assert (done.error, done.events) == ((), ())
    assert evm.latest() == (5, ROOTS[5], 5)


def test_the_same_checkpoint_again_changes_nothing(evm: Evm) -> None:
    """No event, no write, and no refusal: a transaction may be sent twice."""
    grow(evm, 3, 7)
    for path in ([], proof(3, LEAVES[:7]), [MADE_UP], [MADE_UP] * 63):
        again = evm.append(7, ROOTS[7], path)
        assert (again.error, again.events) == (None, ())
        assert evm.latest() == (7, ROOTS[7], 3)
    assert evm.append(8, ROOTS[8], proof(7, LEAVES[:8])).error is None


def test_the_first_checkpoint_again_changes_nothing(evm: Evm) -> None:
    """It is not taken for a first one twice."""
    grow(evm, 3)
    again = evm.append(3, ROOTS[3])
    assert (again.error, again.events) == (None, ())
    assert evm.latest() == (3, ROOTS[3], 3)


def test_another_root_for_the_same_size_is_refused(evm: Evm) -> None:
    """A fork; whatever path comes with it, and one bit is enough."""
    grow(evm, 3, 7)
    one_bit = ROOTS[7][:-1] + bytes([ROOTS[7][-1] ^ 1])
    for root in (one_bit, MADE_UP, bytes(32), ROOTS[3]):
        for path in ([], proof(3, LEAVES[:7]), [ROOTS[7]], [MADE_UP] * 63):
            done = evm.append(7, root, path)
            assert (done.error, done.events) == (("OtherRoot", 7, root, ROOTS[7]), ())
    assert evm.latest() == (7, ROOTS[7], 3)


@pytest.mark.parametrize("size", range(1, 7))
def test_a_smaller_size_is_refused(evm: Evm, size: int) -> None:
    """Also one that was held before, with its own root: a log doesn't go back."""
    grow(evm, 3, 7)
    for path in ([], proof(size, LEAVES[:7]), [MADE_UP]):
        done = evm.append(size, ROOTS[size], path)
        assert (done.error, done.events) == (("SmallerSize", size, 7), ())
    assert evm.latest() == (7, ROOTS[7], 3)


@pytest.mark.parametrize("held", [0, 3, 7])
def test_more_than_63_hashes_are_refused(evm: Evm, held: int) -> None:
    """Before anything is hashed, as the first checkpoint, a later one, and the one that is held."""
    if held:
        grow(evm, held)
    for hashes in (64, 65, 400):
        done = evm.append(7, ROOTS[7], [MADE_UP] * hashes)
        assert done.error == ("TooManyHashes", hashes)
    assert evm.latest()[0] == held


def test_a_path_between_sizes_near_the_largest_can_need_64_hashes_and_is_refused(
    evm: Evm,
) -> None:
    """63 are the most that any verifier takes; nobody's log has 2^62 entries."""
    growth = Growth(3, MAX_SIZE)
    assert len(growth.path) == 64
    evm.append(3, growth.old_root)
    done = evm.append(MAX_SIZE, growth.new_root, growth.path)
    assert done.error == ("TooManyHashes", 64)


def test_another_sender_has_a_state_of_its_own(evm: Evm) -> None:
    """Neither the honest log nor a made-up one of theirs disturbs ours; nor the other way round."""
    grow(evm, 3)
    assert evm.append(19, MADE_UP, sender=1).error is None
    assert evm.append(20, MADE_UP, proof(3, LEAVES[:20]), sender=2).error is not None
    grow_again = evm.append(7, ROOTS[7], proof(3, LEAVES[:7]))
    assert grow_again.events == (Event(evm.senders[0], ORIGIN, 7, ROOTS[7], 3),)
    assert evm.latest() == (7, ROOTS[7], 3)
    assert evm.latest(sender=1) == (19, MADE_UP, 19)
    assert evm.latest(sender=2) == (0, bytes(32), 0)


def test_another_sender_cannot_speak_for_ours(evm: Evm) -> None:
    """An honest next checkpoint from another's hand is theirs alone, and has to be a first one."""
    grow(evm, 3)
    done = evm.append(7, ROOTS[7], proof(3, LEAVES[:7]), sender=1)
    assert done.error == ("WrongPathLength", 4, 0, 7)
    assert evm.append(7, ROOTS[7], sender=1).events[0].sender == evm.senders[1]
    assert evm.latest() == (3, ROOTS[3], 3)


def test_another_origin_has_a_state_of_its_own(evm: Evm) -> None:
    """One sender may anchor several logs."""
    grow(evm, 3)
    done = evm.append(2, MADE_UP, origin=OTHER)
    assert done.events == (Event(evm.senders[0], OTHER, 2, MADE_UP, 0),)
    assert evm.append(7, ROOTS[7], proof(3, LEAVES[:7]), origin=OTHER).error is not None
    assert evm.append(7, ROOTS[7], proof(3, LEAVES[:7])).error is None
    assert evm.latest(origin=OTHER) == (2, MADE_UP, 2)


def test_a_refused_checkpoint_leaves_nothing_behind(evm: Evm) -> None:
    """The next honest one is taken as if there had been none."""
    grow(evm, 5)
    for size, root, path in [
        (9, MADE_UP, proof(5, LEAVES[:9])),
        (4, ROOTS[4], []),
        (0, MADE_UP, []),
    ]:
        assert evm.append(size, root, path).error is not None
    assert evm.latest() == (5, ROOTS[5], 5)
    assert evm.append(9, ROOTS[9], proof(5, LEAVES[:9])).error is None


def test_a_tree_that_is_hashed_otherwise_is_refused(evm: Evm) -> None:
    """Nodes without the prefix, with that of leaves, with sides exchanged, and doubled leaves."""
    grow(evm, 2)
    bare = sha256(ROOTS[2] + LEAVES[2]).digest()
    as_leaf = sha256(b"\x00" + ROOTS[2] + LEAVES[2]).digest()
    doubled = node(ROOTS[2], node(LEAVES[2], LEAVES[2]))
    for root in (bare, as_leaf, node(LEAVES[2], ROOTS[2]), doubled):
        done = evm.append(3, root, [LEAVES[2]])
        assert done.error == ("NewRootMismatch", ROOTS[3], root)


def test_inner_nodes_are_not_taken_for_leaves(evm: Evm) -> None:
    """
    A tree of 4 has the root of a tree of 2 whose leaves are its inner nodes. Whoever began so
    can never come to the tree of 4, and goes on with sizes that are wrong for good.
    """
    halves = [node(*LEAVES[:2]), node(*LEAVES[2:4])]
    assert mth(halves) == ROOTS[4]
    assert evm.append(2, ROOTS[4]).error is None
    for path in ([], [halves[1]], [LEAVES[3], halves[0]], proof(3, LEAVES[:4]), [ROOTS[4]]):
        assert evm.append(4, ROOTS[4], path).error is not None
    assert evm.append(3, ROOTS[5], [LEAVES[4]]).error is None


@pytest.mark.parametrize("value", [1, 10**18])
def test_money_is_refused(evm: Evm, value: int) -> None:
    """With a call, without one, and for what is only read: nobody could get it out again."""
    grow(evm, 3)
    data = append_call(7, ROOTS[7], proof(3, LEAVES[:7]))
    for call in (data, b"", evm.latest_call()):
        assert evm.transact(evm.senders[0], evm.contract, call, value).error == ()
    assert evm.balance(evm.contract) == 0
    assert evm.latest() == (3, ROOTS[3], 3)


def test_an_unknown_or_unfinished_call_is_refused(evm: Evm) -> None:
    """No fallback; data that ends too early isn't filled with zeros."""
    grow(evm, 3)
    data = append_call(7, ROOTS[7], proof(3, LEAVES[:7]))
    calls = [
        b"",
        b"\x00",
        APPEND[:3],
        b"\xff\xff\xff\xff",
        APPEND,
        data[:-1],
        data[:-32],
        data[:100],
    ]
    for call in calls:
        assert evm.transact(evm.senders[0], evm.contract, call).error == ()
    assert evm.latest() == (3, ROOTS[3], 3)


@pytest.mark.parametrize("value", [5, 2**64, 2**255 - 1, 2**256 - 1])
@pytest.mark.parametrize("word", [3, 4])
def test_a_path_that_leads_out_of_the_call_is_refused(evm: Evm, word: int, value: int) -> None:
    """By where it is said to begin, or by how many hashes it is said to have."""
    grow(evm, 3)
    data = append_call(7, ROOTS[7], proof(3, LEAVES[:7]))
    place = 4 + 32 * word
    spoiled = data[:place] + value.to_bytes(32, "big") + data[place + 32 :]
    assert evm.transact(evm.senders[0], evm.contract, spoiled).error == ()
    assert evm.latest() == (3, ROOTS[3], 3)


def test_what_lies_at_the_address_is_the_artefacts_code(evm: Evm) -> None:
    """So anybody can compare what a chain holds."""
    assert evm.code() == DEPLOYED


def test_nothing_else_can_be_called() -> None:
    """No owner, no upgrade, nothing payable: two functions, one event."""
    functions = {signature(item): item for item in ARTEFACT["abi"] if item["type"] == "function"}
    assert {name: item["stateMutability"] for name, item in functions.items()} == {
        "append(bytes32,uint64,bytes32,bytes32[])": "nonpayable",
        "latest(address,bytes32)": "view",
    }
    kinds = {item["type"] for item in ARTEFACT["abi"]}
    assert kinds == {"constructor", "function", "event", "error"}
