# SPDX-License-Identifier: Apache-2.0
"""
One gateway's connection: MQTT 5, QoS 1, a session that outlives it, back again by itself.

What happens is told as events, from paho's thread; the gateway's mind is elsewhere.
"""

import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from iot_simulator.listing import Sent
from notary.core.errors import MalformedText

KEEPALIVE_SECONDS: Final = 30
SESSION_SECONDS: Final = 86_400
MIN_RECONNECT_SECONDS: Final = 1
MAX_RECONNECT_SECONDS: Final = 10
MAX_IN_FLIGHT: Final = 65_535
_FOR_GOOD: Final = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C, 0x90, 0x95, 0x99})
"""Reasons that don't pass by themselves: bad name or password, not authorized, bad topic …"""


class Connected(NamedTuple):
    """It is connected, and hears answers."""


class Lost(NamedTuple):
    """There is no connection, for this reason; it tries again."""

    why: str


class Denied(NamedTuple):
    """The broker won't have it."""

    why: str


class Acknowledged(NamedTuple):
    """PUBACK of the message with this packet id; not `taken`: try again later."""

    mid: int
    taken: bool


class Heard(NamedTuple):
    """Something came in answer to the message of this id."""

    id: str
    payload: bytes


Event = Connected | Lost | Denied | Acknowledged | Heard


class Broker(NamedTuple):
    """Where it is and as whom one comes; `tls` None: in clear."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: ssl.SSLContext | None


def find_broker(url: str, ca: Path | None, cert: Path | None, key: Path | None) -> Broker:
    """
    Read mqtt[s]://user:password@host:port. A certificate is verified always.

    Raises:
        MalformedText: it is another kind of address (the text never shows it), or a file of
            its TLS can't be used.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path not in ("", "/"):
        raise MalformedText("A broker's address is mqtt[s]://user:password@host:port.")
    tls = None
    if parts.scheme == "mqtts":
        try:
            tls = ssl.create_default_context(cafile=ca)
            tls.minimum_version = ssl.TLSVersion.TLSv1_2
            if cert is not None:
                tls.load_cert_chain(cert, key, password="")
        except (OSError, ValueError) as error:
            raise MalformedText(f"The certificates for the broker can't be used: {error}") from None
    user = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else unquote(parts.password)
    return Broker(parts.hostname, port or (8883 if tls else 1883), user, password, tls)


class _Client(mqtt.Client):
    """paho, without a socket left open where the broker's certificate is refused."""

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        context = self._ssl_context
        assert context is not None
        wrapped = context.wrap_socket(
            tcp_sock, server_hostname=self._host, do_handshake_on_connect=False
        )
        try:
            wrapped.settimeout(KEEPALIVE_SECONDS)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped


class Connection:
    """
    Of one gateway; `answers` is the topic on which it hears (None: on none).

    `run` goes in front of messages' ids as correlation data, so that no answer to an earlier
    simulation, which waits in the session, is taken for one to this.
    """

    def __init__(
        self,
        broker: Broker,
        name: str,
        answers: str | None,
        run: str,
        tell: Callable[[Event], None],
    ) -> None:
        self._broker, self._name, self._answers, self._tell = broker, name, answers, tell
        self._run = f"{run}/"
        self._in_flight: dict[int, str] = {}
        self._most_in_flight = MAX_IN_FLIGHT
        self._connected = False
        self._client = _Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        if broker.user is not None:
            self._client.username_pw_set(broker.user, broker.password)
        if broker.tls is not None:
            self._client.tls_set_context(broker.tls)
        self._client.max_inflight_messages_set(MAX_IN_FLIGHT)
        self._client.reconnect_delay_set(MIN_RECONNECT_SECONDS, MAX_RECONNECT_SECONDS)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Begin to connect, and go on until `stop`."""
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        session.SessionExpiryInterval = SESSION_SECONDS
        self._client.connect_async(
            self._broker.host,
            self._broker.port,
            KEEPALIVE_SECONDS,
            clean_start=False,
            properties=session,
        )
        self._client.loop_start()

    def opened(self) -> None:
        """`Connected` was taken note of: nothing is sent on a connection before that."""
        self._connected = True

    def lost(self) -> None:
        """`Lost` was."""
        self._connected = False

    @property
    def ready(self) -> bool:
        """Connected, and the broker takes another message."""
        return self._connected and len(self._in_flight) < self._most_in_flight

    def publish(self, sent: Sent) -> None:
        """Hand a message over; until its PUBACK it is sent again on each connection."""
        asks = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if self._answers is not None:
            asks.ResponseTopic = self._answers
            asks.CorrelationData = f"{self._run}{sent.id}".encode()
        done = self._client.publish(sent.topic, sent.message.payload, qos=1, properties=asks)
        self._in_flight[done.mid] = sent.id

    def acknowledged(self, mid: int) -> str | None:
        """Which message a PUBACK is of."""
        return self._in_flight.pop(mid, None)

    def stop(self, *, for_good: bool) -> None:
        """Leave; unless it is for good the broker keeps the session, and answers that come."""
        last = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
        last.SessionExpiryInterval = 0 if for_good else SESSION_SECONDS
        self._client.on_disconnect = None
        self._client.disconnect(properties=last)
        self._client.loop_stop()

    def _on_connect(
        self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if reason.is_failure:
            why = f"the broker refused the connection of {self._name}: {reason}"
            self._tell(Denied(why) if reason.value in _FOR_GOOD else Lost(why))
            return
        self._most_in_flight = getattr(properties, "ReceiveMaximum", MAX_IN_FLIGHT)
        if self._answers is None:
            self._tell(Connected())
        else:
            client.subscribe(self._answers, qos=1)

    def _on_subscribe(
        self, client: mqtt.Client, userdata: Any, mid: int, reasons: Any, properties: Any
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._tell(Denied(f"the broker doesn't let {self._name} hear {self._answers}"))
        else:
            self._tell(Connected())

    def _on_connect_fail(self, client: mqtt.Client, userdata: Any) -> None:
        error = sys.exc_info()[1]  # paho calls this while it handles the error
        why = "" if error is None else f": {getattr(error, 'verify_message', None) or error}"
        where = f"{self._broker.host}:{self._broker.port}"
        self._tell(Lost(f"the broker at {where} can't be reached{why}"))

    def _on_disconnect(
        self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        self._tell(Lost(f"disconnected: {reason}"))

    def _on_publish(
        self, client: mqtt.Client, userdata: Any, mid: int, reason: Any, properties: Any
    ) -> None:
        if reason.value in _FOR_GOOD:
            self._tell(Denied(f"the broker refused a message of {self._name}: {reason}"))
        else:
            self._tell(Acknowledged(mid, not reason.is_failure))

    def _on_message(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        correlation = getattr(message.properties, "CorrelationData", b"")
        id_ = bytes(correlation).decode("utf-8", "replace")
        if id_.startswith(f"{self._run}{self._name}/"):
            self._tell(Heard(id_.removeprefix(self._run), bytes(message.payload)))
