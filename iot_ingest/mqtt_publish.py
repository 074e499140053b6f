# SPDX-License-Identifier: Apache-2.0
"""
Answers to devices: a connection of its own to the broker, MQTT 5, QoS 1.

Of its own, because the subscriber's may stand still while the inbox is full, and the broker's
acknowledgements of answers would wait behind the readings.
"""

import ssl
from collections import deque
from collections.abc import Sequence
from threading import Event
from time import monotonic
from typing import Any, Final, NoReturn

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from iot_ingest.brokers import read_url, why_not
from iot_ingest.mqtt import KEEPALIVE_SECONDS, MAX_RECEIVE
from iot_ingest.mqtt_reading import TlsClient
from iot_ingest.outgoing import BrokerAway, Letter

CONNECT_SECONDS: Final = 10.0
PUBACK_SECONDS: Final = 60.0
MAX_WINDOW: Final = 1_000
MAX_FORBIDDEN: Final = 10_000
FORBIDDEN_SECONDS: Final = 60.0


class Publisher:
    """
    A connection of its own for answers, opened when there is one to publish.

    It comes back by itself: each `deliver` opens what is not open. It keeps nothing in
    mind, as the outbox does.
    """

    def __init__(self, url: str, client_id: str, tls: ssl.SSLContext | None = None) -> None:
        self._address = read_url(url)
        self._tls = tls
        self._client_id = client_id
        self._client: mqtt.Client | None = None
        self._most = self._window = MAX_WINDOW
        self._changed = Event()
        self._problem: str | None = None
        self._done: deque[tuple[int, bool]] = deque()
        self._forbidden: dict[str, float] = {}
        self._leaving = False

    def deliver(self, letters: Sequence[Letter]) -> int:
        """See iot_ingest.outgoing.Way; for one thread at a time."""
        refused, left = 0, list(letters)
        while left:
            client = self._open()
            window, rest = left[: self._window], left[self._window :]
            waits = [one for one in window if not self._is_forbidden(one.topic)]
            undone, denied = self._publish(client, waits)
            refused += len(window) - len(waits) + denied
            self._look_after(len(waits), len(undone), denied)
            left = undone + rest
        return refused

    def _look_after(self, count: int, undone: int, denied: int) -> None:
        """
        After a window of so many letters: go on, on a new connection if need be, or give up.

        Some brokers (mosquitto 2.0.11) end a connection that published where it may not, and
        their acknowledgements are lost with it. So a connection that was lost before it
        brought us on is tried again with fewer letters, at last with one.
        """
        problem = self._lost()
        if denied:
            self._close()
        elif problem is None or undone < count:
            self._window = min(self._window * 2, self._most)
        elif self._window > 1 and not self._leaving:
            self._close()
            self._window = max(1, min(self._window, count) // 2)
        else:
            self._raise_lost(problem)

    def leave(self) -> None:
        """Give up whatever is waited for; `deliver` then raises."""
        self._leaving = True
        self._lose("leaving")

    def _open(self) -> mqtt.Client:
        if self._client is not None and self._lost() is None and not self._leaving:
            return self._client
        self._close()
        if self._leaving:
            raise BrokerAway("leaving")
        host, port, secure, user, password = self._address
        client = TlsClient(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        if user is not None:
            client.username_pw_set(user, password)
        if secure:
            client.tls_set_context(self._tls or ssl.create_default_context())
        client.connect_timeout = CONNECT_SECONDS
        client.max_inflight_messages_set(MAX_RECEIVE)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        self._changed.clear()
        self._problem = "no answer to the connection"
        try:
            client.connect(host, port, KEEPALIVE_SECONDS)
        except (OSError, ValueError) as error:
            why = why_not(error)
            raise BrokerAway(f"the broker at {host}:{port} can't be reached: {why}") from None
        self._client = client
        client.loop_start()
        self._changed.wait(CONNECT_SECONDS)
        if (problem := self._lost()) is not None:
            self._raise_lost(problem)
        return client

    def _lost(self) -> str | None:
        """Why the connection is of no use, or None; the network thread may change it."""
        return self._problem

    def _raise_lost(self, problem: str) -> NoReturn:
        self._close()
        raise BrokerAway(problem)

    def _close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            client.on_disconnect = None
            client.disconnect()
            client.loop_stop()

    def _publish(self, client: mqtt.Client, letters: Sequence[Letter]) -> tuple[list[Letter], int]:
        """
        Publish a window's worth and wait for the PUBACKs, or for the connection's end.

        Returns what was not acknowledged, and how many were refused.
        """
        self._done.clear()
        open_: dict[int, Letter] = {}
        for letter in letters:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            if letter.correlation is not None:
                properties.CorrelationData = letter.correlation
            info = client.publish(letter.topic, letter.payload, qos=1, properties=properties)
            open_[info.mid] = letter
        denied, until = 0, monotonic() + PUBACK_SECONDS
        while open_:
            self._changed.wait(0.5)
            self._changed.clear()
            lost = self._lost() is not None
            while self._done:
                mid, is_failure = self._done.popleft()
                answered = open_.pop(mid, None)
                if answered is not None and is_failure:
                    denied += 1
                    self._forbid(answered.topic)
            if lost:
                break
            if open_ and monotonic() > until:
                self._lose("the broker does not acknowledge answers")
        return list(open_.values()), denied

    def _forbid(self, topic: str) -> None:
        if len(self._forbidden) >= MAX_FORBIDDEN:
            self._forbidden.clear()
        self._forbidden[topic] = monotonic()

    def _is_forbidden(self, topic: str) -> bool:
        """Whether the broker refused the topic a short while ago."""
        since = self._forbidden.get(topic)
        return since is not None and monotonic() - since < FORBIDDEN_SECONDS

    def _lose(self, problem: str) -> None:
        self._problem = problem
        self._changed.set()

    # -- on the network thread, which may hold a lock of paho's: nothing here waits

    def _on_connect(
        self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if reason.is_failure:
            self._lose(f"the broker refused the connection for answers: {reason}")
            return
        # Section 3.2.2.3.3: without it 65,535.
        most = getattr(properties, "ReceiveMaximum", MAX_RECEIVE)
        self._most = max(1, min(most, MAX_WINDOW))
        self._window = min(self._window, self._most)
        self._problem = None
        self._changed.set()

    def _on_disconnect(
        self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        self._lose(self._problem or f"disconnected: {reason}")

    def _on_publish(
        self, client: mqtt.Client, userdata: Any, mid: int, reason: Any, properties: Any
    ) -> None:
        self._done.append((mid, reason.is_failure))
        self._changed.set()
