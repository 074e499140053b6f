# SPDX-License-Identifier: Apache-2.0
"""What is allowed in a configuration of feeds, and seldom meant: for `notary config check`."""

from collections.abc import Iterable
from itertools import combinations
from typing import Final

from iot_ingest.brokers import Broker, BrokerRefused, read_url
from iot_ingest.codecs import codecs
from iot_ingest.feeds import Feed, Feeds
from iot_ingest.topics import filter_covers, filters_meet

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
OTHERS_MAY_READ: Final = 0o077


def advise(feeds: Feeds, brokers: Iterable[Broker] = ()) -> list[str]:
    """
    One sentence for each thing to look at, in the order of the feeds.

    `brokers` are looked at besides those of the feeds' own file.
    """
    return [
        *(sentence for feed in feeds.all for sentence in _of_one(feed)),
        *(
            sentence
            for first, second in combinations(feeds.all, 2)
            if first.broker == second.broker
            for sentence in _of_two(first, second)
        ),
        *(
            f"Broker {name}: no feed reads from it."
            for name in feeds.brokers
            if not feeds.of_broker(name)
        ),
        *(
            f"Broker {broker.name}: {sentence}"
            for broker in (*feeds.brokers.values(), *brokers)
            for sentence in _of_broker(broker)
        ),
    ]


def _of_one(feed: Feed) -> list[str]:
    told = []
    if feed.qos == 0:
        told.append("qos = 0: messages are lost while the notary or its broker is away.")
    if _is_nameless(feed):
        told.append(
            "readings have neither key nor time to be told apart by: a message that comes "
            "again is recorded again (at least once)."
        )
    if feed.by == "none":
        told.append('by = "none": statements say that nothing is known of the sender.')
    if feed.by == "none" and feed.sources == "open" and feed.signature != "require":
        told.append(
            f'sources = "open" where anybody may publish: anybody can use up the '
            f"{feed.max_sources} sources of a dataset."
        )
    return [f"Feed {feed.name}: {sentence}" for sentence in told]


def _is_nameless(feed: Feed) -> bool:
    """Whether readings come, always or in packs, without anything to know them again by."""
    known = codecs()
    if feed.codec.decode is known["raw"].decode:
        return True
    is_alone = feed.codec.decode is known["json"].decode
    has_no_member = not (feed.members.observed or feed.members.key)
    return (feed.codec.has_members and has_no_member) or (
        feed.evidence == "message" and not is_alone
    )


def _of_two(first: Feed, second: Feed) -> list[str]:
    if filter_covers(first.filter, second.filter):
        return [
            f"Feed {second.name}: never reads anything, as {first.name} stands before it and "
            f"its filter {first.filter} takes all topics of {second.filter}."
        ]
    if filters_meet(first.filter, second.filter):
        return [
            f"Feeds {first.name} and {second.name}: both filters take some topics; "
            f"{first.name} reads those."
        ]
    return []


def _of_broker(broker: Broker) -> list[str]:
    told = []
    try:
        host, _, is_secure, _, password = read_url(broker.url)
    except BrokerRefused:
        return []
    if password is not None and not is_secure and host not in LOOPBACK:
        told.append("its password and all readings cross the network in clear: use mqtts://.")
    key = broker.client_key
    if key is not None and key.exists() and key.stat().st_mode & OTHERS_MAY_READ:
        told.append(f"others on this machine may read client_key {key} (chmod 600).")
    return told
