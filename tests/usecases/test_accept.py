# SPDX-License-Identifier: Apache-2.0
"""Accept: what is answered is durable, in its place, once; and what breaks costs only itself."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from threading import Barrier, Thread

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notary.core.hashing import commitment
from notary.core.statement import parse_statement, statement_leaf
from notary.core.words import ZERO_HASH
from notary.store import pool as pool_module
from notary.store.errors import LaneBusy, StoreUnavailable
from notary.usecases import accept as accept_module
from notary.usecases import lanes as lanes_module
from notary.usecases.accept import ALARM_LIFT, Acceptor, ClockBehind, KeyReused, Limits, Once
from notary.usecases.marks import StateRefused
from notary.usecases.reading import Acceptance, Outcome, Pack, Reading, Refusal
from notary.usecases.record import statement_text
from notary.usecases.segment import MAX_CONTENTS
from tests.usecases.world import World, accepted, fresh_seed, some_readings


def reading(
    source: str = "s", payload: bytes = b"1", dataset: str = "air", **more: object
) -> Reading:
    """A reading without time and id, unless they are given."""
    return Reading(dataset, source, payload, "text/plain", "acl")._replace(**more)  # type: ignore[arg-type]


@pytest.fixture
def air(world: World) -> World:
    """A notary with an open dataset of four lanes."""
    world.dataset("air", lane_count=4)
    return world


def chains(world: World) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """(chain, n) of each (dataset, source in statements), in order."""
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for dataset, source, chain, n in world.rows(
        "SELECT d.name, s.name, r.chain, r.n FROM records r JOIN sources s ON s.id = r.source"
        " JOIN datasets d ON d.id = s.dataset ORDER BY 1, 2, 3, 4"
    ):
        found.setdefault((str(dataset), str(source)), []).append((int(str(chain)), int(str(n))))
    return found


def check_store(world: World) -> int:
    """Every leaf follows from its row and the leaf before; segments count all. How many."""
    count = 0
    with world.pool.transaction(read_only=True) as tx:
        for (dataset, source), places in chains(world).items():
            ends: Counter[int] = Counter()
            for chain, n in places:
                assert n == ends[chain]
                ends[chain] += 1
                row = tx.prepared("find_record", dataset, source, n, chain)[0]
                assert statement_leaf(statement_text(row)) == row["leaf"]
                parse_statement(statement_text(row))
            count += len(places)
    sums = world.rows(
        "SELECT coalesce(sum(count), 0), coalesce(sum((SELECT sum(c) FROM unnest(counts) c)), 0)"
        " FROM segments"
    )
    assert sums == [(count, count)]
    return count


def together(*works: Callable[[], object]) -> list[BaseException]:
    """Run all at once, on threads of their own; what they raised."""
    barrier, raised = Barrier(len(works)), list[BaseException]()

    def run(work: Callable[[], object]) -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


# -- what is promised


def test_an_acceptance_says_where_the_record_is(air: World) -> None:
    """n from 0 without a gap, the leaf of the statement, the time of the clock."""
    first, second, other = air.accept([reading("a"), reading("a", b"2"), reading("b")])
    assert [(one.source, one.chain, one.n) for one in (first, second, other)] == [
        ("a", 0, 0),
        ("a", 0, 1),
        ("b", 0, 0),
    ]
    assert {one.received for one in (first, second, other)} == {air.now}
    assert not any(one.duplicate or one.key_reused for one in (first, second, other))
    with air.pool.transaction(read_only=True) as tx:
        row = tx.prepared("find_record", "air", "a", 1, None)[0]
    statement = parse_statement(statement_text(row))
    assert statement_leaf(statement_text(row)) == second.leaf
    assert (statement.prev, statement.digest) == (first.leaf, sha256(b"2").digest())
    assert check_store(air) == 3


def test_a_first_record_links_to_nothing(air: World) -> None:
    """64 zeros."""
    air.accept([reading()])
    with air.pool.transaction(read_only=True) as tx:
        row = tx.prepared("find_record", "air", "s", 0, None)[0]
    assert parse_statement(statement_text(row)).prev == ZERO_HASH


def test_answers_come_in_the_order_of_the_questions(air: World) -> None:
    """Whatever lanes they lie in, and whatever is refused between them."""
    dice = random.Random(3)
    asked = [
        reading(f"s{dice.randrange(9)}", b"%d" % i, "air" if dice.random() < 0.8 else "nowhere")
        for i in range(500)
    ]
    answers = air.acceptor().accept(asked, air.now)
    assert len(answers) == 500
    for one, answer in zip(asked, answers, strict=True):
        if one.dataset == "nowhere":
            assert isinstance(answer, Refusal)
            assert answer.reason == "unknown-dataset"
        else:
            assert isinstance(answer, Acceptance)
            assert answer.source == one.source
    assert check_store(air) == sum(one.dataset == "air" for one in asked)


def test_nothing_asked_is_nothing_answered(air: World) -> None:
    """No transaction, no error."""
    assert air.acceptor().accept([], air.now) == []
    assert air.acceptor().accept_free([], air.now) == []


def test_a_segment_says_what_one_commit_took_of_one_lane(air: World) -> None:
    """Numbers rise in the order of commits; counts are those of the sources."""
    acceptor = air.acceptor()
    for turn in range(3):
        acceptor.accept([reading(f"s{i}", b"%d" % turn) for i in range(20)], air.pass_by())
    rows = air.rows("SELECT lane, array_agg(received ORDER BY number), sum(count), sum(cardinality("
                    "sources)) FROM segments GROUP BY lane")  # fmt: skip
    assert len(rows) == 4
    for _, received, count, sources in rows:
        assert isinstance(received, list)
        assert received == sorted(received)
        assert len(received) == 3
        assert count == sources
    assert check_store(air) == 60


# -- duplicates


def test_the_same_key_and_bytes_are_one_record(air: World) -> None:
    """In one call, in the next, and in another process; the answer is the first one's."""
    acceptor = air.acceptor()
    one = reading(key="k", observed="noon")
    first, again = accepted(acceptor.accept([one, one], air.now))
    (later,) = accepted(acceptor.accept([one], air.pass_by()))
    (elsewhere,) = accepted(air.again().acceptor().accept([one], air.pass_by()))
    assert not first.duplicate
    for other in (again, later, elsewhere):
        assert other == first._replace(duplicate=True)
    assert check_store(air) == 1


def test_the_same_key_with_other_bytes_is_a_new_record_and_flagged(air: World) -> None:
    """A frame counter that restarts loses nothing."""
    answers = air.accept([reading(payload=b"1", key="k"), reading(payload=b"2", key="k")])
    answers += air.accept([reading(payload=b"3", key="k"), reading(payload=b"2", key="k")])
    assert [one.key_reused for one in answers] == [False, True, True, False]
    assert [one.duplicate for one in answers] == [False, False, False, True]
    assert air.rows("SELECT flags FROM records ORDER BY n") == [(0,), (1,), (1,)]


def test_a_key_for_ever_new_contents_is_no_key_and_is_bounded(air: World) -> None:
    """All are recorded; the first hundred contents are known again, the later ones are not."""
    contents = [reading(payload=b"%d" % number, key="0") for number in range(MAX_CONTENTS + 50)]
    acceptor = air.acceptor()
    for _ in range(2):
        outcomes = [acceptor.accept(contents[at : at + 30], air.now) for at in range(0, 150, 30)]
    again = [one.duplicate for part in outcomes for one in part]  # type: ignore[union-attr]
    assert again == [True] * MAX_CONTENTS + [False] * 50
    assert air.rows("SELECT count(*) FROM duplicates") == [(MAX_CONTENTS,)]
    assert air.rows("SELECT count(*) FROM records") == [(MAX_CONTENTS + 100,)]


def test_without_a_key_the_time_finds_duplicates_and_flags_nothing(air: World) -> None:
    """Same time and other bytes are two readings of one second."""
    answers = air.accept([
        reading(payload=b"1", observed="t"),
        reading(payload=b"2", observed="t"),
        reading(payload=b"1", observed="t"),
        reading(payload=b"1", observed="u"),
    ])  # fmt: skip
    assert [one.duplicate for one in answers] == [False, False, True, False]
    assert not any(one.key_reused for one in answers)


def test_without_key_and_time_equal_readings_are_all_kept(air: World) -> None:
    """They can all be real."""
    air.accept([reading()] * 3)
    air.accept([reading()] * 2)
    assert check_store(air) == 5


def test_a_key_is_one_sources_own(air: World) -> None:
    """Of another source, of another dataset, and as a time it is another one."""
    air.dataset("water")
    answers = air.accept([
        reading("a", key="k"),
        reading("b", key="k"),
        reading("a", key="k", dataset="water"),
        reading("a", observed="k"),
    ])  # fmt: skip
    assert not any(one.duplicate or one.key_reused for one in answers)
    assert check_store(air) == 4


def test_a_key_that_was_forgotten_is_a_new_record(air: World) -> None:
    """Beyond the stated horizon; and the other way round, a print without its record."""
    one = reading(key="k")
    air.accept([one])
    with air.pool.transaction() as tx:
        tx.do("forget_keys", before=air.now + timedelta(days=2))
    (again,) = air.accept([one])
    assert (again.n, again.duplicate) == (1, False)


def test_a_key_whose_record_is_gone_does_not_sink_a_batch(air: World) -> None:
    """The key's row stands alone, as after a partition was removed."""
    air.accept([reading(key="k")])
    air.change("DELETE FROM records")
    answers = air.accept([reading(key="k"), reading(key="k"), reading(key="other")])
    assert [one.duplicate for one in answers] == [False, True, False]


def test_a_closed_datasets_keys_are_known_and_stand_nowhere(world: World) -> None:
    """Found again by HMAC only; in the statement where the feed says so."""
    closed = world.dataset(None)
    quiet = reading(dataset=closed, key="k", observed="noon")
    named = quiet._replace(source="t", keeps_names=True)
    answers = world.accept([quiet, quiet, named])
    assert [one.duplicate for one in answers] == [False, True, False]
    rows = world.rows("SELECT s.label, r.observed, r.key FROM records r JOIN sources s"
                      " ON s.id = r.source ORDER BY 1")  # fmt: skip
    assert rows == [("s", None, None), ("t", "noon", "k")]
    assert check_store(world) == 2


def test_the_memory_of_keys_tells_nothing_without_the_secret(world: World) -> None:
    """Another instance secret gives other prints; an open dataset's digests are public anyway."""
    closed = world.dataset(None)
    acceptors = [Acceptor(world.pool, world.gate, secret) for secret in (b"a" * 32, b"b" * 32)]
    for acceptor in acceptors:
        acceptor.accept([reading(dataset=closed, key="k")], world.now)
    prints = world.rows("SELECT key_print, payload_print FROM duplicates")
    assert len({one for one, _ in prints}) == len({other for _, other in prints}) == 2


def test_a_replay_in_another_order_and_cut_gives_the_same_records(air: World) -> None:
    """Any redelivery of what is keyed, by any process, adds nothing."""
    seed = fresh_seed()
    print(f"NOTARY_TEST_SEED={seed}")
    dice = random.Random(seed)
    sent = some_readings("air", 600, 12, seed)
    first = {one.key: answer for one, answer in zip(sent, air.accept(sent), strict=True)}
    processes = [air.again().acceptor() for _ in range(2)]
    for _ in range(15):
        part = dice.sample(sent, dice.randrange(1, 200))
        answers = accepted(dice.choice(processes).accept(part, air.pass_by()))
        for one, answer in zip(part, answers, strict=True):
            assert answer == first[one.key]._replace(duplicate=True)
    assert check_store(air) == 600


# -- what breaks

STRANGE = st.one_of(
    st.text(max_size=8),
    st.text(st.characters(categories=["Cs", "Cc", "Cn", "So"]), max_size=8),
    st.sampled_from(
        ["", "\0", "a\0b", "\ud800", "..", ".", "x" * 129, "é", "a/b", "a b", "' OR 1"]
    ),
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "dataset": STRANGE,
                "source": STRANGE,
                "observed": STRANGE,
                "key": STRANGE,
                "type": STRANGE,
                "by": STRANGE,
                "payload": st.binary(max_size=20),
            },
        ),
        max_size=8,
    )
)
@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_strings_that_break_cost_only_themselves(
    air: World, broken: list[dict[str, object]]
) -> None:
    """Each strange reading between good ones: it is refused or taken, they are taken."""
    asked = [reading("good", b"0")]
    for more in broken:
        asked += [reading(payload=b"x")._replace(**more), reading("good", b"1")]  # type: ignore[arg-type]
    answers = air.acceptor().accept(asked, air.pass_by())
    assert all(isinstance(one, Acceptance) for one in answers[::2])
    for one, answer in zip(asked[1::2], answers[1::2], strict=True):
        if isinstance(answer, Refusal):
            assert answer.reason in ("malformed", "unknown-dataset")
            assert answer.detail
        else:
            assert one.dataset == "air"


def test_strange_readings_left_a_store_that_holds_together(air: World) -> None:
    """What may be in a string is in the statement as it was sent."""
    strings = ["温度", "\U0001f600", '"\\', "e\u0301", "\u2028", "<&>", "\ufffe", "\x80"]
    air.accept([reading(payload=b"%d" % i, key=text, observed=text)
                for i, text in enumerate(strings)])  # fmt: skip
    assert air.rows("SELECT key, observed FROM records ORDER BY n") == [(s, s) for s in strings]
    assert check_store(air) == len(strings)


def test_a_payload_beyond_the_limit_is_refused_with_its_size(air: World) -> None:
    """One at the limit is taken."""
    acceptor = Acceptor(air.pool, air.gate, b"s" * 32, Limits(max_payload_bytes=10))
    good, bad = acceptor.accept([reading(payload=b"x" * 10), reading(payload=b"x" * 11)], air.now)
    assert isinstance(good, Acceptance)
    assert isinstance(bad, Refusal)
    assert bad.reason == "too-large"
    assert "11" in bad.detail


def test_any_bytes_are_a_payload(air: World) -> None:
    """Also none, and what looks like the end of a COPY."""
    payloads = [b"", b"\0", b"\xff" * 9, b"\xff\xff", b"\\.\n", b"PGCOPY\n\xff\r\n\0", b"\r\n"]
    air.accept([reading(payload=one) for one in payloads])
    assert [row[0] for row in air.rows("SELECT payload FROM records ORDER BY n")] == payloads
    assert check_store(air) == len(payloads)


def test_a_dataset_that_is_made_later_is_found_then(air: World) -> None:
    """That it wasn't there is not remembered."""
    acceptor = air.acceptor()
    (refused,) = acceptor.accept([reading(dataset="water")], air.now)
    assert isinstance(refused, Refusal)
    air.dataset("water")
    accepted(acceptor.accept([reading(dataset="water")], air.now))


# -- several processes


def test_new_sources_in_opposite_order_by_two_processes_do_not_deadlock(air: World) -> None:
    """Each adds the same sources, from both ends, at the same time."""
    names = [f"s{i}" for i in range(40)]
    one, other = air.again().acceptor(), air.again().acceptor()

    def add(acceptor: Acceptor, order: list[str], turn: int) -> None:
        for start in range(0, len(order), 8):
            acceptor.accept(
                [reading(f"{name}-{turn}") for name in order[start : start + 8]], air.now
            )

    for turn in range(5):
        raised = together(
            lambda turn=turn: add(one, names, turn),  # type: ignore[misc]
            lambda turn=turn: add(other, names[::-1], turn),  # type: ignore[misc]
        )
        assert raised == []
    assert {len(places) for places in chains(air).values()} == {2}
    assert check_store(air) == 2 * 5 * 40


def test_new_forms_in_opposite_order_by_two_processes_do_not_deadlock(air: World) -> None:
    """In datasets, and so lanes, of their own."""
    air.dataset("water")
    one, other = air.again().acceptor(), air.again().acceptor()
    for turn in range(10):
        types = [f"x/{turn}-{i}" for i in range(30)]
        raised = together(
            lambda: one.accept([reading(type=t) for t in types], air.now),  # noqa: B023
            lambda: other.accept(
                [reading(dataset="water", type=t) for t in types[::-1]],  # noqa: B023
                air.now,
            ),
        )
        assert raised == []
    assert air.rows("SELECT count(*) FROM forms") == [(300,)]
    assert check_store(air) == 600


def test_forms_without_end_do_not_run_out(air: World) -> None:
    """A client that thinks up media types doesn't spend what is everybody's."""
    air.change("SELECT setval(pg_get_serial_sequence('forms', 'id'), 40000)")
    accepted(air.acceptor().accept([reading(type="x/y")], air.now))
    assert check_store(air) == 1


def test_heads_that_another_process_moved_are_read_again(air: World) -> None:
    """Three processes take turns at the same sources; every chain stays whole."""
    dice = random.Random(11)
    processes = [air.again().acceptor() for _ in range(3)]
    for turn in range(40):
        part = [reading(f"s{dice.randrange(5)}", b"%d" % turn) for _ in range(6)]
        accepted(dice.choice(processes).accept(part, air.pass_by()))
    assert check_store(air) == 240


def test_many_processes_at_once_keep_every_chain_whole(air: World) -> None:
    """The same sources, and some of the same keyed readings."""
    shared = some_readings("air", 300, 7, seed=1)
    answers: list[list[Acceptance]] = []

    def work(number: int) -> None:
        acceptor = air.again().acceptor()
        mine = some_readings("air", 300, 7, seed=100 + number)
        for start in range(0, 300, 50):
            part = shared[start : start + 50] + mine[start : start + 50]
            answers.append(accepted(acceptor.accept(part, air.now)))

    assert together(*[lambda n=n: work(n) for n in range(4)]) == []  # type: ignore[misc]
    flat = [one for part in answers for one in part]
    new = Counter((one.source, one.n) for one in flat if not one.duplicate)
    assert set(new.values()) == {1}
    assert len(new) == 5 * 300
    assert check_store(air) == 5 * 300


@contextmanager
def held(world: World, source: str) -> Iterator[None]:
    """A lane that another process holds: that of a source."""
    other = psycopg2.connect(world.env["NOTARY_DATABASE_URL"])
    try:
        with other.cursor() as cursor:
            cursor.execute(
                "SELECT l.id FROM lanes l JOIN sources s ON s.lane = l.id WHERE s.label = %s"
                " FOR UPDATE OF l",
                (source,),
            )
            assert cursor.rowcount == 1
            yield
    finally:
        other.close()


def test_a_held_lane_is_left_out_and_the_others_go_on(air: World) -> None:
    """Asked not to wait: None for its readings, which are not taken."""
    acceptor = air.acceptor()
    names = [f"s{i}" for i in range(20)]
    acceptor.accept([reading(name) for name in names], air.now)
    lanes = dict(air.rows("SELECT label, lane FROM sources"))
    with held(air, "s0"):
        answers = acceptor.accept_free([reading(name, b"2") for name in names], air.now)
    for name, answer in zip(names, answers, strict=True):
        assert (answer is None) is (lanes[name] == lanes["s0"])
    assert sum(answer is None for answer in answers) < 20
    # The holder's lock may outlive its block by a moment: wait for it.
    again = acceptor.accept([reading(name, b"3") for name in names], air.now)
    assert not any(isinstance(answer, Refusal) for answer in again)
    assert check_store(air) == 20 + sum(map(bool, answers)) + 20


def test_refusals_are_told_while_a_lane_is_held(air: World) -> None:
    """They need no lane."""
    acceptor = air.acceptor()
    acceptor.accept([reading()], air.now)
    with held(air, "s"):
        bad, busy = acceptor.accept_free([reading(dataset="no"), reading()], air.now)
    assert isinstance(bad, Refusal)
    assert busy is None


def test_a_lane_held_too_long_is_an_error_and_nothing_is_taken(
    air: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All or nothing, so that what has no key isn't doubled by the next try."""
    patient = pool_module.SETTINGS.replace("lock_timeout=5000", "lock_timeout=100")
    monkeypatch.setattr(pool_module, "SETTINGS", patient)
    acceptor = air.again().acceptor()
    names = [f"s{i}" for i in range(20)]
    acceptor.accept([reading(name) for name in names], air.now)
    with held(air, "s0"), pytest.raises(LaneBusy):
        acceptor.accept([reading(name) for name in names], air.now)
    assert check_store(air) == 20
    acceptor.accept([reading(name) for name in names], air.now)
    assert check_store(air) == 40


# -- the clock


def test_a_clock_that_goes_back_is_lifted(air: World) -> None:
    """`received` never falls along a chain; more than a second is an alarm."""
    acceptor = air.acceptor()
    (first,) = accepted(acceptor.accept([reading()], air.now))
    (second,) = accepted(acceptor.accept([reading()], air.now - timedelta(seconds=0.5)))
    assert second.received == first.received
    assert acceptor.largest_lift <= ALARM_LIFT
    (third, other) = accepted(
        acceptor.accept([reading(), reading("t")], air.now - timedelta(seconds=59))
    )
    assert third.received == first.received
    assert other.received == air.now - timedelta(seconds=59)
    assert acceptor.largest_lift == timedelta(seconds=59) > ALARM_LIFT
    assert check_store(air) == 4


def test_a_clock_that_goes_back_by_more_than_a_minute_stops_accepting(air: World) -> None:
    """Nothing of the call is taken; later it goes on where it was, in every process."""
    acceptor = air.acceptor()
    acceptor.accept([reading("old")], air.now)
    back = air.now - timedelta(seconds=60, microseconds=1)
    for process in (acceptor, air.again().acceptor()):
        with pytest.raises(ClockBehind):
            process.accept([reading("new"), reading("old")], back)
        with pytest.raises(ClockBehind):
            process.accept_free([reading("new"), reading("old")], back)
    assert check_store(air) == 1
    (new, old) = accepted(acceptor.accept([reading("new"), reading("old")], air.now))
    assert (new.n, old.n) == (0, 1)
    assert check_store(air) == 3


def test_a_duplicate_is_known_whatever_the_clock_says(air: World) -> None:
    """It needs no time of its own."""
    acceptor = air.acceptor()
    acceptor.accept([reading(key="k")], air.now)
    (again,) = accepted(acceptor.accept([reading(key="k")], air.now - timedelta(days=1)))
    assert again.duplicate


# -- what is rolled back is forgotten


@contextmanager
def failing(world: World, table: str) -> Iterator[None]:
    """Every insert into a table fails meanwhile, inside the transaction."""
    world.change(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'no'; END $$"
    )
    world.change(f"CREATE TRIGGER fail BEFORE INSERT ON {table} EXECUTE FUNCTION fail()")
    try:
        yield
    finally:
        world.change("DROP FUNCTION fail() CASCADE")


@pytest.mark.parametrize(
    "table", ["sources", "forms", "segments", "records", "duplicates", "digests"]
)
def test_a_transaction_that_fails_leaves_nothing_behind(world: World, table: str) -> None:
    """Neither in the store nor in the process's memory; the next one is as the first."""
    world.dataset("air", lane_count=2, digest_index=True)
    acceptor = world.acceptor()
    acceptor.accept([reading("known", key="1")], world.now)
    more = [
        reading("known", b"2", key="2"),
        reading("new", b"2", key="2"),
        reading("new", b"3", key="3", type="x/new"),
    ]
    with failing(world, table), pytest.raises(psycopg2.Error):
        acceptor.accept(more, world.now)
    assert check_store(world) == 1
    answers = accepted(acceptor.accept(more, world.now))
    assert [(one.n, one.duplicate) for one in answers] == [(1, False), (0, False), (1, False)]
    assert check_store(world) == 4


def test_a_connection_that_breaks_is_told_and_the_next_try_is_whole(air: World) -> None:
    """The server ends all sessions between two calls and inside one."""
    acceptor = air.acceptor()
    sent = some_readings("air", 50)
    acceptor.accept(sent, air.now)
    kill = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    breaking = psycopg2.connect(air.env["NOTARY_DATABASE_URL"])
    breaking.autocommit = True
    with held(air, "s0"):
        raised: list[BaseException] = []
        thread = Thread(
            target=lambda: raised.extend(together(lambda: acceptor.accept(sent, air.now)))
        )
        thread.start()
        with breaking.cursor() as cursor:
            while thread.is_alive():
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND wait_event_type = 'Lock'"
                )
                row = cursor.fetchone()
                if row and row[0]:
                    cursor.execute(kill)
                    break
        thread.join()
    breaking.close()
    assert [type(error) for error in raised] == [StoreUnavailable]
    assert all(one.duplicate for one in accepted(acceptor.accept(sent, air.now)))
    assert check_store(air) == 50


def test_what_a_process_remembers_is_bounded_and_stays_right(
    air: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limits it starts afresh and reads again."""
    for module in (accept_module, lanes_module):
        monkeypatch.setattr(module, "MAX_REMEMBERED", 5)
    monkeypatch.setattr(accept_module, "MAX_FORMS", 2)
    acceptor = air.acceptor()
    for turn in range(6):
        acceptor.accept(
            [reading(f"s{i}", b"%d" % turn, type=f"x/{i % 7}") for i in range(20)], air.now
        )
    assert {tuple(places) for places in chains(air).values()} == {tuple((0, n) for n in range(6))}
    assert check_store(air) == 120


# -- closed datasets


def test_a_closed_dataset_salts_every_payload(world: World) -> None:
    """32 random bytes each, under which the commitment holds; no digest anywhere."""
    closed = world.dataset(None, random_sources=True)
    world.accept([reading(payload=b"same", dataset=closed) for _ in range(20)])
    rows = world.rows("SELECT salt, payload, leaf FROM records")
    salts = {bytes(row[0]) for row in rows}  # type: ignore[call-overload]
    assert {len(salt) for salt in salts} == {32}
    assert len(salts) == len({row[2] for row in rows}) == 20
    with world.pool.transaction(read_only=True) as tx:
        name = tx.rows("find_sources", datasets=[1], labels=["s"])[0][3]
        row = tx.prepared("find_record", closed, name, 0, None)[0]
    statement = parse_statement(statement_text(row))
    assert statement.digest is None
    assert statement.commitment == commitment(row["salt"], b"same")
    assert statement.source != "s"
    assert check_store(world) == 20


def test_a_closed_datasets_source_keeps_its_random_name(world: World) -> None:
    """The same one in every process; another one for every source."""
    closed = world.dataset(None, random_sources=True)
    names = [
        world.again().accept([reading("s", dataset=closed), reading("t", dataset=closed)])
        for _ in range(2)
    ]
    assert names[0][0].source == names[1][0].source != names[0][1].source
    assert len(names[0][0].source) == len("s.") + 32


@pytest.mark.parametrize("is_open", [True, False])
def test_a_split_reading_names_its_message(world: World, is_open: bool) -> None:
    """By digest, in an open dataset only: in any other it would outlive its neighbours."""
    dataset = world.dataset("air" if is_open else None)
    pack = Pack(b"1\n2")
    world.accept([reading(payload=line, dataset=dataset, pack=pack) for line in (b"1", b"2")])
    expected = sha256(pack.data).digest() if is_open else None
    assert world.rows("SELECT message FROM records") == [(expected,)] * 2
    assert check_store(world) == 2


def test_digests_are_kept_only_where_they_are_asked_for(world: World) -> None:
    """And never of a closed dataset."""
    world.dataset("asks", digest_index=True)
    world.dataset("air")
    closed = world.dataset(None, digest_index=True)
    world.accept([reading(dataset=name) for name in ("asks", "air", closed)])
    assert world.rows("SELECT digest FROM digests") == [(sha256(b"1").digest(),)]


# -- the gate


def test_a_closed_gate_accepts_nothing(air: World) -> None:
    """No mark: no acceptance, in a new process."""
    air.parts.settings.mark_file.unlink()
    process = air.again().acceptor()
    for work in (process.accept, process.accept_free):
        with pytest.raises(StateRefused):
            work([reading()], air.now)
    assert check_store(air) == 0


def test_tables_that_were_exchanged_under_a_running_process_are_refused(air: World) -> None:
    """A dump restored over the tables, seen before anything is written."""
    acceptor = air.acceptor()
    acceptor.accept([reading()], air.now)
    air.change("ALTER TABLE records RENAME TO old")
    air.change("CREATE TABLE records (LIKE old INCLUDING ALL)")
    with pytest.raises(StateRefused):
        acceptor.accept([reading()], air.now)
    with pytest.raises(StateRefused):
        acceptor.accept_free([reading()], air.now)
    assert air.rows("SELECT count(*) FROM records") == [(0,)]


def test_after_a_recovery_a_source_begins_a_new_chain(air: World) -> None:
    """n from 0 again, time going on; what the old chain holds is still known."""
    old = accepted(
        air.acceptor().accept([reading(key="k"), reading(key="l", payload=b"2")], air.now)
    )
    air.change("UPDATE log SET chain = 1")
    process = air.again().acceptor()
    earlier = air.now - timedelta(seconds=5)
    new = accepted(process.accept([reading(key="m", payload=b"3"), reading(key="k")], earlier))
    assert (new[0].chain, new[0].n, new[0].received) == (1, 0, air.now)
    assert new[1] == old[0]._replace(duplicate=True)
    (next_one,) = accepted(process.accept([reading(key="n", payload=b"4")], air.pass_by()))
    assert (next_one.chain, next_one.n) == (1, 1)
    assert check_store(air) == 4


# -- once for each Idempotency-Key


def once(key: str = "i", body: bytes = b"body", owner: str = "api") -> Once:
    """A posted body; the answer counts the outcomes."""
    return Once(owner, key, body, lambda outcomes: f"{len(outcomes)} of {body!r}")


def test_a_repeated_body_is_answered_as_the_first_time(air: World) -> None:
    """And adds nothing, though its readings have no key."""
    acceptor = air.acceptor()
    first, answer = acceptor.accept_once([reading(), reading()], air.now, once())
    assert (len(first), answer) == (2, None)
    for process in (acceptor, air.again().acceptor()):
        outcomes, answer = process.accept_once([reading(), reading()], air.pass_by(), once())
        assert (outcomes, answer) == ([], "2 of b'body'")
    assert check_store(air) == 2


def test_another_body_under_the_same_key_is_refused(air: World) -> None:
    """Another caller's key of the same name is another key."""
    acceptor = air.acceptor()
    acceptor.accept_once([reading()], air.now, once())
    with pytest.raises(KeyReused):
        acceptor.accept_once([reading()], air.now, once(body=b"other"))
    acceptor.accept_once([reading()], air.now, once(body=b"other", owner="another"))
    assert check_store(air) == 2


def test_a_body_that_failed_may_be_sent_again(air: World) -> None:
    """The key is claimed only together with the records."""
    acceptor = air.acceptor()
    with failing(air, "records"), pytest.raises(psycopg2.Error):
        acceptor.accept_once([reading()], air.now, once())
    with pytest.raises(ZeroDivisionError):
        acceptor.accept_once(
            [reading()], air.now, replace(once(), answer=lambda outcomes: str(1 // 0))
        )
    outcomes, answer = acceptor.accept_once([reading()], air.now, once())
    assert (len(outcomes), answer) == (1, None)
    assert check_store(air) == 1


def test_the_same_body_by_two_at_once_is_taken_once(air: World) -> None:
    """The second waits for the first and gets its answer."""
    got: list[tuple[list[Outcome], str | None]] = []
    processes = [air.again().acceptor() for _ in range(2)]
    for turn in range(5):
        raised = together(
            *[
                lambda p=p, turn=turn: got.append(  # type: ignore[misc]
                    p.accept_once([reading()], air.now, once(key=str(turn)))
                )
                for p in processes
            ]
        )
        assert raised == []
    assert Counter(answer for _, answer in got) == {None: 5, "1 of b'body'": 5}
    assert check_store(air) == 5


def test_a_body_of_refused_readings_is_answered_and_remembered(air: World) -> None:
    """Nothing to write is an outcome too."""
    acceptor = air.acceptor()
    (refused,), answer = acceptor.accept_once([reading(dataset="no")], air.now, once())
    assert isinstance(refused, Refusal)
    assert answer is None
    assert acceptor.accept_once([reading(dataset="no")], air.now, once())[1] == "1 of b'body'"
