# SPDX-License-Identifier: Apache-2.0
"""From messages to records on a real database; the messages come from a list in memory."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread

import psycopg2
import pytest

from iot_ingest import pipeline as pipeline_module
from iot_ingest.feeds_file import parse_feeds
from iot_ingest.inbox import Inbox, Message
from iot_ingest.patience import Accepts
from iot_ingest.pipeline import Pipeline
from notary.local.postgres import Postgres
from notary.usecases.quarantine import MAX_KEPT, list_quarantine, put_aside
from notary.usecases.reading import Outcome, Reading
from tests.iot_ingest.support import (
    check_exactly_once,
    quarantined,
    records,
    senders,
    wait_for,
)
from tests.usecases.world import World

FEEDS = """
[[feeds]]
name = "one"
filter = "one/+/+"
template = "one/{dataset}/{source}"
codec = "json"
sources = "open"
observed = "time"
key = "id"

[[feeds]]
name = "pack"
filter = "pack/+/+"
template = "pack/{dataset}/{source}"
codec = "ndjson"
sources = "open"
key = "id"

[[feeds]]
name = "raw"
filter = "raw/+/+"
template = "raw/{dataset}/{source}"
codec = "raw"
sources = "open"
"""


class Way:
    """A pipeline on a real notary, and what it acknowledged."""

    def __init__(self, world: World, acceptor: Accepts | None = None) -> None:
        self.world = world
        self.inbox = Inbox(100_000)
        self.acknowledged: list[object] = []
        self.told: list[Exception] = []
        self.kept_when_acknowledged: list[int] = []
        self.pipeline = Pipeline(
            parse_feeds(FEEDS, "f"),
            self.inbox,
            acceptor or world.acceptor(),
            senders(world),
            lambda rejected, now: put_aside(world.pool, rejected, now),
            self.acknowledge,
            lambda: world.now,
            self.told.append,
        )
        self.count = 0

    def acknowledge(self, tickets: Sequence[object]) -> None:
        """Note what the broker would hear."""
        self.acknowledged += tickets

    def send(self, topic: str, payload: bytes) -> None:
        """A message whose ticket is its number."""
        self.inbox.put([Message(topic, payload, self.count)])
        self.count += 1

    def work(self) -> None:
        """Do all that is there, and end."""
        self.inbox.close()
        self.pipeline.run()

    def go(self, rounds: int = 1) -> None:
        """A few rounds."""
        for _ in range(rounds):
            self.pipeline.go_round()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Work on another thread meanwhile; at the end all that is there is done."""
        thread = Thread(target=self.pipeline.run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.inbox.close()
            thread.join(180)
            assert not thread.is_alive()


@pytest.fixture
def way(world: World) -> Way:
    """The way into an open dataset `air`."""
    world.dataset("air", lane_count=4)
    return Way(world)


def body(number: int | str, **more: object) -> bytes:
    """A reading with a time and an id."""
    return json.dumps({"time": "2031-01-01T00:00:00Z", "id": f"k{number}", **more}).encode()


def test_a_message_becomes_a_record_and_is_acknowledged(way: Way) -> None:
    """Its bytes as they came, time and id beside them."""
    way.send("one/air/s", body(1, v="1.0"))
    way.work()
    ((source, chain, n, _, payload, key, observed),) = records(way.world, "air")
    assert (source, chain, n) == ("s", 0, 0)
    assert (payload, key, observed) == (body(1, v="1.0"), "k1", "2031-01-01T00:00:00Z")
    assert way.acknowledged == [0]
    assert way.pipeline.counts.accepted == 1
    assert way.pipeline.counts.last_message_at == way.world.now


def test_a_message_without_a_ticket_needs_no_acknowledgement(way: Way) -> None:
    """One that was sent at QoS 0."""
    way.inbox.put([Message("one/air/s", body(1))])
    way.work()
    assert len(records(way.world, "air")) == 1
    assert way.acknowledged == []


def test_the_order_of_a_source_is_the_order_in_which_its_messages_came(way: Way) -> None:
    """Over many batches and lanes, single and packed."""
    dice = random.Random(5)
    sent: list[tuple[str, bytes]] = []
    for number in range(5000):
        source = f"s{dice.randrange(20)}"
        if dice.random() < 0.3:
            lines = [body(f"{number}-{line}") for line in range(dice.randrange(1, 9))]
            way.send(f"pack/air/{source}", b"\n".join(lines))
            sent += [(source, line) for line in lines]
        else:
            way.send(f"one/air/{source}", body(number))
            sent.append((source, body(number)))
    way.work()
    check_exactly_once(way.world, "air", sent)
    found = [(row[0], row[4]) for row in records(way.world, "air")]
    assert found == sorted(sent, key=lambda one: one[0])
    assert sorted(way.acknowledged) == list(range(5000))  # type: ignore[type-var]


def test_what_is_bad_goes_to_quarantine_and_its_neighbours_to_the_log(way: Way) -> None:
    """Every reason that a message can have, in one batch; all are acknowledged."""
    bad = [
        ("one/air/s", b"\xff", "not-utf-8", "air"),
        ("one/air/s", b'{"id":"\\ud800"}', "bad-value", "air"),
        ("one/air/s", b"[" * 200_000, "too-deep", "air"),
        ("one/air/s", b"{" + b" " * 300_000 + b"}", "too-large", "air"),
        ("one/air/s", b'{"id":"' + b"k" * 129 + b'"}', "malformed", "air"),
        ("one/air/s", b'{"time":"\\n"}', "malformed", "air"),
        ("one/air/s", b'{"time":""}', "malformed", "air"),
        ("one/nowhere/s", b"{}", "unknown-dataset", "nowhere"),
        ("one/air/a b", b"{}", "bad-topic", None),
        ("one/" + "x" * 129 + "/s", b"{}", "bad-topic", None),
        ("elsewhere", b"{}", "no-feed", None),
        ("pack/air/s", b"\n\n", "empty", "air"),
    ]
    for number, (topic, payload, _, _) in enumerate(bad):
        way.send("one/air/good", body(number))
        way.send(topic, payload)
    way.work()
    good = [("good", body(number)) for number in range(len(bad))]
    check_exactly_once(way.world, "air", good)
    found = {(row[1], row[4], row[3], row[2]) for row in quarantined(way.world)}
    assert found == {(topic, payload[:65_536], why, name) for topic, payload, why, name in bad}
    assert sorted(way.acknowledged) == list(range(way.count))  # type: ignore[type-var]
    assert way.pipeline.counts.quarantined == len(bad)


def test_a_bad_line_does_not_sink_its_pack(way: Way) -> None:
    """The others become records that name the pack."""
    pack = b"\n".join([body(1), b"{", body(2), b'{"id":"\\u0000"}', body(3)])
    way.send("pack/air/s", pack)
    way.work()
    check_exactly_once(way.world, "air", [("s", body(number)) for number in (1, 2, 3)])
    assert [row[4] for row in quarantined(way.world)] == [b"{", b'{"id":"\\u0000"}']
    assert way.acknowledged == [0]
    messages = way.world.rows("SELECT DISTINCT octet_length(message) FROM records")
    assert messages == [(32,)]


def test_a_flood_of_bad_messages_holds_up_nobody_else(way: Way) -> None:
    """It is counted, a part of it kept, and the good ones among it are records."""
    for number in range(3000):
        way.send("one/air/loud", b"{" * (number % 7))
        if number % 10 == 0:
            way.send("one/air/good", body(number))
    way.work()
    assert len(records(way.world, "air")) == 300
    assert len(list_quarantine(way.world.pool, limit=1000)) == MAX_KEPT
    assert way.pipeline.counts.quarantined == 3000
    assert len(way.acknowledged) == way.count


def test_what_the_broker_sends_again_is_not_doubled(way: Way) -> None:
    """Same id and same bytes: once in the log, acknowledged each time."""
    for _ in range(3):
        way.send("one/air/s", body(1))
        way.send("pack/air/t", b"\n".join([body(2), body(3), body(2)]))
    way.work()
    check_exactly_once(way.world, "air", [("s", body(1)), ("t", body(2)), ("t", body(3))])
    assert (way.pipeline.counts.accepted, way.pipeline.counts.duplicates) == (3, 9)
    assert len(way.acknowledged) == 6


def test_the_same_id_with_other_bytes_is_a_new_record(way: Way) -> None:
    """Flagged and counted; so is nothing that only has a time."""
    way.send("one/air/s", body(1, v=1))
    way.send("one/air/s", body(1, v=2))
    way.send("one/air/s", b'{"time":"x","v":1}')
    way.send("one/air/s", b'{"time":"x","v":2}')
    way.work()
    assert len(records(way.world, "air")) == 4
    assert way.pipeline.counts.keys_reused == 1


def test_without_id_and_time_a_reading_is_at_least_once(way: Way) -> None:
    """Equal neighbours can both be real."""
    for _ in range(2):
        way.send("raw/air/s", b"17")
    way.work()
    assert len(records(way.world, "air")) == 2


def test_nothing_is_acknowledged_before_it_is_committed(world: World) -> None:
    """Seen from another connection at the moment of each acknowledgement."""
    world.dataset("air")

    class Watching(Way):
        def acknowledge(self, tickets: Sequence[object]) -> None:
            super().acknowledge(tickets)
            there = len(records(world, "air")) + len(quarantined(world))
            assert there >= len(self.acknowledged)

    way = Watching(world)
    for number in range(500):
        way.send("one/air/s", body(number))
        way.send(f"one/air/bad{number % 9}", b"{")
        way.send(f"pack/air/p{number}", body(number) + b"\n{\n")
    way.work()
    assert len(way.acknowledged) == way.count


# -- the database goes away


def test_a_database_that_is_killed_under_load_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times, in the middle of batches; nothing is acknowledged while it is away."""
    monkeypatch.setattr(pipeline_module, "MAX_BATCH_READINGS", 50)
    tmp_path.chmod(0o755)
    with Postgres.open(tmp_path / "postgres") as server:
        world = World.make(tmp_path, server.url)
        world.dataset("air", lane_count=4)
        way = Way(world)
        sent = []
        with way.at_work():
            for life in range(3):
                for number in range(1000):
                    source, payload = f"s{number % 7}", body(f"{life}-{number}")
                    way.send(f"one/air/{source}", payload)
                    sent.append((source, payload))
                    if number % 100 == 0:
                        way.send(f"one/air/{source}", b"{")
                wait_for(lambda: len(way.acknowledged) > way.count - 700)
                server.kill()
                silent = len(way.acknowledged)
                wait_for(lambda: way.pipeline.problem is not None)
                assert "store-unavailable" in str(way.pipeline.problem)
                assert len(way.acknowledged) <= silent + 100
                server.start()
                wait_for(lambda: way.pipeline.problem is None)
        assert sorted(way.acknowledged) == list(range(way.count))  # type: ignore[type-var]
        check_exactly_once(world, "air", sent)
        world.close()


def test_told_to_leave_while_the_database_is_away_it_leaves(tmp_path: Path) -> None:
    """What isn't acknowledged comes again; the process doesn't hang."""
    tmp_path.chmod(0o755)
    with Postgres.open(tmp_path / "postgres") as server:
        world = World.make(tmp_path, server.url)
        world.dataset("air")
        way = Way(world)
        server.kill()
        way.send("one/air/s", body(1))
        with way.at_work():
            wait_for(lambda: way.pipeline.problem is not None)
            way.pipeline.leave()
        assert way.acknowledged == []
        world.close()


# -- lanes that another process holds


@contextmanager
def lane_of(world: World, source: str) -> Iterator[None]:
    """Another process's transaction, stopped while it holds a source's lane."""
    other = psycopg2.connect(world.env["NOTARY_DATABASE_URL"])
    try:
        with other.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM lanes WHERE id = (SELECT lane FROM sources WHERE label = %s)"
                " FOR UPDATE",
                (source,),
            )
            assert cursor.fetchone()
            yield
    finally:
        other.close()


def two_lanes(way: Way) -> tuple[str, str]:
    """Two sources in different lanes, both known."""
    for number in range(20):
        way.send(f"one/air/s{number}", body(f"first{number}"))
    way.go()
    lanes = dict(way.world.rows("SELECT label, lane FROM sources"))
    return "s0", str(next(label for label in lanes if lanes[label] != lanes["s0"]))


def test_a_held_lane_is_put_aside_while_the_rest_goes_on(way: Way) -> None:
    """Its readings wait in their order, unacknowledged; then they are accepted."""
    held, free = two_lanes(way)
    with lane_of(way.world, held):
        for number in range(10):
            way.send(f"one/air/{held}", body(f"h{number}"))
            way.send(f"one/air/{free}", body(f"f{number}"))
            way.go()
        mine = {row[5] for row in records(way.world, "air")}
        assert {f"kf{number}" for number in range(10)} <= mine
        assert not {f"kh{number}" for number in range(10)} & mine
        assert len(way.acknowledged) == way.count - 10
        assert way.pipeline.depth == 10
    way.work()
    keys = [row[5] for row in records(way.world, "air") if row[0] == held]
    assert keys[1:] == [f"kh{number}" for number in range(10)]
    assert sorted(way.acknowledged) == list(range(way.count))  # type: ignore[type-var]


def test_too_much_for_held_lanes_makes_the_rest_wait(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded: beyond a number nothing more is taken from the inbox."""
    monkeypatch.setattr(pipeline_module, "MAX_HELD", 20)
    monkeypatch.setattr(pipeline_module, "MAX_BATCH_READINGS", 5)
    held, free = two_lanes(way)
    way.go(4)
    with lane_of(way.world, held):
        for number in range(100):
            way.send(f"one/air/{held}", body(f"h{number}"))
        way.send(f"one/air/{free}", body("f"))
        way.go(40)
        assert way.pipeline.depth == 101
        assert len(way.inbox) >= 70
    way.work()
    assert len(way.acknowledged) == way.count


# -- faults that nobody foresaw


class Poisoned:
    """The real accepting side with a fault of its own: some payloads make it fail."""

    def __init__(self, world: World, is_poison: Callable[[bytes], bool]) -> None:
        self._acceptor = world.acceptor()
        self.is_poison = is_poison
        self.calls = 0

    def accept_free(self, readings: Sequence[Reading], now: datetime) -> list[Outcome | None]:
        """As the acceptor, or a ZeroDivisionError."""
        self.calls += 1
        if any(self.is_poison(reading.payload) for reading in readings):
            raise ZeroDivisionError("the secret 42")
        return self._acceptor.accept_free(readings, now)


@pytest.fixture
def poisoned(world: World) -> tuple[Way, Poisoned]:
    """A way whose accepting side fails for payloads with the word poison."""
    world.dataset("air", lane_count=2)
    acceptor = Poisoned(world, lambda payload: b"poison" in payload)
    return Way(world, acceptor), acceptor


def test_one_poisoned_reading_is_found_and_its_neighbours_go_on(
    poisoned: tuple[Way, Poisoned],
) -> None:
    """Also inside a pack; it goes to quarantine as internal once the others prove it."""
    way, acceptor = poisoned
    for number in range(300):
        way.send("one/air/s", body(number, word="poison" if number in (7, 250) else "fine"))
    way.send("pack/air/p", b"\n".join([body("a"), body("b", word="poison"), body("c")]))
    way.go()
    assert len(records(way.world, "air")) == 300
    assert quarantined(way.world) == []
    assert len(way.acknowledged) == 298
    way.send("one/air/s", body("later"))
    way.go(2)
    assert [(row[0], row[3]) for row in quarantined(way.world)] == [
        ("one", "internal"),
        ("one", "internal"),
        ("pack", "internal"),
    ]
    assert sorted(way.acknowledged) == list(range(way.count))  # type: ignore[type-var]
    assert acceptor.calls < 100
    assert {type(error) for error in way.told} == {ZeroDivisionError}
    details = [row["detail"] for row in list_quarantine(way.world.pool)]
    assert all("ZeroDivisionError" in detail and "42" not in detail for detail in details)


def test_a_fault_of_our_own_puts_no_good_reading_into_quarantine(
    poisoned: tuple[Way, Poisoned], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While everything fails nothing is lost; when it is mended all become records."""
    monkeypatch.setattr(pipeline_module, "SUSPECT_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(pipeline_module, "MAX_SUSPECTS", 50)
    way, acceptor = poisoned
    acceptor.is_poison = lambda payload: True
    for number in range(200):
        way.send(f"one/air/s{number % 3}", body(number))
    way.go(5)
    way.send("one/air/s", body("more"))
    way.go(5)
    assert way.acknowledged == []
    assert quarantined(way.world) == []
    assert "internal" in str(way.pipeline.problem)
    assert way.pipeline.depth == 201
    acceptor.is_poison = lambda payload: False
    way.go(5)
    assert way.pipeline.problem is None
    assert len(records(way.world, "air")) == 201
    assert quarantined(way.world) == []
    assert sorted(way.acknowledged) == list(range(201))  # type: ignore[type-var]


# -- the gate and the clock


def test_a_closed_gate_takes_nothing_and_opens_again(way: Way) -> None:
    """Said once why; nothing acknowledged, nothing lost."""
    mark = way.world.parts.settings.mark_file
    text = mark.read_bytes()
    mark.unlink()
    with way.at_work():
        for number in range(50):
            way.send("one/air/s", body(number))
        wait_for(lambda: way.pipeline.problem is not None)
        assert "state-refused" in str(way.pipeline.problem)
        assert way.acknowledged == []
        mark.write_bytes(text)
        wait_for(lambda: len(way.acknowledged) == 50)
        assert way.pipeline.problem is None
    check_exactly_once(way.world, "air", [("s", body(number)) for number in range(50)])


def test_a_clock_that_went_back_stops_accepting_until_it_is_right_again(way: Way) -> None:
    """By more than a minute; nothing is lost meanwhile."""
    way.send("one/air/s", body(1))
    way.go()
    way.world.now -= timedelta(seconds=61)
    with way.at_work():
        way.send("one/air/s", body(2))
        wait_for(lambda: way.pipeline.problem is not None)
        assert "clock-behind" in str(way.pipeline.problem)
        assert way.acknowledged == [0]
        way.world.now += timedelta(seconds=61)
        wait_for(lambda: len(way.acknowledged) == 2)
    check_exactly_once(way.world, "air", [("s", body(1)), ("s", body(2))])
