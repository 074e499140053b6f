# SPDX-License-Identifier: Apache-2.0
"""Feeds: which topics mean which dataset and source, and how their messages are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from iot_ingest.brokers import DEFAULT_BROKER, Broker
from iot_ingest.codecs import Codec, Decoded, Fault, Members, too_large
from iot_ingest.topics import MalformedTopic, Template, filter_matches
from notary.core.errors import MalformedText
from notary.core.words import check_id
from notary.usecases.lanes import spread
from notary.usecases.reading import Address, Asked, Pack, Reading, Refusal

MAX_ROUTES: Final = 50_000
MAX_SOURCES: Final = 10_000
"""How many sources an open feed may bring into a dataset, unless it says so."""

COSE_TYPE: Final = "application/cose"


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
    max_sources: int = MAX_SOURCES
    acceptances: Literal["off", "response", "fixed", "reply"] = "off"
    acceptance_topic: str | None = None
    signed_acceptances: bool = False
    notices: bool = True
    interval_seconds: int | None = None
    broker: str = DEFAULT_BROKER

    @property
    def looks_at_senders(self) -> bool:
        """Whether anything that comes with a message about its sender matters."""
        return self.signature != "ignore" or self.signed_by == "cose"

    def read(
        self,
        dataset: str,
        source: str,
        payload: bytes,
        address: Address | None = None,
        inner: bytes | None = None,
        fault_places: list[int] | None = None,
    ) -> tuple[list[Reading], list[Fault]]:
        """
        The readings of a message, and what could not be read; `address` learns of both.

        `inner` is what the codec reads of a message that carries its signature: the evidence
        of its one reading is the whole message. `fault_places` is told where in the message
        the faults are; the readings have the other places, in order.
        """
        found = self.codec.decode(payload if inner is None else inner, self.members)
        if self.codec.one_device and source:
            found = [_of_device(one, source) for one in found]
        if self.evidence == "message" or (inner is not None and len(found) == 1):
            found = [whole_message(payload, found, self.members.max_bytes)]
        media_type = self.type if inner is None or len(found) > 1 else COSE_TYPE
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
                        media_type,
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
                if fault_places is not None:
                    fault_places.append(place)
                if address is not None:
                    address.refused[place] = Refusal(item.reason, item.detail)
        return readings, faults


def _of_device(one: Decoded | Fault, source: str) -> Decoded | Fault:
    """A reading whose topic and message name the same device, whatever the letters' case."""
    if isinstance(one, Fault) or one.source is None or one.source.lower() == source.lower():
        return one
    sentence = f"The topic names the device {source}, the message {one.source}."
    return Fault(one.payload, "bad-source", sentence)


def other_places(count: int, places: Sequence[int]) -> list[int]:
    """The places of a message of so many parts that aren't among these, in order."""
    known = set(places)
    return [place for place in range(count) if place not in known]


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
    """
    Who reads a topic's messages, and whose they are; no `source`: each reading names it.

    `spread` tells messages apart that need not wait for each other, as lanes do.
    """

    feed: Feed
    dataset: str
    source: str
    spread: int = 0


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
    """
    All feeds of a configuration, in the order of the file; `brokers` are those that it has
    tables for, by name.
    """

    def __init__(self, feeds: list[Feed], brokers: Mapping[str, Broker] | None = None) -> None:
        self.all = feeds
        self.brokers = brokers or {}
        self._routes: dict[str, dict[str, Route | NoRoute]] = {}

    def route(self, topic: str, broker: str = DEFAULT_BROKER) -> Route | NoRoute:
        """
        Where a topic of a broker leads. Remembered, as the topics of a city's sensors come
        again.
        """
        routes = self._routes.get(broker)
        if routes is None:
            routes = self._routes[broker] = {}
        route = routes.get(topic)
        if route is None:
            route = self._find(topic, broker)
            if len(routes) >= MAX_ROUTES:
                routes.clear()
            routes[topic] = route
        return route

    def of_broker(self, broker: str) -> list[Feed]:
        """The feeds that read this broker's messages, in order."""
        return [feed for feed in self.all if feed.broker == broker]

    def _find(self, topic: str, broker: str) -> Route | NoRoute:
        feeds = self.of_broker(broker)
        feed = next((feed for feed in feeds if filter_matches(feed.filter, topic)), None)
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
        return Route(feed, dataset, source, spread(source or topic))
