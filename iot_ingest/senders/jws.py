# SPDX-License-Identifier: Apache-2.0
"""
A detached JWS (RFC 7515 appendix F): `<header>..<signature>`, the payload being the message.

The protected header has `alg` (EdDSA or Ed25519, RFC 8037, RFC 9864; or ES256), `kid` and
`topic`, which is the message's topic, character for character; `iat` may say when it was
signed. Headers that demand something (`crit`, `b64`) or bring a key along are refused.
"""

import re
from base64 import b64decode, urlsafe_b64encode
from typing import Final

from iot_ingest.senders.evidence import BadEvidence, Evidence, read_issued_at, read_key_id
from notary.core import strict_json
from notary.core.errors import MalformedText
from notary.core.strict_json import Number
from notary.usecases.device_keys import Algorithm

MAX_HEADER_CHARACTERS: Final = 2_048
MAX_SIGNATURE_CHARACTERS: Final = 128
ALGORITHMS: Final[dict[object, Algorithm]] = {
    "EdDSA": "ed25519", "Ed25519": "ed25519", "ES256": "es256",
}  # fmt: skip
REFUSED: Final = ("crit", "b64", "jwk", "jku", "x5c", "x5u")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
_TO_BASE64 = str.maketrans("-_", "+/")


def read_jws(text: str, topic: str, payload: bytes) -> Evidence | BadEvidence:
    """What a detached JWS says; nothing is verified yet."""
    key_id: str | None = None
    try:
        parts = text.split(".", 3)
        if len(parts) != 3:
            raise MalformedText("A JWS has three parts.")
        head, middle, tail = parts
        if middle:
            raise MalformedText("The JWS brings a payload of its own: it must be detached.")
        if len(head) > MAX_HEADER_CHARACTERS or len(tail) > MAX_SIGNATURE_CHARACTERS:
            raise MalformedText("The JWS is too long.")
        header = strict_json.loads(decode_base64url(head))
        if not isinstance(header, dict):
            raise MalformedText("The JWS header is no object.")
        key_id = read_key_id(_word(header, "kid"))
        algorithm = ALGORITHMS.get(_word(header, "alg"))
        if algorithm is None:
            raise MalformedText("The JWS must be by EdDSA or ES256.")
        for name in REFUSED:
            if name in header:
                raise MalformedText(f"The JWS header has {name}, which is not taken here.")
        if _word(header, "topic") != topic:
            raise MalformedText("The JWS is for another topic, or names none.")
        issued_at = header.get("iat")
        if issued_at is not None and type(issued_at) is not Number:
            raise MalformedText("iat must be whole seconds since 1970.")
        return Evidence(
            key_id,
            algorithm,
            head.encode() + b"." + encode_base64url(payload),
            decode_base64url(tail),
            None if issued_at is None else read_issued_at(issued_at),
        )
    except MalformedText as error:
        return BadEvidence(error.detail) if key_id is None else BadEvidence(error.detail, key_id)


def _word(header: dict[str, object], name: str) -> str | None:
    value = header.get(name)
    return value if type(value) is str else None


def encode_base64url(data: bytes) -> bytes:
    """base64url without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=")


def decode_base64url(text: str) -> bytes:
    """The bytes of the one spelling that they have. Raises MalformedText."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise MalformedText("A part of the JWS is not base64url.")
    data = b64decode(text.translate(_TO_BASE64) + "=" * (-len(text) % 4))
    if encode_base64url(data).decode() != text:
        raise MalformedText("A part of the JWS is not base64url in its one spelling.")
    return data
