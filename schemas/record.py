# SPDX-License-Identifier: Apache-2.0
"""
What a department sends for a record.

The evidence is bytes as received, so a payload is never a JSON value that some program
writes anew: it is a text (its UTF-8 bytes count) or bytes in base64.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError, post_load, validates_schema

from schemas.fields import Id, MediaType, PayloadBase64, PayloadText, Strict, Text

MAX_ITEMS = 10_000
NAMED = "It stands in the statement only where the dataset is open."
TEXT_TYPE, BYTES_TYPE = "text/plain", "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Item:
    """One item as sent: ids and words checked, the payload as bytes."""

    source: str
    payload: bytes
    type: str
    observed: str | None
    key: str | None
    payload_member: str


class NewRecord(Strict):
    """One record: source, payload (exactly one of text and base64), and what may be told."""

    source = Id(required=True)
    payload_text = PayloadText(metadata={"description": "Its UTF-8 bytes are the payload."})
    payload_base64 = PayloadBase64(metadata={"format": "byte"})
    type = MediaType()
    observed = Text(64, metadata={"description": "The sender's time, as it was sent. " + NAMED})
    key = Text(128, metadata={"description": "The sender's id, which finds repeats. " + NAMED})

    @validates_schema(skip_on_field_errors=True)
    def _check_payload(self, data: Mapping[str, Any], **more: Any) -> None:
        """Exactly one payload."""
        given = [name for name in ("payload_text", "payload_base64") if name in data]
        if not given:
            raise ValidationError({"payload_text": ["one-payload"]})
        if len(given) == 2:
            raise ValidationError({"payload_base64": ["one-payload"]})

    @post_load
    def _item(self, data: dict[str, Any], **more: Any) -> Item:
        is_text = "payload_text" in data
        member = "payload_text" if is_text else "payload_base64"
        return Item(
            source=data["source"],
            payload=data[member],
            type=data.get("type", TEXT_TYPE if is_text else BYTES_TYPE),
            observed=data.get("observed"),
            key=data.get("key"),
            payload_member=member,
        )
