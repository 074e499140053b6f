# SPDX-License-Identifier: Apache-2.0
"""Ask an MQTT broker on this machine whether it lets a user in."""

import socket

from notary.local.ports import LOOPBACK


def lets_in(port: int, user: str, password: str) -> bool:
    """
    Tell whether a broker answers on the port and accepts name and password.

    One CONNECT packet of MQTT 5 (OASIS MQTT 5.0 §3.1) with a clean start and an empty
    client id; the answer's fourth byte is the reason code, 0 is success (§3.2).
    """
    body = _text("MQTT") + bytes([5, 0b1100_0010, 0, 30, 0]) + _text("")
    body += _text(user) + _text(password)
    if len(body) > 127:
        raise ValueError("name and password are too long for a one-byte length")
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
            connection.sendall(bytes([0x10, len(body)]) + body)
            answer = connection.recv(4)
            connection.sendall(b"\xe0\x00")
    except OSError:
        return False
    return len(answer) == 4 and answer[0] == 0x20 and answer[3] == 0


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded
