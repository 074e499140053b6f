# SPDX-License-Identifier: Apache-2.0
"""Where answers go: into the device's own subtree, and nowhere else."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iot_ingest.addresses import Addresses
from iot_ingest.feeds import Feed, Feeds, Route
from iot_ingest.feeds_file import parse_feeds
from iot_ingest.inbox import Message, Properties
from notary.usecases.reading import Address, Refusal

OWN = "notary/v1/{dataset}/{source}/up"


def feed(template: str = OWN, filter_: str = "notary/v1/+/+/up", **members: Any) -> Feed:
    """A feed with a template; what it doesn't name is fixed."""
    fixed = "".join(
        f'{name} = "{value}"\n'
        for name, value in (("dataset", "air"), ("source", "s"))
        if f"{{{name}}}" not in template
    )
    text = (
        f'[[feeds]]\nname = "f"\nfilter = "#"\ntemplate = "{template}"\ncodec = "ndjson"\n{fixed}'
    )
    (made,) = parse_feeds(text, "f").all
    return replace(made, **{"filter": filter_, **members})


def find(one: Feed, topic: str, response: str | None = None, **more: Any) -> Address | None:
    """The address of a message's answer."""
    addresses = Addresses(Feeds([one]))
    route = Route(one, "air", "s")
    sent = None if response is None and not more else Properties((), response, **more)
    found = addresses.find(route, Message(topic, b"{}", None, sent))
    assert addresses.find(route, Message(topic, b"{}", None, sent)) is None or found is not None
    return found


UP = "notary/v1/air/s/up"
RESPONSE = feed(acceptances="response")


@pytest.mark.parametrize(
    "response", ["notary/v1/air/s/down", "notary/v1/air/s/a/b", "notary/v1/air/s/小"]
)
def test_a_response_topic_inside_the_own_subtree_is_answered(response: str) -> None:
    """With its correlation data as they came."""
    found = find(RESPONSE, UP, response, correlation=b"\x00\xff")
    assert found is not None
    assert (found.topic, found.correlation) == (response, b"\x00\xff")
    assert (found.broker, found.dataset, found.source) == ("default", "air", "s")


@pytest.mark.parametrize(
    "response",
    [
        "",
        "elsewhere",
        "/notary/v1/air/s/down",
        "notary/v1/air/t/down",
        "notary/v1/air/s2/down",
        "notary/v1/air/s",
        "notary/v1/air/s/",
        "notary/v1/air/S/down",
        "notary/v1/air/s/+",
        "notary/v1/air/s/#",
        "notary/v1/air/s/a+b",
        "notary/v1/air/s/\x00",
        "notary/v1/air/s/\n",
        "notary/v1/air/s/\ud800",
        "notary/v1/air/s/\uffff",
        "notary/v1/air/s/" + "x" * 1024,
        "notary/v1/air/s/up",
        "$SYS/broker",
        "$share/g/notary/v1/air/s/down",
    ],
)
def test_another_response_topic_is_ignored_and_counted(response: str) -> None:
    """Somebody else's, a filter, what no topic may hold, and what is taken in as a reading."""
    addresses = Addresses(Feeds([RESPONSE]))
    message = Message(UP, b"{}", None, Properties((), response))
    for _ in range(2):
        assert addresses.find(Route(RESPONSE, "air", "s"), message) is None
    assert addresses.ignored == 2


def test_correlation_data_that_would_fill_the_outbox_are_ignored() -> None:
    """1,024 bytes are taken, more are not."""
    assert find(RESPONSE, UP, "notary/v1/air/s/down", correlation=b"x" * 1024) is not None
    assert find(RESPONSE, UP, "notary/v1/air/s/down", correlation=b"x" * 1025) is None


@pytest.mark.parametrize(
    ("template", "topic", "inside", "outside"),
    [
        # The device is told by the last level: its subtree lies below, not beside it.
        ("plant/{source}", "plant/a", "plant/a/x", "plant/b"),
        ("plant/{source}", "plant/a", "plant/a/x", "plant/ab"),
        # One device, one topic.
        ("plant/counter", "plant/counter", "plant/counter/x", "plant/pump"),
        ("up", "up", "up/x", "other"),
        # A level that is passed over tells devices apart, too.
        ("plant/+/{source}/up", "plant/1/a/up", "plant/1/a/x", "plant/2/a/x"),
        ("plant/{source}/+", "plant/a/1", "plant/a/1/x", "plant/a/2"),
        ("v1.1/Data({source})/Obs", "v1.1/Data(7)/Obs", "v1.1/Data(7)/x", "v1.1/Data(8)/x"),
    ],
)
def test_a_device_chooses_only_below_what_tells_it_from_others(
    template: str, topic: str, inside: str, outside: str
) -> None:
    """Else one device could have another one written to."""
    one = feed(template, topic, acceptances="response")
    assert find(one, topic, inside) is not None
    assert find(one, topic, outside) is None


def test_the_reply_preset_answers_beside_the_topic() -> None:
    """As Alink does; what the message says of a response topic doesn't matter."""
    topic = "/sys/pk/dev/thing/event/property/post"
    template = "/sys/{product}/{source}/thing/event/property/post"
    one = feed(template, "/sys/+/+/thing/event/property/post", acceptances="reply")
    for response in (None, "/sys/pk/other/x"):
        found = find(one, topic, response)
        assert found is not None
        assert found.topic == topic + "_reply"


def test_a_reply_that_a_feed_would_read_is_not_sent() -> None:
    """Its answer would have an answer, and so on for ever."""
    one = feed("plant/{source}", "plant/+", acceptances="reply")
    assert find(one, "plant/a") is None


def test_a_fixed_topic_is_filled_from_the_message_s_own() -> None:
    """Dataset and source, and each other field of the template."""
    one = feed(
        "p/{product}/{source}/up",
        "p/+/+/up",
        acceptances="fixed",
        acceptance_topic="p/{product}/{source}/{dataset}/receipt",
    )
    found = find(one, "p/k/s/up")
    assert found is not None
    assert (found.topic, found.correlation) == ("p/k/s/air/receipt", None)


@pytest.mark.parametrize(
    "text", [None, "", "p/k/other/receipt", "all/{source}", "p/k/{source}/{nothing}", "p/k/s/up"]
)
def test_a_fixed_topic_outside_the_own_subtree_is_not_used(text: str | None) -> None:
    """Nor one with a field that isn't there, nor one that is taken in."""
    one = feed("p/{product}/{source}/up", "p/+/+/up", acceptances="fixed", acceptance_topic=text)
    assert find(one, "p/k/s/up") is None


def test_a_feed_that_answers_nobody_asks_nothing() -> None:
    """Neither does a message without a response topic; nothing is counted for them."""
    addresses = Addresses(Feeds([RESPONSE]))
    plain, asking = Message(UP, b"{}"), Message(UP, b"{}", None, Properties((), "x"))
    assert addresses.find(Route(feed(), "air", "s"), asking) is None
    assert addresses.find(Route(RESPONSE, "air", "s"), plain) is None
    assert addresses.ignored == 0


def test_the_memory_of_topics_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device may name a new topic each time."""
    monkeypatch.setattr("iot_ingest.addresses.MAX_REMEMBERED", 10)
    addresses = Addresses(Feeds([RESPONSE]))
    for number in range(100):
        message = Message(UP, b"{}", None, Properties((), f"notary/v1/air/s/{number}"))
        assert addresses.find(Route(RESPONSE, "air", "s"), message) is not None
    assert len(addresses._known) <= 10


def test_each_reading_of_a_pack_knows_its_place_and_each_fault_too() -> None:
    """So that the answer can be in the message's order."""
    address = Address("default", "t", None, "air", "s")
    readings, faults = RESPONSE.read("air", "s", b'{"a":1}\nno\n{"a":2}\n[]', address)
    places = [one.answer_to.place for one in readings if one.answer_to is not None]
    assert places == [0, 2]
    assert all(one.answer_to and one.answer_to.address is address for one in readings)
    assert address.of == 4
    assert list(address.refused) == [1, 3]
    assert [(one.reason, one.detail) for one in faults] == [
        (one.reason, one.detail) for one in address.refused.values()
    ]
    assert isinstance(address.refused[1], Refusal)


def test_the_feed_that_the_page_shows_answers_as_it_says() -> None:
    """docs/for-gateways/acceptances.md."""
    page = Path(__file__).parents[2] / "docs" / "for-gateways" / "acceptances.md"
    (text,) = re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    feeds = parse_feeds(text, "f")
    route = feeds.route("plant/pump-7/up")
    assert isinstance(route, Route)
    found = Addresses(feeds).find(route, Message("plant/pump-7/up", b"{}"))
    assert found is not None
    assert (found.topic, found.notices) == ("plant/pump-7/receipt", False)
