# SPDX-License-Identifier: Apache-2.0
"""The tables of brokers, and which broker's messages a feed reads."""

from pathlib import Path

import pytest

from iot_ingest.addresses import Addresses
from iot_ingest.brokers import Broker, BrokerRefused
from iot_ingest.connections import Connections, broker_faults, brokers_of
from iot_ingest.feeds import NoRoute, Route
from iot_ingest.feeds_file import FeedsRefused, load_feeds, parse_feeds
from iot_ingest.inbox import Message, Properties
from tests.iot_ingest.certificates import Authority

FEED = """
[[feeds]]
name = "{name}"
filter = "{filter}"
template = "gw/{{source}}/up"
dataset = "{name}"
codec = "json"
acceptances = "response"
broker = "{broker}"
"""


def feed(name: str, broker: str = "plant", topic_filter: str = "gw/+/up") -> str:
    """A feed of any gateway's topics at some broker."""
    return FEED.format(name=name, broker=broker, filter=topic_filter)


def table(**lines: str) -> str:
    """One table of a broker; each value is written as it is given."""
    lines = {"name": '"plant"', "url": '"mqtt://u:secret@h"', **lines}
    return "[[brokers]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items() if value)


def faults(text: str, folder: Path | None = None) -> list[str]:
    """The sentences of a refusal."""
    with pytest.raises(FeedsRefused) as refused:
        parse_feeds(text, "notary.toml", folder=folder)
    found = refused.value.facts["faults"]
    assert isinstance(found, list)
    return found


def test_a_file_may_name_further_brokers(tmp_path: Path) -> None:
    """Each with its address, better in a file of its own beside the configuration."""
    authority = Authority("ours")
    certificate, key = authority.issue("notary.example")
    (tmp_path / "plant.url").write_text("mqtts://u:secret@plant.example\n")
    (tmp_path / "notary.toml").write_text(
        table(
            url="",
            url_file='"plant.url"',
            client_id='"notary-7"',
            ca_file=f'"{authority.file}"',
            client_cert=f'"{certificate}"',
            client_key=f'"{key}"',
        )
        + feed("a")
    )
    broker = load_feeds(tmp_path / "notary.toml").brokers["plant"]
    assert (broker.url, broker.client_id) == ("mqtts://u:secret@plant.example", "notary-7")
    assert (broker.ca_file, broker.client_cert) == (authority.file, certificate)
    assert "secret" not in repr(broker)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ({"name": ""}, "name is missing"),
        ({"name": '"a b"'}, "name must be"),
        ({"url": ""}, "one of url and url_file must be there"),
        ({"url_file": '"x"'}, "one of url and url_file must be there"),
        ({"url": '"http://u:secret@h"'}, "address must be mqtt://"),
        ({"url": "5"}, "url must be text"),
        ({"url": "", "url_file": '"none"'}, "url_file none can't be read: No such file"),
        ({"colour": "1"}, "colour is not known"),
        ({"client_id": f'"{"x" * 201}"'}, "client_id must be at most 200 characters"),
        ({"client_id": '"a\\u0001"'}, "client_id must be at most 200 characters"),
        ({"client_cert": '"x"'}, "client_cert and client_key belong together"),
        ({"client_key": '"x"'}, "client_cert and client_key belong together"),
        ({"ca_file": '"x"'}, "belong to a url of mqtts://"),
        ({"url": '"mqtts://h"', "ca_file": '"none"'}, "ca_file none: it can't be read"),
        ({"url": '"mqtts://h"', "ca_file": '"setup.cfg"'}, "it is no certificate"),
        (
            {"url": '"mqtts://h"', "client_cert": '"none"', "client_key": '"none"'},
            "client_cert none with client_key none: it can't be read",
        ),
    ],
)
def test_a_fault_of_a_broker_is_a_sentence(lines: dict[str, str], sentence: str) -> None:
    """One for one fault; the password is in none."""
    found = faults(table(**lines) + feed("a", "default"))
    assert len(found) == 1
    assert sentence in found[0]
    assert "secret" not in found[0]


def test_a_key_that_fits_another_certificate_is_refused() -> None:
    """Before the first connection, by `notary config check` too."""
    authority = Authority("ours")
    (certificate, _), (_, key) = authority.issue("a"), authority.issue("b")
    lines = {"url": '"mqtts://h"', "client_cert": f'"{certificate}"', "client_key": f'"{key}"'}
    (found,) = faults(table(**lines) + feed("a", "default"))
    assert "key values mismatch" in found


def test_a_broker_that_is_not_there_or_there_twice_is_a_fault() -> None:
    """Both are told with the others."""
    found = faults(table() + table() + feed("a", "plnt") + feed("b", "plant"))
    assert "Two brokers have the name plant." in found
    assert any("there is no broker plnt; there are default, plant" in one for one in found)
    assert len(found) == 2


def test_a_broker_with_a_fault_is_not_said_to_be_missing() -> None:
    """One fault, one sentence."""
    assert len(faults(table(colour="1") + feed("a"))) == 1


def test_a_feed_reads_its_own_brokers_messages_only() -> None:
    """The same topic means another dataset at another broker; and nothing at a third."""
    feeds = parse_feeds(table() + feed("here", "default") + feed("there"), "f")
    for broker, dataset in (("default", "here"), ("plant", "there")):
        route = feeds.route("gw/s/up", broker)
        assert isinstance(route, Route)
        assert (route.dataset, route.feed.broker) == (dataset, broker)
    third = feeds.route("gw/s/up", "other")
    assert isinstance(third, NoRoute)
    assert third.reason == "no-feed"


def test_an_answer_goes_to_the_broker_that_the_message_came_from() -> None:
    """Though the topics are the same."""
    feeds = parse_feeds(table() + feed("here", "default") + feed("there"), "f")
    addresses = Addresses(feeds)
    for broker, dataset in (("default", "here"), ("plant", "there"), ("default", "here")):
        route = feeds.route("gw/s/up", broker)
        assert isinstance(route, Route)
        sent = Properties(response_topic="gw/s/down")
        found = addresses.find(route, Message("gw/s/up", b"{}", None, sent, broker))
        assert found is not None
        assert (found.broker, found.dataset) == (broker, dataset)


def test_each_brokers_feed_answers_where_it_says() -> None:
    """On the same topic, remembered for both."""
    texts = [
        feed(name, broker).replace(
            '"response"', f'"fixed"\nacceptance_topic = "gw/{{source}}/{name}"'
        )
        for name, broker in (("here", "default"), ("there", "plant"))
    ]
    feeds = parse_feeds(table() + "".join(texts), "f")
    addresses = Addresses(feeds)
    for broker, topic in (("default", "gw/s/here"), ("plant", "gw/s/there")) * 2:
        route = feeds.route("gw/s/up", broker)
        assert isinstance(route, Route)
        found = addresses.find(route, Message("gw/s/up", b"{}", None, None, broker))
        assert found is not None
        assert found.topic == topic


def test_only_brokers_that_a_feed_reads_from_are_connected_to() -> None:
    """A table of `default` takes the place of NOTARY_MQTT_URL."""
    default = Broker("default", "mqtt://127.0.0.1")
    text = table() + table(name='"unused"')
    assert list(brokers_of(parse_feeds(text + feed("a"), "f"), default)) == ["plant"]
    assert brokers_of(load_feeds(None), default) == {"default": default}
    own = parse_feeds(table(name='"default"') + feed("a", "default"), "f")
    assert brokers_of(own, default)["default"].url == "mqtt://u:secret@h"


def test_two_connections_of_one_id_to_one_broker_are_refused() -> None:
    """They would end each other for ever."""
    text = table() + table(name='"twin"', url='"mqtt://other:secret@h/"')
    feeds = parse_feeds(text + feed("a") + feed("b", "twin"), "f")
    brokers = brokers_of(feeds, Broker("default", "mqtt://h"))
    assert "Brokers plant and twin are one" in broker_faults(brokers, "city-notary")[0]
    with pytest.raises(BrokerRefused, match="are one"):
        Connections(feeds, brokers, "city-notary", lambda messages: True, 10)
    text = table() + table(name='"twin"', client_id='"other"') + feed("a") + feed("b", "twin")
    feeds = parse_feeds(text, "f")
    assert broker_faults(brokers_of(feeds, Broker("default", "mqtt://h")), "city-notary") == []
