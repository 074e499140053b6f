# SPDX-License-Identifier: Apache-2.0
"""The ingest process: broker, pipeline, and word of both for /statusz."""

import json
import signal
from collections.abc import Mapping
from datetime import datetime
from threading import Event, Thread

from iot_ingest.feeds import load_feeds
from iot_ingest.mqtt import Subscriber
from iot_ingest.pipeline import Pipeline
from notary.config import Settings
from notary.core.errors import NotaryError
from notary.store.pool import Pool
from notary.usecases.accept import ALARM_LIFT
from notary.usecases.quarantine import put_aside
from notary.wiring import clock, connect


def say(event: str, **facts: object) -> None:
    """One JSON line on standard output; never a payload or a password."""
    print(json.dumps({"process": "ingest", "event": event, **facts}, default=str), flush=True)


def run(settings: Settings) -> int:
    """
    Take in readings until SIGTERM or SIGINT; then finish what is queued and leave.

    Raises:
        FeedsRefused, KeyRefused, BrokerRefused: before anything is begun.
    """
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    feeds = load_feeds(settings.feeds_file)
    parts = connect(settings, pool_size=3)
    acceptor = parts.acceptor()
    pipeline = Pipeline(
        feeds,
        acceptor,
        lambda rejected, now: put_aside(parts.pool, rejected, now),
        lambda tickets: subscriber.acknowledge(tickets),
        clock,
        settings.queue_readings,
    )
    subscriber = Subscriber(
        settings.mqtt_url,
        settings.mqtt_client_id,
        [feed.filter for feed in feeds.all],
        pipeline.put,
    )
    worker = Thread(target=pipeline.run, name="pipeline", daemon=True)
    worker.start()
    subscriber.start()
    say("started", feeds=[feed.name for feed in feeds.all])
    alive = settings.state / "ingest.alive"
    started, told = clock(), None
    while not stop.wait(0.5):
        counts = pipeline.counts
        trouble = counts.problem or subscriber.trouble
        if trouble != told:
            say("trouble" if trouble else "well again", detail=trouble or "")
            told = trouble
        if worker.is_alive() and subscriber.alive and trouble is None:
            alive.touch()
        if not worker.is_alive():
            say("stopped", detail="the pipeline has ended")
            return 1
        lift = acceptor.largest_lift
        facts = {
            "connected": subscriber.connected,
            "subscribed": subscriber.subscribed,
            "accepted": counts.accepted,
            "duplicates": counts.duplicates,
            "quarantined": counts.quarantined,
            "messages": counts.messages,
            "queue_depth": pipeline.depth,
            "last_message_at": counts.last_message_at,
            "clock_lift_seconds": lift.total_seconds(),
            "clock_alarm": lift > ALARM_LIFT,
            "problem": trouble,
            "started_at": started,
        }
        _beat(parts.pool, clock(), facts)
    pipeline.stop()
    worker.join(30)
    subscriber.stop()
    say("left", queue_depth=pipeline.depth)
    return 0


def _beat(pool: Pool, now: datetime, facts: Mapping[str, object]) -> None:
    """Leave word; a database that is away learns of it later."""
    try:
        with pool.transaction() as tx:
            tx.do("beat", process="ingest", now=now, facts=json.dumps(facts, default=str))
    except NotaryError:
        return
