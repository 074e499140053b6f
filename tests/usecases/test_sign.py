# SPDX-License-Identifier: Apache-2.0
"""Sign: one root for each size, committed before it is signed, only ever grown."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from notary.core.checkpoint import Checkpoint, open_checkpoint
from notary.core.errors import RootMismatch
from notary.core.note import Signature
from notary.core.tree import root
from notary.keys import Signer, make_key
from notary.store.errors import StoreRefused
from notary.store.pool import Transaction
from notary.usecases.marks import Mark, MarkFile, StateRefused
from notary.usecases.sign import sign_newest
from tests.usecases.world import World


@pytest.fixture
def grown(world: World) -> World:
    """A notary with a signed checkpoint of size 2 and a third batch."""
    dataset = world.dataset("weather")
    for seed in range(3):
        world.add(dataset, 5, seed=seed)
        world.seal()
        if seed == 1:
            world.sign()
    return world


def signed(world: World) -> list[Checkpoint]:
    """The signed checkpoints, each note opened with the log's key."""
    notes = [note for _, _, note in world.checkpoints() if note is not None]
    return [open_checkpoint(str(note), [world.signer.vkey])[0] for note in notes]


def test_a_checkpoint_covers_the_log_as_it_stands(grown: World) -> None:
    """Size and root are those of the leaves, and the note opens with the log's key."""
    checkpoint = grown.sign()
    leaves = [row[0] for row in grown.rows("SELECT leaf FROM batches ORDER BY index")]
    assert checkpoint is not None
    assert (checkpoint.size, checkpoint.root) == (3, root(leaves))  # type: ignore[arg-type]
    assert signed(grown)[-1] == checkpoint


def test_nothing_is_signed_twice(grown: World) -> None:
    """Where the log didn't grow there is no new checkpoint, and the old note stays."""
    grown.sign()
    before = grown.checkpoints()
    assert grown.sign() is None
    assert grown.checkpoints() == before


def test_an_empty_log_is_not_signed(world: World) -> None:
    """There is nothing to say yet."""
    assert world.sign() is None
    assert world.checkpoints() == []


def test_the_mark_is_raised_with_each_checkpoint(grown: World) -> None:
    """What was signed is known outside the database."""
    checkpoint = grown.sign()
    mark = grown.marks.read()
    assert checkpoint is not None
    assert mark is not None
    assert (mark.size, mark.root) == (checkpoint.size, checkpoint.root.hex())


# -- attacks


def refuses(world: World, error: type[Exception]) -> None:
    """Signing raises, and leaves neither a checkpoint nor a higher mark."""
    before = world.checkpoints(), world.marks.read()
    with pytest.raises(error):
        world.sign()
    assert (world.checkpoints(), world.marks.read()) == before


@pytest.mark.parametrize("index", [0, 1])
def test_a_log_changed_under_its_checkpoint_is_not_signed(grown: World, index: int) -> None:
    """A leaf below the last signed size is another one: no consistency, no signature."""
    grown.change("UPDATE log_hashes SET hash = %s WHERE level = 0 AND index = %s", b"x" * 32, index)
    refuses(grown, RootMismatch)


def test_a_log_changed_with_its_stored_root_is_not_signed(grown: World) -> None:
    """The stored root was changed to fit; the mark outside the database wasn't."""
    grown.change("UPDATE log_hashes SET hash = %s WHERE level = 0 AND index = 0", b"x" * 32)
    leaves = [row[0] for row in grown.rows("SELECT hash FROM log_hashes ORDER BY index")]
    grown.change("UPDATE checkpoints SET root = %s", root(leaves[:2]))  # type: ignore[arg-type]
    refuses(grown, RootMismatch)
    with pytest.raises(StateRefused):
        grown.again().sign()


def test_a_missing_hash_of_the_log_stops_signing(grown: World) -> None:
    """No root is made of what is left."""
    grown.change("DELETE FROM log_hashes WHERE index = 1")
    refuses(grown, StoreRefused)


def test_a_shrunken_log_is_not_signed(grown: World) -> None:
    """The log's size went back below what was signed."""
    grown.sign()
    grown.change("UPDATE log SET size = 2")
    refuses(grown, StateRefused)


def test_an_emptied_log_is_not_taken_for_a_new_one(grown: World) -> None:
    """Nothing to sign is no answer where something was signed."""
    grown.gate.open()
    grown.change("UPDATE log SET size = 0")
    refuses(grown, StateRefused)


def test_a_mark_of_more_than_the_log_stops_signing(grown: World) -> None:
    """Another process signed more than this database holds (after the gate opened)."""
    grown.gate.open()
    mark = grown.marks.read()
    assert mark is not None
    grown.marks.replace(replace(mark, size=9, root="ab" * 32))
    refuses(grown, StateRefused)


def test_a_mark_on_another_branch_stops_signing(grown: World) -> None:
    """The mark's root can't be reached from this log."""
    grown.gate.open()
    mark = grown.marks.read()
    assert mark is not None
    grown.marks.replace(replace(mark, root="ab" * 32))
    refuses(grown, RootMismatch)


def test_a_lost_mark_stops_signing(grown: World) -> None:
    """The file vanished while the service ran: a person must look."""
    grown.gate.open()
    grown.marks.path.unlink()
    refuses(grown, StateRefused)


def test_another_key_does_not_sign(grown: World, tmp_path: Path) -> None:
    """A key of the same name that isn't this log's signs nothing."""
    other = make_key(grown.signer.name, tmp_path / "other.key")
    with pytest.raises(StateRefused) as refused:
        sign_newest(grown.pool, grown.gate, grown.marks, other, grown.now)
    assert refused.value.facts["reason"] == "other-key"
    assert len(grown.checkpoints()) == 1


def test_a_committed_root_that_is_not_the_logs_is_never_signed(grown: World) -> None:
    """A row slipped in for the present size with another root gets no signature."""
    grown.change(
        "INSERT INTO checkpoints (size, root, committed_at) VALUES (3, %s, now())", b"x" * 32
    )
    refuses(grown, RootMismatch)


def test_a_root_slipped_in_between_is_never_signed(grown: World) -> None:
    """Nor does a row for an earlier size that was never computed here."""
    grown.change(
        "INSERT INTO checkpoints (size, root, committed_at) VALUES (1, %s, now())", b"x" * 32
    )
    refuses(grown, RootMismatch)


def test_a_root_slipped_in_beyond_the_log_is_never_signed(grown: World) -> None:
    """A row for a size that the log hasn't reached gets no signature."""
    grown.change(
        "INSERT INTO checkpoints (size, root, committed_at) VALUES (4, %s, now())", b"x" * 32
    )
    before = grown.checkpoints(), grown.marks.read()
    with pytest.raises((RootMismatch, StateRefused, StoreRefused)):
        grown.sign()
    assert (grown.checkpoints(), grown.marks.read()) == before


def test_a_second_root_for_a_size_cannot_be_stored(grown: World) -> None:
    """The database keeps one root for a size, whatever the code believes."""
    with grown.pool.transaction() as tx:
        assert tx.do("add_checkpoint", size=2, root=b"x" * 32, now=grown.now) == 0
    assert len(grown.checkpoints()) == 1


def test_a_note_is_never_replaced(grown: World) -> None:
    """A stored note stays, even against a later signature over the same checkpoint."""
    before = grown.checkpoints()
    with grown.pool.transaction() as tx:
        assert tx.do("set_note", size=2, note="other", now=grown.now) == 0
    assert grown.checkpoints() == before


# -- crashes


class PowerCut(BaseException):
    """What no handler expects."""


def at_step_1(patch: pytest.MonkeyPatch) -> None:
    """Before (size, root) is committed."""
    real = Transaction.do

    def cut(tx: Transaction, name: str, /, **values: object) -> int:
        done = real(tx, name, **values)
        if name == "add_checkpoint":
            raise PowerCut
        return done

    patch.setattr(Transaction, "do", cut)


def between_1_and_2(patch: pytest.MonkeyPatch) -> None:
    """(size, root) is committed, the mark is not raised."""

    def cut(marks: MarkFile, mark: Mark) -> None:
        raise PowerCut

    patch.setattr(MarkFile, "raise_to", cut)


def between_2_and_3(patch: pytest.MonkeyPatch) -> None:
    """The mark is raised, nothing is signed."""

    def cut(signer: Signer, text: str) -> Signature:
        raise PowerCut

    patch.setattr(Signer, "signature", cut)


def after_signing(patch: pytest.MonkeyPatch) -> None:
    """The note is signed and isn't stored yet."""
    real = Transaction.do

    def cut(tx: Transaction, name: str, /, **values: object) -> int:
        if name == "set_note":
            raise PowerCut
        return real(tx, name, **values)

    patch.setattr(Transaction, "do", cut)


CUTS = (at_step_1, between_1_and_2, between_2_and_3, after_signing)


@pytest.mark.parametrize("grows", [False, True], ids=["as it was", "grown meanwhile"])
@pytest.mark.parametrize("cut", CUTS)
def test_cut_off_between_any_two_steps(
    grown: World, cut: Callable[[pytest.MonkeyPatch], None], grows: bool
) -> None:
    """The next call signs what was committed, then the rest; never two roots for a size."""
    with pytest.MonkeyPatch.context() as patch:
        cut(patch)
        with pytest.raises(PowerCut):
            grown.sign()
    assert [checkpoint.size for checkpoint in signed(grown)] == [2]
    other = grown.again()
    if grows:
        other.add("weather", 5, seed=7)
        other.seal()
    newest = other.sign()
    assert newest is not None
    assert newest.size == 3 + grows
    left_unsigned = cut is not at_step_1
    sizes = [2, *([3] if left_unsigned or not grows else []), *([4] if grows else [])]
    assert [checkpoint.size for checkpoint in signed(other)] == sizes
    assert other.audit().findings == ()
    other.close()


def test_many_signers_at_once_sign_one_root_for_each_size(world: World) -> None:
    """Signers and sealers race; each signed size has one root, all on one branch."""
    dataset = world.dataset("weather")
    others = [world.again() for _ in range(5)]
    ready = Barrier(len(others))

    def race(other: World) -> None:
        ready.wait()
        for _ in range(4):
            other.seal()
            other.sign()

    with ThreadPoolExecutor(len(others)) as threads:
        for seed in range(8):
            world.add(dataset, 5, seed=seed)
            list(threads.map(race, others))
    for other in others:
        other.close()
    leaves = [row[0] for row in world.rows("SELECT leaf FROM batches ORDER BY index")]
    found = signed(world)
    assert found[-1].size == len(leaves) == 8
    for checkpoint in found:
        assert checkpoint.root == root(leaves[: checkpoint.size])  # type: ignore[arg-type]


def test_a_slow_signer_does_not_turn_the_mark_back(grown: World) -> None:
    """A process stopped before it raised the mark wakes after others went on."""
    slow, real = grown.again(), MarkFile.raise_to
    went_on = False

    def late(marks: MarkFile, mark: Mark) -> None:
        nonlocal went_on
        if not went_on:
            went_on = True
            grown.sign()
            grown.add("weather", 5, seed=7)
            grown.seal()
            grown.sign()
        real(marks, mark)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MarkFile, "raise_to", late)
        slow.sign()
    slow.close()
    mark = grown.marks.read()
    assert mark is not None
    assert mark.size == 4
    assert [checkpoint.size for checkpoint in signed(grown)] == [2, 3, 4]
    assert grown.audit().findings == ()
