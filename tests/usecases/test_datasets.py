# SPDX-License-Identifier: Apache-2.0
"""Datasets are made on purpose, say what they are, and nobody sees what is another's."""

import psycopg2
import pytest

from notary.core.errors import MalformedText
from notary.core.words import check_id
from notary.store.errors import NameTaken
from notary.usecases import datasets
from notary.usecases.rights import Caller, KeyRestricted, NotFound
from tests.usecases.world import World

STRANGER = Caller("000000000000", "fire-brigade")


def test_a_closed_dataset_gets_a_random_id(world: World) -> None:
    """Neither the name that was asked for nor the label reaches the public id."""
    made = datasets.add_dataset(
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
    facts = datasets.add_dataset(
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
            datasets.get_dataset(world.pool, closed, caller)
        with pytest.raises(NotFound) as absent:
            datasets.get_dataset(world.pool, "d." + "0" * 32, caller)
        assert refused.value.detail.replace(closed, "?") == absent.value.detail.replace(
            "d." + "0" * 32, "?"
        )
    assert datasets.get_dataset(world.pool, closed, world.caller).name == closed


def test_nobody_writes_into_anothers_open_dataset(world: World) -> None:
    """Open means readable."""
    facts = datasets.get_dataset(world.pool, world.dataset("weather"), None)
    assert facts.seen_by(None)
    assert facts.seen_by(STRANGER)
    assert not facts.owned_by(None)
    assert not facts.owned_by(STRANGER)
    assert facts.owned_by(world.caller)


def test_a_list_shows_the_open_ones_and_ones_own(world: World) -> None:
    """Page by page, in the order of ids, and nothing of others'."""
    closed = world.dataset(None)
    for name in ("air", "noise", "weather"):
        world.dataset(name)

    def walk(caller: Caller | None) -> list[str]:
        found: list[str] = []
        while page := datasets.list_datasets(
            world.pool, caller, after=found[-1] if found else "", limit=2
        ):
            found += [facts.name for facts in page]
        return found

    assert walk(None) == ["air", "noise", "weather"]
    assert walk(STRANGER) == ["air", "noise", "weather"]
    assert walk(world.caller) == sorted(["air", "noise", "weather", closed])


# -- what is said of one


def test_what_is_open_is_shared_unconditionally(world: World) -> None:
    """Closed and open begin so, unless it is said; an open one can't say otherwise."""
    facts = datasets.get_dataset(world.pool, world.dataset("weather"), None)
    assert facts.sharing == "unconditional"
    closed = datasets.get_dataset(world.pool, world.dataset(None), world.caller)
    assert closed.sharing == "not-shared"
    for sharing in ("conditional", "not-shared"):
        with pytest.raises(MalformedText):
            datasets.describe_dataset(world.pool, facts, {"sharing": sharing})
        with pytest.raises(psycopg2.errors.CheckViolation):
            world.change("UPDATE datasets SET sharing = %s WHERE is_open", sharing)


def test_a_description_changes_only_what_is_named(world: World) -> None:
    """What isn't named stays; None takes a word back."""
    name = world.dataset(None)

    def described(**said: str | None) -> datasets.DatasetFacts:
        facts = datasets.get_dataset(world.pool, name, world.caller)
        datasets.describe_dataset(world.pool, facts, said)
        return datasets.get_dataset(world.pool, name, world.caller)

    described(licence="CC-BY-4.0", catalogue="330100/0042", sharing="conditional")
    facts = described(classification="L2", update_cycle="daily", label="Noise")
    assert (facts.licence, facts.catalogue, facts.sharing) == (
        "CC-BY-4.0",
        "330100/0042",
        "conditional",
    )
    assert (facts.classification, facts.update_cycle, facts.label) == ("L2", "daily", "Noise")
    assert described(licence=None).licence is None


@pytest.mark.parametrize(
    "said",
    [
        {"sharing": "secret"},
        {"sharing": None},
        {"sharing": ""},
        {"label": None},
        {"label": ""},
        {"licence": ""},
        {"licence": "x" * 201},
        {"catalogue": "x" * 129},
        {"classification": "a\nb"},
        {"update_cycle": "\ud800"},
    ],
)
def test_an_unusable_description_is_refused(world: World, said: dict[str, str | None]) -> None:
    """And nothing of it is kept."""
    name = world.dataset(None)
    before = datasets.get_dataset(world.pool, name, world.caller)
    with pytest.raises(MalformedText):
        datasets.describe_dataset(world.pool, before, {"licence": "CC0", **said})
    assert datasets.get_dataset(world.pool, name, world.caller) == before


# -- keys for certain datasets only


def test_a_restricted_key_is_for_its_datasets_alone(world: World) -> None:
    """What else its department owns is for that key as if it weren't there."""
    mine, other = world.dataset(None), world.dataset(None)
    facts = datasets.get_dataset(world.pool, mine, world.caller)
    narrow = Caller("1" * 12, world.caller.department, datasets=frozenset([facts.id]))
    assert datasets.get_dataset(world.pool, mine, narrow) == facts
    with pytest.raises(NotFound):
        datasets.get_dataset(world.pool, other, narrow)
    listed = datasets.list_datasets(world.pool, narrow, "", 10)
    assert [one.name for one in listed] == [mine]
    with pytest.raises(KeyRestricted):
        datasets.add_dataset(world.pool, narrow, world.now, name="new", label="New", is_open=True)
