# SPDX-License-Identifier: Apache-2.0
"""Public keys under which one signature would do for every text, and one that is no key at all."""

from notary.core import note
from tests.core.maker import ORIGIN

PRIME = 2**255 - 19
NO_POINT = (2).to_bytes(32, "little")
"""y = 2 lies on no point of the curve."""
NEUTRAL = (1).to_bytes(32, "little")
NEUTRAL_AGAIN = (1 + PRIME).to_bytes(32, "little")
"""The neutral element, not encoded canonically."""
SMALL = {
    "a small key, neutral": NEUTRAL,
    "a small key, not canonical": NEUTRAL_AGAIN,
    "a small key of order 2": (PRIME - 1).to_bytes(32, "little"),
    "a small key of order 4": bytes(32),
    "a small key with a signed zero": (1 | 1 << 255).to_bytes(32, "little"),
}
KEYS = SMALL | {"a key that is no point": NO_POINT}
"""By the name of the trust file that lists the key as its log's."""


def vkey(key: bytes) -> str:
    """As a trust file names it."""
    return note.format_vkey(ORIGIN, note.KIND_ED25519, key)
