# SPDX-License-Identifier: Apache-2.0
"""
A signature on its way to be checked: which key it names, over which bytes, and whether it holds.

The algorithm is that of the registered key, never what the message says: where the two differ
the signature is bad. All that is signed holds the topic, so that no signature fits a message
on another one.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from notary.core.errors import MalformedText
from notary.core.words import check_id
from notary.usecases.device_keys import Algorithm, DeviceKey
from notary.usecases.sources import NO_ID

SIGNATURE_BYTES: Final = {"ed25519": 64, "es256": 64, "hmac-sha256": 32}
MAX_DIGITS: Final = 12
MAX_KEYS_IN_MIND: Final = 100_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    What came with a message: a signature by the key `key_id` over `signed`.

    `issued_at` is when the sender says that it signed, in seconds since 1970.
    """

    key_id: str
    algorithm: Algorithm
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    issued_at: int | None = None

    @property
    def print(self) -> bytes:
        """By which the same message is told when it comes again, whoever signed it anew."""
        return sha256(self.signed).digest()[:16]


@dataclass(frozen=True, slots=True)
class BadEvidence:
    """Something that should be a signature and is none; `detail` says why."""

    detail: str
    key_id: str = NO_ID


Found = Evidence | BadEvidence | None
"""What came with a message; None: nothing."""


def fault_of(evidence: Evidence, key: DeviceKey | None, now: datetime) -> str | None:
    """Why a signature doesn't hold under a source's key of that id, as a sentence; or None."""
    if key is None:
        return f"The source has no key {evidence.key_id}."
    if key.algorithm != evidence.algorithm:
        return f"The key {key.id} is not for signatures of this kind."
    if key.revoked_at is not None:
        return f"The key {key.id} is revoked."
    if now < key.valid_from:
        return f"The key {key.id} is not valid yet."
    if key.valid_to is not None and now >= key.valid_to:
        return f"The key {key.id} is no longer valid."
    if len(evidence.signature) != SIGNATURE_BYTES[key.algorithm]:
        return f"A signature by {key.id} must have {SIGNATURE_BYTES[key.algorithm]} bytes."
    if not _holds(key, evidence.signed, evidence.signature):
        return f"The signature does not belong to this message, this topic and the key {key.id}."
    return None


def _holds(key: DeviceKey, signed: bytes, signature: bytes) -> bool:
    if key.algorithm == "hmac-sha256":
        return hmac.compare_digest(hmac.digest(key.material, signed, "sha256"), signature)
    try:
        if key.algorithm == "ed25519":
            _ed25519(key.material).verify(signature, signed)
        else:
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            _es256(key.material).verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


@lru_cache(MAX_KEYS_IN_MIND)
def _ed25519(material: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(material)


@lru_cache(MAX_KEYS_IN_MIND)
def _es256(material: bytes) -> EllipticCurvePublicKey:
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), material)


def read_key_id(text: object) -> str:
    """The id of a key as it was sent. Raises MalformedText."""
    if text == NO_ID:
        raise MalformedText(f"{NO_ID} is no key's id.")
    return check_id(text, "key's id")


def read_issued_at(text: str) -> int:
    """Whole seconds since 1970 in decimal digits. Raises MalformedText."""
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise MalformedText("iat must be whole seconds since 1970.")
    return int(text)
