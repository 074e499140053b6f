# SPDX-License-Identifier: Apache-2.0
"""Devices that sign, for tests: written by the specifications, not by what verifies."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from iot_ingest.inbox import Properties
from notary.usecases.sources import NewKey

ED = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ED2 = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
ES = ec.derive_private_key(1234567, ec.SECP256R1())
SECRET = bytes(range(64, 96))
ED_PUBLIC, ED2_PUBLIC = (key.public_key().public_bytes_raw() for key in (ED, ED2))
ES_PUBLIC = ES.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

ED_KEY = NewKey("ed-1", "ed25519", ED_PUBLIC)
ES_KEY = NewKey("es-1", "es256", ES_PUBLIC)
MAC_KEY = NewKey("mac-1", "hmac-sha256", SECRET)


def b64u(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(key: Any, data: bytes) -> bytes:
    """64 bytes: Ed25519, or r || s of ES256 (RFC 7518 section 3.4)."""
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(data)
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def jws(topic: str, payload: bytes, key: Any = ED, kid: str = "ed-1", **header: Any) -> str:
    """A detached JWS."""
    alg = "EdDSA" if isinstance(key, Ed25519PrivateKey) else "ES256"
    members = {"alg": alg, "kid": kid, "topic": topic, **header}
    members = {name: value for name, value in members.items() if value is not None}
    return raw_jws(json.dumps(members).encode(), payload, key)


def raw_jws(header: bytes, payload: bytes, key: Any = ED) -> str:
    """A detached JWS under any header."""
    head = b64u(header)
    return f"{head}..{b64u(sign(key, f'{head}.{b64u(payload)}'.encode()))}"


def mac(topic: str, payload: bytes, secret: bytes = SECRET, iat: str = "") -> str:
    """The hexadecimal tag."""
    data = b"hmac/1\0" + topic.encode() + b"\0" + iat.encode() + b"\0" + payload
    return hmac.new(secret, data, hashlib.sha256).hexdigest()


def cose(
    topic: str,
    payload: bytes,
    key: Any = ED,
    kid: Any = b"ed-1",
    protected: dict[Any, Any] | bytes | None = None,
    unprotected: dict[Any, Any] | None = None,
    tag: int | None = 18,
) -> bytes:
    """A COSE_Sign1 with the topic as external_aad."""
    if protected is None:
        protected = {1: -8 if isinstance(key, Ed25519PrivateKey) else -7}
    head = protected if isinstance(protected, bytes) else cbor2.dumps(protected)
    signed = cbor2.dumps(["Signature1", head, topic.encode(), payload])
    parts = [head, {4: kid} if unprotected is None else unprotected, payload, sign(key, signed)]
    return cbor2.dumps(parts if tag is None else cbor2.CBORTag(tag, parts))


def user(*pairs: tuple[str, str]) -> Properties:
    """MQTT 5 user properties."""
    return Properties(user=pairs)
