# SPDX-License-Identifier: Apache-2.0
"""API keys: only a hash is kept, each ends in time, and nobody gives what it doesn't have."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from notary.core.errors import MalformedText
from notary.store.errors import NameTaken, StoreUnavailable
from notary.store.pool import Transaction
from notary.usecases import api_keys, departments
from notary.usecases.api_keys import NewKey
from notary.usecases.rights import (
    SCOPES,
    Caller,
    KeyRestricted,
    KeyUnknown,
    NotFound,
    ScopeMissing,
    TooManyKeys,
)
from tests.usecases.world import World, new_department

MINE = "water-works"


def make(world: World, *scopes: str, giver: Caller | None = None, **more: object) -> str:
    """A key of the water works."""
    new = replace(NewKey(MINE, scopes or ("read",)), **more)
    return api_keys.add_key(world.pool, new, world.now, giver)


def opens(world: World, key: str) -> Caller:
    """Who stands behind the key now."""
    return api_keys.find_caller(world.pool, key, world.now)


def id_of(key: str) -> str:
    """The part of a key that isn't secret."""
    return key.split("_")[1]


# -- what a key is


def test_a_key_opens_for_its_department(world: World) -> None:
    """The key that was shown once leads to its department, and to what it may do."""
    caller = opens(world, make(world, "write", "read"))
    assert (caller.department, caller.scopes) == (MINE, {"read", "write"})
    assert caller.datasets is None


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
        opens(world, _altered(world.api_key)[which])
    assert refused.value.detail == KeyUnknown().detail


@pytest.mark.parametrize(
    "new",
    [
        NewKey(MINE, ()),
        NewKey(MINE, ("everything",)),
        NewKey(MINE, ("read", "root")),
        NewKey(MINE, ("READ",)),
        NewKey(MINE, days=0),
        NewKey(MINE, days=-1),
        NewKey(MINE, days=1_097),
        NewKey(MINE, datasets=["x"] * 101),
    ],
)
def test_an_unusable_key_is_refused(world: World, new: NewKey) -> None:
    """Scopes are known words, lifetimes and lists bounded."""
    with pytest.raises(MalformedText):
        api_keys.add_key(world.pool, new, world.now)
    assert world.rows("SELECT count(*) FROM api_keys") == [(1,)]


@pytest.mark.parametrize("department", ["nobody", "", "a b", "water-works\n"])
def test_a_key_needs_a_department(world: World, department: str) -> None:
    """Nothing is made for a department that isn't there."""
    with pytest.raises((NotFound, MalformedText)):
        api_keys.add_key(world.pool, NewKey(department), world.now)


def test_a_department_has_a_bounded_number_of_keys(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever got hold of a `manage` key can't fill the database with others; ended ones go."""
    monkeypatch.setattr(api_keys, "MAX_KEYS", 3)
    one, short = make(world), make(world, days=1)
    for act in (
        lambda: make(world),
        lambda: api_keys.rotate_key(world.pool, id_of(one), timedelta(hours=1), world.now),
    ):
        with pytest.raises(TooManyKeys):
            act()
    assert opens(world, one)
    two = api_keys.rotate_key(world.pool, id_of(one), timedelta(0), world.now)
    api_keys.revoke_key(world.pool, id_of(two), world.now)
    make(world)
    world.pass_by(86_400)
    with pytest.raises(KeyUnknown):
        opens(world, short)
    make(world)
    new_department(world.pool, "tax-office", world.now)


# -- how it ends


def test_a_key_expires(world: World) -> None:
    """After a year unless it is said, to the moment, and like a key that never was."""
    key, short = make(world), make(world, days=1)
    world.pass_by(86_399)
    assert opens(world, short)
    world.pass_by(1)
    with pytest.raises(KeyUnknown):
        opens(world, short)
    world.pass_by(364 * 86_400 - 1)
    assert opens(world, key)
    world.pass_by(1)
    with pytest.raises(KeyUnknown):
        opens(world, key)


def test_a_revoked_key_opens_nothing(world: World) -> None:
    """Revoking works at once, once, and leaves other keys of the department alone."""
    other = make(world)
    api_keys.revoke_key(world.pool, world.caller.key_id, world.now)
    with pytest.raises(KeyUnknown):
        opens(world, world.api_key)
    assert opens(world, other).department == MINE
    with pytest.raises(NotFound):
        api_keys.revoke_key(world.pool, world.caller.key_id, world.now)
    listed = {row["id"]: row["revoked_at"] for row in api_keys.list_keys(world.pool, "", 10)}
    assert listed == {world.caller.key_id: world.now, id_of(other): None}


def test_a_rotated_key_ends_after_the_overlap(world: World) -> None:
    """Both open until then; the new one may do the same and lives as long as the old one did."""
    closed = world.dataset(None)
    old = make(world, "read", "erase", datasets=[closed], days=10)
    world.pass_by(86_400)
    new = api_keys.rotate_key(world.pool, id_of(old), timedelta(hours=2), world.now)
    assert replace(opens(world, new), key_id=id_of(old)) == opens(world, old)
    world.pass_by(7_199)
    assert opens(world, old)
    world.pass_by(1)
    with pytest.raises(KeyUnknown):
        opens(world, old)
    world.pass_by(10 * 86_400 - 7_201)
    assert opens(world, new)
    world.pass_by(1)
    with pytest.raises(KeyUnknown):
        opens(world, new)


def test_rotation_never_prolongs_the_old_key(world: World) -> None:
    """The overlap shortens what is left, it doesn't lengthen it."""
    old = make(world, days=1)
    api_keys.rotate_key(world.pool, id_of(old), timedelta(hours=720), world.now)
    world.pass_by(86_400)
    with pytest.raises(KeyUnknown):
        opens(world, old)


@pytest.mark.parametrize("end", ["revoked", "expired", "unknown"])
def test_an_ended_key_is_not_rotated(world: World, end: str) -> None:
    """A key that opens nothing gets no successor."""
    key = make(world, days=1)
    if end == "revoked":
        api_keys.revoke_key(world.pool, id_of(key), world.now)
    if end == "expired":
        world.pass_by(86_400)
    which = "0" * 12 if end == "unknown" else id_of(key)
    with pytest.raises(NotFound):
        api_keys.rotate_key(world.pool, which, timedelta(0), world.now)
    assert world.rows("SELECT count(*) FROM api_keys") == [(2,)]


@pytest.mark.parametrize("hours", [-1, 721, 1e9])
def test_an_overlap_is_bounded(world: World, hours: float) -> None:
    """Nobody leaves an old key valid for ever by rotating it."""
    with pytest.raises(MalformedText):
        api_keys.rotate_key(
            world.pool, world.caller.key_id, timedelta(hours=min(hours, 10**8)), world.now
        )
    assert opens(world, world.api_key)


def test_a_closed_departments_keys_end_for_good(world: World) -> None:
    """All of them, at once; no new one is made, no old one rotated; its datasets stay."""
    closed, key = world.dataset(None), make(world)
    departments.close_department(world.pool, MINE, world.now)
    for one in (key, world.api_key):
        with pytest.raises(KeyUnknown):
            opens(world, one)
        with pytest.raises(NotFound):
            api_keys.rotate_key(world.pool, id_of(one), timedelta(0), world.now)
    with pytest.raises(NotFound):
        make(world)
    with pytest.raises(NotFound):
        departments.close_department(world.pool, MINE, world.now)
    with pytest.raises(NameTaken):
        departments.add_department(world.pool, MINE, "Again", world.now)
    assert world.rows("SELECT count(*) FROM datasets WHERE name = %s", closed) == [(1,)]


# -- the last use


def test_the_last_use_is_written_at_most_once_an_hour(world: World) -> None:
    """A busy key costs one write an hour, and its list tells the use to the hour."""
    key = make(world)

    def used() -> object:
        return world.rows("SELECT used_at FROM api_keys WHERE id = %s", id_of(key))[0][0]

    assert used() is None
    opens(world, key)
    first = world.now
    assert used() == first
    for _ in range(3):
        world.pass_by(1_199)
        opens(world, key)
        assert used() == first
    world.pass_by(4)
    opens(world, key)
    assert used() == world.now


def test_a_wrong_secret_is_no_use(world: World) -> None:
    """Whoever guesses leaves no trace of a use."""
    key = make(world)
    with pytest.raises(KeyUnknown):
        opens(world, f"ntr_{id_of(key)}_{'0' * 64}")
    assert world.rows("SELECT used_at FROM api_keys WHERE id = %s", id_of(key)) == [(None,)]


def test_a_key_opens_where_its_use_can_not_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, or a lock that is held, doesn't shut readers out."""
    key, real = make(world), Transaction.do

    def full(tx: Transaction, name: str, /, **values: object) -> int:
        if name == "note_use_of_api_key":
            raise StoreUnavailable("The disk is full.")
        return real(tx, name, **values)

    monkeypatch.setattr(Transaction, "do", full)
    assert opens(world, key).department == MINE


# -- who gives what


@pytest.mark.parametrize("scope", [scope for scope in SCOPES if scope != "admin"])
def test_nobody_gives_a_scope_that_it_lacks(world: World, scope: str) -> None:
    """Neither by making a key nor by rotating one, which would hand it out all the same."""
    others = [one for one in SCOPES if one not in (scope, "admin")]
    giver = opens(world, make(world, *others))
    rich = make(world, scope)
    with pytest.raises(ScopeMissing) as refused:
        make(world, "read", scope, giver=giver)
    assert refused.value.facts["scope"] == scope
    with pytest.raises(ScopeMissing):
        api_keys.rotate_key(world.pool, id_of(rich), timedelta(0), world.now, giver)
    assert opens(world, rich)
    assert opens(world, make(world, *others, giver=giver))


def test_nobody_becomes_the_operator(world: World) -> None:
    """A department's key with every other scope can't give `admin`, nor rotate such a key."""
    giver = opens(world, make(world, *(scope for scope in SCOPES if scope != "admin")))
    operators = make(world, "admin")
    with pytest.raises(ScopeMissing):
        make(world, "admin", giver=giver)
    with pytest.raises(ScopeMissing):
        api_keys.rotate_key(world.pool, id_of(operators), timedelta(0), world.now, giver)


def test_another_departments_keys_are_not_there(world: World) -> None:
    """They can't be made, listed, rotated or revoked; the answer is that of an unknown id."""
    theirs = new_department(world.pool, "tax-office", world.now)
    giver = opens(world, make(world, "manage", "read"))
    for act in (
        lambda: make(world, "read", department="tax-office", giver=giver),
        lambda: make(world, "read", department="nobody", giver=giver),
        lambda: api_keys.rotate_key(world.pool, id_of(theirs), timedelta(0), world.now, giver),
        lambda: api_keys.revoke_key(world.pool, id_of(theirs), world.now, giver),
    ):
        with pytest.raises(NotFound):
            act()
    listed = api_keys.list_keys(world.pool, "", 10, giver)
    assert {row["department"] for row in listed} == {MINE}
    assert opens(world, theirs)


def test_a_restricted_key_handles_no_keys(world: World) -> None:
    """Else it would make itself one that isn't restricted."""
    closed = world.dataset(None)
    giver = opens(world, make(world, "manage", "read", datasets=[closed]))
    for act in (
        lambda: make(world, "read", giver=giver),
        lambda: make(world, "read", datasets=[closed], giver=giver),
        lambda: api_keys.list_keys(world.pool, "", 10, giver),
        lambda: api_keys.rotate_key(world.pool, giver.key_id, timedelta(0), world.now, giver),
        lambda: api_keys.revoke_key(world.pool, giver.key_id, world.now, giver),
    ):
        with pytest.raises(KeyRestricted):
            act()


def test_a_key_is_restricted_to_its_departments_datasets_only(world: World) -> None:
    """A name of another's dataset is answered as one that doesn't exist."""
    new_department(world.pool, "tax-office", world.now)
    closed, opened = world.dataset(None), world.dataset("weather")
    for name in (closed, opened, "nowhere"):
        with pytest.raises(NotFound) as refused:
            api_keys.add_key(world.pool, NewKey("tax-office", datasets=[name]), world.now)
        assert refused.value.detail == f"There is no dataset {name} here."


def test_the_operators_key_handles_all_keys(world: World) -> None:
    """It gives what it lacks itself, to every department."""
    new_department(world.pool, "tax-office", world.now)
    admin = opens(world, make(world, "admin"))
    key = make(world, "erase", "read", department="tax-office", giver=admin)
    assert opens(world, key).department == "tax-office"
    assert len(api_keys.list_keys(world.pool, "", 10, admin)) == 4
    api_keys.revoke_key(world.pool, id_of(key), world.now, admin)
    with pytest.raises(KeyUnknown):
        opens(world, key)


# -- departments


@pytest.mark.parametrize("id_", ["", "a b", "\u96e8", "x" * 129, "a\n", "."])
def test_a_department_needs_a_legal_id(world: World, id_: str) -> None:
    """It stands in addresses and beside records."""
    with pytest.raises(MalformedText):
        departments.add_department(world.pool, id_, "Name", world.now)


@pytest.mark.parametrize("name", ["", "a\nb", "a\x00b", "x" * 201, "\ud800"])
def test_a_department_needs_a_decent_name(world: World, name: str) -> None:
    """It is shown to people; what breaks is refused here."""
    with pytest.raises(MalformedText):
        departments.add_department(world.pool, "new", name, world.now)


def test_departments_are_listed_page_by_page(world: World) -> None:
    """By id, the closed ones too."""
    for name in ("a", "z"):
        departments.add_department(world.pool, name, name.upper(), world.now)
    departments.close_department(world.pool, "a", world.now)
    first = departments.list_departments(world.pool, "", 2)
    assert [(row["id"], row["closed_at"]) for row in first] == [("a", world.now), (MINE, None)]
    assert [row["id"] for row in departments.list_departments(world.pool, MINE, 2)] == ["z"]
