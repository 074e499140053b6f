# SPDX-License-Identifier: Apache-2.0
"""What `notary config check` tells of feeds, and a message that is one record."""

import pytest

from iot_ingest.codecs import Decoded, Fault
from iot_ingest.feeds import Route, whole_message
from iot_ingest.feeds_advice import advise
from iot_ingest.feeds_file import FeedsRefused, parse_feeds
from iot_ingest.topics import filter_covers, filter_matches, filters_meet
from tests.iot_ingest.certificates import Authority

OWN = """
[[feeds]]
name = "own"
filter = "notary/v1/+/+/up"
template = "notary/v1/{dataset}/{source}/up"
codec = "json"
key = "id"
"""


def feed(name: str, topic_filter: str, more: str = 'key = "id"') -> str:
    """A feed of any topics of three levels."""
    return f"""
[[feeds]]
name = "{name}"
filter = "{topic_filter}"
template = "+/+/{{source}}"
dataset = "air"
codec = "ndjson"
{more}
"""


FAR = """
[[brokers]]
name = "x"
url = "mqtts://u:secret@far.example"
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (OWN, []),
        (feed("a", "a/+/+") + feed("b", "b/+/+"), []),
        (feed("a", "a/#") + feed("b", "a/b/+"), ["b: never reads anything"]),
        (feed("a", "+/b/+") + feed("b", "a/+/+"), ["a and b: both filters take some topics"]),
        (feed("a", "a/b/+", 'key = "id"\nqos = 0'), ["a: qos = 0"]),
        (feed("a", "a/b/+", 'by = "none"\nobserved = "t"'), ['a: by = "none"']),
        (
            feed("a", "a/b/+", 'by = "none"\nobserved = "t"\nsources = "open"\nmax_sources = 7'),
            ['a: by = "none"', "anybody can use up the 7 sources"],
        ),
        (feed("a", "+/b/+") + feed("b", "a/+/+", 'key = "id"\nbroker = "x"') + FAR, []),
        (feed("a", "a/#", 'key = "id"\nbroker = "x"') + feed("b", "a/b/+") + FAR, []),
        (feed("a", "a/b/+") + FAR, ["x: no feed reads from it"]),
        (
            feed("a", "a/b/+", 'key = "id"\nbroker = "x"') + FAR.replace("mqtts", "mqtt"),
            ["x: its password and all readings cross the network in clear"],
        ),
        (
            feed("a", "a/b/+", 'key = "id"\nbroker = "x"')
            + FAR.replace("mqtts", "mqtt").replace("far.example", "127.0.0.1"),
            [],
        ),
        (feed("a", "a/b/+", "").replace("ndjson", "raw"), ["a: readings have neither"]),
        (feed("a", "a/b/+", 'evidence = "message"\nkey = "id"').replace("ndjson", "json"), []),
        (feed("a", "a/b/+", ""), ["a: readings have neither key nor time"]),
        (feed("a", "a/b/+", 'evidence = "message"\nkey = "id"'), ["a: readings have neither"]),
    ],
)  # fmt: skip
def test_what_is_seldom_meant_is_told(text: str, told: list[str]) -> None:
    """One sentence each, which begins with the feed."""
    given = advise(parse_feeds(text, "notary.toml"))
    assert len(given) == len(told)
    for sentence, start in zip(given, told, strict=True):
        assert sentence.startswith(("Feed ", "Feeds ", "Broker "))
        assert "secret" not in sentence
        assert start in sentence


def test_a_key_that_others_may_read_is_told() -> None:
    """Not refused: some ways to hand over secrets can't do better."""
    authority = Authority("ours")
    certificate, key = authority.issue("notary.example")
    files = f'client_cert = "{certificate}"\nclient_key = "{key}"\n'
    text = feed("a", "a/b/+", 'key = "id"\nbroker = "x"') + FAR + files
    (sentence,) = advise(parse_feeds(text, "notary.toml"))
    assert f"may read client_key {key}" in sentence
    key.chmod(0o600)
    assert advise(parse_feeds(text, "notary.toml")) == []


FILTERS = ["#", "+", "a", "a/#", "a/+", "+/b", "a/b", "a/b/#", "+/+", "a/b/c", "$SYS/#", "$SYS/b"]
TOPICS = ["a", "b", "a/b", "a/c", "c/b", "a/b/c", "a/b/d", "$SYS/b", "$SYS"]


@pytest.mark.parametrize("one", FILTERS)
@pytest.mark.parametrize("other", FILTERS)
def test_filters_cover_and_meet_as_their_topics_say(one: str, other: str) -> None:
    """Held against every topic of a small world that tells these filters apart."""
    mine = {topic for topic in TOPICS if filter_matches(one, topic)}
    theirs = {topic for topic in TOPICS if filter_matches(other, topic)}
    assert filter_covers(one, other) == (theirs <= mine)
    assert filters_meet(one, other) == bool(mine & theirs)


LINES = b'{"id":"1"}\n{"id":"2"}\n'


@pytest.mark.parametrize(
    ("payload", "keys", "reason"),
    [(b'{"id":"1"}\n', ["1"], None), (LINES, [None], None), (LINES + b"{", [], "not-json")],
)
def test_a_message_may_be_one_record(
    payload: bytes, keys: list[str | None], reason: str | None
) -> None:
    """All of its bytes; or none, where a part can't be read."""
    feeds = parse_feeds(feed("a", "a/b/+", 'evidence = "message"\nkey = "id"'), "notary.toml")
    route = feeds.route("a/b/s")
    assert isinstance(route, Route)
    readings, faults = route.feed.read(route.dataset, route.source, payload)
    assert [reading.key for reading in readings] == keys
    assert all(reading.payload == payload and reading.pack is None for reading in readings)
    assert [fault.reason for fault in faults] == ([reason] if reason else [])
    assert all(fault.payload == payload for fault in faults)


def test_a_message_of_several_sources_is_no_record_of_one() -> None:
    """It would stand in one source's chain only."""
    found = whole_message(b"x", [Decoded(b"1", source="a"), Decoded(b"2", source="b")], 10)
    assert isinstance(found, Fault)
    assert found.reason == "bad-source"


def test_a_message_that_is_too_large_for_a_record_is_told() -> None:
    """Though each of its readings would fit."""
    found = whole_message(b"x" * 11, [Decoded(b"1"), Decoded(b"2")], 10)
    assert isinstance(found, Fault)
    assert found.reason == "too-large"


def test_evidence_is_one_of_two_words() -> None:
    """Anything else is a fault."""
    with pytest.raises(FeedsRefused, match="evidence must be one of reading, message"):
        parse_feeds(OWN + 'evidence = "pack"', "notary.toml")
