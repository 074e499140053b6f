# SPDX-License-Identifier: Apache-2.0
"""Gateways under load: each keeps a reading, and sends it again, until it has its acceptance."""

import json
import threading
import time
from collections import deque
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.acceptance.judge import Key, Told

PATIENCE_SECONDS = 3.0
ROUND_SECONDS = 0.02
MOST_OPEN = 4_000
SOURCES = 40


class Gateways:
    """
    One connection for many sources, `rate` new readings a second until `stop_sending`.

    paho's callbacks hold its locks: they only note what came, and the one other thread does all.
    """

    def __init__(self, url: str, dataset: str, rate: float) -> None:
        self._dataset, self._rate = dataset, rate
        self.told = Told()
        self._heard: deque[tuple[int, bool] | dict[str, Any]] = deque()
        self._keys: dict[int, Key] = {}
        self._due: dict[Key, float] = {}
        self._patience: dict[Key, float] = {}
        self._enough, self._end = threading.Event(), threading.Event()
        parts = urlsplit(url)
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="gateways", protocol=mqtt.MQTTv5
        )
        client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
        client.reconnect_delay_set(1, 2)
        client.on_connect = lambda one, *_: one.subscribe(f"notary/v1/{dataset}/+/down", qos=1)
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.connect_async(parts.hostname or "", parts.port or 1883, keepalive=5)
        self._client = client
        self._thread = threading.Thread(target=self._run, name="gateways")

    def stop_sending(self) -> None:
        """No new readings; what has no acceptance is sent on."""
        self._enough.set()

    def __enter__(self) -> Self:
        self._client.loop_start()
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _on_publish(self, client: Any, data: Any, mid: int, reason: Any, properties: Any) -> None:
        self._heard.append((mid, reason.is_failure))

    def _on_message(self, client: Any, data: Any, message: mqtt.MQTTMessage) -> None:
        self._heard.append(json.loads(message.payload))

    def _run(self) -> None:
        number = 0
        while not self._end.wait(ROUND_SECONDS):
            while self._heard:
                self._hear(self._heard.popleft())
            now = time.monotonic()
            late = [key for key, at in self._due.items() if at < now]
            for key in late if self._client.is_connected() else ():
                self._send(key)
            if self._enough.is_set() or len(self._due) > MOST_OPEN:
                continue
            for _ in range(int(self._rate * ROUND_SECONDS)):
                key = (f"s{number % SOURCES}", f"k{number}")
                self.told.sent[key] = json.dumps({"id": key[1], "v": number / 8}).encode()
                self._send(key)
                number += 1

    def _hear(self, one: tuple[int, bool] | dict[str, Any]) -> None:
        """A PUBACK, or an answer of the notary's."""
        if isinstance(one, tuple):
            mid, is_failure = one
            key = self._keys.pop(mid)
            if not is_failure:
                self.told.puback.add(key)
            return
        for reading in one.get("readings", []):
            if reading["state"] == "refused":
                self.told.refused.append(reading)
                continue
            key = (reading.get("source", one["source"]), reading["key"])
            place = (reading["chain"], reading["n"], reading["leaf"])
            self.told.accepted.setdefault(key, set()).add(place)
            self.told.repeats += reading["state"] == "duplicate"
            self._due.pop(key, None)

    def _send(self, key: Key) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        topic = f"notary/v1/{self._dataset}/{key[0]}/"
        properties.ResponseTopic = topic + "down"
        sent = self._client.publish(topic + "up", self.told.sent[key], qos=1, properties=properties)
        self._keys[sent.mid] = key
        now = time.monotonic()
        # Twice as patient each time: who is behind already must not be asked for more.
        self._patience[key] = 2 * self._patience.get(key, PATIENCE_SECONDS / 2)
        self._due[key] = now + self._patience[key]
        self.told.tries += 1
