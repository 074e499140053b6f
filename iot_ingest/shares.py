# SPDX-License-Identifier: Apache-2.0
"""
The pipelines of one process, side by side: while one waits for the database, another works.

Each has an inbox, and whole lanes, of its own: a message goes by the source that its topic
names, so a source's messages stay in order and no two pipelines want the same lane of a
dataset whose number of lanes is a multiple of theirs. Where the source stands inside the
message, the topic decides; the lanes' locks then keep the pipelines apart.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Thread
from time import monotonic
from typing import Final

from iot_ingest.feeds import Feeds, Route
from iot_ingest.inbox import Inbox, Message
from iot_ingest.pipeline import Counts, Pipeline

SHARES: Final = 2
"""Divides notary.usecases.lanes.LANES. More would only wait for the interpreter."""


class Shares:
    """
    `count` pipelines, each made by `make` for an inbox; together at most `max_messages` wait.
    """

    def __init__(
        self,
        feeds: Feeds,
        make: Callable[[Inbox], Pipeline],
        max_messages: int,
        count: int = SHARES,
    ) -> None:
        self._feeds = feeds
        self._inboxes = [Inbox(max(1, max_messages // count)) for _ in range(count)]
        self._pipelines = [make(inbox) for inbox in self._inboxes]
        self._threads = [
            Thread(target=one.run, name=f"pipeline-{place}", daemon=True)
            for place, one in enumerate(self._pipelines)
        ]

    def put(self, messages: Sequence[Message]) -> bool:
        """
        Hand messages to their pipelines; blocks while an inbox is full.

        Returns False, and drops those that are not in yet, once the inboxes are closed.
        """
        parts: list[list[Message]] = [[] for _ in self._inboxes]
        for message in messages:
            route = self._feeds.route(message.topic, message.broker)
            parts[route.spread % len(parts) if isinstance(route, Route) else 0].append(message)
        put = [inbox.put(part) for inbox, part in zip(self._inboxes, parts, strict=True) if part]
        return all(put)

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Take nothing more in; what is there is finished."""
        for inbox in self._inboxes:
            inbox.close()

    def leave(self) -> None:
        """End at once what has to wait; what isn't acknowledged comes again."""
        for pipeline in self._pipelines:
            pipeline.leave()

    def join(self, seconds: float) -> None:
        """Wait until all have ended, so long at most."""
        until = monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))

    @property
    def is_working(self) -> bool:
        """Whether the threads of all live."""
        return all(thread.is_alive() for thread in self._threads)

    @property
    def problem(self) -> str | None:
        """Why one of them doesn't go on just now, or None."""
        return next((one.problem for one in self._pipelines if one.problem is not None), None)

    @property
    def addresses_ignored(self) -> int:
        """How many messages asked for an answer where none may go."""
        return sum(one.addresses_ignored for one in self._pipelines)

    @property
    def depth(self) -> int:
        """How many messages and readings wait."""
        return sum(one.depth for one in self._pipelines)

    @property
    def rounds(self) -> int:
        """How often the one that went round least often did: it stands still when any does."""
        return min(one.counts.rounds for one in self._pipelines)

    @property
    def counts(self) -> Counts:
        """What all have done together."""
        total = Counts()
        for one in (pipeline.counts for pipeline in self._pipelines):
            total.messages += one.messages
            total.accepted += one.accepted
            total.duplicates += one.duplicates
            total.keys_reused += one.keys_reused
            total.quarantined += one.quarantined
            total.last_message_at = _later(total.last_message_at, one.last_message_at)
            for feed, heard in list(one.heard.items()):
                total.heard[feed] = max(heard, total.heard.get(feed, heard))
        return total


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((time for time in (one, other) if time is not None), default=None)
