# SPDX-License-Identifier: Apache-2.0
"""
Keys of devices: how they are read, checked, kept and used. Pure, but for random bytes.

| algorithm     | what is kept (`material`)                                              |
|---------------|------------------------------------------------------------------------|
| `ed25519`     | the public key, 32 bytes (RFC 8032)                                    |
| `es256`       | the public key on P-256, 65 bytes 04 || x || y (SEC 1 section 2.3.3)   |
| `hmac-sha256` | the secret, sealed under the instance secret (AES-256-GCM)             |

A key never changes its algorithm, and is only ever used with that one. Private keys have no
place here: who hands one in is told so, and it is neither kept nor repeated.
"""

import json
import os
import re
from base64 import b64decode, urlsafe_b64decode
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from notary.core.errors import MalformedText

Algorithm = Literal["ed25519", "es256", "hmac-sha256"]
ALGORITHMS: Final[tuple[Algorithm, ...]] = ("ed25519", "es256", "hmac-sha256")
MAX_KEY_TEXT: Final = 2_000
MIN_SECRET_BYTES: Final = 16
MAX_SECRET_BYTES: Final = 128
NEW_SECRET_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}", re.ASCII)
_FIELD: Final = 2**255 - 19


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """
    A registered key of a source, fit for use: `material` is the public key or the secret.

    Valid from `valid_from` until before `valid_to` (None: without end), by our clock.
    """

    id: str
    algorithm: Algorithm
    material: bytes = field(repr=False)
    valid_from: datetime
    valid_to: datetime | None = None
    revoked_at: datetime | None = None


def check_algorithm(text: object) -> Algorithm:
    """One of ALGORITHMS. Raises MalformedText."""
    if text not in ALGORITHMS:
        raise MalformedText(f"The algorithm must be one of {', '.join(ALGORITHMS)}.")
    return text


def parse_public_key(algorithm: Algorithm, text: str) -> bytes:
    """
    Read a public key as people have it: PEM, DER in base64, a JWK, or the bare key in
    base64, base64url or hexadecimal.

    Raises:
        MalformedText: it is none, is on another curve, is too weak, or is a private key.
    """
    text = text.strip()
    if len(text) > MAX_KEY_TEXT:
        raise MalformedText(f"The public key is longer than {MAX_KEY_TEXT} characters.")
    if "PRIVATE" in text:
        raise _private()
    key: object = None
    try:
        if text.startswith("-----BEGIN"):
            key = load_pem_public_key(text.encode())
        elif text.startswith("{"):
            key = _read_jwk(text)
        else:
            key = _read_bytes(algorithm, _bytes(text))
    except (ValueError, TypeError, UnsupportedAlgorithm, RecursionError):
        raise _no_key(algorithm) from None
    if algorithm == "ed25519" and isinstance(key, Ed25519PublicKey):
        return _strong(key.public_bytes_raw())
    if (
        algorithm == "es256"
        and isinstance(key, EllipticCurvePublicKey)
        and isinstance(key.curve, SECP256R1)
    ):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    raise _no_key(algorithm)


def parse_secret(text: str) -> bytes:
    """
    Read an HMAC secret of 16 to 128 bytes in hexadecimal, base64 or base64url.

    Raises:
        MalformedText: it is none; the text is not repeated.
    """
    try:
        secret = _bytes(text.strip())
    except ValueError:
        raise MalformedText("The secret must be hexadecimal digits or base64.") from None
    if not MIN_SECRET_BYTES <= len(secret) <= MAX_SECRET_BYTES:
        raise MalformedText(
            f"The secret must have {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes, "
            f"not {len(secret)}."
        )
    if len(set(secret)) < MIN_SECRET_BYTES // 4:
        raise MalformedText("The secret is not random: take `openssl rand -hex 32`.")
    return secret


def new_secret() -> bytes:
    """A new HMAC secret."""
    return os.urandom(NEW_SECRET_BYTES)


def fingerprint(algorithm: Algorithm, material: bytes) -> str | None:
    """How people compare public keys: SHA-256 in hex. Of a secret nothing is shown."""
    return None if algorithm == "hmac-sha256" else sha256(material).hexdigest()


class SecretBox:
    """Seals HMAC secrets under the instance secret; bound to whose they are."""

    def __init__(self, instance_secret: bytes) -> None:
        info = b"city-notary source keys 1"
        key = HKDF(SHA256(), 32, salt=None, info=info).derive(instance_secret)
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes, dataset: str, source: str, key_id: str) -> bytes:
        """Nonce and ciphertext."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, _whose(dataset, source, key_id))

    def open(self, sealed: bytes, dataset: str, source: str, key_id: str) -> bytes | None:
        """The secret, or None where it was sealed for another key or under another secret."""
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, text, _whose(dataset, source, key_id))
        except (InvalidTag, ValueError):
            return None


def _whose(dataset: str, source: str, key_id: str) -> bytes:
    return "\0".join((dataset, source, key_id)).encode()


def _private() -> MalformedText:
    return MalformedText(
        "This is a private key. It belongs on the device alone: make a new pair, since this one "
        "was sent around, and hand in the public key."
    )


def _no_key(algorithm: Algorithm) -> MalformedText:
    curve = "P-256" if algorithm == "es256" else "Ed25519"
    return MalformedText(f"The text is not a public key on {curve}.")


def _bytes(text: str) -> bytes:
    """Hexadecimal, else base64 in either alphabet. Raises ValueError."""
    text = "".join(text.split())
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    if not _BASE64.fullmatch(text):
        raise ValueError(text)
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    return b64decode(bare + "=" * (-len(bare) % 4), validate=True)


def _read_bytes(algorithm: Algorithm, data: bytes) -> object:
    if algorithm == "ed25519" and len(data) == 32:
        return Ed25519PublicKey.from_public_bytes(data)
    if algorithm == "es256" and len(data) in (33, 65):
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), data)
    return load_der_public_key(data)


def _read_jwk(text: str) -> object:
    """RFC 7517, RFC 8037. Raises ValueError."""
    members = json.loads(text)
    if "d" in members or "k" in members:
        raise _private()
    shape = (members.get("kty"), members.get("crv"))
    x = urlsafe_b64decode(str(members.get("x")) + "==")
    if shape == ("OKP", "Ed25519"):
        return Ed25519PublicKey.from_public_bytes(x)
    if shape == ("EC", "P-256"):
        y = urlsafe_b64decode(str(members.get("y")) + "==")
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), b"\x04" + x + y)
    raise ValueError(shape)


def _strong(key: bytes) -> bytes:
    """
    Refuse points of small order and other spellings of a point (RFC 8032 section 5.1.3).

    Under such a key one signature would fit any message.
    """
    number = int.from_bytes(key, "little") & ((1 << 255) - 1)
    if number >= _FIELD or number in _SMALL_ORDER:
        raise MalformedText("The public key is a point of small order: it proves nothing.")
    return key


_SMALL_ORDER: Final = frozenset(
    {
        0,
        1,
        _FIELD - 1,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    }
)
"""The y of all points whose order divides 8; a test computes them anew."""
