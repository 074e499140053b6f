# SPDX-License-Identifier: Apache-2.0
"""A gateway that asks for acceptances: it publishes, and hears what comes back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


class Device:
    """One connection that is subscribed to a filter; `heard` has what came, in order."""

    def __init__(self, url: str, hears: str, client_id: str = "device") -> None:
        parts = urlsplit(url)
        self.heard: list[tuple[str, dict[str, Any], bytes | None]] = []
        self.texts: list[str] = []
        self._ready = Event()
        self._hears = hears
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5
        )
        self.client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
        self.client.on_connect = lambda client, *_: client.subscribe(self._hears, qos=1)
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message
        self.client.connect(parts.hostname or "127.0.0.1", parts.port or 1883)
        self.client.loop_start()
        assert self._ready.wait(120)

    def _on_message(self, client: object, userdata: object, message: mqtt.MQTTMessage) -> None:
        correlation = getattr(message.properties, "CorrelationData", None)
        self.texts.append(message.payload.decode())
        self.heard.append((message.topic, json.loads(message.payload), correlation))

    def send(
        self, topic: str, payload: bytes, answer_to: str | None, correlation: bytes | None = None
    ) -> None:
        """Publish a reading, and say where its answer may go."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if answer_to is not None:
            properties.ResponseTopic = answer_to
        if correlation is not None:
            properties.CorrelationData = correlation
        self.client.publish(topic, payload, qos=1, properties=properties).wait_for_publish(60)

    def states(self) -> list[str]:
        """The states that were told, in order."""
        return [answer["state"] for _, answer, _ in self.heard]

    def of(self, state: str) -> list[dict[str, Any]]:
        """What was told under a state."""
        return [answer for _, answer, _ in self.heard if answer["state"] == state]

    def close(self) -> None:
        """Leave."""
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def device(url: str, hears: str = "notary/v1/+/+/down", name: str = "device") -> Iterator[Device]:
    """A gateway for a while."""
    made = Device(url, hears, name)
    try:
        yield made
    finally:
        made.close()
