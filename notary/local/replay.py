# SPDX-License-Identifier: Apache-2.0
"""A gateway that replays readings: MQTT 5, QoS 1, each publication acknowledged."""

import threading
from collections.abc import Callable, Iterable
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from notary.local.errors import StartFailed

IN_FLIGHT = 500


class Gateway:
    """Publishes on one connection; `publish` blocks while too much is unacknowledged."""

    def __init__(self, url: str, client_id: str, in_flight: int = IN_FLIGHT) -> None:
        parts = urlsplit(url)
        self._free = threading.Semaphore(in_flight)
        self._refused: list[str] = []
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5
        )
        self._client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
        self._client.max_inflight_messages_set(in_flight)
        self._client.on_publish = self._acknowledged
        self._client.connect(parts.hostname or "127.0.0.1", parts.port or 1883, keepalive=30)
        self._client.loop_start()
        self._in_flight = in_flight

    def publish(self, topic: str, payload: bytes) -> None:
        """Hand one message to the broker. Raises StartFailed when it takes no more."""
        if not self._free.acquire(timeout=60):
            raise StartFailed("The broker acknowledges nothing any more.")
        self._client.publish(topic, payload, qos=1)

    def finish(self) -> None:
        """
        Wait until everything is acknowledged, and disconnect.

        Raises:
            StartFailed: the broker refused something, or never answered.
        """
        for _ in range(self._in_flight):
            if not self._free.acquire(timeout=60):
                raise StartFailed("The broker did not acknowledge everything.")
        self._client.disconnect()
        self._client.loop_stop()
        # Else the two hold each other, and paho's sockets stay open until somebody looks.
        self._client.on_publish = None
        if self._refused:
            raise StartFailed(f"The broker refused a message: {self._refused[0]}")

    def _acknowledged(
        self, client: object, userdata: object, mid: int, reason: object, properties: object
    ) -> None:
        if getattr(reason, "is_failure", False):
            self._refused.append(str(reason))
        self._free.release()


def replay(
    url: str,
    messages: Iterable[tuple[str, bytes]],
    progress: Callable[[int], None] = lambda count: None,
) -> int:
    """Publish (topic, payload) pairs in order; returns how many, all acknowledged."""
    gateway = Gateway(url, "weather-gateway")
    count = 0
    for topic, payload in messages:
        gateway.publish(topic, payload)
        count += 1
        progress(count)
    gateway.finish()
    return count
