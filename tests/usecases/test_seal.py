# SPDX-License-Identifier: Apache-2.0
"""Seal: a dataset's waiting records become one tree and the log's next leaf, or nothing does."""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import psycopg2.errors
import pytest

from notary.core.checkpoint import open_checkpoint
from notary.core.descriptor import Descriptor, descriptor_leaf, parse_descriptor
from notary.core.tiles import TILE_WIDTH, inclusion_path_from_tiles
from notary.core.tree import root
from notary.store import logtiles
from notary.store.pool import Transaction
from notary.usecases import log_writing, seal
from notary.usecases.reading import Acceptance
from notary.usecases.seal import RecordsMissing
from notary.usecases.second_root import load_second_root
from tests.usecases.world import World, some_readings


def descriptors(world: World) -> list[Descriptor]:
    """All descriptors in the order of the log."""
    rows = world.rows("SELECT descriptor FROM batches ORDER BY index")
    return [parse_descriptor(str(row[0])) for row in rows]


def nothing_of_a_batch(world: World) -> None:
    """No trace of a batch is in the database."""
    for table in ("batches", "batch_tiles", "runs", "log_hashes"):
        assert world.rows(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert world.size() == 0
    assert world.rows("SELECT count(*) FROM segments WHERE batch IS NOT NULL") == [(0,)]
    assert world.rows("SELECT count(*) FROM sources WHERE number IS NOT NULL") == [(0,)]
    assert world.rows("SELECT sum(batch_count), sum(source_count) FROM datasets") == [(0, 0)]


# -- when


def test_nothing_is_sealed_before_it_is_due(world: World) -> None:
    """Neither the count nor the age is reached."""
    world.add(world.dataset("weather"), 10)
    sealer = world.sealer(max_count=11, age_seconds=5)
    assert sealer.seal_due(world.pass_by(4.999)) == []
    assert world.size() == 0


def test_the_count_makes_it_due(world: World) -> None:
    """As many records as the count, and it is sealed, however young."""
    world.add(world.dataset("weather"), 10)
    assert [batch.count for batch in world.sealer(max_count=10).seal_due(world.now)] == [10]


def test_the_age_of_the_oldest_makes_it_due(world: World) -> None:
    """The oldest record counts, not the newest."""
    dataset = world.dataset("weather")
    world.add(dataset, 3, seed=1)
    world.pass_by(4)
    world.add(dataset, 4, seed=2)
    assert [batch.count for batch in world.sealer().seal_due(world.pass_by(1))] == [7]


def test_a_clock_that_went_back_seals_no_earlier(world: World) -> None:
    """With the clock before the oldest record nothing is due by age."""
    world.add(world.dataset("weather"), 3)
    assert world.sealer().seal_due(world.now - timedelta(hours=1)) == []


def test_due_is_decided_for_each_dataset(world: World) -> None:
    """One dataset's records don't hurry another's."""
    world.add(world.dataset("weather"), 3)
    world.pass_by(5)
    world.add(world.dataset("air"), 3)
    assert [batch.dataset for batch in world.sealer().seal_due(world.now)] == ["weather"]


def test_an_empty_notary_seals_nothing(world: World) -> None:
    """No records: no batch, and the log stays empty."""
    world.dataset("weather")
    assert world.seal() == []
    assert world.size() == 0


# -- what


def test_a_batch_is_whole_segments_up_to_the_count(world: World) -> None:
    """A segment isn't split; what doesn't fit waits for the next batch."""
    dataset = world.dataset("weather")
    for seed, count in enumerate((6, 3, 2, 9, 1)):
        world.add(dataset, count, seed=seed)
    sealer = world.sealer(max_count=10)
    counts = []
    while sealed := sealer.seal_due(world.now, at_once=True):
        counts += [batch.count for batch in sealed]
    assert counts == [9, 2, 10]
    assert world.audit().findings == ()


def test_a_segment_larger_than_the_count_is_still_sealed(world: World) -> None:
    """It goes alone; otherwise it would wait for ever."""
    world.add(world.dataset("weather"), 25)
    assert [batch.count for batch in world.sealer(max_count=10).seal_due(world.now)] == [25]


def test_leaves_lie_by_source_number_then_n(world: World) -> None:
    """Where a record lies in a batch follows from its run: offset + (n - first)."""
    dataset = world.dataset("weather")
    found: dict[str, list[Acceptance]] = defaultdict(list)
    for seed in range(4):
        for acceptance in world.add(dataset, 20, sources=7, seed=seed):
            found[acceptance.source].append(acceptance)
    world.seal()
    order = [str(row[0]) for row in world.rows("SELECT name FROM sources ORDER BY number")]
    leaves = [acceptance.leaf for name in order for acceptance in found[name]]
    assert descriptors(world)[0].root == root(leaves)
    offset = 0
    for name, (start, first, count) in zip(
        order, world.rows("SELECT start, first, count FROM runs ORDER BY position"), strict=True
    ):
        assert (start, first, count) == (offset, 0, len(found[name]))
        offset += len(found[name])


def test_each_run_goes_on_where_the_last_one_ended(world: World) -> None:
    """Over many batches the runs of a source leave no hole, and prev is the last leaf."""
    dataset = world.dataset("weather")
    ends: dict[object, tuple[int, bytes]] = defaultdict(lambda: (0, bytes(32)))
    for seed in range(6):
        world.add(dataset, 30, sources=5, seed=seed)
        world.seal()
    for source, first, count, prev, last in world.rows(
        "SELECT source, first, count, prev, last FROM runs ORDER BY batch, position"
    ):
        assert isinstance(first, int)
        assert isinstance(count, int)
        assert isinstance(last, bytes)
        assert ends[source] == (first, prev)
        ends[source] = (first + count, last)
    assert sum(next_ for next_, _ in ends.values()) == 180


def test_source_numbers_have_no_gap_and_never_change(world: World) -> None:
    """A source gets the next number with its first batch and keeps it."""
    dataset = world.dataset("weather")
    before: dict[object, object] = {}
    for seed, sources in enumerate((2, 5, 3, 9)):
        world.add(dataset, 60, sources=sources, seed=seed)
        world.seal()
        rows = dict(world.rows("SELECT name, number FROM sources"))
        assert sorted(map(str, rows.values()), key=int) == [str(i) for i in range(len(rows))]
        assert before.items() <= rows.items()
        before = rows


def test_descriptors_are_linked_per_dataset(world: World) -> None:
    """Numbers without a gap, each naming the dataset's last descriptor; nothing of labels."""
    names = [world.dataset("weather"), world.dataset(None)]
    for seed in range(3):
        for name in names:
            world.add(name, 5, seed=seed)
        world.seal()
    last: dict[str, tuple[int, bytes]] = {name: (-1, bytes(32)) for name in names}
    rows = world.rows("SELECT descriptor FROM batches ORDER BY index")
    for (text,) in rows:
        descriptor = parse_descriptor(str(text))
        number, prev = last[descriptor.dataset]
        assert (descriptor.number, descriptor.prev) == (number + 1, prev)
        last[descriptor.dataset] = (number + 1, descriptor_leaf(str(text)))
        assert "Wage" not in str(text)
        assert "s0" not in str(text)
    assert len(rows) == 6


def test_a_descriptor_tells_both_ends_of_received(world: World) -> None:
    """First and last are those of the records in it."""
    dataset = world.dataset("weather")
    begin = world.now
    world.add(dataset, 3, seed=1)
    world.pass_by(3)
    world.add(dataset, 3, seed=2)
    world.seal()
    assert (descriptors(world)[0].first, descriptors(world)[0].last) == (begin, world.now)


def test_a_sealed_record_is_not_sealed_again(world: World) -> None:
    """Each record lies in one batch."""
    world.add(world.dataset("weather"), 10)
    assert len(world.seal()) == 1
    assert world.seal() == []
    assert world.size() == 1


def test_the_logs_tiles_prove_each_leaf_past_a_full_tile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """260 batches: the first tile is full, the second level begun, every path holds."""
    dataset = world.dataset("weather")
    monkeypatch.setattr(seal, "check_roots", lambda *anything: None)
    sealer = world.sealer(max_count=1)
    for seed in range(TILE_WIDTH + 4):
        world.add(dataset, 1, sources=1, seed=seed)
    while sealer.seal_due(world.now, at_once=True):
        pass
    size = world.size()
    assert size == TILE_WIDTH + 4
    world.sign()
    leaves = [row[0] for row in world.rows("SELECT leaf FROM batches ORDER BY index")]
    note = world.checkpoints()[0][2]
    checkpoint, _ = open_checkpoint(str(note), [world.signer.vkey])
    assert checkpoint.root == root([leaf for leaf in leaves if isinstance(leaf, bytes)])
    with world.pool.transaction() as tx:

        def read(level: int, index: int, width: int) -> bytes:
            return logtiles.read_log_tile(tx, level, index, width)

        for index in (0, 255, 256, size - 1):
            assert inclusion_path_from_tiles(read, index, size)
    assert world.audit().findings == ()


# -- attacks, crashes, races


STEPS = (
    *("_number_sources", "_read_leaves", "_make_runs", "Tree", "check_roots"),
    *("check_run_list", "_copy_tiles", "_copy_runs", "lock_log", "append_batch"),
    *("format_descriptor", "descriptor_leaf", "append_leaf"),
)


class PowerCut(BaseException):
    """What no handler expects."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_cut_off_at_any_step_leaves_nothing_of_a_batch(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    """Before the commit there is no batch; the next try seals the same records."""
    world.add(world.dataset("weather"), 30)
    module = seal if hasattr(seal, step) else log_writing
    real = getattr(module, step)

    def cut(*values: object, **more: object) -> object:
        if after:
            real(*values, **more)
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(module, step, cut)
        with pytest.raises(PowerCut):
            world.seal()
    nothing_of_a_batch(world)
    assert [batch.count for batch in world.seal()] == [30]
    assert world.audit().findings == ()


QUERIES = ("add_batch", "advance_dataset", "mark_segments", "advance_log")


@pytest.mark.parametrize("query", QUERIES)
def test_cut_off_at_any_statement_leaves_nothing_of_a_batch(
    world: World, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """The last statements are no different: one transaction, all or nothing."""
    world.add(world.dataset("weather"), 30)
    real = Transaction.do

    def cut(tx: Transaction, name: str, /, **values: object) -> int:
        done = real(tx, name, **values)
        if name == query:
            raise PowerCut
        return done

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "do", cut)
        with pytest.raises(PowerCut):
            world.seal()
    nothing_of_a_batch(world)
    assert [batch.count for batch in world.seal()] == [30]
    assert world.audit().findings == ()


@pytest.mark.parametrize("which", ["n = 0", "n = 3", "n = (SELECT max(n) FROM records)"])
def test_a_missing_record_stops_the_sealing(world: World, which: str) -> None:
    """What was accepted and is gone is noticed before a root over the rest exists."""
    world.add(world.dataset("weather"), 30, sources=2)
    assert world.change(f"DELETE FROM records WHERE {which}") > 0
    with pytest.raises(RecordsMissing):
        world.seal()
    nothing_of_a_batch(world)


def test_a_doubled_record_stops_the_sealing(world: World) -> None:
    """Two rows for one n (the key holds `received` too) can't both be sealed."""
    world.add(world.dataset("weather"), 30, sources=2)
    world.change(
        "INSERT INTO records SELECT lane, source, n, received + interval '1 second', chain, form,"
        " flags, leaf, observed, key, message, salt, digest, payload FROM records WHERE n = 3"
    )
    with pytest.raises(RecordsMissing):
        world.seal()
    nothing_of_a_batch(world)


def test_a_doubled_record_does_not_make_up_for_a_missing_one(world: World) -> None:
    """One n gone and its neighbour twice: the number of rows agrees, and it is no chain."""
    world.add(world.dataset("weather"), 30, sources=1)
    world.change("DELETE FROM records WHERE n = 4")
    world.change(
        "INSERT INTO records SELECT lane, source, n, received + interval '1 second', chain, form,"
        " flags, leaf, observed, key, message, salt, digest, payload FROM records WHERE n = 3"
    )
    with pytest.raises(RecordsMissing):
        world.seal()
    nothing_of_a_batch(world)


def test_a_record_moved_along_its_chain_stops_the_sealing(world: World) -> None:
    """One n gone and another in its place beyond the end: the counts agree, the chain not."""
    world.add(world.dataset("weather"), 30, sources=1)
    world.change("UPDATE records SET n = 1000 WHERE n = 7")
    with pytest.raises(RecordsMissing):
        world.seal()
    nothing_of_a_batch(world)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_leaf_of_another_length_stops_the_sealing(world: World, length: int) -> None:
    """A damaged leaf doesn't shift its neighbours into other places."""
    world.add(world.dataset("weather"), 30, sources=2)
    world.change("UPDATE records SET leaf = %s WHERE n = 3", bytes(length))
    with pytest.raises(RecordsMissing):
        world.seal()
    nothing_of_a_batch(world)


def test_two_leaves_of_wrong_lengths_that_add_up_stop_the_sealing(world: World) -> None:
    """31 and 33 bytes are 64 bytes too, and still no two leaves."""
    world.add(world.dataset("weather"), 30, sources=1)
    world.change("UPDATE records SET leaf = %s WHERE n = 3", bytes(31))
    world.change("UPDATE records SET leaf = %s WHERE n = 4", bytes(33))
    with pytest.raises(RecordsMissing):
        world.seal()
    nothing_of_a_batch(world)


def test_a_batch_number_that_was_taken_stops_the_sealing(world: World) -> None:
    """The database refuses a second leaf for an index, whatever the code believes."""
    dataset = world.dataset("weather")
    world.add(dataset, 5, seed=1)
    world.seal()
    world.change("UPDATE log SET size = 0")
    world.add(dataset, 5, seed=2)
    with pytest.raises(psycopg2.errors.UniqueViolation):
        world.seal()
    assert world.rows("SELECT count(*) FROM batches") == [(1,)]


def test_many_sealers_at_once_seal_each_record_once(world: World) -> None:
    """Eight at once, each with connections of its own: one wins each round."""
    dataset = world.dataset("weather")
    others = [world.again() for _ in range(6)]
    ready = Barrier(len(others))

    def race(other: World) -> list[int]:
        ready.wait()
        return [batch.count for batch in other.sealer(max_count=20).seal_due(world.now)]

    with ThreadPoolExecutor(len(others)) as threads:
        for seed in range(6):
            world.add(dataset, 20, seed=seed)
            sealed = [count for counts in threads.map(race, others) for count in counts]
            assert sum(sealed) == 20 * len(sealed)
    world.seal()
    for other in others:
        other.close()
    report = world.audit()
    assert (report.records, report.waiting, report.findings) == (120, 0, ())


def test_the_fence_is_the_logs_row_not_the_advisory_lock(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the lock that only saves work always free, the log still doesn't fork."""
    dataset = world.dataset("weather")
    real = Transaction.row

    def free(tx: Transaction, name: str, /, **values: object) -> tuple[object, ...] | None:
        return (True,) if name == "try_sealer" else real(tx, name, **values)

    monkeypatch.setattr(Transaction, "row", free)
    others = [world.again() for _ in range(6)]
    ready = Barrier(len(others))

    def race(other: World) -> int:
        ready.wait()
        return len(other.sealer().seal_due(world.now, at_once=True))

    with ThreadPoolExecutor(len(others)) as threads:
        for seed in range(4):
            world.add(dataset, 20, seed=seed)
            assert sum(threads.map(race, others)) == 1
    for other in others:
        other.close()
    assert world.size() == 4
    assert world.audit().findings == ()


def test_sealing_goes_on_while_records_are_accepted(world: World) -> None:
    """Records that come during a sealing are in the next batch, none in two or none."""
    dataset = world.dataset("weather")
    acceptor, sealer = world.acceptor(), world.again()
    with ThreadPoolExecutor(2) as threads:

        def accept_all() -> None:
            for seed in range(40):
                acceptor.accept(some_readings(dataset, 10, 4, seed), world.now)

        done = threads.submit(accept_all)
        while not done.done():
            sealer.seal()
        done.result()
    sealer.seal()
    sealer.close()
    report = world.audit()
    assert (report.records, report.waiting, report.findings) == (400, 0, ())


def test_the_second_root_sees_the_leaves_as_they_are_sealed(world: World) -> None:
    """It gets the very leaves of the batch, in their order."""
    seen: list[bytes] = []

    def watch(leaves: Sequence[bytes]) -> bytes:
        seen.append(root(leaves))
        return load_second_root()(leaves)

    world.add(world.dataset("weather"), 33)
    world.sealer(second=watch).seal_due(world.now, at_once=True)
    assert seen == [descriptors(world)[0].root]
