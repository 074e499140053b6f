# SPDX-License-Identifier: Apache-2.0
"""
JSON: one object a message (`json`), or one a line (`ndjson`).

The bytes are the evidence; decoding only looks for the sender's time and id.
"""

import json
from collections.abc import Sequence

from iot_ingest.codecs import Decoded, Fault, Members
from notary.core import strict_json
from notary.core.errors import MalformedText


def decode_json(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """One JSON object."""
    return [_decode(payload, members)]


def decode_ndjson(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """One JSON object a line; empty lines are passed over, a line's bytes are kept."""
    lines = [line.removesuffix(b"\r") for line in payload.split(b"\n")]
    found = [_decode(line, members) for line in lines if line.strip()]
    return found or [Fault(payload, "empty", "The message holds no line.")]


def _decode(payload: bytes, members: Members) -> Decoded | Fault:
    try:
        value = strict_json.loads(payload)
    except MalformedText as error:
        return Fault(payload, str(error.facts.get("reason", "not-json")), error.detail)
    if not isinstance(value, dict):
        return Fault(payload, "bad-value", "It is JSON, and not an object.")
    return Decoded(payload, _member(value, members.observed), _member(value, members.key))


def _member(value: dict[str, object], name: str | None) -> str | None:
    """A member as the text that was sent."""
    found = None if name is None else value.get(name)
    if found is None or isinstance(found, dict | list):
        return None
    return str(found) if isinstance(found, str) else json.dumps(found)
