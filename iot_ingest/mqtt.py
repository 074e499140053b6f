# SPDX-License-Identifier: Apache-2.0
"""
The broker: MQTT 5, QoS 1, a session that outlives us, acknowledgements by hand.

Message ids mean something on one connection only: each ticket carries the number of its
connection, and tickets of an earlier one are dropped (the broker sends those messages
again). A held reading's message may be acknowledged after later ones.
"""

import ssl
import sys
from collections.abc import Callable, Sequence
from itertools import count
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, Final, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from iot_ingest.brokers import DEFAULT_BROKER, read_url, why_not
from iot_ingest.inbox import Message
from iot_ingest.inbox import Properties as Sent
from iot_ingest.mqtt_reading import BufferedClient, Plain

SESSION_SECONDS: Final = 7 * 86_400
KEEPALIVE_SECONDS: Final = 60
SILENT_SECONDS: Final = 2.5 * KEEPALIVE_SECONDS
"""A connection over which nothing came for so long, no answer to a ping either, is dead."""
MIN_RECONNECT_SECONDS: Final = 1
MAX_RECONNECT_SECONDS: Final = 15
MAX_RECEIVE: Final = 65_535
FLUSH_SECONDS: Final = 10
LEAVE_SECONDS: Final = 10


_CONNECTIONS: Final = count(1)
"""Numbers connections of all brokers, so that no ticket fits two of them."""


class Ticket(NamedTuple):
    """What an acknowledgement needs; worth nothing on another connection."""

    connection: int
    mid: int


class Subscriber:
    """
    One connection that comes back by itself.

    `receive` gets messages on the network thread and may block: that is the
    back-pressure behind the broker's limit of unacknowledged messages (Receive Maximum,
    `window`). Messages for which it returns False are not acknowledged. `tls` is what a
    connection is checked by, where the address says TLS (None: the system's authorities).
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        filters: Sequence[tuple[str, int]],
        receive: Callable[[Sequence[Message]], bool],
        window: int,
        broker: str = DEFAULT_BROKER,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host, self._port, self._secure, self._user, self._password = read_url(url)
        self._tls = tls
        self._broker = broker
        self._client_id = client_id
        self._filters = list(filters)
        self._receive = receive
        self._window = max(1, min(window, MAX_RECEIVE))
        self._lock = Lock()
        self._connection = next(_CONNECTIONS)
        self._leaving = False
        self._answered = Event()
        self.connected = False
        self.subscribed = False
        self.refused: list[str] = []
        """Filters that the broker did not grant as asked for."""
        self._made = self._deaths = 0
        self._refusal: str | None = None
        self._handing_since: float | None = None
        self._why: str | None = "not connected yet"
        self._client = self._new_client()

    def _new_client(self) -> BufferedClient:
        client = BufferedClient(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
        )
        if self._user is not None:
            client.username_pw_set(self._user, self._password)
        if self._secure:
            client.tls_set_context(self._tls or ssl.create_default_context())
        client.reconnect_delay_set(MIN_RECONNECT_SECONDS, MAX_RECONNECT_SECONDS)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_plain = self._on_plain
        return client

    def start(self) -> None:
        """Begin to connect, and go on for ever."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_SECONDS
        properties.ReceiveMaximum = self._window
        self._client.connect_async(
            self._host, self._port, KEEPALIVE_SECONDS, clean_start=False, properties=properties
        )
        self._client.loop_start()

    def tend(self) -> None:
        """Look after the connection, now and then: start a network thread that died again."""
        if not self._leaving and not self._client.has_thread:
            self._deaths += 1
            self._lose("the network thread died; a new one was started")
            self._client = self._new_client()
            self.start()

    @property
    def problem(self) -> str | None:
        """Why nothing can come in just now, or None."""
        if self._why is None and self._handing() is None:
            silent = self._client.heard_seconds
            if silent > SILENT_SECONDS:
                return f"the broker said nothing for {silent:.0f} s, not even to a ping"
        return self._why

    def facts(self) -> dict[str, object]:
        """How the connection stands, for /statusz."""
        handing = self._handing()
        return {
            "connected": self.connected,
            "subscribed": self.subscribed,
            "refused": list(self.refused),
            "connections": self._made,
            "network_thread": self._client.has_thread,
            "thread_deaths": self._deaths,
            "heard_seconds": round(self._client.heard_seconds, 1) if self.connected else None,
            "waits_for_room_seconds": None if handing is None else round(handing, 1),
            "problem": self.problem,
        }

    def _handing(self) -> float | None:
        """For how long the network thread has been waiting for room, or None."""
        since = self._handing_since
        return None if since is None else monotonic() - since

    def _hand_over(self, messages: Sequence[Message]) -> None:
        self._handing_since = monotonic()
        try:
            self._receive(messages)
        finally:
            self._handing_since = None

    def acknowledge(self, tickets: Sequence[object]) -> None:
        """Tell the broker that messages are committed. Raises nothing: it may be away."""
        with self._lock:
            mids = [
                ticket.mid
                for ticket in tickets
                if isinstance(ticket, Ticket) and ticket.connection == self._connection
            ]
            # Under the lock, so that no other connection can begin in between.
            if mids and self.connected:
                self._client.acknowledge(mids)

    def stop(self) -> None:
        """
        Leave once the broker has read all acknowledgements, so that none comes again.

        It answers in the order in which it reads: the answer to a subscription proves it.
        The session waits for us at the broker.
        """
        self._leaving = True
        if self.connected:
            self._answered.clear()
            self._subscribe()
            self._answered.wait(FLUSH_SECONDS)
        self._client.disconnect()
        leaving = Thread(target=self._client.loop_stop, name="mqtt-leave", daemon=True)
        leaving.start()
        leaving.join(LEAVE_SECONDS)
        self._lose("left")

    def _lose(self, problem: str) -> None:
        """From now on the tickets given out are worth nothing."""
        with self._lock:
            self._connection = next(_CONNECTIONS)
            self.connected = self.subscribed = False
            self._why = problem
        self._answered.set()

    # -- on the network thread; an exception here would end it

    def _on_connect(
        self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if reason.is_failure:
            self._refusal = f"the broker refused the connection: {reason}"
            self._lose(self._refusal)
            return
        with self._lock:
            self._connection = next(_CONNECTIONS)
            self.connected, self._why = True, "not subscribed yet"
            self._made += 1
        self._subscribe()

    def _subscribe(self) -> None:
        """Again at each connection. What a broker retained comes at the first one only."""
        self._client.subscribe(
            [
                (
                    topic_filter,
                    SubscribeOptions(
                        qos=qos,
                        retainAsPublished=True,
                        retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB,
                    ),
                )
                for topic_filter, qos in self._filters
            ]
        )

    def _on_connect_fail(self, client: mqtt.Client, userdata: Any) -> None:
        # paho calls this while it handles the error.
        error = sys.exc_info()[1]
        why = "" if error is None else f": {why_not(error)}"
        self._lose(f"the broker at {self._host}:{self._port} can't be reached{why}")

    def _on_disconnect(
        self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        ended, refusal, self._refusal = self._client.read_error, self._refusal, None
        if isinstance(ended, ssl.SSLError):
            # In TLS 1.3 a broker refuses a client certificate after the handshake.
            refusal = f"the broker ended the connection: {why_not(ended)}"
        elif not self.connected:
            refusal = refusal or "the broker ended the connection before it answered"
        self._lose(refusal or f"disconnected: {reason}")

    def _on_subscribe(
        self, client: mqtt.Client, userdata: Any, mid: int, reasons: Any, properties: Any
    ) -> None:
        refused = [
            f"{topic_filter} ({reason})"
            for (topic_filter, qos), reason in zip(self._filters, reasons, strict=False)
            if reason.is_failure or reason.value < qos
        ]
        self._answered.set()
        self.subscribed = not refused
        self.refused = refused
        self._why = f"the broker refused: {', '.join(refused)}" if refused else None

    def _on_plain(self, messages: Sequence[Plain]) -> None:
        connection, broker = self._connection, self._broker
        self._hand_over(
            [
                Message(topic, payload, Ticket(connection, mid) if mid else None, sent, broker)
                for topic, payload, mid, sent in messages
            ]
        )

    def _on_message(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        ticket = Ticket(self._connection, message.mid) if message.qos else None
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = bytes(message._topic).decode("utf-8", "replace")
        sent = _sent(message.properties)
        self._hand_over([Message(topic, bytes(message.payload), ticket, sent, self._broker)])


def _sent(properties: Any) -> Sent | None:
    """The properties that are of use, or None without any."""
    user = getattr(properties, "UserProperty", None)
    topic = getattr(properties, "ResponseTopic", None)
    correlation = getattr(properties, "CorrelationData", None)
    if user is None and topic is None and correlation is None:
        return None
    return Sent(tuple(user or ()), topic, correlation)
