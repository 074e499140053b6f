# SPDX-License-Identifier: Apache-2.0
"""
What lies in quarantine, tried again with today's configuration: the same feed code, the same
look at who sent it, the same acceptance.

What becomes records leaves quarantine in the same transaction, so that a crash neither loses
nor doubles anything, with a key or without. What fails again stays, with today's reason. Of a
message of several readings only those are tried that failed.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from iot_ingest.feeds import Feed, Feeds, NoRoute, Route, other_places
from iot_ingest.inbox import Message, Properties
from iot_ingest.senders.stage import Senders, Sent, open_message
from notary.store.pool import Pool, Transaction
from notary.usecases.quarantine import (
    Choice,
    change_quarantined,
    choose_quarantined,
    leave,
    take,
)
from notary.usecases.reading import Outcome, Reading, Refusal

Within = Callable[[Transaction, Mapping[int, Outcome]], None]


class Accepts(Protocol):
    """The accepting side: notary.usecases.accept.Acceptor."""

    def accept(
        self, readings: Sequence[Reading], now: datetime, within: Within | None = None
    ) -> list[Outcome]: ...


class Why(NamedTuple):
    """Why a message can't become records: a reason code and a sentence."""

    reason: str
    detail: str


class _Part(NamedTuple):
    """A reading, its feed, and what the message says of its sender."""

    feed: Feed
    reading: Reading
    sent: Sent | None


class _Found(NamedTuple):
    """What a message is today: `parts` in all; the readings to be tried, and their places."""

    parts: int
    places: list[int]
    readings: list[Reading]


class Redriven(NamedTuple):
    """One message: its id, how many records it became, or why it, or the rest of it, stays."""

    id: int
    records: int
    why: Why | None


class _Gone(Exception):
    """Somebody else tried or dropped it meanwhile: nothing of it may be recorded."""


NOT_WHOLE = "not-whole"
GONE = Why("gone", "Somebody else tried it again or dropped it meanwhile.")


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
    if isinstance(found, Why):
        if found.reason != NOT_WHOLE:
            change_quarantined(pool, row["id"], *found)
        return Redriven(row["id"], 0, found)

    def within(tx: Transaction, outcomes: Mapping[int, Outcome]) -> None:
        stays = [
            place for at, place in enumerate(found.places) if isinstance(outcomes[at], Refusal)
        ]
        if not (leave(tx, row["id"], stays, found.parts) if stays else take(tx, [row["id"]])):
            raise _Gone

    try:
        outcomes = acceptor.accept(found.readings, now, within)
    except _Gone:
        return Redriven(row["id"], 0, GONE)
    refused = Counter(Why(one.reason, one.detail) for one in outcomes if isinstance(one, Refusal))
    if not refused:
        return Redriven(row["id"], len(outcomes), None)
    (most, _), *_ = refused.most_common(1)
    change_quarantined(pool, row["id"], *most)
    return Redriven(row["id"], len(outcomes) - refused.total(), most)


def _read(feeds: Feeds, senders: Senders, now: datetime, row: dict[str, Any]) -> _Found | Why:
    """The readings of a message of which all is there and can be read."""
    message = _message(row)
    if isinstance(message, Why):
        return message
    route = feeds.route(message.topic, message.broker)
    if isinstance(route, NoRoute):
        return Why(route.reason, route.detail)
    sent = open_message(route.feed, message) if route.feed.looks_at_senders else None
    found = _split(route, message, sent, row)
    if isinstance(found, Why):
        return found
    parts = [_Part(route.feed, reading, sent) for reading in found.readings]
    judged = senders.judge(parts, now)
    for one in judged:
        if isinstance(one, Refusal):
            return Why(one.reason, one.detail)
    return found._replace(readings=[one for one in judged if isinstance(one, Reading)])


def _message(row: dict[str, Any]) -> Message | Why:
    """The message as it came, where all of it was kept."""
    data = row["payload"] if row["message"] is None else row["message"]
    if row["message_bytes"] < 0:
        return Why(NOT_WHOLE, "A password in the message was masked before it was kept.")
    if len(data) != row["message_bytes"]:
        return Why(NOT_WHOLE, "Only the beginning of the message was kept.")
    topic = row["topic"] if row["sent_to"] is None else row["sent_to"]
    if not topic:
        return Why(NOT_WHOLE, "The message's topic was not kept as it was.")
    user = json.loads(row["user_properties"] or "[]")
    properties = Properties(tuple((name, value) for name, value in user)) if user else None
    return Message(topic, data, None, properties, row["broker"])


def _split(route: Route, message: Message, sent: Sent | None, row: dict[str, Any]) -> _Found | Why:
    """Those readings of a message that are to be tried."""
    faulty: list[int] = []
    inner = None if sent is None else sent.inner
    readings, faults = route.feed.read(
        route.dataset, route.source, message.payload, None, inner, faulty
    )
    count = len(readings) + len(faults)
    is_all = len(row["places"]) == row["parts"]
    wanted = set(range(count)) if is_all else set(row["places"])
    if not is_all and count != row["parts"]:
        return Why(
            "read-differently",
            f"Of the message's {row['parts']} readings {len(row['places'])} are here, the others "
            f"became records; today it has {count}, so that it can't be told which.",
        )
    for place, fault in zip(faulty, faults, strict=True):
        if place in wanted:
            return Why(fault.reason, fault.detail)
    found = zip(other_places(count, faulty), readings, strict=True)
    chosen = [(place, reading) for place, reading in found if place in wanted]
    return _Found(count, [place for place, _ in chosen], [reading for _, reading in chosen])
