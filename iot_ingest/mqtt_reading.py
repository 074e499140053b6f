# SPDX-License-Identifier: Apache-2.0
"""
paho, with buffered reading and bunched acknowledgements.

paho's own loop asks the socket three times for each packet and makes a dozen objects of it:
36 of 54 microseconds that a message costs. Here the socket is read in large pieces, and a
plain PUBLISH (MQTT 5.0 section 3.3: QoS 0 or 1, no properties but those that senders use) is
cut out of them. Every other packet, and what is malformed, goes to paho as before, in its order.
"""

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.exception import MalformedPacket

from iot_ingest.inbox import Properties

READ_BYTES: Final = 1 << 18
MAX_LENGTH_BYTES: Final = 4
_PUBLISH, _QOS, _PUBACK = 0x30, 0x06, 0x40
_CONTENT_TYPE, _RESPONSE_TOPIC, _CORRELATION, _USER = 0x03, 0x08, 0x09, 0x26
_FIXED: Final = {0x01: 1, 0x02: 4}
"""Bytes of the payload format indicator and the message expiry interval, of no use here."""
_SUBSCRIPTION: Final = 0x0B


class Plain(NamedTuple):
    """A PUBLISH; `mid` is 0 at QoS 0, `properties` is None without any."""

    topic: str
    payload: bytes
    mid: int
    properties: Properties | None = None


class TlsClient(mqtt.Client):
    """paho, which verifies the other side always and leaves no socket open where it fails."""

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        context: Any = self._ssl_context
        try:
            wrapped: ssl.SSLSocket = context.wrap_socket(
                tcp_sock, server_hostname=self._host, do_handshake_on_connect=False
            )
        except ValueError as error:
            tcp_sock.close()
            raise OSError(str(error)) from None
        try:
            wrapped.settimeout(self._connect_timeout)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped


class BufferedClient(TlsClient):
    """
    `on_plain` gets the plain messages of one read, on the network thread; all others come
    by `on_message`.
    """

    on_plain: Callable[[Sequence[Plain]], object]
    _socket_read: Any = None
    _unread: bytes = b""
    read_error: OSError | None = None
    """What ended the last connection, where it was not the broker's own DISCONNECT."""

    def acknowledge(self, mids: Sequence[int]) -> None:
        """PUBACK for each (section 3.4, reason success), written at once."""
        packets = b"".join(b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids)
        self._packet_queue(_PUBACK, packets, mids[-1], 1)

    @property
    def has_thread(self) -> bool:
        """Whether the network thread runs."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    @property
    def heard_seconds(self) -> float:
        """How long ago the broker said anything, an answer to a ping too."""
        with self._msgtime_mutex:
            return time.monotonic() - self._last_bytes_received

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read once, and handle every packet that is whole; paho's loop calls it."""
        if self._sock is not self._socket_read:
            self._socket_read, self._unread, self.read_error = self._sock, b"", None
        try:
            data = self._sock_recv(READ_BYTES)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError as error:
            data, self.read_error = b"", error
        if not data:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
        code = self._handle(self._unread + data if self._unread else data)
        return self._loop_rc_handle(code) if code > 0 else MQTTErrorCode.MQTT_ERR_SUCCESS

    def _handle(self, data: bytes) -> MQTTErrorCode:
        """Handle the whole packets; what is left waits for the next read."""
        plain: list[Plain] = []
        place, end = 0, len(data)
        try:
            while place + 2 <= end:
                found = _length(data, place + 1)
                if found is None:
                    if end - place > MAX_LENGTH_BYTES:
                        return MQTTErrorCode.MQTT_ERR_PROTOCOL
                    break
                length, start = found
                if start + length > end:
                    break
                one = _plain(data, place, start, start + length)
                if one is not None:
                    plain.append(one)
                else:
                    if plain:
                        self.on_plain(plain)
                        plain = []
                    code = self._by_paho(data[place], data[start : start + length])
                    if code > 0 or self._sock is not self._socket_read:
                        return code
                place = start + length
        finally:
            self._unread = data[place:]
            if plain:
                self.on_plain(plain)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _by_paho(self, command: int, body: bytes) -> MQTTErrorCode:
        self._in_packet = {
            "command": command,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(body),
            "packet": bytearray(body),
            "to_process": 0,
            "pos": 0,
        }
        try:
            return self._packet_handle()
        except MalformedPacket:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL


def _length(data: bytes, at: int) -> tuple[int, int] | None:
    """A variable byte integer (section 1.5.5) and where it ends; None: it isn't whole."""
    value = 0
    for count, byte in enumerate(data[at : at + MAX_LENGTH_BYTES]):
        value |= (byte & 0x7F) << 7 * count
        if not byte & 0x80:
            return value, at + count + 1
    return None


def _plain(data: bytes, place: int, start: int, end: int) -> Plain | None:
    """The PUBLISH in data[place:end], whose body begins at `start`, where it is plain."""
    head = data[place]
    qos = head & _QOS
    if head & 0xF0 != _PUBLISH or qos > 2 or start + 2 > end:
        return None
    after = start + 2 + (data[start] << 8 | data[start + 1])
    mid = 0
    if qos:
        mid = int.from_bytes(data[after : after + 2], "big")
        if not mid:
            return None
        topic_end, after = after, after + 2
    else:
        topic_end = after
    if topic_end == start + 2 or after >= end:
        return None
    size, properties = data[after], None
    after += 1
    if size:
        # Of two bytes where the first one says so (section 1.5.5).
        if size & 0x80:
            if after >= end or not 0 < data[after] < 0x80:
                return None
            size, after = size & 0x7F | data[after] << 7, after + 1
        if after + size > end:
            return None
        properties = _properties(data[after : after + size])
        if properties is None:
            return None
    topic = data[start + 2 : topic_end].decode("utf-8", "replace")
    return Plain(topic, data[after + size : end], mid, properties)


def _properties(data: bytes) -> Properties | None:
    """
    The properties (section 3.3.2.3) that are of use; None: paho has to look.

    paho ends the connection at a text with U+FEFF, which section 1.5.4 allows: a message that
    comes again for ever. So all properties that a broker may send are read here.
    """
    user: list[tuple[str, str]] = []
    topic: str | None = None
    correlation: bytes | None = None
    place, end = 0, len(data)
    try:
        while place < end:
            kind, place = data[place], place + 1
            if kind in _FIXED or kind == _SUBSCRIPTION:
                place = _after(data, place, kind)
                continue
            first, place = _field(data, place)
            if kind == _USER:
                second, place = _field(data, place)
                user.append((_text(first), _text(second)))
            elif kind == _RESPONSE_TOPIC and topic is None:
                topic = _text(first)
            elif kind == _CORRELATION and correlation is None:
                correlation = first
            elif kind == _CONTENT_TYPE:
                _text(first)
            else:
                return None
    except (ValueError, IndexError):
        return None
    return Properties(tuple(user), topic, correlation)


def _after(data: bytes, place: int, kind: int) -> int:
    """Where a number that is of no use ends."""
    if kind in _FIXED:
        end = place + _FIXED[kind]
    else:
        found = _length(data, place)
        if found is None:
            raise ValueError
        end = found[1]
    if end > len(data):
        raise ValueError
    return end


def _field(data: bytes, place: int) -> tuple[bytes, int]:
    """Bytes with their length before them (section 1.5.6), and where they end."""
    start = place + 2
    end = start + int.from_bytes(data[place:start], "big")
    if end > len(data) or start > len(data):
        raise ValueError
    return data[start:end], end


def _text(data: bytes) -> str:
    """A UTF-8 string that paho takes too (section 1.5.4). Raises ValueError."""
    text = data.decode()
    if "\0" in text:
        raise ValueError
    return text
