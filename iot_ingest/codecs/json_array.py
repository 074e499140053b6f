# SPDX-License-Identifier: Apache-2.0
"""
JSON array: a list of objects, each a reading.

An object's bytes are kept as they stand in the message, from its brace to its brace. A bad
element costs only itself; where the message isn't JSON, none of it is a reading, as readers
differ in where they would stop.
"""

from collections.abc import Sequence
from typing import Final

from iot_ingest.codecs import Decoded, Fault, Members, too_large
from iot_ingest.codecs.json_members import bad_value, fault_of
from iot_ingest.codecs.json_object import text_of
from iot_ingest.codecs.slices import Part, Text, read, read_parts
from notary.core.errors import MalformedText

MAX_ELEMENTS: Final = 10_000


def decode_json_array(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """A reading or a fault for each element; one fault where the list is broken."""
    try:
        text = Text(payload)
        parts = list_of(read(text, read_parts), "It")
    except MalformedText as error:
        return [fault_of(payload, error)]
    return [_decode(text.bytes_of(part), part.value, members) for part in parts]


def list_of(value: object, what: str) -> list[Part]:
    """Demand what `read_parts` makes of a list with 1 to 10,000 elements."""
    if not isinstance(value, list):
        raise bad_value(f"{what} is JSON, and not a list.")
    if not value:
        raise MalformedText(f"{what} is an empty list.", reason="empty")
    if len(value) > MAX_ELEMENTS:
        raise MalformedText(f"{what} has more than {MAX_ELEMENTS} elements.", reason="too-many")
    return value


def _decode(payload: bytes, value: object, members: Members) -> Decoded | Fault:
    if len(payload) > members.max_bytes:
        return too_large(payload, members)
    if isinstance(value, MalformedText):
        return fault_of(payload, value)
    if not isinstance(value, dict):
        return Fault(payload, "bad-value", "The element is not an object.")
    try:
        observed, key = text_of(value, members.observed), text_of(value, members.key)
    except MalformedText as error:
        return fault_of(payload, error)
    return Decoded(payload, observed, key)
