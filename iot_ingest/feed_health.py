# SPDX-License-Identifier: Apache-2.0
"""
Silence: a feed is silent when no message of it came for longer than its `interval_seconds`.

A process that only just began is given that long, too. Of a feed without an interval nothing
is said but when it was heard last.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from iot_ingest.feeds import Feed, Feeds
from notary.core.words import format_time


class FeedHealth:
    """For the feeds of one process, which began at `started_at`; times are UTC."""

    def __init__(self, feeds: Feeds, started_at: datetime) -> None:
        self._feeds = feeds.all
        self._started_at = started_at

    def silent(self, heard: Mapping[str, datetime], now: datetime) -> list[str]:
        """The names of silent feeds; `heard` is when each was heard last."""
        return [feed.name for feed in self._feeds if self._is_silent(feed, heard, now)]

    def facts(self, heard: Mapping[str, datetime], now: datetime) -> dict[str, dict[str, object]]:
        """How each feed stands, for /statusz."""
        found: dict[str, dict[str, object]] = {}
        for feed in self._feeds:
            last = heard.get(feed.name)
            found[feed.name] = {
                "broker": feed.broker,
                "last_message_at": None if last is None else format_time(last),
                "interval_seconds": feed.interval_seconds,
                "silent": self._is_silent(feed, heard, now),
            }
        return found

    def _is_silent(self, feed: Feed, heard: Mapping[str, datetime], now: datetime) -> bool:
        if feed.interval_seconds is None:
            return False
        last = heard.get(feed.name, self._started_at)
        return now - last > timedelta(seconds=feed.interval_seconds)
