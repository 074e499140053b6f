# SPDX-License-Identifier: Apache-2.0
"""A log is made on purpose, and tied again to its database on purpose."""

from dataclasses import replace

import pytest

from notary.usecases import registers
from notary.usecases.marks import MarkFile, StateRefused
from notary.wiring import initialise
from tests.usecases.world import ORIGIN, World


def test_a_second_log_is_never_made_in_the_same_database(world: World) -> None:
    """`init` on a database with a log changes nothing."""
    with pytest.raises(StateRefused) as refused:
        initialise(world.parts.settings, ORIGIN)
    assert refused.value.facts["reason"] == "log-exists"
    assert world.rows("SELECT count(*) FROM log") == [(1,)]


def test_a_log_is_not_begun_again_beside_the_mark_of_a_grown_one(world: World) -> None:
    """An emptied database isn't a reason for a second log of the same name."""
    world.add(world.dataset("weather"), 5)
    world.settle()
    before = world.marks.read()
    world.change("TRUNCATE log, checkpoints, anchors, batches CASCADE")
    with pytest.raises(StateRefused) as refused:
        initialise(world.parts.settings, ORIGIN)
    assert refused.value.facts["reason"] == "log-exists"
    assert world.rows("SELECT count(*) FROM log") == [(0,)]
    assert world.marks.read() == before


def test_a_new_log_is_empty_and_marked(world: World) -> None:
    """The first mark has size 0 and ties the log to this database."""
    mark = world.marks.read()
    assert mark is not None
    assert (mark.origin, mark.vkey, mark.size) == (ORIGIN, world.signer.vkey, 0)
    assert world.rows("SELECT origin, vkey, size, chain FROM log") == [
        (ORIGIN, world.signer.vkey, 0, 0)
    ]


# -- adopt


def test_adopt_ties_a_moved_database_to_the_mark(world: World) -> None:
    """After a move of the whole, adopt opens the gate again."""
    world.add(world.dataset("weather"), 5)
    world.settle()
    mark = world.marks.read()
    assert mark is not None
    world.marks.replace(replace(mark, incarnation=replace(mark.incarnation, system="1")))
    with pytest.raises(StateRefused):
        world.again().gate.open()
    registers.adopt(world.pool, world.marks)
    assert world.again().gate.open().origin == ORIGIN


@pytest.mark.parametrize("change", ["size", "root", "origin", "vkey"])
def test_adopt_refuses_what_does_not_hold_the_marks_checkpoint(world: World, change: str) -> None:
    """A database behind the mark, on another branch, or of another log stays shut out."""
    world.add(world.dataset("weather"), 5)
    world.settle()
    mark = world.marks.read()
    assert mark is not None
    other = {
        "size": replace(mark, size=mark.size + 1),
        "root": replace(mark, root="ab" * 32),
        "origin": replace(mark, origin="other.example/log"),
        "vkey": replace(mark, vkey=mark.vkey[:-2] + "A="),
    }[change]
    world.marks.replace(other)
    with pytest.raises(StateRefused):
        registers.adopt(world.pool, world.marks)
    assert world.marks.read() == other


def test_adopt_refuses_an_empty_database(world: World) -> None:
    """Where there is no log there is nothing to adopt, and the mark stays."""
    before = world.marks.read()
    world.change("DELETE FROM log")
    with pytest.raises(StateRefused) as refused:
        registers.adopt(world.pool, world.marks)
    assert refused.value.facts["reason"] == "no-log"
    assert world.marks.read() == before


def test_adopt_makes_up_for_a_lost_mark(world: World) -> None:
    """With the mark file lost, a person may vouch for the database, and only a person."""
    world.add(world.dataset("weather"), 5)
    world.settle()
    before = world.marks.read()
    world.marks.path.unlink()
    with pytest.raises(StateRefused) as refused:
        world.again().gate.open()
    assert refused.value.facts["reason"] == "no-mark"
    registers.adopt(world.pool, MarkFile(world.marks.path))
    after = world.marks.read()
    assert before is not None
    assert after is not None
    assert (after.size, after.root, after.vkey) == (before.size, before.root, before.vkey)
    world.again().gate.open()
