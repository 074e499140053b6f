# SPDX-License-Identifier: Apache-2.0
"""What is allowed in a configuration of feeds, and seldom meant: for `notary config check`."""

from itertools import combinations

from iot_ingest.feeds import Feed, Feeds
from iot_ingest.topics import filter_covers, filters_meet


def advise(feeds: Feeds) -> list[str]:
    """One sentence for each thing to look at, in the order of the feeds."""
    return [
        *(sentence for feed in feeds.all for sentence in _of_one(feed)),
        *(
            sentence
            for first, second in combinations(feeds.all, 2)
            for sentence in _of_two(first, second)
        ),
    ]


def _of_one(feed: Feed) -> list[str]:
    told = []
    if feed.qos == 0:
        told.append("qos = 0: messages are lost while the notary or its broker is away.")
    nameless = feed.codec.has_members and not (feed.members.observed or feed.members.key)
    if nameless or (feed.evidence == "message" and feed.codec.has_members):
        told.append(
            "readings have neither key nor time to be told apart by: a message that comes "
            "again is recorded again (at least once)."
        )
    if feed.by == "none":
        told.append('by = "none": statements say that nothing is known of the sender.')
    return [f"Feed {feed.name}: {sentence}" for sentence in told]


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
