# SPDX-License-Identifier: Apache-2.0
"""
Codecs: from a message's bytes to readings. Pure; what they find is an index, never the
evidence: that is the bytes as received.

A codec never raises: what can't be decoded comes back as a Fault, its neighbours as readings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decoded:
    """One reading: its bytes as they came, the sender's time and message id as sent."""

    payload: bytes
    observed: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What could not be decoded: its bytes, a reason code, a sentence."""

    payload: bytes
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Members:
    """Where the sender's time and message id stand in a JSON object (None: nowhere)."""

    observed: str | None = None
    key: str | None = None


Codec = Callable[[bytes, Members], Sequence[Decoded | Fault]]


def codecs() -> dict[str, tuple[Codec, str]]:
    """By name: the codec, and the media type of a reading."""
    from iot_ingest.codecs.json_object import decode_json, decode_ndjson
    from iot_ingest.codecs.raw import decode_raw

    return {
        "json": (decode_json, "application/json"),
        "ndjson": (decode_ndjson, "application/json"),
        "raw": (decode_raw, "application/octet-stream"),
    }
