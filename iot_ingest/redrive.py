# SPDX-License-Identifier: Apache-2.0
"""
What lies in quarantine, tried again with today's configuration.

What becomes a record is taken out of quarantine after it is durable: a crash in between, and
the next try finds its key known; a reading without key and time would be recorded twice.
What fails again stays, with today's reason. Who sent it is looked at anew; a signature that
came beside a message isn't kept with it, so that where the feed demands one it stays.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from iot_ingest.feeds import Feed, Feeds, NoRoute
from iot_ingest.inbox import Message
from iot_ingest.senders.stage import Senders, Sent, open_message
from notary.store.pool import Pool
from notary.usecases.masking import is_masked
from notary.usecases.quarantine import (
    OTHER_TOPICS,
    Choice,
    change_quarantined,
    choose_quarantined,
    take_from_quarantine,
)
from notary.usecases.reading import Outcome, Reading, Refusal


class Accepts(Protocol):
    """The accepting side: notary.usecases.accept.Acceptor."""

    def accept(self, readings: list[Reading], now: datetime) -> list[Outcome]: ...


class Why(NamedTuple):
    """Why a message can't become records: a reason code and a sentence."""

    reason: str
    detail: str


class _Part(NamedTuple):
    """A reading, its feed, and what the message says of its sender."""

    feed: Feed
    reading: Reading
    sent: Sent | None


class Redriven(NamedTuple):
    """One message: its id, how many records it became, or why it stays."""

    id: int
    records: int
    why: Why | None


def redrive(
    pool: Pool,
    feeds: Feeds,
    acceptor: Accepts,
    senders: Senders,
    clock: Callable[[], datetime],
    choice: Choice,
) -> Iterator[Redriven]:
    """
    Try the chosen ones again, one after another, and tell of each.

    Raises:
        StateRefused, ClockBehind, StoreUnavailable, LaneBusy: nothing of the rest was tried.
    """
    after = 0
    while rows := choose_quarantined(pool, choice, after):
        for row in rows:
            yield _one(pool, feeds, acceptor, senders, clock(), row)
        after = rows[-1]["id"]


def _one(
    pool: Pool,
    feeds: Feeds,
    acceptor: Accepts,
    senders: Senders,
    now: datetime,
    row: dict[str, Any],
) -> Redriven:
    found = _read(feeds, senders, now, row)
    if isinstance(found, list):
        outcomes = acceptor.accept(found, now)
        refusals = [one for one in outcomes if isinstance(one, Refusal)]
        if not refusals:
            take_from_quarantine(pool, [row["id"]])
            return Redriven(row["id"], len(outcomes), None)
        most, _ = Counter(Why(one.reason, one.detail) for one in refusals).most_common(1)[0]
        found = most
    if found.reason != "not-whole":
        change_quarantined(pool, row["id"], *found)
    return Redriven(row["id"], 0, found)


def _read(
    feeds: Feeds, senders: Senders, now: datetime, row: dict[str, Any]
) -> list[Reading] | Why:
    """The readings of a message of which all is there and can be read."""
    payload = row["payload"]
    if len(payload) != row["size_bytes"]:
        return Why("not-whole", "Only the beginning of the message was kept.")
    if is_masked(payload):
        return Why("not-whole", "A password in the message was masked before it was kept.")
    if row["topic"] == OTHER_TOPICS or "…" in row["topic"]:
        return Why("not-whole", "The message's topic was not kept as it was.")
    route = feeds.route(row["topic"])
    if isinstance(route, NoRoute):
        return Why(route.reason, route.detail)
    feed = route.feed
    sent = open_message(feed, Message(row["topic"], payload)) if feed.looks_at_senders else None
    inner = None if sent is None else sent.inner
    readings, faults = feed.read(route.dataset, route.source, payload, None, inner)
    if faults:
        return Why(faults[0].reason, faults[0].detail)
    judged = senders.judge([_Part(feed, reading, sent) for reading in readings], now)
    for one in judged:
        if isinstance(one, Refusal):
            return Why(one.reason, one.detail)
    return [one for one in judged if isinstance(one, Reading)]
