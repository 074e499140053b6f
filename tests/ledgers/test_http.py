# SPDX-License-Identifier: Apache-2.0
"""How remote ledgers are asked: what is no whole HTTP answer in time proves nothing."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from notary.ledgers.http import Endpoint
from notary.ledgers.port import LedgerUnavailable
from tests.iot_ingest.certificates import Authority

Raw = Callable[[socket.socket], None]
JSON = "application/json"


@contextmanager
def raw_server(answer: Raw) -> Iterator[int]:
    """A server that does as it likes with a connection after it got a request."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                link, _ = listening.accept()
            except OSError:
                return
            with link:
                try:
                    link.recv(1 << 16)
                    answer(link)
                except OSError:
                    continue

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        # Whoever waits in `accept` is not woken by a close.
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def drip(link: socket.socket) -> None:
    """A byte at a time, each just in time, for ever."""
    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    link.settimeout(0.05)
    while True:
        try:
            if not link.recv(1):
                return
        except TimeoutError:
            link.sendall(b"x")


def said(data: bytes) -> Raw:
    """Say this, and end."""
    return lambda link: link.sendall(data)


BAD: dict[str, Raw] = {
    "nothing": said(b""),
    "no-http": said(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "less-than-stated": said(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
    "half-a-chunk": said(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf"),
    "no-chunk": said(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "too-much": said(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000),
    "too-much-unstated": said(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2000),
    "too-many-heads": said(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n"),
    "a-long-head": said(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000 + b"\r\n\r\n"),
    "drips": drip,
    "silent": lambda link: (link.settimeout(10), link.recv(1), None)[-1],
}


@pytest.mark.parametrize("how", BAD)
def test_what_is_no_whole_answer_is_unavailable(how: str) -> None:
    """Whatever comes, and however slowly: an error of ours, in time."""
    with raw_server(BAD[how]) as port:
        endpoint = Endpoint(f"http://127.0.0.1:{port}", timeout_seconds=0.4, max_bytes=1000)
        with pytest.raises(LedgerUnavailable, match=f"127.0.0.1:{port}"):
            endpoint.post(b"{}", JSON)


def test_nobody_there_is_unavailable() -> None:
    """A closed port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(LedgerUnavailable, match="does not answer"):
        Endpoint(f"http://127.0.0.1:{port}").post(b"{}", JSON)


@pytest.mark.parametrize(
    ("url", "path", "asked"),
    [
        ("", "", "POST / HTTP/1.1"),
        ("/", "", "POST / HTTP/1.1"),
        ("/", "/api", "POST /api HTTP/1.1"),
        ("/v2/", "/api", "POST /v2/api HTTP/1.1"),
        ("/v2/?key=secret", "", "POST /v2/?key=secret HTTP/1.1"),
    ],
)
def test_the_address_is_asked_as_it_is_written(url: str, path: str, asked: str) -> None:
    """With its path and query, and what the adapter puts behind it."""
    seen: list[bytes] = []

    def answer(link: socket.socket) -> None:
        link.sendall(b"HTTP/1.1 418 Teapot\r\nContent-Length: 2\r\n\r\nno")

    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        link, _ = listening.accept()
        with link:
            seen.append(link.recv(1 << 16))
            answer(link)

    thread = Thread(target=serve)
    thread.start()
    endpoint = Endpoint(
        f"http://127.0.0.1:{listening.getsockname()[1]}{url}", headers={"X-Api-Key": "k"}
    )
    assert endpoint.post(b"{}", JSON, path) == (418, b"no")
    thread.join()
    listening.close()
    head = seen[0].decode()
    assert head.splitlines()[0] == asked
    assert "X-Api-Key: k" in head
    assert "Accept-Encoding: identity" in head


def test_a_redirect_is_not_followed() -> None:
    """It is told as what it is."""
    to = b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    with raw_server(said(to)) as port:
        assert Endpoint(f"http://127.0.0.1:{port}").post(b"{}", JSON) == (307, b"")


def test_a_key_in_the_address_is_never_said() -> None:
    """Sentences about errors name host and port."""
    with raw_server(said(b"")) as port, pytest.raises(LedgerUnavailable) as caught:
        Endpoint(f"http://127.0.0.1:{port}/v3/s3cr3t?key=s3cr3t").post(b"", JSON)
    assert "s3cr3t" not in caught.value.detail


@pytest.mark.parametrize("url", ["ftp://x", "x", "", "http://", "http://a b/", "http://u:p@host/"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """Before anything is asked, and without saying it."""
    with pytest.raises(LedgerUnavailable, match="none of http"):
        Endpoint(url)


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    """Nothing is verified by it."""
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(LedgerUnavailable, match=name):
            Endpoint("https://ledger.example", ca_file=tmp_path / name)


@pytest.fixture
def authority() -> Authority:
    """Who signs the server's certificate."""
    return Authority("ledgers")


@contextmanager
def tls_server(authority: Authority, name: str) -> Iterator[int]:
    """A server with a certificate for that name."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer."""
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(name))
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("name", "trusted", "holds"),
    [("localhost", True, True), ("localhost", False, False), ("other.example", True, False)],
    ids=["ours", "another-authority", "another-name"],
)
def test_tls_is_verified(authority: Authority, name: str, trusted: bool, holds: bool) -> None:
    """By the authorities of the file alone, and the name must be right."""
    ca_file = (authority if trusted else Authority("others")).file
    with tls_server(authority, name) as port:
        endpoint = Endpoint(f"https://localhost:{port}", ca_file=ca_file)
        if holds:
            assert endpoint.post(b"{}", JSON) == (200, b"ok")
        else:
            with pytest.raises(LedgerUnavailable, match="certificate"):
                endpoint.post(b"{}", JSON)


@pytest.mark.parametrize("key", ["s3cr3t\ns3cr3t", "s3cr3t\r\nHost: x"])
def test_a_key_in_a_header_that_can_not_be_sent_is_never_said(key: str) -> None:
    """The library quotes what it refuses; a key file of two lines would end in every log."""
    with pytest.raises(LedgerUnavailable, match="HTTP doesn't allow") as caught:
        Endpoint("http://127.0.0.1:9", headers={"x-api-key": key}).post(b"{}", JSON)
    assert "s3cr3t" not in caught.value.detail


def test_a_path_that_can_not_be_sent_is_never_said() -> None:
    """It begins with the address, which may hold a key."""
    with pytest.raises(LedgerUnavailable) as caught:
        Endpoint("http://127.0.0.1:9/s3cr3t").post(b"{}", JSON, "/a b")
    assert "s3cr3t" not in caught.value.detail
