# SPDX-License-Identifier: Apache-2.0
"""Registering sources and keys, in a list or one by one; and what ingest remembers of them."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.core.errors import MalformedText
from notary.keys import read_secret
from notary.usecases import sources
from notary.usecases.datasets import DatasetFacts
from notary.usecases.reading import Reading
from notary.usecases.rights import NotFound
from notary.usecases.source_book import REFRESH_SECONDS, SourceBook
from notary.usecases.source_files import parse_moment, parse_sources
from notary.usecases.sources import MAX_KEYS, NewKey, NewSource, SourcesRefused
from tests.usecases.world import World

PUBLIC = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw()
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))).public_key().public_bytes_raw()
SECRET = bytes(range(100, 132))
HEX = PUBLIC.hex()


def instance(world: World) -> bytes:
    """The instance secret."""
    return read_secret(world.parts.settings.secret_file)


def dataset(world: World, name: str | None = "air", **more: bool) -> DatasetFacts:
    """A new dataset."""
    return world.datasets[world.dataset(name, lane_count=2, **more)]  # type: ignore[arg-type]


def register(world: World, facts: DatasetFacts, *new: NewSource) -> None:
    """Register as the owner does."""
    sources.register(world.pool, instance(world), facts, new, world.now)


def public(name: str = "k1", material: bytes = PUBLIC, **more: object) -> NewKey:
    """An Ed25519 key."""
    return NewKey(name, "ed25519", material, **more)  # type: ignore[arg-type]


class Watch:
    """A stopwatch that stands still until told otherwise."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def book(world: World, watch: Watch | None = None) -> SourceBook:
    """What a process remembers."""
    return SourceBook(world.pool, instance(world), watch or Watch())


def test_a_registered_source_is_known_with_its_keys(world: World) -> None:
    """Public keys as they are, secrets opened."""
    air = dataset(world)
    secret = NewKey("h1", "hmac-sha256", SECRET)
    register(world, air, NewSource("s1", "Harbour", (public(), secret)), NewSource("s2"))
    found = book(world).ask([("air", "s1"), ("air", "s2"), ("air", "s3"), ("water", "s1")])
    one = found["air", "s1"]
    assert (one.known, one.registered, one.revoked) == (True, True, False)
    assert {key.id: key.material for key in one.keys.values()} == {"k1": PUBLIC, "h1": SECRET}
    assert (found["air", "s2"].known, found["air", "s2"].keys) == (True, {})
    assert (found["air", "s3"].has_dataset, found["air", "s3"].known) == (True, False)
    assert not found["water", "s1"].has_dataset


def test_a_secret_is_stored_sealed_and_never_listed(world: World) -> None:
    """Whoever has the database alone has no secret."""
    air = dataset(world)
    register(world, air, NewSource("s1", keys=(NewKey("h1", "hmac-sha256", SECRET),)))
    (row,) = world.rows("SELECT material FROM source_keys")
    assert SECRET not in bytes(row[0])  # type: ignore[call-overload]
    (key,) = sources.list_keys(world.pool, air, "s1")
    assert (key["public_key"], key["fingerprint"]) == (None, None)
    assert "material" not in key


def test_a_source_with_records_is_registered_as_the_one_it_is(world: World) -> None:
    """Its chain goes on; nothing of it begins anew."""
    air = dataset(world)
    world.add("air", 5, sources=1)
    register(world, air, NewSource("s0", keys=(public(),)))
    world.add("air", 5, sources=1, seed=1)
    assert world.rows("SELECT count(*) FROM sources") == [(1,)]
    assert world.rows("SELECT max(n) FROM records") == [(9,)]
    world.settle()
    assert world.audit().findings == ()


def test_a_source_registered_before_its_first_reading_has_one_chain(world: World) -> None:
    """Also in a closed dataset with random names; and a source without records audits well."""
    closed = dataset(world, None, random_sources=True)
    register(world, closed, NewSource("mrs-smith", "Mrs Smith"), NewSource("mr-jones"))
    world.accept([Reading(closed.name, "mrs-smith", b"x", "text/plain", "key:k1", key="1")])
    assert world.rows("SELECT count(*) FROM sources") == [(2,)]
    world.settle()
    assert world.audit().findings == ()


def test_the_same_twice_is_registered_once(world: World) -> None:
    """A list can be imported again, with a line more, and a new title."""
    air = dataset(world)
    register(world, air, NewSource("s1", "Harbor", (public(),)))
    register(world, air, NewSource("s1", "Harbour", (public(), public("k2", OTHER))))
    register(world, air, NewSource("s1", None, (public(),)))
    (row,) = sources.list_registered(world.pool, air)
    assert (row["title"], [key["id"] for key in row["keys"]]) == ("Harbour", ["k1", "k2"])


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (NewSource("s 1"), "must be 1 to 128"),
        (NewSource(".."), "must be 1 to 128"),
        (NewSource("s1", "a\nb"), "control character"),
        (NewSource("s1", "x" * 201), "1 to 200"),
        (NewSource("s1", keys=(public("k 1"),)), "must be 1 to 128"),
        (NewSource("s1", keys=(public("-"),)), "can't be -"),
        (NewSource("there", keys=(public("k1", OTHER),)), "another key k1"),
        (NewSource("there", keys=(NewKey("k1", "es256", PUBLIC),)), "another key k1"),
        (NewSource("there", keys=(NewKey("k1", "hmac-sha256", PUBLIC),)), "another key k1"),
        (NewSource("there", keys=(public("old"),)), "another key old"),
        (NewSource("s1", keys=(public(), public("k1", OTHER))), "another key k1"),
        (NewSource("gone"), "revoked"),
        (NewSource("gone", keys=(public("k9"),)), "revoked"),
        (NewSource("s1", keys=tuple(public(f"k{i}") for i in range(MAX_KEYS + 1))), "more than"),
    ],
)  # fmt: skip
def test_a_fault_of_one_registers_nothing_of_all(world: World, new: NewSource, words: str) -> None:
    """Neither the good one before it nor the one behind it."""
    air = dataset(world)
    register(world, air, NewSource("there", keys=(public(), public("old"))), NewSource("gone"))
    sources.revoke(world.pool, air, "there", "old", world.now)
    sources.revoke(world.pool, air, "gone", None, world.now)
    before = world.rows("SELECT * FROM registrations, source_changes ORDER BY 1")
    with pytest.raises(SourcesRefused, match=words):
        register(world, air, NewSource("first"), new, NewSource("last"))
    assert world.rows("SELECT * FROM registrations, source_changes ORDER BY 1") == before
    assert world.rows("SELECT count(*) FROM sources") == [(2,)]


def test_a_key_that_would_never_be_valid_is_refused(world: World) -> None:
    """It ends before it begins."""
    air = dataset(world)
    key = public(valid_from=world.now, valid_to=world.now)
    with pytest.raises(SourcesRefused, match="before it begins"):
        register(world, air, NewSource("s1", keys=(key,)))
    past = public(valid_to=world.now - timedelta(days=1))
    with pytest.raises(SourcesRefused, match="before it begins"):
        register(world, air, NewSource("s1", keys=(past,)))


def test_keys_change_with_an_overlap(world: World) -> None:
    """The old one stays valid for what is still on its way, and no longer."""
    air = dataset(world)
    register(world, air, NewSource("s1", keys=(public(),)))
    overlap = timedelta(days=7)
    shown = sources.add_key(
        world.pool, instance(world), air, "s1", public("k2", OTHER), world.now, overlap=overlap
    )
    assert shown["id"] == "k2"
    old, new = sources.list_keys(world.pool, air, "s1")
    assert (old["valid_to"], new["valid_to"]) == (world.now + overlap, None)


def test_a_key_is_added_to_registered_sources_alone(world: World) -> None:
    """A source with records that nobody registered has no keys."""
    air = dataset(world)
    world.add("air", 1, sources=1)
    for name in ("s0", "s9"):
        with pytest.raises(NotFound):
            sources.add_key(world.pool, instance(world), air, name, public(), world.now)
        with pytest.raises(NotFound):
            sources.list_keys(world.pool, air, name)


def test_revoking_is_told_once_and_for_good(world: World) -> None:
    """A second time there is nothing valid of that name; a source takes its keys along."""
    air = dataset(world)
    register(world, air, NewSource("s1", keys=(public(), public("k2", OTHER))))
    sources.revoke(world.pool, air, "s1", "k1", world.now)
    for key in ("k1", "k9"):
        with pytest.raises(NotFound):
            sources.revoke(world.pool, air, "s1", key, world.now)
    sources.revoke(world.pool, air, "s1", None, world.now)
    with pytest.raises(NotFound):
        sources.revoke(world.pool, air, "s1", None, world.now)
    (row,) = sources.list_registered(world.pool, air)
    assert row["revoked_at"] == world.now
    assert all(key["revoked_at"] for key in row["keys"])


def test_one_dataset_says_nothing_of_another(world: World) -> None:
    """The same words in two datasets are two sources with keys of their own."""
    air, water = dataset(world), dataset(world, "water")
    register(world, air, NewSource("s1", keys=(public(),)))
    register(world, water, NewSource("s1", keys=(public("k1", OTHER),)))
    found = book(world).ask([("air", "s1"), ("water", "s1")])
    assert [one.keys["k1"].material for one in found.values()] == [PUBLIC, OTHER]
    with pytest.raises(NotFound):
        sources.revoke(world.pool, dataset(world, "soil"), "s1", "k1", world.now)


# -- what a process remembers


def test_a_change_is_heeded_after_a_moment(world: World) -> None:
    """What is remembered is forgotten when any registration changed, not before it is looked."""
    air, watch = dataset(world), Watch()
    register(world, air, NewSource("s1", keys=(public(),)))
    remembers = book(world, watch)
    remembers.refresh()
    remembers.ask([("air", "s1")])
    sources.revoke(world.pool, air, "s1", None, world.now)
    remembers.refresh()
    assert not remembers.senders["air", "s1"].revoked
    watch.now += REFRESH_SECONDS
    remembers.refresh()
    assert ("air", "s1") not in remembers.senders
    assert remembers.ask([("air", "s1")])["air", "s1"].revoked


def test_nothing_is_asked_again_while_nothing_changed(world: World) -> None:
    """A refresh without a change forgets nothing."""
    air, watch = dataset(world), Watch()
    register(world, air, NewSource("s1"))
    remembers = book(world, watch)
    remembers.refresh()
    remembers.ask([("air", "s1")])
    watch.now += REFRESH_SECONDS
    remembers.refresh()
    assert ("air", "s1") in remembers.senders


def test_new_sources_come_in_up_to_the_quota(world: World) -> None:
    """Those with records or a registration count; after a refresh it is counted anew."""
    air, watch = dataset(world), Watch()
    register(world, air, NewSource("s0"))
    remembers = book(world, watch)
    remembers.refresh()
    assert [remembers.admit(("air", f"new{i}"), 3) for i in range(4)] == [True, True, False, False]
    assert remembers.senders["air", "new0"].known
    watch.now += REFRESH_SECONDS
    remembers.refresh()
    assert remembers.admit(("air", "new9"), 3)


@pytest.mark.parametrize("who", [("air", "a b"), ("a/b", "s"), ("air", "\0"), ("\ud800", "s")])
def test_words_that_are_no_ids_are_not_asked_for(world: World, who: tuple[str, str]) -> None:
    """The database never sees them."""
    dataset(world)
    assert not book(world).ask([who])[who].has_dataset


def test_a_sealed_secret_of_another_instance_is_no_key(world: World) -> None:
    """After the instance secret was lost its keys are gone, and nothing else breaks."""
    air = dataset(world)
    register(world, air, NewSource("s1", keys=(NewKey("h1", "hmac-sha256", SECRET), public())))
    found = SourceBook(world.pool, b"x" * 32).ask([("air", "s1")])
    assert list(found["air", "s1"].keys) == ["k1"]


# -- lists


def test_a_list_is_read(world: World) -> None:
    """Any order of columns, empty ones left out, a BOM, CRLF, quotes; a key may stand in lines."""
    text = (
        "\ufeffsource,algorithm,key,public_key,secret,title,valid_to\r\n"
        f's1,ed25519,k1,{HEX},,"Harbour, north",2040-01-01T08:00:00+08:00\r\n'
        "\r\n"
        f"s1,hmac-sha256,h1,,{SECRET.hex()},,\r\n"
        "s2,,,,,,\r\n"
    )
    found = parse_sources(text.encode())
    assert [(one.label, one.title, len(one.keys), one.line) for one in found] == [
        ("s1", "Harbour, north", 1, 2),
        ("s1", None, 1, 4),
        ("s2", None, 0, 5),
    ]
    assert found[0].keys[0].valid_to == parse_moment("2040-01-01T00:00:00Z")
    assert (found[0].keys[0].material, found[1].keys[0].material) == (PUBLIC, SECRET)
    air = dataset(world)
    register(world, air, *found)
    assert len(sources.list_keys(world.pool, air, "s1")) == 2


def test_all_faults_of_a_list_are_told_at_once_with_their_lines() -> None:
    """And none of them repeats a secret or a private key."""
    text = (
        "source,key,algorithm,public_key,secret,valid_from\n"
        f"s 1,k1,ed25519,{HEX},,\n"
        f"s2,,ed25519,{HEX},,\n"
        f"s3,k1,rsa,{HEX},,\n"
        "s4,k1,ed25519,,,\n"
        f"s5,k1,hmac-sha256,{HEX},{SECRET.hex()},\n"
        "s6,k1,hmac-sha256,,hunter2hunter2,\n"
        f"s7,k1,ed25519,{HEX},,tomorrow\n"
        "s8,k1,ed25519,-----BEGIN PRIVATE KEY----- MC4CAQAwBQ,,\n"
        "s9,too,few\n"
        f"s10,-,ed25519,{HEX},,\n"
        f",k1,ed25519,{HEX},,\n"
    )
    with pytest.raises(SourcesRefused) as caught:
        parse_sources(text.encode())
    faults = caught.value.facts["faults"]
    assert isinstance(faults, list)
    assert [fault.split(":")[0] for fault in faults] == [f"Line {n}" for n in range(2, 13)]
    told = "\n".join(faults)
    for secret in ("hunter2", SECRET.hex(), "MC4CAQAwBQ"):
        assert secret not in told


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "column source is missing"),
        (b"source\n", "names no source"),
        (b"\n\n", "column source is missing"),
        (b"source;title\ns1;x\n", "commas part the columns"),
        (b"source,source\ns1,s1\n", "stands twice"),
        (b"source,colour\ns1,red\n", "column 2 is none of"),
        (b"s1,k1,hmac-sha256,," + SECRET.hex().encode(), "column 1 is none of"),
        ("source,title\ns1,海港\n".encode("gb18030"), "Line 2: the file is not UTF-8"),
        (b"source\ns1\0\n", "Line 2: this is not text"),
        (b'source\n"s1\n', "not CSV"),
        (b'source\n"s1"x\n', "Line 2: This is not CSV"),
        (b"source\ns1\n" + b"s,t\n" * 300, "There are 100 faults more"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_a_sentence(data: bytes, words: str) -> None:
    """One that a clerk can act on."""
    with pytest.raises(SourcesRefused, match=words) as caught:
        parse_sources(data)
    assert SECRET.hex() not in str(caught.value.facts)


@pytest.mark.parametrize(
    "text",
    ["", "2027", "2027-01-01", "2027-01-01T00:00:00", "2027-13-01T00:00:00Z", "now",
     "2027-01-01T24:00:01Z", "0001-01-01T00:00:00+23:00", "2027-01-01T00:00:00+99:00"],
)  # fmt: skip
def test_a_time_without_zone_or_sense_is_refused(text: str) -> None:
    """Of local times nobody knows later which they were."""
    with pytest.raises(MalformedText):
        parse_moment(text)
