# SPDX-License-Identifier: Apache-2.0
"""
JSON: one object a message (`json`), or one a line (`ndjson`).

The bytes are the evidence; decoding only looks for the sender's time and id, and refuses
what two readers could understand differently (notary.core.strict_json has the rules).
"""

from collections.abc import Sequence
from typing import Final

from iot_ingest.codecs import Decoded, Fault, Members, quick_json, too_large
from notary.core import strict_json
from notary.core.errors import MalformedText

MAX_LINES: Final = 10_000
_BLANK = b" \t\r"


def decode_json(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """One JSON object."""
    return [_decode(payload, members)]


def decode_ndjson(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """
    One JSON object a line.

    A line's bytes are kept as they came, between one LF and the next; blank lines are
    passed over.
    """
    lines = [line for line in payload.split(b"\n") if line.strip(_BLANK)]
    if not lines:
        return [Fault(payload, "empty", "The message holds no line.")]
    if len(lines) > MAX_LINES:
        return [Fault(payload, "too-many", f"The message has more than {MAX_LINES} lines.")]
    return [_decode(line, members) for line in lines]


def _decode(payload: bytes, members: Members) -> Decoded | Fault:
    if len(payload) > members.max_bytes:
        return too_large(payload, members)
    found = quick_json.look(payload, members.observed, members.key)
    if found is not None:
        return Decoded(payload, *found)
    try:
        value = strict_json.loads(payload)
        if not isinstance(value, dict):
            return Fault(payload, "bad-value", "It is JSON, and not an object.")
        return Decoded(payload, text_of(value, members.observed), text_of(value, members.key))
    except MalformedText as error:
        return Fault(payload, str(error.facts.get("reason", "not-json")), error.detail)


def text_of(value: dict[str, object], name: str | None) -> str | None:
    """A member as the text that was sent; strict_json gives a number as its text too."""
    found = None if name is None else value.get(name)
    if found is None or isinstance(found, str):
        return found
    raise MalformedText(f"The member {name} is neither text nor a number.", reason="bad-value")
