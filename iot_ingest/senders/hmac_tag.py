# SPDX-License-Identifier: Apache-2.0
"""
HMAC-SHA256 (RFC 2104) over

    "hmac/1" 0x00 topic 0x00 iat 0x00 payload

with topic and iat in UTF-8; none of the three words can hold 0x00, so that no two messages
lead to the same bytes. `iat` is when it was made, in whole seconds since 1970, or empty.
User properties: `hmac` (64 hexadecimal digits, or 43 characters of base64url), `key`, and
`iat` where there is one.
"""

import re

from iot_ingest.senders.evidence import BadEvidence, Evidence, read_issued_at, read_key_id
from iot_ingest.senders.jws import decode_base64url
from notary.core.errors import MalformedText

_HEX = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


def hmac_input(topic: str, issued_at: str, payload: bytes) -> bytes:
    """The bytes that are authenticated."""
    return b"\0".join((b"hmac/1", topic.encode(), issued_at.encode(), payload))


def read_hmac(
    tag: str, key: str | None, issued_at: str | None, topic: str, payload: bytes
) -> Evidence | BadEvidence:
    """What a tag says; nothing is verified yet."""
    key_id: str | None = None
    try:
        key_id = read_key_id(key)
        time = None if issued_at is None else read_issued_at(issued_at)
        if not _HEX.fullmatch(tag) and len(tag) != 43:
            raise MalformedText("hmac must be 64 hexadecimal digits or 43 characters of base64url.")
        return Evidence(
            key_id,
            "hmac-sha256",
            hmac_input(topic, issued_at or "", payload),
            bytes.fromhex(tag) if len(tag) == 64 else decode_base64url(tag),
            time,
        )
    except (MalformedText, UnicodeEncodeError) as error:
        detail = error.detail if isinstance(error, MalformedText) else "The topic is no text."
        return BadEvidence(detail) if key_id is None else BadEvidence(detail, key_id)
