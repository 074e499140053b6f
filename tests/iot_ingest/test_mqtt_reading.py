# SPDX-License-Identifier: Apache-2.0
"""Reading packets out of a stream: however it is cut, and whatever stands in it."""

import random
import socket
import struct
from collections.abc import Iterator

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from iot_ingest.mqtt_reading import BufferedClient, Plain


class Line:
    """A client on one end of a connection, and what it heard."""

    def __init__(self) -> None:
        self.far, self.near = socket.socketpair()
        self.near.setblocking(False)
        self.client = BufferedClient(
            CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, manual_ack=True
        )
        self.client._sock = self.near
        self.heard: list[tuple[str, bytes, int]] = []
        self.reads: list[int] = []
        self.client.on_plain = self._plain
        self.client.on_message = self._message

    def _plain(self, messages: object) -> None:
        assert isinstance(messages, list)
        self.heard += [tuple(one) for one in messages]
        self.reads.append(len(messages))

    def _message(self, client: object, userdata: object, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "?"
        self.heard.append((topic, bytes(message.payload), message.mid))

    def read(self, data: bytes) -> MQTTErrorCode:
        """Send some bytes, and let the client read once."""
        self.far.sendall(data)
        return self.client.loop_read()


@pytest.fixture
def line() -> Iterator[Line]:
    """A connected pair."""
    made = Line()
    yield made
    made.far.close()
    made.near.close()


def packet(head: int, body: bytes) -> bytes:
    """Fixed header and body."""
    length, rest = bytearray(), len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes([head]) + bytes(length) + body


def publish(
    topic: bytes, payload: bytes, mid: int = 0, properties: bytes = b"\0", head: int = 0x30
) -> bytes:
    """A PUBLISH at QoS 1 where there is a message id, else 0."""
    body = struct.pack(">H", len(topic)) + topic
    body += struct.pack(">H", mid) if mid else b""
    return packet(head | (2 if mid else 0), body + properties + payload)


RESPONSE = b"\x08\x08\x00\x05a/b/c"
PINGRESP = b"\xd0\x00"
MANY = [
    ("a/b", b"", 0), ("a/b", b"x", 1), ("ü/1", bytes(range(256)), 65_535), ("t", b"y" * 127, 3),
    ("t", b"y" * 128, 4), ("t" * 300, b"z" * 20_000, 5), ("t", b"\0", 6),
]  # fmt: skip


def stream() -> bytes:
    """MANY, with other packets and one with properties in between."""
    parts = [publish(topic.encode(), payload, mid) for topic, payload, mid in MANY]
    parts.insert(2, PINGRESP)
    parts.insert(4, publish(b"a/b/up", b"asks", 77, RESPONSE))
    return b"".join(parts)


EXPECTED = [*MANY[:3], ("a/b/up", b"asks", 77), *MANY[3:]]


def test_messages_of_one_read_come_together_and_in_order(line: Line) -> None:
    """Also around those that paho reads, as one that has properties."""
    assert line.read(stream()) == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert line.heard == EXPECTED
    assert line.reads == [2, 1, 4]


@pytest.mark.parametrize("seed", range(20))
def test_a_stream_is_the_same_however_it_is_cut(line: Line, seed: int) -> None:
    """Down to single bytes: nothing is lost, doubled or handled before it is whole."""
    dice, data = random.Random(seed), stream()
    while data:
        cut = 1 if seed == 0 else dice.randrange(1, 3000 if seed % 2 else 12)
        assert line.read(data[:cut]) == MQTTErrorCode.MQTT_ERR_SUCCESS
        data = data[cut:]
    assert line.heard == EXPECTED


@pytest.mark.parametrize(
    "data",
    [
        b"\x30\xff\xff\xff\xff\x01",
        b"\x30\xff\xff\xff\xff" + b"x" * 20,
        b"\xf1\x02ab",
        publish(b"t", b"x", head=0x36),
        packet(0x32, b"\x00\x01t\x00\x07\x05"),
        packet(0x32, b"\x00\x09t"),
        packet(0x30, b""),
    ],
    ids=["length of five bytes", "the same and more", "no such packet", "QoS 3",
         "properties beyond the end", "topic beyond the end", "nothing in it"],
)  # fmt: skip
def test_a_malformed_packet_ends_the_connection_after_what_came_before(
    line: Line, data: bytes
) -> None:
    """No exception on the network thread; what was whole is handed on."""
    code = line.read(publish(b"t", b"before", 9) + data + publish(b"t", b"after", 10))
    assert code > 0
    assert line.heard[0] == ("t", b"before", 9)
    assert ("t", b"after", 10) not in line.heard


def test_a_topic_that_is_not_utf_8_is_handed_on_for_quarantine(line: Line) -> None:
    """With the marks of what couldn't be read."""
    line.read(publish(b"a/\xff", b"x", 1))
    assert line.heard == [("a/\ufffd", b"x", 1)]


def test_another_connection_begins_afresh(line: Line) -> None:
    """What was left of a packet on the old one is none of the new one's."""
    line.read(publish(b"t", b"cut", 1)[:-1])
    other = Line()
    line.client._sock = other.near
    other.far.sendall(publish(b"t", b"new", 1))
    line.client.loop_read()
    assert line.heard == [("t", b"new", 1)]
    other.far.close()
    other.near.close()


def test_an_end_of_the_connection_is_told(line: Line) -> None:
    """Closed by the other side, or broken."""
    line.far.close()
    assert line.client.loop_read() == MQTTErrorCode.MQTT_ERR_CONN_LOST


def test_random_bytes_raise_nothing() -> None:
    """On the network thread an exception would end it."""
    dice = random.Random(3)
    for _ in range(300):
        made = Line()
        data = bytearray(stream()[: dice.randrange(1, 400)])
        for _ in range(dice.randrange(1, 6)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        try:
            made.read(bytes(data))
        finally:
            made.far.close()
            made.near.close()
    assert Plain("t", b"", 0).mid == 0
