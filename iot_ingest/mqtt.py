# SPDX-License-Identifier: Apache-2.0
"""
The broker: MQTT 5, QoS 1, a session that outlives us, acknowledgements by hand. The only
file that knows paho.
"""

import ssl
import time
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from iot_ingest.pipeline import Message
from notary.core.errors import NotaryError

SESSION_SECONDS = 7 * 86_400
KEEPALIVE_SECONDS = 30


class BrokerRefused(NotaryError):
    """The broker's address can't be used."""

    code = "broker-refused"


class _Ticket(NamedTuple):
    """What an acknowledgement needs; worth nothing on another connection."""

    epoch: int
    mid: int
    qos: int


class Subscriber:
    """
    One connection that comes back by itself.

    `receive` gets each message on the network thread and may block: that is the
    back-pressure. Tickets of an earlier connection are dropped: the broker sends again.
    """

    def __init__(
        self, url: str, client_id: str, filters: Sequence[str], receive: Callable[[Message], bool]
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise BrokerRefused("NOTARY_MQTT_URL must be mqtt://host:port or mqtts://host:port.")
        self._filters = list(filters)
        self._receive = receive
        self._lock = Lock()
        self._epoch = 0
        self._closing = False
        self.connected = False
        self.subscribed = False
        self.trouble: str | None = None
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
        )
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set_context(ssl.create_default_context())
        self._client.reconnect_delay_set(1, 30)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._address = parts.hostname, parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        self._thread: Thread | None = None

    def start(self) -> None:
        """Connect, and again whenever the connection breaks, until `stop`."""
        self._thread = Thread(target=self._loop, name="mqtt", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Disconnect; the session stays at the broker."""
        self._closing = True
        self._client.disconnect()
        if self._thread is not None:
            self._thread.join(10)

    @property
    def alive(self) -> bool:
        """Whether the network thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def acknowledge(self, tickets: Sequence[object]) -> None:
        """Tell the broker that messages are committed."""
        with self._lock:
            epoch = self._epoch
        for ticket in tickets:
            if isinstance(ticket, _Ticket) and ticket.epoch == epoch and ticket.qos:
                self._client.ack(ticket.mid, ticket.qos)

    def _loop(self) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_SECONDS
        pause = 0.5
        while not self._closing:
            try:
                host, port = self._address
                self._client.connect(
                    host, port, KEEPALIVE_SECONDS, clean_start=False, properties=properties
                )
                pause = 0.5
                while self._client.loop(1.0) == mqtt.MQTT_ERR_SUCCESS:
                    pass
            except (OSError, ValueError) as error:
                self.trouble = f"{type(error).__name__}: {error}"
            self.connected = self.subscribed = False
            if not self._closing:
                time.sleep(pause)
                pause = min(pause * 2, 30.0)

    def _on_connect(
        self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if reason.is_failure:
            self.trouble = f"the broker refused the connection: {reason}"
            return
        with self._lock:
            self._epoch += 1
        self.connected, self.trouble = True, None
        client.subscribe([(topic_filter, 1) for topic_filter in self._filters])

    def _on_disconnect(
        self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        with self._lock:
            self._epoch += 1
        self.connected = self.subscribed = False

    def _on_subscribe(
        self, client: mqtt.Client, userdata: Any, mid: int, reasons: Any, properties: Any
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        self.subscribed = not refused
        if refused:
            self.trouble = f"the broker refused a subscription: {refused[0]}"

    def _on_message(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        ticket = _Ticket(self._epoch, message.mid, message.qos)
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = repr(bytes(message._topic))
        self._receive(Message(topic, bytes(message.payload), ticket))
