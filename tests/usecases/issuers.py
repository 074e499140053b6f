# SPDX-License-Identifier: Apache-2.0
"""A real little OIDC issuer on loopback: discovery, JWKS and tokens of its own keys."""

import base64
import hmac
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE = "city-notary"
KINDS: Mapping[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
WELL_KNOWN = "/.well-known/openid-configuration"


def private_key(algorithm: str, bits: int = 2048) -> Any:
    """A new private key."""
    if algorithm == "RS256":
        return rsa.generate_private_key(65_537, bits)
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()


def public_jwk(algorithm: str, key: Any, kid: str) -> dict[str, Any]:
    """The public half as a JWK."""
    found = KINDS[algorithm].to_jwk(key.public_key(), as_dict=True)
    return {**found, "kid": kid, "use": "sig", "alg": algorithm}


class Issuer:
    """What it serves by path, and what it was asked; it may be made to serve anything else."""

    def __init__(self, server: ThreadingHTTPServer, scheme: str) -> None:
        self.server = server
        self.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        self.asked: list[str] = []
        self.keys = {name: private_key(name) for name in KINDS}
        self.served: dict[str, tuple[int, Any]] = {}
        self.serve_keys({name: public_jwk(name, key, name) for name, key in self.keys.items()})
        found = {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}
        self.served[WELL_KNOWN] = (200, found)

    def serve_keys(self, keys: Mapping[str, Any]) -> None:
        """Serve these public keys and no others."""
        self.served["/jwks"] = (200, {"keys": list(keys.values())})

    def asked_for(self, path: str) -> int:
        """How often a path was asked for."""
        return self.asked.count(path)

    def sign(
        self,
        claims: Mapping[str, Any],
        algorithm: str = "ES256",
        headers: Mapping[str, Any] | None = None,
        key: Any = None,
    ) -> str:
        """A token of the key of that algorithm, or of another's."""
        told = {"kid": algorithm, **(headers or {})}
        # Not by jwt.encode, which refuses claims that no issuer should sign.
        said = json.dumps(dict(claims)).encode()
        return jwt.PyJWS().encode(said, key or self.keys[algorithm], algorithm, headers=told)

    def public_pem(self, algorithm: str) -> bytes:
        """The public key as anybody can write it down."""
        public = self.keys[algorithm].public_key()
        pem: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem


def by_hand(head: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes | None) -> str:
    """A token put together by hand: with an HMAC under the secret, or with no signature."""
    parts = [_encode(json.dumps(part).encode()) for part in (head, claims)]
    signed = ".".join(parts)
    tag = b"" if secret is None else hmac.digest(secret, signed.encode(), sha256)
    return f"{signed}.{_encode(tag)}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@contextmanager
def running_issuer(context: ssl.SSLContext | None = None) -> Iterator[Issuer]:
    """An issuer that serves until the end, by TLS with a context."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """What is served at the path; a text is the address to go on to."""
            issuer.asked.append(self.path)
            status, body = issuer.served.get(self.path, (404, {}))
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", body)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *values: object) -> None:
            """Nothing on the tests' output."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *values: object) -> None:
            """A client that doesn't trust the certificate goes away: as it should."""

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    issuer = Issuer(server, "http" if context is None else "https")
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
