# SPDX-License-Identifier: Apache-2.0
"""Keeping: what a dataset keeps no longer goes once it is sealed, and can still be proved."""

import json
from datetime import timedelta

import pytest

from notary.core.errors import MalformedText, PayloadMismatch
from notary.core.receipt import verify_receipt
from notary.sealer import Rounds
from notary.store.pool import Transaction
from notary.usecases import keep as keeping
from notary.usecases.datasets import add_kept_dataset, describe_dataset
from notary.usecases.erase import RecordPlace, VersionPlace
from notary.usecases.erased import ContentDropped
from notary.usecases.keep import drop_due
from notary.usecases.prove_versions import VersionProver
from notary.usecases.reading import Reading
from notary.usecases.version_look import get_row, open_file
from tests.usecases.tables import facts_of, publish, table
from tests.usecases.world import World

SECRET = b'{"name": "Wang Wei"}'
NAMES = pytest.mark.parametrize("name", ["air", None], ids=["open", "closed"])


def keep(world: World, dataset: str, word: str) -> None:
    """Say for how long its content stays."""
    describe_dataset(world.pool, facts_of(world, dataset), {"keep": word})


def hand_in(world: World, dataset: str, payload: bytes = SECRET) -> None:
    """One record, sealed and signed."""
    world.accept([Reading(dataset, "desk", payload, "text/plain", "none", key=payload.hex())])
    world.settle()


def drop(world: World) -> int:
    """Rounds until nothing is due; how many batches lost their content."""
    count = 0
    while found := len(list(drop_due(world.pool, world.now))):
        count += found
    return count


def payloads(world: World) -> list[bytes | None]:
    """What is there of each record."""
    rows = world.rows("SELECT payload FROM records ORDER BY source, n")
    return [None if row[0] is None else bytes(row[0]) for row in rows]  # type: ignore[call-overload]


@NAMES
def test_who_holds_the_payload_still_proves_it(world: World, name: str | None) -> None:
    """The receipt has no payload any more, and the salt by which a holder compares."""
    dataset = world.dataset(name, digest_index=bool(name))
    keep(world, dataset, "none")
    hand_in(world, dataset)
    assert drop(world) == 1
    assert payloads(world) == [None]
    text = world.prover().receipt(dataset, "desk", 0, caller=world.caller).text
    assert {"payload", "erased"}.isdisjoint(json.loads(text))
    trust = world.parts.trust()
    verify_receipt(text, trust, payload=SECRET)
    with pytest.raises(PayloadMismatch):
        verify_receipt(text, trust, payload=SECRET + b" ")
    assert world.audit().findings == ()


def test_what_is_not_sealed_stays(world: World) -> None:
    """However long ago it came: nothing is dropped that no batch holds."""
    dataset = world.dataset(None)
    keep(world, dataset, "none")
    world.accept([Reading(dataset, "desk", SECRET, "text/plain", "none")])
    world.pass_by(1e6)
    assert drop(world) == 0
    assert payloads(world) == [SECRET]


def test_each_batch_goes_when_its_days_are_over(world: World) -> None:
    """Not a microsecond before the last of it is so old; the next one stays."""
    dataset = world.dataset(None)
    keep(world, dataset, "30 days")
    hand_in(world, dataset, b"first")
    first = world.now
    world.pass_by(86_400)
    hand_in(world, dataset, b"second")
    world.now = first + timedelta(days=30, microseconds=-1)
    assert drop(world) == 0
    world.now = first + timedelta(days=30)
    assert drop(world) == 1
    assert payloads(world) == [None, b"second"]
    assert world.audit().findings == ()


def test_a_round_drops_one_batch_of_each_dataset(world: World) -> None:
    """So the sealer's other work never waits long."""
    for _ in range(2):
        dataset = world.dataset(None)
        keep(world, dataset, "none")
        for number in range(3):
            hand_in(world, dataset, b"%d" % number)
    assert [len(list(drop_due(world.pool, world.now))) for _ in range(4)] == [2, 2, 2, 0]


def test_the_sealer_process_does_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """In the round in which it is due, and says which batch it was."""
    dataset = world.dataset(None)
    keep(world, dataset, "none")
    world.accept([Reading(dataset, "desk", SECRET, "text/plain", "none")])
    Rounds(world.parts).go(world.pass_by())
    assert payloads(world) == [None]
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["index"] for line in said if line["event"] == "dropped"] == [0]


def test_a_dataset_that_keeps_all_loses_nothing(world: World) -> None:
    """That is how each begins; and one that comes back to it keeps what is left."""
    dataset = world.dataset(None)
    hand_in(world, dataset, b"first")
    world.pass_by(1e9)
    assert drop(world) == 0
    keep(world, dataset, "none")
    assert drop(world) == 1
    keep(world, dataset, "all")
    hand_in(world, dataset, b"second")
    world.pass_by(1e6)
    assert drop(world) == 0
    assert payloads(world) == [None, b"second"]
    assert world.audit().findings == ()


def test_what_came_before_is_still_known(world: World) -> None:
    """A reading that comes again is no new record; another under its key is."""
    dataset = world.dataset(None)
    keep(world, dataset, "none")
    hand_in(world, dataset)
    drop(world)
    for payload, duplicate in ((SECRET, True), (b"other", False)):
        reading = Reading(dataset, "desk", payload, "text/plain", "none", key=SECRET.hex())
        (one,) = world.accept([reading])
        assert one.duplicate is duplicate


@NAMES
def test_the_file_of_a_version_goes_and_is_still_proved(world: World, name: str | None) -> None:
    """Rows are not handed out any more; the file's receipt compares what a holder has."""
    dataset = world.dataset(name)
    keep(world, dataset, "none")
    file = table(700)
    publish(world, dataset, file)
    world.settle()
    world.pass_by(3_599)
    assert drop(world) == 0  # a package would still be unpacked from it
    world.pass_by(1)
    assert drop(world) == 1
    assert world.rows("SELECT count(*) FROM version_parts") == [(0,)]
    assert world.rows("SELECT count(mark) FROM version_tiles") == [(0,)]
    facts = facts_of(world, dataset)
    for read in (lambda: open_file(world.pool, facts, 1), lambda: get_row(world.pool, facts, 1, 2)):
        with pytest.raises(ContentDropped):
            read()
    text = VersionProver(world.pool, world.prover()).file_receipt(facts, 1).text
    verify_receipt(text, world.parts.trust(), payload=file)
    with pytest.raises(PayloadMismatch):
        verify_receipt(text, world.parts.trust(), payload=file + b" ")
    assert publish(world, dataset, file).is_new is False
    assert world.audit().findings == ()


@NAMES
def test_what_is_kept_no_longer_can_be_erased(world: World, name: str | None) -> None:
    """Salts, prints and digests go then; erased before, it is passed over by the dropping."""
    dataset = world.dataset(name, digest_index=bool(name))
    hand_in(world, dataset, b"first")
    hand_in(world, dataset, b"second")
    publish(world, dataset, table(300))
    world.settle()
    world.erase(dataset, RecordPlace("desk", 0))
    keep(world, dataset, "none")
    world.pass_by(3_600)
    assert drop(world) == 3
    assert world.audit().findings == ()
    world.erase(dataset, RecordPlace("desk", 1))
    world.erase(dataset, VersionPlace(1))
    assert world.rows("SELECT count(*) FROM duplicates") == [(0,)]
    assert world.rows("SELECT count(*) FROM digests") == [(0,)]
    assert world.rows(
        "SELECT count(salt) FROM records WHERE payload IS NULL"
        " UNION ALL SELECT count(salt) + count(secret) + count(file_digest) FROM versions"
    ) == [(0,), (0,)]
    assert world.audit().findings == ()


@pytest.mark.parametrize("step", ["drop_payloads", "advance_dropping"])
def test_a_crash_drops_nothing_or_all(
    world: World, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a batch; the next round does it."""
    dataset = world.dataset(None)
    keep(world, dataset, "none")
    hand_in(world, dataset)
    real = Transaction.do

    def broken(self: Transaction, name: str, /, **values: object) -> int:
        if name == step:
            raise KeyboardInterrupt
        return real(self, name, **values)

    monkeypatch.setattr(Transaction, "do", broken)
    with pytest.raises(KeyboardInterrupt):
        drop(world)
    monkeypatch.undo()
    assert payloads(world) == [SECRET]
    assert world.audit().findings == ()
    assert drop(world) == 1


def test_who_changes_his_mind_in_time_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the deed the owner kept all, or longer; another sealer was faster."""
    dataset = world.dataset(None)
    keep(world, dataset, "none")
    hand_in(world, dataset)
    real = keeping.parse_descriptor
    for word in ("all", "1 day"):

        def changed(text: str, word: str = word) -> object:
            keep(world, dataset, word)
            return real(text)

        monkeypatch.setattr(keeping, "parse_descriptor", changed)
        assert list(drop_due(world.pool, world.now)) == []
        monkeypatch.undo()
        assert payloads(world) == [SECRET]
        keep(world, dataset, "none")
    assert drop(world) == 1


def test_what_the_notary_keeps_itself_it_keeps_whole(world: World) -> None:
    """Its records of sharing and erasing are not let go by a word."""
    for kept_for in ("sharing", "erasing"):
        name = add_kept_dataset(world.pool, world.caller.department, world.now, kept_for)
        with pytest.raises(MalformedText):
            keep(world, name, "none")
