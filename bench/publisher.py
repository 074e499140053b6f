# SPDX-License-Identifier: Apache-2.0
"""
A paced MQTT 3.1.1 publisher on a bare socket, so that it costs little beside the broker.

    python -m bench.publisher HOST PORT USER PASSWORD PREFIX RATE SECONDS SEED single|timed|pack

prints how many messages it sent and how many the broker acknowledged.
"""

import select
import socket
import sys
import time

from bench.readings import pack, payload, sources, timed

UNACKNOWLEDGED = 20_000
STEP_SECONDS = 0.01


def length(size: int) -> bytes:
    """MQTT's variable byte integer."""
    out = bytearray()
    while True:
        size, digit = divmod(size, 128)
        out.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(out)


def text(value: str) -> bytes:
    """A length-prefixed UTF-8 string."""
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def connect(host: str, port: int, user: str, password: str, client_id: str) -> socket.socket:
    """A connection that the broker accepted."""
    connection = socket.create_connection((host, port), timeout=10)
    body = text("MQTT") + bytes([4, 0xC2, 0, 0]) + text(client_id) + text(user) + text(password)
    connection.sendall(b"\x10" + length(len(body)) + body)
    answer = connection.recv(4)
    if answer[3:4] != b"\x00":
        raise ConnectionError(f"the broker refused the publisher: {answer!r}")
    return connection


def run(arguments: list[str]) -> tuple[int, int]:
    """Publish at the rate for the time; returns sent and acknowledged messages."""
    host, port, user, password, prefix, rate, seconds, seed, kind = arguments
    make = {"pack": pack, "timed": timed}.get(kind, payload)
    source, number = sources(int(seed)), int(seed) * 100_000_000
    if kind == "pack":
        number //= 100
    connection = connect(host, int(port), user, password, f"bench-{seed}")
    connection.setblocking(False)
    sent, acknowledged_bytes, waiting = 0, 0, b""
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < float(seconds) or waiting:
        if passed > float(seconds) + 30:
            break
        due = min(
            int(passed * float(rate)) - sent, 2000, UNACKNOWLEDGED + acknowledged_bytes // 4 - sent
        )
        if due > 0 and len(waiting) < 1 << 20 and passed < float(seconds):
            packets = []
            for _ in range(due):
                sent += 1
                topic = text(f"{prefix}/{next(source)}/up")
                body = topic + (sent % 65_535 + 1).to_bytes(2, "big") + make(number + sent)
                packets.append(b"\x32" + length(len(body)) + body)
            waiting += b"".join(packets)
        readable, writable, _ = select.select(
            [connection], [connection] if waiting else [], [], STEP_SECONDS
        )
        if writable:
            waiting = waiting[connection.send(waiting) :]
        if readable:
            acknowledged_bytes += len(connection.recv(1 << 16))
        elif due <= 0:
            time.sleep(STEP_SECONDS / 2)
    connection.close()
    return sent, acknowledged_bytes // 4


if __name__ == "__main__":
    print(*run(sys.argv[1:]))
