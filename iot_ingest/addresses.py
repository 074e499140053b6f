# SPDX-License-Identifier: Apache-2.0
"""
Where the answer to a message goes, if anywhere.

By what its feed says: to the response topic that came with it (MQTT 5), to a fixed topic, or to
its own topic with `_reply` behind it. Only into the device's own subtree, so that nobody can
have the notary write to somebody else; and to no topic that a feed takes in, so that no answer
is ever read as a reading. An address that breaks this is passed over and counted.
"""

import re
from typing import Final

from iot_ingest.feeds import Feed, Feeds, Route
from iot_ingest.inbox import Message
from iot_ingest.topics import filter_matches
from notary.usecases.reading import Address

MAX_TOPIC_CHARACTERS: Final = 1_024
MAX_CORRELATION_BYTES: Final = 1_024
MAX_REMEMBERED: Final = 50_000
REPLY: Final = "_reply"
_FIELD: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff+#]")


class Addresses:
    """Finds addresses for one pipeline; `ignored` counts those that were passed over."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds
        self._known: dict[tuple[str, str, str | None], str | None] = {}
        self.ignored = 0

    def find(self, route: Route, message: Message) -> Address | None:
        """Where the answer to a message goes; None: nowhere."""
        feed, sent = route.feed, message.properties
        response = None if sent is None else sent.response_topic
        if feed.acceptances == "off" or (feed.acceptances == "response" and response is None):
            return None
        asked = (feed.name, message.topic, response if feed.acceptances == "response" else None)
        topic = self._known.get(asked)
        if topic is None and asked not in self._known:
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            topic = self._known[asked] = self._topic(route, *asked[1:])
        correlation = None if sent is None else sent.correlation
        if topic is None or (correlation and len(correlation) > MAX_CORRELATION_BYTES):
            self.ignored += 1
            return None
        return Address(
            broker=feed.broker,
            topic=topic,
            correlation=correlation,
            dataset=route.dataset,
            source=route.source,
            signed=feed.signed_acceptances,
            notices=feed.notices,
        )

    def _topic(self, route: Route, topic: str, response: str | None) -> str | None:
        feed = route.feed
        if feed.acceptances == "reply":
            wanted = topic + REPLY
        elif feed.acceptances == "fixed":
            fields = feed.template.read(topic)
            fields |= {"dataset": route.dataset, "source": route.source}
            wanted = fill(feed.acceptance_topic or "", fields)
        else:
            wanted = response or ""
        chosen_by_device = feed.acceptances == "response"
        fits = (
            len(wanted) <= MAX_TOPIC_CHARACTERS
            and not _UNFIT.search(wanted)
            and is_inside(wanted, own_subtree(feed, topic, chosen_by_device=chosen_by_device))
            and not any(
                filter_matches(one.filter, wanted) for one in self._feeds.of_broker(feed.broker)
            )
        )
        return wanted if fits else None


def own_subtree(feed: Feed, topic: str, *, chosen_by_device: bool) -> str:
    """
    How the topics begin that are the device's own: the levels of its topic before the last.

    Where the device itself chooses, the level that tells it from others must be among them;
    if that is the last one, or the topic has none, its own subtree lies below its topic.
    """
    levels, template = topic.split("/"), feed.template.text.split("/")
    telling = [at for at, level in enumerate(template) if level == "+" or "{" in level]
    if chosen_by_device and (not telling or telling[-1] == len(levels) - 1):
        return topic + "/"
    return "".join(f"{level}/" for level in levels[:-1])


def is_inside(topic: str, subtree: str) -> bool:
    """Whether a topic lies in a subtree, and is not only its beginning."""
    return topic.startswith(subtree) and len(topic) > len(subtree)


def fill(template: str, fields: dict[str, str]) -> str:
    """A template with its fields filled in; an unknown one makes it unfit."""
    return _FIELD.sub(lambda match: fields.get(match[1], "#"), template)
