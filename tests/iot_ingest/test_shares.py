# SPDX-License-Identifier: Apache-2.0
"""Pipelines side by side on a real database: each owns whole lanes, all work together."""

import random
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread

import pytest

from iot_ingest.feeds import Route
from iot_ingest.feeds_file import parse_feeds
from iot_ingest.inbox import Inbox, Message
from iot_ingest.pipeline import Pipeline
from iot_ingest.shares import SHARES, Shares
from notary.usecases.accept import Acceptor
from notary.usecases.lanes import LANES, Datasets
from notary.usecases.quarantine import put_aside
from notary.usecases.reading import Outcome, Reading
from tests.iot_ingest.support import check_exactly_once, records, senders, wait_for
from tests.usecases.world import World

FEEDS = """
[[feeds]]
name = "one"
filter = "one/+/+"
template = "one/{dataset}/{source}"
codec = "json"
sources = "open"
key = "id"

[[feeds]]
name = "many"
filter = "many/+/+"
template = "many/{dataset}/+"
codec = "senml-json"
sources = "open"
"""


class Watched:
    """An acceptor that notes the readings handed to it, and lets `before` look first."""

    def __init__(self, acceptor: Acceptor, before: Callable[[Sequence[Reading]], None]) -> None:
        self._acceptor = acceptor
        self._before = before

    def accept_free(self, readings: Sequence[Reading], now: object) -> list[Outcome | None]:
        """As an acceptor's."""
        self._before(readings)
        return self._acceptor.accept_free(readings, now)  # type: ignore[arg-type]


class Ways:
    """Shares on a real notary; `before` hears of each pipeline's readings, by its number."""

    def __init__(
        self,
        world: World,
        before: Callable[[int, Sequence[Reading]], None] = lambda share, readings: None,
        max_messages: int = 100_000,
    ) -> None:
        self.world = world
        self.feeds = parse_feeds(FEEDS, "f")
        self.acknowledged: list[object] = []
        self._lock = Lock()
        self._made = 0

        def make(inbox: Inbox) -> Pipeline:
            share, self._made = self._made, self._made + 1
            return Pipeline(
                self.feeds,
                inbox,
                Watched(world.acceptor(), lambda readings: before(share, readings)),
                senders(world),
                lambda rejected, now: put_aside(world.pool, rejected, now),
                self._acknowledge,
                lambda: world.now,
            )

        self.shares = Shares(self.feeds, make, max_messages)

    def _acknowledge(self, tickets: Sequence[object]) -> None:
        with self._lock:
            self.acknowledged += tickets

    def finish(self) -> None:
        """Do all that is there, and end."""
        self.shares.close()
        self.shares.join(180)
        assert not self.shares.is_working


@pytest.fixture
def air(world: World) -> World:
    """An open dataset `air` with as many lanes as any gets."""
    world.dataset("air", lane_count=LANES)
    return world


def reading(source: str, number: int, ticket: object = None) -> Message:
    """One with a key."""
    return Message(f"one/air/{source}", b'{"id":"%d"}' % number, ticket)


def test_no_two_pipelines_want_the_same_lane(air: World) -> None:
    """The lane of a source decides who accepts it, as their number divides that of lanes."""
    assert LANES % SHARES == 0
    owners: dict[int, set[int]] = {}
    dataset = Datasets(air.pool).find(["air"])["air"]

    def note(share: int, readings: Sequence[Reading]) -> None:
        for one in readings:
            owners.setdefault(dataset.lane_of(one.source), set()).add(share)

    ways = Ways(air, note)
    ways.shares.start()
    ways.shares.put([reading(f"s{number}", number) for number in range(400)])
    ways.finish()
    assert sorted(owners) == sorted(dataset.lanes)
    assert [len(shares) for shares in owners.values()] == [1] * LANES
    assert set().union(*owners.values()) == set(range(SHARES))


def test_each_source_keeps_its_order_and_every_message_is_acknowledged_once(air: World) -> None:
    """Five thousand messages of forty sources, mixed."""
    chance = random.Random(3)
    count = 5_000
    sent = [reading(f"s{chance.randrange(40)}", number, number) for number in range(count)]
    ways = Ways(air)
    ways.shares.start()
    for start in range(0, count, 97):
        assert ways.shares.put(sent[start : start + 97])
    ways.finish()
    assert sorted(ways.acknowledged) == list(range(count))  # type: ignore[type-var]
    found: dict[str, list[int]] = {}
    for source, _, _, _, _, key, _ in records(air, "air"):
        found.setdefault(source, []).append(int(key))
    assert all(numbers == sorted(numbers) for numbers in found.values())
    assert sum(map(len, found.values())) == count
    check_exactly_once(air, "air", [(one.topic.split("/")[2], one.payload) for one in sent])
    counts = ways.shares.counts
    assert (counts.messages, counts.accepted, counts.duplicates) == (count, count, 0)
    assert ways.shares.depth == 0


def test_sources_inside_messages_that_cross_lanes_lose_nothing(air: World) -> None:
    """Two gateways hand in the same forty devices: the lanes' locks keep pipelines apart."""
    ways = Ways(air)
    ways.shares.start()
    gateways = [f"many/air/g{number}" for number in range(50)]
    topics = [
        next(one for one in gateways if is_of(ways.feeds.route(one), share))
        for share in range(SHARES)
    ]
    for number in range(1, 61):
        for share, topic in enumerate(topics):
            pack = ",".join(f'{{"n":"d{one}","v":{number}{share}}}' for one in range(40))
            ways.shares.put([Message(topic, f"[{pack}]".encode(), (share, number))])
    ways.finish()
    assert len(ways.acknowledged) == 60 * SHARES
    assert len(records(air, "air")) == 60 * SHARES * 40


def test_while_one_waits_the_other_works_on(air: World) -> None:
    """A lane that hangs in one pipeline holds up only the sources of that one."""
    goes_on, hangs = Event(), Event()

    def hang(share: int, readings: Sequence[Reading]) -> None:
        if share == 0:
            hangs.set()
            goes_on.wait(300)

    ways = Ways(air, hang)
    ways.shares.start()
    owner = {f"s{number}": ways.feeds.route(f"one/air/s{number}") for number in range(100)}
    mine, others = (
        [source for source, route in owner.items() if is_of(route, share)] for share in (0, 1)
    )
    ways.shares.put([reading(mine[0], 1, "slow")])
    assert hangs.wait(120)
    ways.shares.put([reading(source, 2, source) for source in others])
    wait_for(lambda: len(ways.acknowledged) >= len(others))
    assert sorted(map(str, ways.acknowledged)) == sorted(others)
    assert ways.shares.rounds == 0
    goes_on.set()
    ways.finish()
    assert "slow" in ways.acknowledged


def is_of(route: object, share: int) -> bool:
    """Whether a pipeline reads that route's messages."""
    return isinstance(route, Route) and route.spread % SHARES == share


def test_whoever_puts_in_more_than_there_is_room_for_waits(air: World) -> None:
    """Bounded: at most so many messages wait in all."""
    ways = Ways(air, max_messages=SHARES * 10)
    put: list[bool] = []
    flood = [reading(f"s{number}", number) for number in range(1_000)]
    thread = Thread(target=lambda: put.append(ways.shares.put(flood)), daemon=True)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    assert ways.shares.depth <= SHARES * 10
    ways.shares.start()
    thread.join(120)
    assert put == [True]
    ways.finish()
    assert len(records(air, "air")) == 1_000


def test_what_comes_after_the_end_is_not_taken(air: World) -> None:
    """It stays unacknowledged, so it comes again."""
    ways = Ways(air)
    ways.shares.start()
    ways.finish()
    assert not ways.shares.put([reading("s", 1, 1)])
    assert ways.acknowledged == []


def test_a_topic_that_no_feed_reads_goes_to_quarantine(air: World) -> None:
    """It has no source that could choose a pipeline."""
    ways = Ways(air)
    ways.shares.start()
    ways.shares.put([Message("elsewhere/x", b"{}", 1), Message("one/air/a b", b"{}", 2)])
    ways.finish()
    assert sorted(ways.acknowledged) == [1, 2]  # type: ignore[type-var]
    assert ways.shares.counts.quarantined == 2
