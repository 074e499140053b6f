# SPDX-License-Identifier: Apache-2.0
"""The API under its real server: broken requests, slow callers, many at once."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from notary.commands.each import THREADS
from notary.local.ports import free_port
from tests.usecases.world import World


@pytest.fixture
def port(world: World, tmp_path: Path) -> Iterator[int]:
    """`notary web` on a port of its own, with one worker."""
    chosen = free_port()
    env = {**os.environ, **world.env, "NOTARY_PORT": str(chosen), "NOTARY_WORKERS": "1"}
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "notary.cli", "web"], env=env, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 180
        while True:
            try:
                get(chosen, "/livez")
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield chosen
    finally:
        process.terminate()
        process.wait(120)


def get(port: int, path: str) -> bytes:
    """The body of a good answer."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=120) as answer:
        body: bytes = answer.read()
    return body


def say(port: int, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes as they are; status, headers and body of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(data)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers, body


BROKEN = {
    "too long a line": b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "no request line": b"\x00\x01\x02\r\n\r\n",
    "no version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "a header with NUL": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n",
    "too long a header": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 9000 + b"\r\n\r\n",
    "too many headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: a\r\n" * 200 + b"\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "an unknown coding": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: rot13\r\n\r\n",
}


def test_what_the_server_refuses_is_a_problem_too(port: int) -> None:
    """Broken requests are answered in the one form of every error, and the next one is served."""
    for what, data in BROKEN.items():
        status, headers, body = say(port, data)
        assert 400 <= status < 600, what
        assert headers["Content-Type"] == "application/problem+json", what
        problem = json.loads(body)
        assert problem["status"] == status, what
        assert problem["type"].startswith("/problems/"), what
        assert problem["detail"], what
        assert b"<html" not in body, what
    assert json.loads(get(port, "/livez")) == {"live": True}


def test_slow_callers_hold_up_nobody_else(port: int) -> None:
    """Some callers who never end their request leave the service to the others."""
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(THREADS - 2)]
    try:
        for connection in slow:
            connection.sendall(
                b"POST /v1/datasets HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
            )
        for _ in range(10):
            assert json.loads(get(port, "/readyz")) == {"ready": True}
    finally:
        for connection in slow:
            connection.close()


def test_a_body_without_a_stated_length_is_bounded(port: int, world: World) -> None:
    """A chunked body ends at the limit as well, however long it goes on."""
    head = (
        f"POST /v1/datasets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.api_key}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    limit = world.parts.settings.max_body_bytes
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(head.encode())
        try:
            for _ in range(limit // 0x100000 + 2):
                connection.sendall(chunk)
            connection.sendall(b"0\r\n\r\n")
        except ConnectionError:
            pass
        try:
            answer = connection.recv(65536)
        except ConnectionError:
            answer = b""
    assert answer.startswith(b"HTTP/1.1 413") or answer == b""  # or it was cut off unread
    assert json.loads(get(port, "/livez")) == {"live": True}


def test_many_at_once_are_all_served(port: int, world: World) -> None:
    """More callers than threads and connections: all wait their turn, none is refused."""
    world.dataset("weather")
    world.add("weather", 40)
    world.settle()
    paths = [f"/v1/datasets/weather/sources/s{i % 3}/records/{i % 5}/receipt" for i in range(120)]
    with ThreadPoolExecutor(40) as pool:
        receipts = list(pool.map(lambda path: get(port, path), paths))
    assert all(json.loads(receipt)["v"] == "receipt/1" for receipt in receipts)
