# SPDX-License-Identifier: Apache-2.0
"""
COSE_Sign1 (RFC 9052 section 4.2, with tag 18 or without): the message carries its signature.

Signed is Sig_structure of section 4.4 with the topic in UTF-8 as `external_aad`. `alg` stands
in the protected header: EdDSA (-8), Ed25519 (-19), ES256 (-7) or ESP256 (-9, RFC 9864); `kid`
in either, UTF-8 of the key's id. CWT claims (15, RFC 9597) in the protected one may say when
it was signed (6). `crit`, detached payloads and labels that stand twice are refused.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final, NamedTuple

import cbor2

from iot_ingest.senders.evidence import BadEvidence, Evidence, read_issued_at, read_key_id
from notary.core.errors import MalformedText
from notary.usecases.device_keys import Algorithm

TAG: Final = 18
MAX_HEADER_BYTES: Final = 1_024
MAX_SIGNATURE_BYTES: Final = 256
MAX_DEPTH: Final = 8
_ALG, _CRIT, _KID, _CLAIMS, _ISSUED_AT = 1, 2, 4, 15, 6
ALGORITHMS: Final[dict[object, Algorithm]] = {
    -8: "ed25519", -19: "ed25519", -7: "es256", -9: "es256",
}  # fmt: skip


class Signed(NamedTuple):
    """A COSE_Sign1 taken apart: what is inside, and what it says of its signer."""

    payload: bytes
    evidence: Evidence | BadEvidence


def read_cose(message: bytes, topic: str) -> Signed | None:
    """The parts of a COSE_Sign1; None: the message is none. Nothing is verified yet."""
    try:
        value = _load(message)
    except MalformedText:
        return None
    if isinstance(value, cbor2.CBORTag):
        if value.tag != TAG:
            return None
        value = value.value
    if not isinstance(value, list | tuple) or len(value) != 4:
        return None
    protected, unprotected, payload, signature = value
    if not (
        isinstance(protected, bytes)
        and isinstance(unprotected, Mapping)
        and isinstance(payload, bytes)
        and isinstance(signature, bytes)
    ):
        return None
    return Signed(payload, _evidence(protected, unprotected, payload, signature, topic))


def sig_structure(protected: bytes, topic: str, payload: bytes) -> bytes:
    """The bytes that are signed (RFC 9052 section 4.4)."""
    encoded: bytes = cbor2.dumps(["Signature1", protected, topic.encode(), payload])
    return encoded


def _evidence(
    protected: bytes, unprotected: Mapping[Any, Any], payload: bytes, signature: bytes, topic: str
) -> Evidence | BadEvidence:
    key_id: str | None = None
    try:
        if len(protected) > MAX_HEADER_BYTES or len(signature) > MAX_SIGNATURE_BYTES:
            raise MalformedText("The COSE header or signature is too long.")
        if len(unprotected) > 16:
            raise MalformedText("The COSE header is too long.")
        header = _load(protected) if protected else {}
        if not isinstance(header, Mapping):
            raise MalformedText("The protected COSE header is no map.")
        if header.keys() & unprotected.keys():
            raise MalformedText("A label stands in both COSE headers.")
        key_id = _key_id(header.get(_KID, unprotected.get(_KID)))
        if _CRIT in header or _CRIT in unprotected:
            raise MalformedText("The COSE header has crit, which is not taken here.")
        algorithm = ALGORITHMS.get(header.get(_ALG)) if type(header.get(_ALG)) is int else None
        if algorithm is None:
            raise MalformedText("The COSE message must be by EdDSA or ES256.")
        return Evidence(
            key_id, algorithm, sig_structure(protected, topic, payload), signature, _time(header)
        )
    except (MalformedText, UnicodeEncodeError) as error:
        detail = error.detail if isinstance(error, MalformedText) else "The topic is no text."
        return BadEvidence(detail) if key_id is None else BadEvidence(detail, key_id)


def _key_id(value: object) -> str:
    if not isinstance(value, bytes):
        raise MalformedText("The COSE header has no kid.")
    return read_key_id(value.decode("utf-8", "replace"))


def _time(header: Mapping[Any, Any]) -> int | None:
    claims = header.get(_CLAIMS)
    if claims is None:
        return None
    time = claims.get(_ISSUED_AT) if isinstance(claims, Mapping) else -1
    return None if time is None else read_issued_at(str(time) if type(time) is int else "")


def _load(data: bytes) -> object:
    """One CBOR item and nothing behind it. Raises MalformedText."""
    stream = BytesIO(data)
    try:
        value = cbor2.CBORDecoder(stream, max_depth=MAX_DEPTH, allow_duplicate_keys=False).decode()
    except (cbor2.CBORError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError):
        raise MalformedText("It is not CBOR.") from None
    if stream.tell() != len(data):
        raise MalformedText("Something stands behind the CBOR item.")
    return value
