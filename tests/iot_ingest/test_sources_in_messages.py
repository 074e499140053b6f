# SPDX-License-Identifier: Apache-2.0
"""Who names the source: the topic or the feed where they do, else the message, never both."""

import pytest

from iot_ingest.codecs import codecs
from iot_ingest.feeds import NoRoute, Route
from iot_ingest.feeds_file import FeedsRefused, parse_feeds

NAMING = [
    "ngsi-ld",
    "ngsi-v2",
    "senml-cbor",
    "senml-json",
    "sensorthings",
    "sensorthings-dataarray",
]
PACK = b'[{"n":"b","v":1},{"n":"c/d","v":2}]'


def feed(codec: str, template: str = "air/+", **more: str) -> str:
    """A feed's configuration, without a source unless it is given."""
    named = {"name": "f", "filter": "air/+", "template": template, "dataset": "d", "codec": codec}
    return "[[feeds]]\n" + "".join(f'{k} = "{v}"\n' for k, v in {**named, **more}.items())


def route(text: str, topic: str = "air/a") -> Route:
    """Where a topic leads."""
    found = parse_feeds(text, "f").route(topic)
    assert isinstance(found, Route)
    return found


@pytest.mark.parametrize("codec", NAMING)
def test_a_feed_may_leave_the_source_to_its_messages(codec: str) -> None:
    """Where the codec finds one in each."""
    assert codecs()[codec].names_source
    found = route(feed(codec))
    assert (found.source, found.feed.members.names_source) == ("", True)


@pytest.mark.parametrize("codec", ["json", "json-array", "ndjson", "raw", "alink", "iotda"])
def test_a_codec_that_finds_none_needs_a_feed_that_names_it(codec: str) -> None:
    """Or its readings would have no source."""
    with pytest.raises(FeedsRefused, match=r"neither source nor \{source\}"):
        parse_feeds(feed(codec), "f")


@pytest.mark.parametrize("more", [{"template": "air/{source}"}, {"source": "a"}])
def test_a_message_can_not_name_another_source_than_its_topic(more: dict[str, str]) -> None:
    """A gateway that may publish for itself alone can't write to another's records."""
    found = route(feed("senml-json", **more))
    assert found.source == "a"
    readings, faults = found.feed.read(found.dataset, found.source, PACK)
    assert faults == []
    assert [one.source for one in readings] == ["a", "a"]
    assert [one.payload for one in readings] == [b'{"n":"b","v":1}', b'{"n":"c/d","v":2}']


def test_a_name_that_is_no_id_is_a_fault_where_nothing_else_names_the_source() -> None:
    """Its neighbour is a reading."""
    found = route(feed("senml-json"))
    (reading,), (fault,) = found.feed.read(found.dataset, found.source, PACK)
    assert (reading.source, fault.reason) == ("b", "bad-source")


def test_a_topic_whose_source_is_no_id_leads_nowhere() -> None:
    """Also with a codec that would find one in the message."""
    text = feed("senml-json", template="air/{source}")
    found = parse_feeds(text, "f").route("air/a b")
    assert isinstance(found, NoRoute)
    assert found.reason == "bad-topic"


@pytest.mark.parametrize(
    ("codec", "message", "named"),
    [
        ("senml-json", b'[{"n":"b","v":1.0,"t":1e9}]', True),
        ("ngsi-v2", b'{"subscriptionId":"s","data":[{"id":"b","type":"T"}]}', True),
        ("sensorthings", b' {"result":1,"Datastream":{"@iot.id":1}}\n', False),
    ],
)
def test_one_reading_that_is_not_its_message_names_it(
    codec: str, message: bytes, named: bool
) -> None:
    """What was resolved or cut out can be held against the bytes that came."""
    found = route(feed(codec))
    (reading,), _ = found.feed.read(found.dataset, found.source, message)
    assert (reading.pack is not None) == named
    assert reading.pack is None or reading.pack.data == message
