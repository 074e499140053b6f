# SPDX-License-Identifier: Apache-2.0
"""When a feed is silent, and what a connection tells of a broker that refuses or is dead."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from iot_ingest import mqtt
from iot_ingest.feed_health import FeedHealth
from iot_ingest.feeds_file import parse_feeds
from iot_ingest.mqtt import Subscriber
from notary.local.broker import Broker
from notary.local.ports import LOOPBACK, free_port
from tests.iot_ingest.support import USERS, open_broker, publish, wait_for
from tests.iot_ingest.test_subscriber import TOPIC, Heard

START = datetime(2031, 1, 1, tzinfo=UTC)
FEEDS = "".join(
    f'[[feeds]]\nname = "{name}"\nfilter = "{name}/+"\ntemplate = "{name}/{{source}}"\n'
    f'dataset = "air"\ncodec = "raw"\n{interval}\n'
    for name, interval in (("minute", "interval_seconds = 60"), ("any", ""))
)


@pytest.mark.parametrize(
    ("heard", "now", "silent"),
    [
        (None, 60, []),
        (None, 61, ["minute"]),
        (50, 110, []),
        (50, 111, ["minute"]),
        (50, 10_000, ["minute"]),
    ],
)
def test_a_feed_is_silent_beyond_its_interval(
    heard: int | None, now: int, silent: list[str]
) -> None:
    """Counted from its newest message, or from the start; a feed without interval never is."""
    health = FeedHealth(parse_feeds(FEEDS, "f"), START)
    times = {} if heard is None else {"minute": START + timedelta(seconds=heard)}
    at = START + timedelta(seconds=now)
    assert health.silent(times, at) == silent
    facts = health.facts(times, at)
    assert [name for name, fact in facts.items() if fact["silent"]] == silent
    assert facts["any"]["interval_seconds"] is None
    assert facts["minute"]["last_message_at"] == (
        None if heard is None else "2031-01-01T00:00:50.000000Z"
    )


@contextmanager
def connection(url: str, heard: Heard) -> Iterator[Subscriber]:
    """A connection, subscribed or not."""
    made = Subscriber(url, "city-notary", [("notary/v1/#", 1)], heard, 1000)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.mark.needs("mosquitto")
def test_a_broker_that_grants_less_is_a_refusal_that_is_told(tmp_path: Path) -> None:
    """Connected, but not subscribed: with QoS 0 the broker would drop what we don't have."""
    port = free_port()
    settings = {"listener": f"{port} {LOOPBACK}", "max_qos": "0"}
    with open_broker(tmp_path / "broker", settings):
        url = f"mqtt://notary:{USERS['notary']}@{LOOPBACK}:{port}"
        with connection(url, Heard()) as made:
            wait_for(lambda: bool(made.refused))
            facts = made.facts()
    assert (facts["connected"], facts["subscribed"]) == (True, False)
    assert "notary/v1/# (Granted QoS 0)" in str(facts["refused"])
    assert "the broker refused: notary/v1/#" in str(facts["problem"])


@pytest.mark.needs("mosquitto")
def test_a_broker_that_hangs_is_noticed_and_left(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection stands, nothing comes, not even to a ping; once it lives again we are back."""
    monkeypatch.setattr(mqtt, "KEEPALIVE_SECONDS", 2)
    heard = Heard()
    with connection(broker.url, heard) as made:
        wait_for(lambda: made.subscribed)
        before = made.facts()["connections"]
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            wait_for(lambda: made.problem is not None)
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        wait_for(lambda: made.subscribed)
        assert made.problem is None
        assert int(str(made.facts()["connections"])) > int(str(before))
        publish(broker, [(TOPIC, b"1")])
        wait_for(lambda: len(heard) == 1)


@pytest.mark.needs("mosquitto")
def test_silence_on_a_connection_that_stands_is_a_problem(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though paho says that it is connected; what a ping brings ends it."""
    monkeypatch.setattr(mqtt, "SILENT_SECONDS", 0.5)
    with connection(broker.url, Heard()) as made:
        wait_for(lambda: made.subscribed)
        wait_for(lambda: "said nothing for" in str(made.problem))
        assert made.facts()["connected"] is True

        def heard() -> bool:
            publish(broker, [(TOPIC, b"1")])
            return made.problem is None

        wait_for(heard)


@pytest.mark.needs("mosquitto")
def test_a_full_inbox_is_told_apart_from_a_dead_connection(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network thread waits for room, on purpose; nothing is heard meanwhile."""
    monkeypatch.setattr(mqtt, "SILENT_SECONDS", 0.2)
    room = threading.Event()
    made = Subscriber(broker.url, "city-notary", [("notary/v1/#", 1)], lambda _: room.wait(), 10)
    made.start()
    try:
        wait_for(lambda: made.subscribed)
        publish(broker, [(TOPIC, b"1")])
        wait_for(lambda: made.facts()["waits_for_room_seconds"] is not None)
        wait_for(lambda: float(str(made.facts()["heard_seconds"])) > 0.4)
        assert made.problem is None
    finally:
        room.set()
        made.stop()
