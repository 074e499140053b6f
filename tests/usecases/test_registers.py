# SPDX-License-Identifier: Apache-2.0
"""Logs, keys and datasets are made on purpose, and nobody sees what is another's."""

import re
from dataclasses import replace

import pytest

from notary.core.errors import MalformedText
from notary.core.words import check_id
from notary.store.errors import NameTaken
from notary.usecases import registers
from notary.usecases.marks import MarkFile, StateRefused
from notary.usecases.registers import Caller, KeyUnknown, NotFound
from notary.wiring import initialise
from tests.usecases.world import ORIGIN, World

STRANGER = Caller("000000000000", "fire brigade")


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


# -- API keys


def test_a_key_opens_for_its_owner(world: World) -> None:
    """The key that was shown once leads to the owner it was made for."""
    assert registers.find_caller(world.pool, world.api_key).owner == "water works"


def test_a_keys_secret_is_not_stored(world: World) -> None:
    """The database holds a hash of 256 random bits, nothing to log in with."""
    secret = world.api_key.rsplit("_", 1)[1]
    assert re.fullmatch(r"[0-9a-f]{64}", secret)
    stored = str(world.rows("SELECT api_keys::text FROM api_keys"))
    assert secret not in stored


def _altered(key: str) -> list[str]:
    head, identity, secret = key.split("_")
    flipped = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    return [
        "",
        key[:-1],
        key + "0",
        key + "\n",
        " " + key,
        key.upper(),
        f"{head}_{identity}_{flipped}",
        f"{head}_{'0' * 12}_{secret}",
        f"{head}_{identity}_{'0' * 64}",
        f"xxx_{identity}_{secret}",
        f"{identity}_{secret}",
        f"{head}_{identity}_" + "\N{FULLWIDTH DIGIT ZERO}" * 64,
    ]


@pytest.mark.parametrize("which", range(12))
def test_an_altered_key_opens_nothing(world: World, which: int) -> None:
    """Each alteration is refused with the same error: it doesn't tell what was wrong."""
    with pytest.raises(KeyUnknown) as refused:
        registers.find_caller(world.pool, _altered(world.api_key)[which])
    assert refused.value.detail == KeyUnknown().detail


def test_a_revoked_key_opens_nothing(world: World) -> None:
    """Revoking works at once, once, and leaves other keys of the owner alone."""
    other = registers.add_key(world.pool, "water works", world.now)
    registers.revoke_key(world.pool, world.caller.key_id, world.now)
    with pytest.raises(KeyUnknown):
        registers.find_caller(world.pool, world.api_key)
    assert registers.find_caller(world.pool, other).owner == "water works"
    with pytest.raises(NotFound):
        registers.revoke_key(world.pool, world.caller.key_id, world.now)
    listed = {row["id"]: row["revoked_at"] for row in registers.list_keys(world.pool)}
    assert listed[world.caller.key_id] == world.now
    assert None in listed.values()


@pytest.mark.parametrize("owner", ["", "a\nb", "a\x00b", "x" * 129, "\ud800"])
def test_a_key_needs_a_decent_owner(world: World, owner: str) -> None:
    """The owner's name is shown to people; what breaks is refused here."""
    with pytest.raises(MalformedText):
        registers.add_key(world.pool, owner, world.now)


# -- datasets


def test_a_closed_dataset_gets_a_random_id(world: World) -> None:
    """Neither the name that was asked for nor the label reaches the public id."""
    made = registers.add_dataset(
        world.pool, world.caller, world.now, name="wages", label="Wages", is_open=False
    )
    assert check_id(made.name) == made.name
    assert "wages" not in made.name.lower()
    assert len(set(made.name[2:])) > 4


def test_closed_datasets_differ_from_each_other(world: World) -> None:
    """Two ids have nothing in common but their form."""
    assert world.dataset(None) != world.dataset(None)


def test_an_id_is_given_once(world: World) -> None:
    """A second dataset of the same id is refused by name."""
    world.dataset("weather")
    with pytest.raises(NameTaken):
        world.dataset("weather")
    assert world.rows("SELECT count(*) FROM datasets") == [(1,)]


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "x" * 129, "a\n", "\x00", "雨"])
def test_an_open_dataset_needs_a_legal_id(world: World, name: str) -> None:
    """The id stands in statements for ever: only the letters of the format."""
    with pytest.raises(MalformedText):
        world.dataset(name)


def test_the_digest_index_is_for_open_datasets_only(world: World) -> None:
    """A digest of a closed dataset's payload would outlive its erasure."""
    facts = registers.add_dataset(
        world.pool,
        world.caller,
        world.now,
        name=None,
        label="Wages",
        is_open=False,
        digest_index=True,
    )
    assert not facts.digest_index


def test_what_is_anothers_is_not_there(world: World) -> None:
    """A stranger gets the same answer for a closed dataset as for none at all."""
    closed = world.dataset(None)
    for caller in (None, STRANGER):
        with pytest.raises(NotFound) as refused:
            registers.get_dataset(world.pool, closed, caller)
        with pytest.raises(NotFound) as absent:
            registers.get_dataset(world.pool, "d." + "0" * 32, caller)
        assert refused.value.detail.replace(closed, "?") == absent.value.detail.replace(
            "d." + "0" * 32, "?"
        )
    assert registers.get_dataset(world.pool, closed, world.caller).name == closed


def test_nobody_writes_into_anothers_open_dataset(world: World) -> None:
    """Open means readable."""
    facts = registers.get_dataset(world.pool, world.dataset("weather"), None)
    assert facts.readable_by(None)
    assert facts.readable_by(STRANGER)
    assert not facts.writable_by(None)
    assert not facts.writable_by(STRANGER)
    assert facts.writable_by(world.caller)


def test_a_list_shows_the_open_ones_and_ones_own(world: World) -> None:
    """Page by page, in the order of ids, and nothing of others'."""
    closed = world.dataset(None)
    for name in ("air", "noise", "weather"):
        world.dataset(name)

    def walk(caller: Caller | None) -> list[str]:
        found: list[str] = []
        while page := registers.list_datasets(
            world.pool, caller, after=found[-1] if found else "", limit=2
        ):
            found += [facts.name for facts in page]
        return found

    assert walk(None) == ["air", "noise", "weather"]
    assert walk(STRANGER) == ["air", "noise", "weather"]
    assert walk(world.caller) == sorted(["air", "noise", "weather", closed])
