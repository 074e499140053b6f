# SPDX-License-Identifier: Apache-2.0
"""After an older database was restored: the log goes on as itself, or under another name."""

import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from notary.core.checkpoint import Checkpoint, format_checkpoint
from notary.core.errors import NotaryError, UnknownSigner
from notary.core.hashing import RootHash
from notary.core.note import open_note, parse_note
from notary.core.receipt import verify_receipt
from notary.core.receipt_signers import check_checkpoint
from notary.core.recovery import Recovery, format_recovery, parse_recovery, recoveries_of
from notary.core.runs import check_continues, parse_run
from notary.core.trust import parse_trust
from notary.keys import KeyRing, make_key
from notary.local.postgres import Postgres
from notary.store.pool import Transaction
from notary.usecases import log_keys, look, recover
from notary.usecases.log_writing import lock_log
from notary.usecases.marks import MarkFile, StateRefused
from notary.usecases.other_keys import rename_keys
from notary.usecases.prove import NotYet
from notary.usecases.recover_again import take_again, tell
from notary.usecases.recover_look import RecoverRefused
from notary.usecases.rights import NotFound
from tests.conftest import new_database
from tests.usecases.set_back import Memory, copied, copy_of, end, is_closed, on, plan
from tests.usecases.set_back import recover as go_on
from tests.usecases.tables import publish
from tests.usecases.world import ORIGIN, World

NEW = "notary.example/log-2"


@dataclass
class Night:
    """What is left of a notary: a dump, its folder, and what a mirror remembers."""

    world: World
    dump: str
    folder: Path
    memory: Memory


@pytest.fixture(scope="module")
def night(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """
    In the dump two batches are there whole, three are lost, and four records that wait in it
    were sealed in the first lost one.
    """
    folder = tmp_path_factory.mktemp("night")
    world = World.make(folder, new_database(postgres))
    world.dataset("weather")
    for seed in (1, 2):
        world.add("weather", 6, seed=seed)
        world.settle()
    world.add("weather", 4, seed=3)
    older = copy_of(world)
    world.seal()
    world.sign()
    world.add("weather", 6, sources=5, seed=4)
    world.settle()
    world.dataset("air")
    world.add("air", 3, seed=5)
    world.settle()
    memory = Memory.of(world)
    world.close()
    return Night(world, older, folder, memory)


@pytest.fixture
def lost(night: Night, tmp_path: Path) -> Iterator[tuple[World, Memory]]:
    """The notary on its restored dump, and the mirror beside it."""
    shutil.copytree(night.folder, tmp_path / "notary")
    world = on(night.world, copied(night.dump), tmp_path / "notary")
    yield world, deepcopy(night.memory)
    world.close()


def places(world: World) -> list[tuple[object, ...]]:
    """(dataset, tag, chain, n) of every run in the log, from what everybody may read."""
    found = []
    for index in range(world.size()):
        row = look.get_batch(world.pool, (), index)
        for part in look.batch_runs(world.pool, index):
            for line in part:
                run = parse_run(line.removesuffix("\n"))
                for n in range(run.first, run.first + run.count):
                    found.append((row["dataset"], run.tag, run.chain, n))
    return found


def state(world: World) -> list[object]:
    """All that a recovery changes."""
    tables = ("log", "batches", "segments", "checkpoints", "datasets", "recoveries", "lost_batches")
    found: list[object] = [
        world.rows(f"SELECT {name}::text FROM {name} ORDER BY 1") for name in tables
    ]
    return [*found, world.marks.path.read_bytes()]


def test_the_gap_is_named(lost: tuple[World, Memory]) -> None:
    """Who knows which size, how much is lost, what waited; and looking changes nothing."""
    world, memory = lost
    before = state(world)
    found = plan(world, memory)
    gap = found.gap
    assert (gap.size, gap.signed, gap.newest.size, gap.lost) == (2, 2, 5, 3)
    assert {one.who: one.size for one in gap.known} == {
        "the mark": 5,
        "the ledger file": 5,
        "the mirror": 5,
    }
    assert gap.waiting == (4, 0)
    assert found.found is not None
    assert [batch.descriptor.dataset for batch in found.found.batches] == ["weather"] * 2 + ["air"]
    assert state(world) == before
    assert is_closed(world)


def test_the_lost_batches_are_put_back_and_the_log_goes_on(lost: tuple[World, Memory]) -> None:
    """Same name, same root; the next batches grow from it, and an audit finds nothing."""
    world, memory = lost
    opened = go_on(world, memory)
    assert opened.size() == 5
    mark = opened.marks.read()
    assert mark is not None
    root = parse_note(memory.note).text.split("\n")[2]
    opened.add("weather", 6, sources=6, seed=9)
    opened.settle()
    assert opened.audit().findings == ()
    assert look.newest_checkpoint(opened.pool) is not None
    note = str(opened.rows("SELECT note FROM checkpoints WHERE size = 5")[0][0])
    assert parse_note(note).text.split("\n")[2] == root
    assert opened.gate.open().origin == ORIGIN


def test_no_record_gets_a_second_place(lost: tuple[World, Memory]) -> None:
    """Every source begins a new chain, those too that wait in the dump and were lost."""
    world, memory = lost
    opened = go_on(world, memory)
    opened.add("weather", 12, sources=6, seed=9)
    opened.settle()
    found = places(opened)
    assert len(set(found)) == len(found)
    assert {chain for _, _, chain, _ in found} == {0, 1}


def test_runs_go_on_where_they_ended(lost: tuple[World, Memory]) -> None:
    """By the rules of the run list, over lost batches too; no source goes back to chain 0."""
    world, memory = lost
    opened = go_on(world, memory)
    opened.add("weather", 12, sources=6, seed=9)
    opened.settle()
    by_source: dict[object, list[object]] = {}
    for index in range(opened.size()):
        dataset = look.get_batch(opened.pool, (), index)["dataset"]
        for part in look.batch_runs(opened.pool, index):
            for line in part:
                run = parse_run(line.removesuffix("\n"))
                by_source.setdefault((dataset, run.number, run.chain), []).append(run)
                by_source.setdefault((dataset, run.number), []).append(run)
    for key, runs in by_source.items():
        if len(key) == 3:  # type: ignore[arg-type]
            for before, after in pairwise([None, *runs]):
                check_continues(after, before)  # type: ignore[arg-type]
        else:
            chains = [run.chain for run in runs]  # type: ignore[attr-defined]
            assert chains == sorted(chains)
            assert len({run.tag for run in runs}) == 1  # type: ignore[attr-defined]


def test_numbers_of_lost_sources_stay_free_where_no_run_list_is_known(
    lost: tuple[World, Memory],
) -> None:
    """A plain copy of the log has none: no number is given twice."""
    world, memory = lost
    used = {
        parse_run(line).number for index in (2, 3) for line in memory.run_lists[index].splitlines()
    }
    memory.run_lists.clear()
    memory.leaf_hashes.clear()
    known = world.rows("SELECT max(number) FROM sources")[0][0]
    opened = go_on(world, memory)
    opened.add("weather", 30, sources=9, seed=9)
    opened.settle()
    new = {
        row[0]
        for row in opened.rows(
            "SELECT number FROM sources s JOIN datasets d ON d.id = s.dataset"
            " WHERE d.name = 'weather' AND number > %s",
            known,
        )
    }
    assert new
    assert not new & used
    assert opened.audit().findings == ()
    with pytest.raises(NotFound):
        look.batch_runs(opened.pool, 2)


def test_what_waited_is_accepted_again(lost: tuple[World, Memory]) -> None:
    """Payload, key and the sender's time are the same, place and leaf are new; once."""
    world, memory = lost
    opened = go_on(world, memory)
    opened.settle()
    again = opened.rows(
        "SELECT key, observed, payload FROM records"
        " WHERE chain = 1 AND key IS NOT NULL ORDER BY key"
    )
    before = opened.rows(
        "SELECT r.key, r.observed, r.payload FROM records r JOIN sources s ON s.id = r.source"
        " WHERE r.chain = 0 AND r.key LIKE '3-%%' ORDER BY r.key"
    )
    assert again == before
    assert len(again) == 4
    end(opened)
    assert opened.rows("SELECT count(*) FROM records WHERE chain = 1 AND key IS NOT NULL") == [(4,)]
    # A gateway that sends one of them again is told the new place.
    repeated = opened.add("weather", 4, seed=3)
    assert all(one.duplicate and one.chain == 1 for one in repeated)
    for one in repeated:
        proof = opened.prover().receipt("weather", one.source, one.n, caller=None)
        verify_receipt(proof.text, opened.parts.trust())


def test_receipts_of_before_hold_and_lost_ones_are_not_made(lost: tuple[World, Memory]) -> None:
    """What is here is proved as ever; of lost records there is nothing to prove with."""
    world, memory = lost
    opened = go_on(world, memory)
    source, n = opened.rows(
        "SELECT s.name, r.first FROM runs r JOIN sources s ON s.id = r.source WHERE batch = 0"
    )[0]
    proof = opened.prover().receipt("weather", str(source), int(str(n)), caller=None, chain=0)
    verify_receipt(proof.text, opened.parts.trust())
    with pytest.raises((NotFound, NotYet)):
        opened.prover().receipt("weather", "s4", 0, caller=None, chain=0)


def test_a_recovery_is_said_for_good(lost: tuple[World, Memory]) -> None:
    """A record that everybody may read, and an entry of the trust file, signed."""
    world, memory = lost
    opened = go_on(world, memory)
    opened.settle()
    trust = parse_trust(opened.parts.trust())
    (said,) = recoveries_of(trust)
    assert (said.origin, said.goes_on, said.size, said.kept, said.chain) == (
        ORIGIN,
        ORIGIN,
        5,
        2,
        1,
    )
    proof = opened.prover().receipt("notary.recoveries", "notary", 0, caller=None)
    verdict = verify_receipt(proof.text, trust)
    assert verdict.subject["chain"] == 1
    payload = opened.rows("SELECT payload FROM records WHERE payload LIKE 'city-notary%%'")[0][0]
    assert parse_recovery(parse_note(payload).text) == said  # type: ignore[arg-type]


def test_a_second_recovery_never_takes_the_first_ones_chain(lost: tuple[World, Memory]) -> None:
    """The same dump again: the mark knows the chain that the database forgot."""
    world, memory = lost
    copy = copy_of(world)
    first = go_on(world, memory)
    first.add("weather", 6, seed=9)
    first.settle()
    memory = Memory.of(first)
    first.close()
    second = on(world, copy)
    opened = go_on(second, memory)
    opened.add("weather", 6, seed=10)
    opened.settle()
    found = places(opened)
    assert len(set(found)) == len(found)
    assert opened.gate.open().chain == 2
    assert [one.chain for one in recoveries_of(parse_trust(opened.parts.trust()))] == [1, 2]
    assert opened.audit().findings == ()


def test_without_a_gap_the_chain_rises_all_the_same(world: World) -> None:
    """Nobody knows whether acceptances are out for records that are gone."""
    world.dataset("weather")
    world.add("weather", 6, seed=1)
    world.settle()
    world.add("weather", 3, seed=2)
    older = copy_of(world)
    gone = world.add("weather", 3, seed=3)
    world.close()
    opened = go_on(on(world, older))
    opened.settle()
    assert opened.gate.open().chain == 1
    again = opened.add("weather", 3, seed=3)
    assert {(one.source, one.chain, one.n) for one in again}.isdisjoint(
        (one.source, one.chain, one.n) for one in gone
    )
    opened.settle()
    # What waited keeps its place: no lost batch can hold it.
    assert opened.rows("SELECT count(*) FROM records WHERE key LIKE '2-%%' AND chain = 0") == [(3,)]
    assert opened.rows("SELECT count(*) FROM segments WHERE batch IS NULL OR batch < 0") == [(0,)]
    assert opened.audit().findings == ()


def test_versions_that_were_lost_keep_their_numbers(world: World) -> None:
    """One that waits in the dump is that of its lost batch; the next gets a free number."""
    name = world.dataset("tables")
    publish(world, name, b"a,b\n1,2\n")
    world.settle()
    publish(world, name, b"a,b\n1,3\n")
    older = copy_of(world)
    world.settle()
    publish(world, name, b"a,b\n1,4\n")
    world.settle()
    memory = Memory.of(world)
    opened = go_on(on(world, older), memory)
    assert publish(opened, name, b"a,b\n1,5\n").version == 4
    opened.settle()
    numbers = opened.rows("SELECT version, batch FROM versions ORDER BY version")
    assert [row[0] for row in numbers] == [1, 2, 4]
    assert numbers[1][1] == 1
    assert opened.audit().findings == ()


# -- nobody has the lost batches


def test_a_log_that_lost_its_batches_is_closed(lost: tuple[World, Memory]) -> None:
    """It is said which name goes on; without one nothing is done."""
    world, _ = lost
    before = state(world)
    assert plan(world).is_closed
    for name in (None, ORIGIN):
        with pytest.raises(RecoverRefused) as refused:
            go_on(world, new_origin=name)
        assert refused.value.facts["reason"] == "needs-origin"
    assert state(world) == before


def test_another_log_goes_on_from_what_is_here(lost: tuple[World, Memory]) -> None:
    """Old batches are proved under the old name, new ones under the new, by one trust file."""
    world, memory = lost
    opened = go_on(world, new_origin=NEW)
    opened.add("weather", 6, seed=9)
    opened.settle()
    opened.add("weather", 6, seed=10)
    opened.settle()
    trust = parse_trust(opened.parts.trust())
    assert [(key.origin, key.first_size, key.last_size) for key in trust.logs] == [
        (ORIGIN, 0, 5),
        (NEW, 3, None),
    ]
    origins = {}
    for index in range(opened.size()):
        source, n, chain = opened.rows(
            "SELECT s.name, r.first, r.chain FROM runs r JOIN sources s ON s.id = r.source"
            " JOIN batches b ON b.index = r.batch JOIN datasets d ON d.id = b.dataset"
            " WHERE r.batch = %s",
            index,
        )[0]
        dataset = look.get_batch(opened.pool, (), index)["dataset"]
        proof = opened.prover().receipt(
            dataset, str(source), int(str(n)), caller=None, chain=int(str(chain)), until="anchored"
        )
        origins[index] = verify_receipt(proof.text, trust).origin
    assert origins[0] == origins[1] == ORIGIN
    assert set(origins.values()) == {ORIGIN, NEW}
    (said,) = recoveries_of(trust)
    assert (said.is_closed, said.goes_on, said.size, said.kept) == (True, NEW, 5, 2)
    assert opened.audit().findings == ()
    # The last words of the old name are still those that everybody has.
    verify_note_of_old(memory, opened)


def verify_note_of_old(memory: Memory, opened: World) -> None:
    """A checkpoint of the lost part holds under the new trust file too."""
    signed = check_checkpoint(memory.note, parse_trust(opened.parts.trust()))
    assert (signed.checkpoint.origin, signed.checkpoint.size) == (ORIGIN, 5)


def test_the_closed_log_signs_nothing_more(lost: tuple[World, Memory]) -> None:
    """No checkpoint of the old name beyond what is here comes from this database."""
    world, _ = lost
    opened = go_on(world, new_origin=NEW)
    opened.add("weather", 6, seed=9)
    opened.settle()
    for size, _, note in opened.checkpoints():
        origin = parse_note(str(note)).text.split("\n")[0]
        assert origin == (ORIGIN if int(str(size)) <= 2 else NEW)


def test_acceptances_are_promised_for_the_log_that_goes_on(lost: tuple[World, Memory]) -> None:
    """The old key stays listed, for what it promised."""
    world, _ = lost
    opened = go_on(world, new_origin=NEW)
    rename_keys(opened.parts.settings, NEW)
    keys = [
        key.members["key"]
        for key in parse_trust(opened.parts.trust()).keys
        if key.use == "acceptance"
    ]
    assert [str(key).split("+")[0] for key in keys] == [
        f"{NEW}/acceptances",
        f"{ORIGIN}/acceptances",
    ]


def test_a_new_name_is_not_taken_where_none_is_needed(lost: tuple[World, Memory]) -> None:
    """All was found: closing the log would be a loss for nothing."""
    world, memory = lost
    with pytest.raises(RecoverRefused) as refused:
        go_on(world, memory, new_origin=NEW)
    assert refused.value.facts["reason"] == "needs-no-origin"


# -- attacks


def other_log(world: World, memory: Memory) -> Memory:
    """Another log's copy, signed by its key."""
    key = make_key("other.example/log", world.parts.settings.state.parent / "other.key")
    return replace(memory, note=key.sign(parse_note(memory.note).text.replace(ORIGIN, key.name)))


def another_key(world: World, memory: Memory) -> Memory:
    """A copy whose checkpoint a stranger signed under the log's name."""
    key = make_key(ORIGIN, world.parts.settings.state.parent / "other.key")
    text = parse_note(memory.note).text.replace("\n5\n", "\n9\n")
    return replace(memory, note=key.sign(text))


LIARS: dict[str, Callable[[World, Memory], Memory]] = {
    "another log's mirror": other_log,
    "a stranger's checkpoint": another_key,
    "garbage for a checkpoint": lambda _, memory: replace(memory, note="garbage"),
    "an entry is changed": lambda _, memory: replace(
        memory, bundle=[entry.replace(b'"count":6', b'"count":7') for entry in memory.bundle]
    ),
    "entries are exchanged": lambda _, memory: replace(
        memory, bundle=[*memory.bundle[:2], *memory.bundle[:1:-1]]
    ),
    "an entry is missing": lambda _, memory: replace(memory, bundle=memory.bundle[:-1]),
    "an entry is garbage": lambda _, memory: replace(memory, bundle=[*memory.bundle[:4], b"\xff"]),
    "the older entries again": lambda _, memory: replace(memory, bundle=memory.bundle[:2] * 3),
}


@pytest.mark.parametrize("lie", LIARS.values(), ids=LIARS)
def test_a_mirror_that_lies_is_not_believed(
    lost: tuple[World, Memory], lie: Callable[[World, Memory], Memory]
) -> None:
    """Its batches are refused with a sentence, and nothing of them is kept."""
    world, memory = lost
    before = state(world)
    liar = replace(lie(world, memory), name="the liar")
    if liar.note != memory.note:
        # Only whose checkpoint the log's key signed counts for the size that is missing.
        assert {one.who for one in plan(world, liar).gap.known}.isdisjoint({"the liar"})
        liar = replace(liar, bundle=[])
    found = plan(world, liar)
    assert found.found is None
    assert any("the liar" in sentence for sentence in found.gap.unheard)
    assert state(world) == before
    # One that tells the truth beside it is enough.
    assert plan(world, liar, memory).found is not None


def test_a_false_run_list_is_not_kept(lost: tuple[World, Memory]) -> None:
    """It doesn't lead to the descriptor's roots, so it is none."""
    world, memory = lost
    memory.run_lists[2] = memory.run_lists[3]
    memory.leaf_hashes[3] = memory.leaf_hashes[2]
    opened = go_on(world, memory)
    kept = opened.rows(
        "SELECT batch, run_list IS NULL, leaves IS NULL FROM lost_batches ORDER BY 1"
    )
    assert kept == [(2, True, False), (3, False, True), (4, False, False)]
    assert opened.audit().findings == ()


def test_another_logs_database_is_refused(lost: tuple[World, Memory]) -> None:
    """The mark is not its."""
    older, memory = lost
    older.change("UPDATE log SET origin = 'other.example/log'")
    with pytest.raises(RecoverRefused) as refused:
        plan(older, memory)
    assert refused.value.facts["reason"] == "other-log"


@pytest.mark.parametrize("where", ["log_hashes", "checkpoints"])
def test_a_database_of_another_branch_is_refused(lost: tuple[World, Memory], where: str) -> None:
    """Its leaves, or its roots, are not those that were signed and anchored."""
    world, memory = lost
    if where == "log_hashes":
        world.change("UPDATE log_hashes SET hash = %s WHERE level = 0 AND index = 1", b"x" * 32)
    else:
        world.change("UPDATE checkpoints SET root = %s WHERE size = 2", b"x" * 32)
    with pytest.raises(RecoverRefused):
        plan(world, memory)


def test_a_dump_that_a_stranger_signed_is_refused(lost: tuple[World, Memory]) -> None:
    """Its own newest note must be the log's."""
    world, memory = lost
    key = make_key(ORIGIN, world.parts.settings.state.parent / "other.key")
    note = str(world.checkpoints()[-1][2])
    world.change("UPDATE checkpoints SET note = %s WHERE size = 2", key.sign(parse_note(note).text))
    with pytest.raises(RecoverRefused):
        plan(world, memory)


def test_two_that_know_different_roots_stop_everything(lost: tuple[World, Memory]) -> None:
    """A fork is for a person to look at."""
    world, memory = lost
    text = format_checkpoint(Checkpoint(ORIGIN, 5, RootHash(b"x" * 32)))
    forked = replace(memory, name="the other", note=world.signer.sign(text))
    with pytest.raises(RecoverRefused) as refused:
        plan(world, memory, forked)
    assert refused.value.facts["reason"] == "fork"


def test_a_lost_mark_is_not_guessed(lost: tuple[World, Memory]) -> None:
    """Without it nobody knows the keys."""
    world, memory = lost
    world.marks.path.unlink()
    with pytest.raises(RecoverRefused) as refused:
        plan(world, memory)
    assert refused.value.facts["reason"] == "no-mark"


def test_a_sealer_at_work_keeps_a_recovery_out(lost: tuple[World, Memory]) -> None:
    """The fence holds against recovery too: one at a time."""
    world, memory = lost
    found, ring = plan(world, memory), KeyRing(world.parts.settings.state)
    before = state(world)
    other = on(world, world.env["NOTARY_DATABASE_URL"])
    with other.pool.transaction() as tx:
        assert tx.row("try_sealer") == (True,)
        with pytest.raises(RecoverRefused) as refused:
            recover.carry_out(world.pool, world.marks, ring, found, None, world.now)
    assert refused.value.facts["reason"] == "sealer"
    assert state(world) == before


def test_a_sealer_that_ran_all_the_while_is_kept_out(lost: tuple[World, Memory]) -> None:
    """It opened the log before: it can't append to the one that goes on."""
    world, memory = lost
    log = replace(go_on(world, memory).gate.open())
    stale = replace(log, incarnation=replace(log.incarnation, database=1))
    with pytest.raises(NotaryError), world.pool.transaction() as tx:
        lock_log(tx, stale)


def test_a_plan_of_yesterday_is_not_carried_out(lost: tuple[World, Memory]) -> None:
    """The database changed since: look again."""
    world, memory = lost
    found, ring = plan(world, memory), KeyRing(world.parts.settings.state)
    opened = go_on(world, memory)
    with pytest.raises(RecoverRefused) as refused:
        recover.carry_out(world.pool, world.marks, ring, found, None, world.now)
    assert refused.value.facts["reason"] == "changed"
    assert opened.gate.open().chain == 1


def test_a_recovery_that_no_key_signed_opens_no_gate(lost: tuple[World, Memory]) -> None:
    """Whoever can write to the database can't make up a recovery."""
    world, _ = lost
    key = make_key(ORIGIN, world.parts.settings.state.parent / "other.key")
    text = parse_note(_a_recovery(world)).text
    world.change("INSERT INTO recoveries VALUES (1, %s, %s, 2, %s)", ORIGIN, ORIGIN, key.sign(text))
    with pytest.raises(RecoverRefused):
        recover.finish(world.pool, world.marks, KeyRing(world.parts.settings.state))
    assert is_closed(world)


def test_a_recovery_that_the_mark_does_not_know_closes_the_gate(world: World) -> None:
    """Begun and broken off, or made up, though all else agrees."""
    world.dataset("weather")
    world.add("weather", 2, seed=1)
    world.settle()
    note = _a_recovery(world)
    world.change("INSERT INTO recoveries VALUES (1, %s, %s, 1, %s)", ORIGIN, ORIGIN, note)
    with pytest.raises(StateRefused) as refused:
        world.again().gate.open()
    assert refused.value.facts["reason"] == "recovering"


def _a_recovery(world: World) -> str:
    mark = world.marks.read()
    assert mark is not None
    root = RootHash(bytes.fromhex(mark.root))
    said = Recovery(ORIGIN, mark.size, root, mark.size, root, 1, ORIGIN, world.now)
    return world.signer.sign(format_recovery(said))


def test_an_old_recovery_opens_no_gate(lost: tuple[World, Memory]) -> None:
    """A copy from between the steps of one recovery, brought back after another."""
    world, memory = lost
    twin = on(world, copy_of(world))
    ring = KeyRing(world.parts.settings.state)
    mark = world.marks.path.read_bytes()
    recover.carry_out(twin.pool, twin.marks, ring, plan(twin, memory), None, twin.now)
    world.marks.path.write_bytes(mark)
    world.pass_by()
    go_on(world, memory)
    with pytest.raises(RecoverRefused) as refused:
        recover.finish(twin.pool, twin.marks, ring)
    assert refused.value.facts["reason"] == "older"
    assert is_closed(twin)


# -- crashes


class PowerCut(BaseException):
    """What no handler expects."""


def in_the_transaction(patch: pytest.MonkeyPatch) -> None:
    """Step 1 is not committed."""
    real = Transaction.do

    def cut(tx: Transaction, name: str, /, **values: object) -> int:
        done = real(tx, name, **values)
        if name == "recover_log":
            raise PowerCut
        return done

    patch.setattr(Transaction, "do", cut)


def before_the_mark(patch: pytest.MonkeyPatch) -> None:
    """Step 1 is committed, the mark is not written."""

    def cut(marks: MarkFile, mark: object) -> None:
        raise PowerCut

    patch.setattr(MarkFile, "_write", cut)


@pytest.mark.parametrize("cut", [in_the_transaction, before_the_mark])
@pytest.mark.parametrize("closes", [False, True])
def test_a_recovery_that_broke_off_goes_on(
    lost: tuple[World, Memory],
    cut: Callable[[pytest.MonkeyPatch], None],
    closes: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody gets in meanwhile, and the same command ends where it would have ended."""
    world, memory = lost
    helpers, name = ((), NEW) if closes else ((memory,), None)
    ring = KeyRing(world.parts.settings.state)
    with monkeypatch.context() as patch:
        cut(patch)
        with pytest.raises(PowerCut):
            recover.carry_out(world.pool, world.marks, ring, plan(world, *helpers), name, world.now)
    assert is_closed(world)
    if recover.finish(world.pool, world.marks, ring) is None:
        recover.carry_out(world.pool, world.marks, ring, plan(world, *helpers), name, world.now)
    opened = end(world)
    opened.add("weather", 6, seed=9)
    opened.settle()
    assert opened.gate.open().chain == 1
    assert opened.audit().findings == ()
    assert len(parse_trust(opened.parts.trust()).logs) == (2 if closes else 1)


def test_taking_again_that_broke_off_doubles_nothing(
    lost: tuple[World, Memory], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each segment is accepted in the transaction that says so."""
    world, memory = lost
    ring = KeyRing(world.parts.settings.state)
    recover.carry_out(world.pool, world.marks, ring, plan(world, memory), None, world.now)
    opened = world.again()
    acceptor, secret = opened.acceptor(), opened.parts.instance_secret()
    real = Transaction.do

    def cut(tx: Transaction, name: str, /, **values: object) -> int:
        if name == "take_segment_again":
            raise PowerCut
        return real(tx, name, **values)

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "do", cut)
        with pytest.raises(PowerCut):
            take_again(opened.pool, acceptor, secret, opened.now)
    assert opened.rows("SELECT count(*) FROM records WHERE chain = 1") == [(0,)]
    assert take_again(opened.pool, opened.acceptor(), secret, opened.now) == 4
    assert take_again(opened.pool, opened.acceptor(), secret, opened.now) == 0
    assert len(tell(opened.pool, opened.acceptor(), opened.now)) == 1
    assert tell(opened.pool, opened.acceptor(), opened.now) == []


# -- an audit of what was recovered


CHANGES = {
    "the signed note": "UPDATE recoveries SET note = replace(note, 'recovery/1', 'recovery/2')",
    "the chain": "UPDATE recoveries SET chain = 7",
    "the name": "UPDATE recoveries SET goes_on = 'other.example/log'",
    "the last size": "UPDATE recoveries SET last_size = 4",
    "a run list": "UPDATE lost_batches SET run_list = run_list || run_list",
    "leaves": "UPDATE lost_batches SET leaves = leaves || 'x'",
    "a recovery is gone": "DELETE FROM recoveries",
    "a batch that is not lost": "INSERT INTO lost_batches (batch) VALUES (0)",
    "a batch that is lost is not said to be": "DELETE FROM lost_batches WHERE batch = 2",
}


@pytest.fixture(scope="module")
def recovered(night: Night, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A notary that went on, in whose database nothing differs."""
    folder = tmp_path_factory.mktemp("recovered") / "notary"
    shutil.copytree(night.folder, folder)
    restored = on(night.world, copied(night.dump), folder)
    opened = go_on(restored, deepcopy(night.memory))
    opened.settle()
    assert opened.audit().findings == ()
    restored.close()
    opened.close()
    return opened


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_audit_finds_what_was_changed_of_a_recovery(recovered: World, change: str) -> None:
    """What is said of the loss can't be changed unnoticed, nor a loss be made up."""
    opened = on(recovered, copied(recovered.env["NOTARY_DATABASE_URL"]))
    before = opened.audit().findings
    assert opened.change(change) > 0
    assert opened.audit().findings != before
    opened.close()


def test_a_key_can_be_changed_after_a_recovery(lost: tuple[World, Memory]) -> None:
    """Also of the log that goes on under another name."""
    world, _ = lost
    opened = go_on(world, new_origin=NEW)
    opened.settle()
    ring = KeyRing(opened.parts.settings.state)
    log_keys.rotate(opened.pool, opened.gate, opened.marks, ring)
    opened.add("weather", 6, seed=9)
    opened.settle()
    log_keys.end(opened.pool, opened.gate, opened.marks)
    opened.add("weather", 6, seed=10)
    opened.settle()
    assert opened.audit().findings == ()
    note = str(opened.checkpoints()[-1][2])
    with pytest.raises(UnknownSigner):
        open_note(note, [opened.signer.verifier])
