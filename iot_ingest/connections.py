# SPDX-License-Identifier: Apache-2.0
"""
The connections to all brokers that feeds read from: one each, and how each stands.

A broker that is away, or refuses, costs the others nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from iot_ingest.brokers import DEFAULT_BROKER, Broker, BrokerRefused
from iot_ingest.feeds import Feeds
from iot_ingest.inbox import Message
from iot_ingest.mqtt import Subscriber
from iot_ingest.mqtt_publish import Publisher
from notary.config import Settings


def default_broker(settings: Settings) -> Broker:
    """The broker of NOTARY_MQTT_URL, as whom feeds come that name none."""
    return Broker(
        DEFAULT_BROKER,
        settings.mqtt_url,
        None,
        settings.mqtt_ca_file,
        settings.mqtt_client_cert,
        settings.mqtt_client_key,
    )


def brokers_of(feeds: Feeds, default: Broker) -> dict[str, Broker]:
    """The brokers that some feed reads from, by name; `default` unless there is a table of it."""
    known = {DEFAULT_BROKER: default, **feeds.brokers}
    return {feed.broker: known[feed.broker] for feed in feeds.all}


def broker_faults(brokers: dict[str, Broker], client_id: str) -> list[str]:
    """What can't be used, as sentences. Two connections of one id would end each other."""
    faults = [
        f"Broker {name}: {sentence}" for name, one in brokers.items() for sentence in one.faults()
    ]
    seen: dict[tuple[str, str], str] = {}
    for name, one in brokers.items():
        address = (one.url.rpartition("@")[2].rstrip("/"), one.client_id or client_id)
        if address in seen:
            faults.append(
                f"Brokers {seen[address]} and {name} are one: the same address and client_id."
            )
        seen[address] = name
    return faults


@dataclass(slots=True)
class _Line:
    broker: Broker
    client_id: str
    subscriber: Subscriber


class Connections:
    """
    One subscriber for each broker. `receive` gets messages of all, on several threads.

    Raises:
        BrokerRefused: an address, or what its TLS needs, can't be used.
    """

    def __init__(
        self,
        feeds: Feeds,
        brokers: dict[str, Broker],
        client_id: str,
        receive: Callable[[Sequence[Message]], bool],
        window: int,
    ) -> None:
        faults = broker_faults(brokers, client_id)
        if faults:
            raise BrokerRefused(" ".join(faults), faults=faults)
        self._lines = {}
        for name, broker in brokers.items():
            own_id = broker.client_id or client_id
            filters = [(feed.filter, feed.qos) for feed in feeds.of_broker(name)]
            subscriber = Subscriber(
                broker.url, own_id, filters, receive, window, name, broker.tls()
            )
            self._lines[name] = _Line(broker, own_id, subscriber)

    def publishers(self) -> dict[str, Publisher]:
        """What answers to devices go by, for each broker."""
        return {
            name: Publisher(line.broker.url, f"{line.client_id}-answers", line.broker.tls())
            for name, line in self._lines.items()
        }

    def start(self) -> None:
        """Begin to connect, and go on for ever."""
        for line in self._lines.values():
            line.subscriber.start()

    def tend(self) -> None:
        """Look after each, now and then."""
        for line in self._lines.values():
            line.subscriber.tend()

    def acknowledge(self, tickets: Sequence[object]) -> None:
        """Tell the brokers; each knows its own tickets."""
        for line in self._lines.values():
            line.subscriber.acknowledge(tickets)

    def stop(self) -> None:
        """Leave each once it has read all acknowledgements."""
        for line in self._lines.values():
            line.subscriber.stop()

    @property
    def problem(self) -> str | None:
        """Why nothing comes in from some broker, or None; names it where there are several."""
        for name, line in self._lines.items():
            problem = line.subscriber.problem
            if problem is not None:
                return problem if len(self._lines) == 1 else f"broker {name}: {problem}"
        return None

    @property
    def connected(self) -> bool:
        """Whether there is a connection to each."""
        return all(line.subscriber.connected for line in self._lines.values())

    @property
    def subscribed(self) -> bool:
        """Whether each has granted all filters."""
        return all(line.subscriber.subscribed for line in self._lines.values())

    @property
    def any_subscribed(self) -> bool:
        """Whether readings can come in from one at least."""
        return any(line.subscriber.subscribed for line in self._lines.values())

    def facts(self) -> dict[str, dict[str, object]]:
        """How each stands, for /statusz; no address, which may be nobody's business."""
        return {name: line.subscriber.facts() for name, line in self._lines.items()}
