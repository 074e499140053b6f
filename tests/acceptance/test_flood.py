# SPDX-License-Identifier: Apache-2.0
"""A flood of bad messages from one source holds up no other, and takes no place from it."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from notary.local.broker import Broker
from notary.usecases.quarantine import (
    MAX_KEPT,
    MAX_TOPICS,
    OTHER_TOPICS,
    Choice,
    count_quarantine,
    list_quarantine,
)
from tests.iot_ingest.support import Ingest, count_records, publish, wait_for
from tests.usecases.world import World

pytestmark = pytest.mark.needs("mosquitto")
FLOOD = 20_000
GOOD = 40
MOST_SECONDS = 5.0
"""From the publishing of a good reading to its record, whatever the flood."""


def one_topic() -> Iterator[tuple[str, bytes]]:
    """One source that sends rubbish as fast as the broker takes it."""
    for number in range(FLOOD):
        yield "notary/v1/air/loud/up", b'{"id":%d' % number


def endless_topics() -> Iterator[tuple[str, bytes]]:
    """One that makes up a new source for each of its messages, each a new topic."""
    for number in range(FLOOD // 4):
        yield f"notary/v1/air/loud-{number}/up", b"{"


@pytest.mark.parametrize(("flood", "count"), [(one_topic, FLOOD), (endless_topics, FLOOD // 4)])
def test_a_flood_of_bad_messages_holds_up_no_good_source(
    world: World,
    broker: Broker,
    tmp_path: Path,
    flood: Callable[[], Iterator[tuple[str, bytes]]],
    count: int,
) -> None:
    """Good readings come in within seconds meanwhile, and a good source's own slip is kept."""
    world.dataset("air", lane_count=4)
    with Ingest(world, broker.url, tmp_path).start() as ingest:
        publish(broker, [("notary/v1/air/quiet/up", b'{"id":"first"}')])
        loud = threading.Thread(target=publish, args=(broker, flood(), "loud"))
        loud.start()
        waits = []
        for number in range(GOOD):
            began = time.monotonic()
            publish(broker, [("notary/v1/air/quiet/up", b'{"id":"%d"}' % number)], "quiet")
            goal = number + 2
            wait_for(lambda goal=goal: count_records(world, "air") >= goal)  # type: ignore[misc]
            waits.append(time.monotonic() - began)
        publish(broker, [("notary/v1/air/quiet/up", b'{"id":')], "quiet")
        loud.join()
        wait_for(lambda: ingest.facts().get("quarantined") == count + 1)
        assert max(waits) < MOST_SECONDS, waits
        assert ingest.stop() == 0
    (slip,) = list_quarantine(world.pool, Choice(topic="notary/v1/air/quiet/up"))
    assert slip["reason"] == "not-json"
    totals = count_quarantine(world.pool)
    assert sum(row["kept"] + row["only_counted"] for row in totals) == count + 1
    kept = list_quarantine(world.pool, limit=FLOOD)
    assert len(kept) == (MAX_KEPT + 1 if flood is one_topic else MAX_TOPICS + MAX_KEPT + 1)
    others = [row for row in kept if row["topic"] == OTHER_TOPICS]
    assert len(others) == (0 if flood is one_topic else MAX_KEPT)
    assert count_records(world, "air") == GOOD + 1
