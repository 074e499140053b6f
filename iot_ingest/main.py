# SPDX-License-Identifier: Apache-2.0
"""The ingest process: broker, pipeline, and word of both for /statusz."""

import gc
import json
import signal
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from threading import Event, Thread
from typing import Final

from iot_ingest.answering import Answering
from iot_ingest.connections import Connections, brokers_of, default_broker
from iot_ingest.feed_health import FeedHealth
from iot_ingest.feeds_file import load_feeds
from iot_ingest.inbox import Inbox
from iot_ingest.pipeline import Pipeline
from iot_ingest.senders.stage import Senders
from iot_ingest.shares import SHARES, Shares
from notary.config import Settings
from notary.core.errors import NotaryError
from notary.core.words import format_time
from notary.usecases.accept import ALARM_LIFT, Acceptor
from notary.usecases.outbox import Answer, Outbox, OutboxReader
from notary.usecases.quarantine import put_aside
from notary.wiring import Parts, clock, connect

PROCESS: Final = "ingest/"
"""Before the client id, the name by which a process is known in /statusz."""
TICK_SECONDS: Final = 0.5
DRAIN_SECONDS: Final = 20
YOUNG_OBJECTS: Final = 50_000
"""A micro-batch makes some ten objects a reading, which end with it: none needs a search."""


def _as_they_are(answers: Sequence[Answer]) -> list[str]:
    """The texts of answers with which nothing signed goes."""
    return [answer.text for answer in answers]


def say(event: str, **facts: object) -> None:
    """One JSON line on standard output; never a payload or a password."""
    print(json.dumps({"process": "ingest", "event": event, **facts}, default=str), flush=True)


def say_unforeseen(error: Exception) -> None:
    """Where an error came from; not its text, which may hold what was sent."""
    where = [
        f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    say("unforeseen", error=type(error).__name__, where=where[-6:])


class Ingest:
    """The parts of the process, put together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        feeds = self._feeds = load_feeds(settings.feeds_file, settings.max_payload_bytes)
        self._connections = Connections(
            feeds,
            brokers_of(feeds, default_broker(settings)),
            settings.mqtt_client_id,
            lambda messages: self._shares.put(messages),
            window=settings.queue_readings,
        )
        self._parts: Parts = connect(settings, pool_size=SHARES + 2)
        self._answering = self._new_answering(any(feed.signed_acceptances for feed in feeds.all))
        self._outbox = Outbox(settings.mqtt_client_id, self._answering.wake)
        self._acceptors: list[Acceptor] = []
        self._shares = Shares(feeds, self._new_pipeline, settings.queue_readings)
        self._answerer = Thread(target=self._answering.run, name="answering", daemon=True)
        self._started_at = clock()
        self._feed_health = FeedHealth(feeds, self._started_at)
        self._silent: list[str] = []
        self._rounds = -1
        self._said: str | None = "not begun"
        self.names = [feed.name for feed in feeds.all]

    def start(self) -> None:
        """Begin to take readings in."""
        self._shares.start()
        self._answerer.start()
        self._connections.start()

    def _new_pipeline(self, inbox: Inbox) -> Pipeline:
        parts, outbox = self._parts, self._outbox
        acceptor = parts.acceptor(outbox)
        self._acceptors.append(acceptor)
        return Pipeline(
            self._feeds,
            inbox,
            acceptor,
            Senders(parts.source_book()),
            lambda rejected, now: put_aside(parts.pool, rejected, now, outbox),
            self._connections.acknowledge,
            clock,
            say_unforeseen,
        )

    def _new_answering(self, signs: bool) -> Answering:
        settings, ledgers = self._settings, self._parts.ledgers
        complete = _as_they_are if not signs else self._parts.promiser().complete
        names = [one.name for one in ledgers if one.required] or [one.name for one in ledgers]
        return Answering(
            OutboxReader(self._parts.pool, settings.mqtt_client_id, names),
            self._connections.publishers(),
            complete,
            clock,
            settings.outbox_age,
            settings.outbox_messages,
            say_unforeseen,
        )

    @property
    def is_working(self) -> bool:
        """Whether the pipelines' threads live."""
        return self._shares.is_working

    def tick(self) -> None:
        """Look after the parts and leave word; called about twice a second."""
        self._connections.tend()
        problem = self._shares.problem or self._connections.problem
        if problem != self._said:
            say("waits" if problem else "goes on", problem=problem)
            self._said = problem
        silent = self._feed_health.silent(self._shares.counts.heard, clock())
        if silent != self._silent:
            say("silent feeds", feeds=silent)
            self._silent = silent
        rounds = self._shares.rounds
        if rounds != self._rounds and self._connections.any_subscribed:
            self._rounds = rounds
            self._settings.ingest_alive.touch()
        self._beat(self.facts(problem))

    def facts(self, problem: str | None) -> dict[str, object]:
        """What /statusz shows."""
        counts, connections = self._shares.counts, self._connections
        lift = max(acceptor.largest_lift for acceptor in self._acceptors)
        last = counts.last_message_at
        return {
            "connected": connections.connected,
            "subscribed": connections.subscribed,
            "messages": counts.messages,
            "accepted": counts.accepted,
            "duplicates": counts.duplicates,
            "keys_reused": counts.keys_reused,
            "quarantined": counts.quarantined,
            "queue_depth": self._shares.depth,
            "answers": {
                **asdict(self._answering.told),
                "ignored": self._shares.addresses_ignored,
                "problem": self._answering.problem,
            },
            "last_message_at": None if last is None else format_time(last),
            "clock_lift_seconds": lift.total_seconds(),
            "clock_alarm": lift > ALARM_LIFT,
            "problem": problem,
            "brokers": connections.facts(),
            "feeds": self._feed_health.facts(counts.heard, clock()),
            "started_at": format_time(self._started_at),
        }

    def stop(self) -> None:
        """Take nothing more, finish what is there if the database lets us, and leave."""
        self._shares.close()
        self._shares.join(DRAIN_SECONDS)
        self._shares.leave()
        self._shares.join(DRAIN_SECONDS)
        self._answering.finish()
        self._answerer.join(DRAIN_SECONDS / 4)
        self._answering.leave()
        self._answerer.join(DRAIN_SECONDS)
        self._connections.stop()
        self._beat(self.facts("stopped"))

    def _beat(self, facts: Mapping[str, object]) -> None:
        """A database that is away learns of it later."""
        try:
            with self._parts.pool.transaction() as tx:
                name = f"{PROCESS}{self._settings.mqtt_client_id}"
                tx.do("beat", process=name, now=clock(), facts=json.dumps(facts))
        except NotaryError:
            return


def run(settings: Settings) -> int:
    """
    Take in readings until SIGTERM or SIGINT; then finish what is queued and leave.

    Returns 0, or 1 when a pipeline ended by itself.

    Raises:
        FeedsRefused, KeyRefused, BrokerRefused: before anything is begun.
    """
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ingest = Ingest(settings)
    ingest.start()
    say("started", feeds=ingest.names)
    ingest.tick()
    while not stop.wait(TICK_SECONDS) and ingest.is_working:
        ingest.tick()
    failed = not ingest.is_working
    ingest.stop()
    say("failed" if failed else "left", **ingest.facts(None))
    return int(failed)
