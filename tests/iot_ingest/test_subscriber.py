# SPDX-License-Identifier: Apache-2.0
"""The connection to a real broker: sessions, tickets, refusals, a thread that dies."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import paho.mqtt.client as paho
import pytest

from iot_ingest.inbox import Message
from iot_ingest.mqtt import Subscriber, Ticket
from notary.local.broker import Broker
from tests.iot_ingest.support import publish, wait_for

pytestmark = pytest.mark.needs("mosquitto")
TOPIC = "notary/v1/a/s/up"


class Heard(list[Message]):
    """What came in."""

    def __call__(self, messages: Sequence[Message]) -> bool:
        """Take messages."""
        self.extend(messages)
        return True

    @property
    def payloads(self) -> list[bytes]:
        """Their payloads, in order."""
        return [message.payload for message in self]

    def tickets(self, start: int = 0) -> list[object]:
        """Their tickets."""
        return [message.ticket for message in self[start:]]


@contextmanager
def subscribed(
    broker: Broker, receive: Callable[[Sequence[Message]], bool], window: int = 1000, qos: int = 1
) -> Iterator[Subscriber]:
    """A connection that has its subscription."""
    subscriber = Subscriber(broker.url, "city-notary", [("notary/v1/#", qos)], receive, window)
    subscriber.start()
    try:
        wait_for(lambda: subscriber.subscribed)
        yield subscriber
    finally:
        subscriber.stop()


def send(broker: Broker, *payloads: bytes) -> None:
    """Publish on one topic."""
    publish(broker, [(TOPIC, payload) for payload in payloads])


def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(broker: Broker) -> None:
    """Across connections: the session waits at the broker."""
    first, second = Heard(), Heard()
    with subscribed(broker, first) as subscriber:
        send(broker, *(b"%d" % number for number in range(10)))
        wait_for(lambda: len(first) == 10)
        subscriber.acknowledge(first.tickets()[:7])
    send(broker, b"meanwhile")
    with subscribed(broker, second) as subscriber:
        wait_for(lambda: len(second) == 4)
        subscriber.acknowledge(second.tickets())
    assert second.payloads == [b"7", b"8", b"9", b"meanwhile"]


def test_many_acknowledgements_at_once_reach_the_broker(broker: Broker) -> None:
    """All of them before we leave, also when another connection follows at once."""
    heard, again = Heard(), Heard()
    with subscribed(broker, heard, window=65_535) as subscriber:
        for part in range(5):
            send(broker, *(b"%d" % number for number in range(part * 2000, part * 2000 + 2000)))
            wait_for(lambda part=part: len(heard) == 2000 * (part + 1))  # type: ignore[misc]
            subscriber.acknowledge(heard.tickets(part * 2000))
    assert heard.payloads == [b"%d" % number for number in range(10_000)]
    with subscribed(broker, again):
        send(broker, b"last")
        wait_for(lambda: len(again) == 1)
    assert again.payloads == [b"last"]


def test_a_ticket_of_an_earlier_connection_acknowledges_nothing(broker: Broker) -> None:
    """The same message id may mean another message by then: that one must not be lost."""
    heard = Heard()
    with subscribed(broker, heard) as subscriber:
        send(broker, b"one", b"two")
        wait_for(lambda: len(heard) == 2)
        broker.restart()
        wait_for(lambda: len(heard) == 4)
        old, new = heard.tickets()[:2], heard.tickets()[2:]
        assert {ticket.mid for ticket in old} == {ticket.mid for ticket in new}  # type: ignore[attr-defined]
        subscriber.acknowledge(old)
    again = Heard()
    with subscribed(broker, again) as subscriber:
        wait_for(lambda: len(again) == 2)
        subscriber.acknowledge(again.tickets())
    assert again.payloads == [b"one", b"two"]


def test_a_receiver_that_waits_makes_the_broker_wait_and_loses_nothing(broker: Broker) -> None:
    """Back-pressure: the network thread stands still until there is room."""
    heard, room = Heard(), threading.Event()

    def slow(messages: Sequence[Message]) -> bool:
        room.wait()
        return heard(messages)

    with subscribed(broker, slow) as subscriber:
        send(broker, *(b"%d" % number for number in range(500)))
        assert len(heard) == 0
        room.set()
        wait_for(lambda: len(heard) == 500)
        subscriber.acknowledge(heard.tickets())
    assert heard.payloads == [b"%d" % number for number in range(500)]


def test_a_network_thread_that_dies_is_noticed_and_started_again(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message at which it died comes again."""
    monkeypatch.setattr(threading, "excepthook", lambda arguments: None)
    heard = Heard()

    def fall_once(messages: Sequence[Message]) -> bool:
        heard(messages)
        if len(heard) == 1:
            raise RuntimeError("a fault of our own")
        return True

    with subscribed(broker, fall_once) as subscriber:
        send(broker, b"one")
        wait_for(lambda: len(heard) == 1)
        wait_for(lambda: not subscriber._client.has_thread)
        subscriber.tend()
        # Its problem says so too, until the new one is subscribed, which may be at once.
        assert subscriber.facts()["thread_deaths"] == 1
        wait_for(lambda: len(heard) == 2)
        assert heard.payloads == [b"one", b"one"]
        subscriber.acknowledge(heard.tickets())
        assert subscriber.subscribed


def test_a_lower_quality_than_asked_for_is_a_refusal(broker: Broker) -> None:
    """A broker that grants QoS 0 only would lose what we don't have yet."""
    heard = Heard()
    subscriber = Subscriber(broker.url, "city-notary", [("notary/v1/#", 2)], heard, 10)
    subscriber._filters = [("notary/v1/#", 1)]
    subscriber._on_subscribe(
        subscriber._client, None, 1, [paho.ReasonCode(paho.PacketTypes.SUBACK, "Granted QoS 0")], 0
    )
    assert subscriber.subscribed is False
    assert "notary/v1/#" in str(subscriber.problem)


def test_a_refused_filter_is_a_problem_that_names_it(broker: Broker) -> None:
    """One filter refused, the other granted."""
    subscriber = Subscriber(broker.url, "city-notary", [("a", 1), ("b", 1)], Heard(), 10)
    codes = [
        paho.ReasonCode(paho.PacketTypes.SUBACK, name)
        for name in ("Granted QoS 1", "Not authorized")
    ]
    subscriber._on_subscribe(subscriber._client, None, 1, codes, 0)
    assert subscriber.subscribed is False
    assert subscriber.problem == "the broker refused: b (Not authorized)"


def test_what_is_retained_comes_once_for_a_subscription(broker: Broker) -> None:
    """Not again at each connection, as new readings without ids would."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.username_pw_set("gateway", broker.url_of("gateway").split(":")[2].split("@")[0])
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.publish(TOPIC, b"kept", qos=1, retain=True).wait_for_publish(60)
    client.disconnect()
    client.loop_stop()
    first, second = Heard(), Heard()
    with subscribed(broker, first) as subscriber:
        wait_for(lambda: len(first) == 1)
        subscriber.acknowledge(first.tickets())
    with subscribed(broker, second):
        send(broker, b"new")
        wait_for(lambda: len(second) == 1)
    assert (first.payloads, second.payloads) == ([b"kept"], [b"new"])


def test_a_message_of_qos_0_has_no_ticket(broker: Broker) -> None:
    """There is nobody to acknowledge to."""
    heard = Heard()
    with subscribed(broker, heard, qos=0):
        send(broker, b"x")
        wait_for(lambda: len(heard) == 1)
    assert heard[0] == Message(TOPIC, b"x", None)
    assert Ticket(1, 2).mid == 2
