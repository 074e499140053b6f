# SPDX-License-Identifier: Apache-2.0
"""Whom the client sends the key to, and which bytes it lets become a version."""

import os
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from notary.publishing.access import read_access
from notary.publishing.deliver import Place, find_places, idempotency_key
from notary.publishing.errors import PublishRefused
from notary.publishing.local_file import LocalFile, look, pieces
from notary.publishing.server import Server

KEY = f"ntr_{'1' * 12}_{'2' * 64}"
PLACES = b'{"items":[{"id":"air","label":"Air","open":true}],"next":null,"max_bytes":1000}'


class Stub(ThreadingHTTPServer):
    """A server on loopback that gives one answer, and notes what it was sent."""

    def __init__(self, status: int, body: bytes, **headers: str) -> None:
        self.keys: list[str | None] = []
        keys = self.keys

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """Note the key, give the answer."""
                keys.append(self.headers["Authorization"])
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def port(self) -> int:
        """Where it is."""
        return int(self.server_address[1])

    def handle_error(self, *_: Any) -> None:
        """A client that doesn't trust it hangs up: nothing to be told."""

    def __enter__(self) -> "Stub":
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


def client(folder: Path, url: str, said: list[str] | None = None, **more: str) -> Server:
    """A client for a server, with a key in a file of mode 0600."""
    key = folder / "a.key"
    key.write_text(KEY)
    key.chmod(0o600)
    access = read_access({"NOTARY_URL": url, "NOTARY_KEY_FILE": str(key), **more})
    tell = [] if said is None else said
    return Server(access, "en", 0.5, lambda code, **facts: tell.append(code))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that no authority of this system has signed; its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a notary")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, private = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert, private


def test_a_certificate_that_nobody_vouches_for_gets_no_key(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    """Refused at once, without another try; with its authority named it is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with Stub(200, PLACES) as stub:
        stub.socket = context.wrap_socket(stub.socket, server_side=True)
        url, said = f"https://127.0.0.1:{stub.port}", list[str]()
        with pytest.raises(PublishRefused) as refused:
            find_places(client(tmp_path, url, said))
        assert (refused.value.reason, said, stub.keys) == ("certificate", [], [])
        trusting = client(tmp_path, url, NOTARY_CA_FILE=str(certificate[0]))
        assert find_places(trusting) == ([Place("air", "Air", True)], 1000)
        assert stub.keys == [f"Bearer {KEY}"]
        other = client(
            tmp_path, f"https://localhost:{stub.port}", NOTARY_CA_FILE=str(certificate[0])
        )
        with pytest.raises(PublishRefused) as refused:
            find_places(other)
        assert (refused.value.reason, len(stub.keys)) == ("certificate", 1)


def test_the_key_follows_no_redirect(tmp_path: Path) -> None:
    """Wherever the server sends the client, the key stays with the address of the settings."""
    with (
        Stub(200, PLACES) as other,
        Stub(307, b"", Location=f"http://127.0.0.1:{other.port}") as to,
    ):
        with pytest.raises(PublishRefused) as refused:
            find_places(client(tmp_path, f"http://127.0.0.1:{to.port}"))
        assert refused.value.reason == "redirected"
        assert other.keys == []


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, b"<html>", "no-notary"),
        (200, b"[]", "no-notary"),
        (200, b'{"items":[{}],"next":null,"max_bytes":1}', "no-notary"),
        (200, b"[" * 100_000, "no-notary"),
        (404, b"<html>", "no-notary"),
        (403, b'{"detail":"lacks write"}', "server"),
        (401, b"{}", "wrong-key"),
        (503, b'{"detail":"closed"}', "away"),
        (429, b"", "away"),
    ],
)
def test_what_a_server_answers_instead_is_told(
    tmp_path: Path, status: int, body: bytes, reason: str
) -> None:
    """No answer of any kind ends in anything but a refusal with its reason."""
    with Stub(status, body) as stub, pytest.raises(PublishRefused) as refused:
        find_places(client(tmp_path, f"http://127.0.0.1:{stub.port}"))
    assert refused.value.reason == reason


def looked(path: Path, data: bytes) -> LocalFile:
    """A file that was looked through."""
    path.write_bytes(data)
    return look(path, rows=True, progress=lambda done, total: None)


def sent(local: LocalFile) -> list[bytes]:
    """What would be sent of it, up to where it is seen to be another."""
    found: list[bytes] = []
    with suppress(PublishRefused):
        found.extend(pieces(local, lambda done, total: None))
    return found


@pytest.mark.parametrize("size", [1, 1000, 1 << 18, (1 << 18) + 1, 700_000])
def test_a_file_that_changed_between_is_never_sent_whole(tmp_path: Path, size: int) -> None:
    """One byte other, one less, one more: the last piece is held back."""
    path, data = tmp_path / "a.bin", os.urandom(size)
    local = looked(path, data)
    assert b"".join(sent(local)) == data
    for changed in (bytes([data[0] ^ 1]) + data[1:], data[:-1], data + b"x", data * 3):
        path.write_bytes(changed)
        assert len(b"".join(sent(local))) < size


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    """Nobody waits for whoever might write into it."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PublishRefused) as refused:
        look(tmp_path / "pipe", rows=True, progress=lambda done, total: None)
    assert refused.value.reason == "no-file"


def test_the_idempotency_key_is_one_for_each_file_place_and_key(tmp_path: Path) -> None:
    """The same again, another for whatever differs; and nothing that lets the file be guessed."""
    one, other = looked(tmp_path / "a.csv", b"a\n1\n"), looked(tmp_path / "b.csv", b"a\n2\n")
    air, water = Place("air", "Air", True), Place("water", "Water", False)
    made = [
        idempotency_key(KEY, one, air, {"name": "a.csv"}),
        idempotency_key(KEY, other, air, {"name": "a.csv"}),
        idempotency_key(KEY, one, water, {"name": "a.csv"}),
        idempotency_key(KEY, one, air, {"name": "b.csv"}),
        idempotency_key(KEY[:-1] + "3", one, air, {"name": "a.csv"}),
    ]
    assert len(set(made)) == len(made)
    assert made[0] == idempotency_key(KEY, one, air, {"name": "a.csv"})
    assert not any(sha256(b"a\n1\n").hexdigest() in key or len(key) > 128 for key in made)
