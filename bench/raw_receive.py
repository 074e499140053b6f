# SPDX-License-Identifier: Apache-2.0
"""
The yardstick of mqtt_single: paho receives QoS 1 and acknowledges one by one, no more.

    python -m bench.raw_receive URL FILTER SECONDS

prints messages per second, counted from the first one on.
"""

import sys
import time
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


def main(url: str, topic_filter: str, seconds: float) -> float:
    """Messages per second."""
    parts = urlsplit(url)
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id="bench-raw",
        protocol=mqtt.MQTTv5,
        manual_ack=True,
    )
    client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
    seen: list[float] = [0, 0.0]

    def receive(client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        client.ack(message.mid, message.qos)
        seen[0] += 1
        seen[1] = seen[1] or time.monotonic()

    client.on_message = receive
    client.connect(parts.hostname or "127.0.0.1", parts.port or 1883)
    client.subscribe(topic_filter, qos=1)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.loop(0.1)
    return seen[0] / (time.monotonic() - seen[1]) if seen[1] else 0.0


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
