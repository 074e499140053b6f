# SPDX-License-Identifier: Apache-2.0
"""Feeds: which topics mean which dataset and source, and how their messages are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from iot_ingest.codecs import Codec, Decoded, Fault, Members, too_large
from iot_ingest.topics import MalformedTopic, Template, filter_matches
from notary.core.errors import MalformedText
from notary.core.words import check_id
from notary.usecases.reading import Address, Asked, Pack, Reading, Refusal

MAX_ROUTES: Final = 50_000


@dataclass(frozen=True, slots=True)
class Feed:
    """One configured way in."""

    name: str
    filter: str
    template: Template
    codec: Codec
    type: str
    members: Members
    dataset: str | None
    source: str | None
    keeps_names: bool
    qos: int
    by: str
    evidence: Literal["reading", "message"] = "reading"
    signature: Literal["ignore", "record", "require"] = "ignore"
    signed_by: Literal["jws", "hmac", "cose"] | None = None
    sources: Literal["open", "registered"] = "registered"
    max_sources: int = 10_000
    acceptances: Literal["off", "response", "fixed", "reply"] = "off"
    acceptance_topic: str | None = None
    signed_acceptances: bool = False
    notices: bool = True
    interval_seconds: int | None = None
    broker: str = "default"

    def read(
        self, dataset: str, source: str, payload: bytes, address: Address | None = None
    ) -> tuple[list[Reading], list[Fault]]:
        """The readings of a message, and what could not be read; `address` learns of both."""
        found = self.codec.decode(payload, self.members)
        if self.evidence == "message":
            found = [whole_message(payload, found, self.members.max_bytes)]
        is_split = len(found) > 1 or found[0].payload.strip() != payload.strip()
        pack = Pack(payload) if is_split else None
        readings, faults = [], []
        if address is not None:
            address.of = len(found)
        for place, item in enumerate(found):
            if isinstance(item, Decoded):
                readings.append(
                    Reading(
                        dataset,
                        item.source or source,
                        item.payload,
                        self.type,
                        self.by,
                        item.observed,
                        item.key,
                        pack,
                        self.keeps_names,
                        self.codec.secret,
                        None if address is None else Asked(address, place),
                    )
                )
            else:
                faults.append(item)
                if address is not None:
                    address.refused[place] = Refusal(item.reason, item.detail)
        return readings, faults


def whole_message(
    payload: bytes, found: Sequence[Decoded | Fault], max_bytes: int
) -> Decoded | Fault:
    """
    A message as one reading, where its codec could read all of it.

    Time and key are those of a message with one reading; of several they would be some
    neighbour's.
    """
    faults = [one for one in found if isinstance(one, Fault)]
    if faults:
        return faults[0]._replace(payload=payload)
    if len(payload) > max_bytes:
        return too_large(payload, Members(max_bytes=max_bytes))
    readings = [one for one in found if isinstance(one, Decoded)]
    if len({one.source for one in readings}) > 1:
        return Fault(payload, "bad-source", "The message names several sources, and is one record.")
    first = readings[0]
    if len(readings) > 1:
        return Decoded(payload, source=first.source)
    return first._replace(payload=payload)


@dataclass(frozen=True, slots=True)
class Route:
    """Who reads a topic's messages, and whose they are; no `source`: each reading names it."""

    feed: Feed
    dataset: str
    source: str


@dataclass(frozen=True, slots=True)
class NoRoute:
    """
    Why a topic's messages can't be read; `feed` is the name of the one that took it.

    `secret`: the feed's codec reads messages that hold a password.
    """

    feed: str
    reason: str
    detail: str
    secret: bool = False


class Feeds:
    """All feeds of a configuration, in the order of the file."""

    def __init__(self, feeds: list[Feed]) -> None:
        self.all = feeds
        self._routes: dict[str, Route | NoRoute] = {}

    def route(self, topic: str) -> Route | NoRoute:
        """Where a topic leads. Remembered, as the topics of a city's sensors come again."""
        route = self._routes.get(topic)
        if route is None:
            route = self._find(topic)
            if len(self._routes) >= MAX_ROUTES:
                self._routes.clear()
            self._routes[topic] = route
        return route

    def _find(self, topic: str) -> Route | NoRoute:
        feed = next((feed for feed in self.all if filter_matches(feed.filter, topic)), None)
        if feed is None:
            return NoRoute("-", "no-feed", "No feed's filter takes the topic.")
        try:
            fields = feed.template.read(topic)
            dataset = check_id(feed.dataset or fields["dataset"], "dataset")
            source = feed.source or fields.get("source", "")
            if source or not feed.codec.names_source:
                check_id(source, "source")
        except (MalformedTopic, MalformedText) as error:
            return NoRoute(feed.name, "bad-topic", error.detail, feed.codec.secret)
        return Route(feed, dataset, source)
