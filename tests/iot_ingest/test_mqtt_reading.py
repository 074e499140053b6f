# SPDX-License-Identifier: Apache-2.0
"""Reading packets out of a stream: however it is cut, and whatever stands in it."""

import random
import socket
import struct
from collections.abc import Iterator

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from iot_ingest.inbox import Properties
from iot_ingest.mqtt import _sent
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
        self.sent: list[Properties | None] = []
        self.by_paho = 0
        self.reads: list[int] = []
        self.client.on_plain = self._plain
        self.client.on_message = self._message

    def _plain(self, messages: object) -> None:
        assert isinstance(messages, list)
        self.heard += [tuple(one[:3]) for one in messages]
        self.sent += [one.properties for one in messages]
        self.reads.append(len(messages))

    def _message(self, client: object, userdata: object, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "?"
        self.by_paho += 1
        self.heard.append((topic, bytes(message.payload), message.mid))
        self.sent.append(_sent(message.properties))

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
ALIAS = b"\x03\x23\x00\x01"
PINGRESP = b"\xd0\x00"
MANY = [
    ("a/b", b"", 0), ("a/b", b"x", 1), ("ü/1", bytes(range(256)), 65_535), ("t", b"y" * 127, 3),
    ("t", b"y" * 128, 4), ("t" * 300, b"z" * 20_000, 5), ("t", b"\0", 6),
]  # fmt: skip


def stream() -> bytes:
    """MANY, with other packets and one that asks for an answer in between."""
    parts = [publish(topic.encode(), payload, mid) for topic, payload, mid in MANY]
    parts.insert(2, PINGRESP)
    parts.insert(4, publish(b"a/b/up", b"asks", 77, RESPONSE))
    return b"".join(parts)


EXPECTED = [*MANY[:3], ("a/b/up", b"asks", 77), *MANY[3:]]


def test_messages_of_one_read_come_together_and_in_order(line: Line) -> None:
    """Also around those that paho reads, as a PINGRESP."""
    assert line.read(stream()) == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert line.heard == EXPECTED
    assert line.reads == [2, 6]
    assert line.sent == [None] * 3 + [Properties((), "a/b/c", None)] + [None] * 4


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


def string(text: bytes) -> bytes:
    """With its length before it."""
    return struct.pack(">H", len(text)) + text


def properties(*parts: bytes) -> bytes:
    """Properties with their length before them."""
    return packet(0, b"".join(parts))[1:]


GOOD = {
    "none": (b"", None),
    "a response topic": (b"\x08" + string(b"a/b"), Properties((), "a/b", None)),
    "correlation": (b"\x09" + string(b"\0\xff"), Properties((), None, b"\0\xff")),
    "an empty one": (b"\x09" + string(b""), Properties((), None, b"")),
    "two of a name": (
        (b"\x26" + string(b"k") + string(b"v")) * 2,
        Properties((("k", "v"), ("k", "v")), None, None),
    ),
    "other writing": (
        b"\x26" + string("时间".encode()) + string(b""),
        Properties((("时间", ""),), None, None),
    ),
    "all that a broker may send": (
        b"\x01\x01" + b"\x02\x00\x00\x00\x09" + b"\x03" + string(b"text/csv")
        + b"\x0b\xff\x01" + b"\x0b\x01" + b"\x08" + string(b"r") + b"\x09" + string(b"c")
        + b"\x26" + string(b"k") + string(b"v" * 300),
        Properties((("k", "v" * 300),), "r", b"c"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_properties_are_read_as_paho_reads_them(line: Line, name: str) -> None:
    """Beside the payload, whatever its size; paho's own reading of the same packet agrees."""
    data, expected = GOOD[name]
    one = publish(b"t", b"payload", 5, properties(data))
    assert line.read(one) == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert (line.heard, line.by_paho) == ([("t", b"payload", 5)], 0)
    assert (line.sent[0] or Properties()) == (expected or Properties())
    assert line.client._by_paho(one[0], one[2:] if len(one) < 130 else one[3:]) == 0
    assert line.by_paho == 1
    assert (line.sent[1] or Properties()) == (expected or Properties())


@pytest.mark.parametrize("text", ["\ufeff", "a\ufeffb", "\ufffe"])
def test_a_text_that_paho_takes_for_malformed_does_not_end_the_connection(
    line: Line, text: str
) -> None:
    """MQTT-1.5.4-3: U+FEFF is U+FEFF. The broker would send that message again for ever."""
    data = b"\x26" + string(text.encode()) + string(text.encode())
    assert line.read(publish(b"t", b"x", 5, properties(data))) == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert line.sent == [Properties(((text, text),), None, None)]


BAD = {
    "a response topic twice": (b"\x08" + string(b"a")) * 2,
    "correlation twice": (b"\x09" + string(b"a")) * 2,
    "no such property": b"\x7f" + string(b"a"),
    "one that PUBLISH has not": b"\x1f" + string(b"a"),
    "a text beyond the end": b"\x26" + string(b"k") + b"\x00\x09v",
    "half a pair": b"\x26" + string(b"k"),
    "half a length": b"\x08\x00",
    "only its kind": b"\x08",
    "half a number": b"\x02\x00\x00",
    "an endless number": b"\x0b\xff\xff\xff\xff\x01",
    "a number without end": b"\x0b\xff",
    "not UTF-8": b"\x26" + string(b"\xff") + string(b"v"),
    "half a surrogate pair": b"\x26" + string(b"\xed\xa0\x80") + string(b"v"),
    "U+0000": b"\x26" + string(b"k") + string(b"a\0b"),
}


@pytest.mark.parametrize("name", BAD)
def test_properties_that_are_malformed_are_left_to_paho(line: Line, name: str) -> None:
    """It decides as before; nothing of them is handed on as if it were read."""
    line.read(publish(b"t", b"x", 5, properties(BAD[name])))
    assert line.reads == []


def test_properties_made_at_random_raise_nothing_and_agree_with_paho() -> None:
    """What is read here is read alike there."""
    dice, both = random.Random(11), 0
    for _ in range(4_000):
        data = bytearray(b"".join(dice.choices([part for part, _ in GOOD.values()], k=2)))
        for _ in range(dice.randrange(3)):
            if data:
                data[dice.randrange(len(data))] = dice.randrange(256)
        one = publish(b"t", b"x", 5, properties(bytes(data)))
        other = Line()
        try:
            other.read(one)
            if other.by_paho or not other.heard:
                continue
            place = 2 if len(one) < 130 else 3
            if other.client._by_paho(one[0], one[place:]) == 0 and other.by_paho:
                assert (other.sent[0] or Properties()) == (other.sent[1] or Properties())
                both += 1
        finally:
            other.far.close()
            other.near.close()
    assert both > 500
