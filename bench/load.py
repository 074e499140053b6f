# SPDX-License-Identifier: Apache-2.0
"""
HTTP load from one process: GETs in turn, each on a connection of its own.

    python -m bench.load PORT SECONDS < PATHS

prints answers per second and how many were not 200.
"""

import socket
import sys
import time


def get(port: int, path: str) -> bytes:
    """The whole answer to one GET."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
        )
        parts = []
        while part := connection.recv(1 << 16):
            parts.append(part)
        return b"".join(parts)


def main(port: int, seconds: float, paths: list[str]) -> tuple[float, int]:
    """Answers per second until the paths or the time are used up, and failures."""
    count = bad = 0
    begun = time.monotonic()
    for path in paths:
        if time.monotonic() - begun > seconds:
            break
        bad += not get(port, path).startswith(b"HTTP/1.1 200")
        count += 1
    return count / (time.monotonic() - begun), bad


if __name__ == "__main__":
    print(*main(int(sys.argv[1]), float(sys.argv[2]), sys.stdin.read().split()))
