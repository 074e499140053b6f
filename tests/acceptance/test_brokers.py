# SPDX-License-Identifier: Apache-2.0
"""One ingest process, two brokers: one plain, one by TLS that demands our certificate."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from iot_ingest.brokers import Broker as Address
from iot_ingest.connections import Connections, brokers_of
from iot_ingest.feeds_file import parse_feeds
from iot_ingest.mqtt import Ticket
from notary.local.broker import Broker
from tests.iot_ingest.certificates import Authority, TlsBroker
from tests.iot_ingest.devices import device
from tests.iot_ingest.support import (
    Ingest,
    check_exactly_once,
    count_records,
    open_broker,
    publish,
    wait_for,
)
from tests.iot_ingest.test_subscriber import Heard
from tests.usecases.world import World

pytestmark = pytest.mark.needs("mosquitto")

FEEDS = """
[[brokers]]
name = "plant"
url_file = "plant.url"
ca_file = "{ca}"
client_cert = "{certificate}"
client_key = "{key}"

[[feeds]]
name = "city"
filter = "notary/v1/+/up"
template = "notary/v1/{{source}}/up"
dataset = "city"
codec = "json"
key = "id"
sources = "open"
interval_seconds = 2

[[feeds]]
name = "plant"
broker = "plant"
filter = "notary/v1/+/up"
template = "notary/v1/{{source}}/up"
dataset = "plant"
codec = "json"
key = "id"
sources = "open"
acceptances = "response"
interval_seconds = 3600
"""


FEED = """
[[feeds]]
name = "{name}"
broker = "{broker}"
filter = "notary/v1/+/up"
template = "notary/v1/{{source}}/up"
dataset = "air"
codec = "raw"
"""


def messages(count: int, start: int = 0) -> list[tuple[str, bytes]]:
    """Readings of seven sources."""
    return [
        (f"notary/v1/s{number % 7}/up", b'{"id":"%d"}' % number)
        for number in range(start, start + count)
    ]


def pairs(found: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """(source, payload)."""
    return [(topic.split("/")[2], payload) for topic, payload in found]


def test_two_brokers_are_read_at_once_and_neither_holds_up_the_other(
    world: World, broker: Broker, tmp_path: Path
) -> None:
    """The same topics, two datasets; a broker that is away costs the other nothing."""
    for name in ("city", "plant"):
        world.dataset(name)
    authority, clients = Authority("ours"), Authority("clients")
    certificate, key = clients.issue("notary.example")
    feeds = FEEDS.format(ca=authority.file, certificate=certificate, key=key)
    with TlsBroker(tmp_path / "plant", authority.issue("127.0.0.1"), clients) as plant:
        (tmp_path / "plant.url").write_text(plant.url + "\n")
        with Ingest(world, broker.url, tmp_path, feeds).start() as ingest:
            publish(broker, messages(500))
            publish(plant.plain, messages(700))
            wait_for(lambda: ingest.facts().get("accepted") == 1200)
            check_exactly_once(world, "city", pairs(messages(500)))
            check_exactly_once(world, "plant", pairs(messages(700)))

            with device(plant.plain.url_of("gateway"), "notary/v1/+/down") as gateway:
                gateway.send("notary/v1/s1/up", b'{"id":"asked"}', "notary/v1/s1/down", b"7")
                wait_for(lambda: bool(gateway.of("accepted")))
                assert gateway.heard[0][1]["dataset"] == "plant"
                assert gateway.heard[0][2] == b"7"

            plant.plain.kill()
            wait_for(lambda: "broker plant" in str(ingest.facts().get("problem")))
            publish(broker, messages(300, 500))
            wait_for(lambda: count_records(world, "city") == 800)
            brokers = ingest.facts()["brokers"]
            assert (brokers["default"]["subscribed"], brokers["plant"]["subscribed"]) == (
                True, False,
            )  # fmt: skip
            assert ingest.facts()["subscribed"] is False

            plant.plain.start()
            wait_for(lambda: ingest.facts().get("subscribed") is True)
            publish(plant.plain, messages(100, 5000))
            wait_for(lambda: count_records(world, "plant") == 801)

            wait_for(lambda: ingest.facts()["feeds"]["city"]["silent"] is True)
            assert ingest.facts()["feeds"]["plant"]["silent"] is False
            wait_for(lambda: '"silent feeds", "feeds": ["city"]' in ingest.said())
            assert plant.url.split("@")[0] not in ingest.said()
            assert ingest.stop() == 0


def test_an_acknowledgement_reaches_the_broker_that_sent_the_message_alone(
    broker: Broker, tmp_path: Path
) -> None:
    """Message ids are the same at both: what isn't committed yet of the other comes again."""
    with open_broker(tmp_path / "other") as other:
        feeds = parse_feeds(
            f"""
[[brokers]]
name = "other"
url = "{other.url}"
{FEED.format(name="a", broker="default")}
{FEED.format(name="b", broker="other")}
""",
            "notary.toml",
        )
        brokers = brokers_of(feeds, Address("default", broker.url))
        heard = Heard()
        connections = Connections(feeds, brokers, "city-notary", heard, 100)
        connections.start()
        wait_for(lambda: connections.subscribed)
        publish(broker, [("notary/v1/s/up", b"here")])
        wait_for(lambda: len(heard) == 1)
        publish(other, [("notary/v1/s/up", b"there")])
        wait_for(lambda: len(heard) == 2)
        here, there = heard
        assert isinstance(here.ticket, Ticket)
        assert isinstance(there.ticket, Ticket)
        assert here.ticket.mid == there.ticket.mid
        assert (here.broker, there.broker) == ("default", "other")
        connections.acknowledge([here.ticket])
        connections.stop()
        again = Heard()
        connections = Connections(feeds, brokers, "city-notary", again, 100)
        connections.start()
        wait_for(lambda: connections.subscribed and len(again) == 1)
        connections.acknowledge(again.tickets())
        connections.stop()
        assert [(one.broker, one.payload) for one in again] == [("other", b"there")]


def check(world: World, client_id: str) -> subprocess.CompletedProcess[str]:
    """`notary ingest --check`, as the image's health check calls it."""
    command = [sys.executable, "-m", "notary.cli", "ingest", "--check"]
    env = {**os.environ, **world.env, "NOTARY_MQTT_CLIENT_ID": client_id}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_the_health_check_tells_a_process_that_gets_on_from_one_that_does_not(
    world: World, broker: Broker, tmp_path: Path
) -> None:
    """Two of them show apart: one at work, one whose broker is not there."""
    world.dataset("air")
    (tmp_path / "b").mkdir()
    lost = Ingest(world, "mqtt://127.0.0.1:1", tmp_path / "b")
    lost.env["NOTARY_MQTT_CLIENT_ID"] = "b"
    good = Ingest(world, broker.url, tmp_path)
    good.env["NOTARY_MQTT_CLIENT_ID"] = "a"
    with good.start(), lost.start(wait=False):
        wait_for(lambda: "can't be reached" in str(lost.facts().get("problem")))
        wait_for(lambda: check(world, "a").returncode == 0)
        assert check(world, "b").returncode == 1
        assert "never seen at work" in check(world, "b").stderr
        assert good.facts()["subscribed"] is True
        assert lost.facts()["subscribed"] is False
    file = world.parts.settings.state / "ingest-a.alive"
    long_ago = time.time() - 60
    os.utime(file, (long_ago, long_ago))
    assert check(world, "a").returncode == 1
    assert "was last seen at work 6" in check(world, "a").stderr
