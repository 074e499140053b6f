# SPDX-License-Identifier: Apache-2.0
"""A whole way in: PostgreSQL, a broker, and the ingest process, for tests that break them."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from iot_ingest.senders.stage import Senders
from notary.core.words import ZERO_HASH
from notary.local.broker import Broker
from notary.local.processes import Child
from notary.local.replay import Gateway
from notary.store.errors import StoreUnavailable
from tests.usecases.world import World

USERS = {"notary": "n", "gateway": "g"}
ACL = """\
user notary
topic read #

user gateway
topic write #
"""
PROGRAM = (
    "import os, sys; from notary.config import Settings; from iot_ingest.main import run; "
    "sys.exit(run(Settings.from_env(os.environ)))"
)
ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 180


def open_broker(folder: Path, settings: dict[str, str] | None = None) -> Broker:
    """A broker that keeps its sessions."""
    return Broker.open(folder, users=USERS, acl=ACL, settings=settings)


def senders(world: World) -> Senders:
    """Who may send to a notary."""
    return Senders(world.parts.source_book())


class Ingest:
    """The ingest process of a notary, to be started, stopped and killed."""

    def __init__(self, world: World, broker_url: str, folder: Path, feeds: str = "") -> None:
        self._world = world
        self._log = folder / "ingest.log"
        self.env = {**world.env, "NOTARY_MQTT_URL": broker_url, "PYTHONPATH": str(ROOT)}
        if feeds:
            (folder / "notary.toml").write_text(feeds, encoding="utf-8")
            self.env["NOTARY_CONFIG"] = str(folder / "notary.toml")
        self.child: Child | None = None

    def start(self, wait: bool = True) -> "Ingest":
        """Start it; with `wait` it is subscribed when this returns."""
        command = [sys.executable, "-c", PROGRAM]
        self.child = Child.start("ingest", command, log=self._log, environment=self.env)
        if wait:
            self.child.wait_until(lambda: '"goes on"' in self.said(), PATIENCE_SECONDS)
        return self

    def said(self) -> str:
        """What it wrote since its start."""
        assert self.child is not None
        return self.child.said()

    def kill(self) -> None:
        """Kill it as a power cut would."""
        assert self.child is not None
        self.child.kill()

    def stop(self) -> int:
        """Ask it to leave; its exit code."""
        assert self.child is not None
        self.child.stop()
        return int(self.child.process.returncode)

    def facts(self) -> dict[str, Any]:
        """What it said of itself last."""
        name = f"ingest/{self.env.get('NOTARY_MQTT_CLIENT_ID', 'city-notary')}"
        rows = self._world.rows("SELECT facts FROM heartbeats WHERE process = %s", name)
        return json.loads(str(rows[0][0])) if rows else {}

    def __enter__(self) -> "Ingest":
        return self

    def __exit__(self, *exception: object) -> None:
        if self.child is not None:
            self.child.stop()


def publish(broker: Broker, messages: Iterable[tuple[str, bytes]], name: str = "gw") -> int:
    """Publish (topic, payload) at QoS 1; all are acknowledged by the broker when it returns."""
    gateway = Gateway(broker.url_of("gateway"), name)
    count = 0
    for topic, payload in messages:
        gateway.publish(topic, payload)
        count += 1
    gateway.finish()
    return count


def wait_for(what: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until it holds; a database that is away doesn't say."""
    until = time.monotonic() + seconds
    while True:
        with suppress(StoreUnavailable):
            if what():
                return
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)


def records(world: World, dataset: str) -> list[tuple[Any, ...]]:
    """(source, chain, n, leaf, payload, key, observed) of a dataset, in the order of chains."""
    return world.rows(
        "SELECT s.label, r.chain, r.n, r.leaf, r.payload, r.key, r.observed FROM records r "
        "JOIN sources s ON s.id = r.source JOIN datasets d ON d.id = s.dataset "
        "WHERE d.name = %s ORDER BY s.label, r.chain, r.n",
        dataset,
    )


def count_records(world: World, dataset: str) -> int:
    """How many records a dataset has."""
    rows = world.rows(
        "SELECT count(*) FROM records r JOIN sources s ON s.id = r.source "
        "JOIN datasets d ON d.id = s.dataset WHERE d.name = %s",
        dataset,
    )
    return int(str(rows[0][0]))


def check_exactly_once(world: World, dataset: str, published: Iterable[tuple[str, bytes]]) -> None:
    """Every (source, payload) is a record exactly once, and no chain has a gap."""
    rows = records(world, dataset)
    assert Counter((row[0], row[4]) for row in rows) == Counter(published)
    ends: dict[str, int] = {}
    for source, chain, n, *_ in rows:
        assert (chain, n) == (0, ends.get(source, -1) + 1)
        ends[source] = n
    segments = world.rows("SELECT coalesce(sum(count), 0) FROM segments")
    total = world.rows("SELECT count(*) FROM records")
    assert segments == total
    assert ZERO_HASH not in {row[3] for row in rows}


def quarantined(world: World) -> list[tuple[Any, ...]]:
    """(feed, topic, dataset, reason, payload) of what is kept, in order."""
    return world.rows("SELECT feed, topic, dataset, reason, payload FROM quarantine ORDER BY id")
