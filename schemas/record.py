# SPDX-License-Identifier: Apache-2.0
"""An item that a department posts."""

import base64
import binascii
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from notary.core.errors import MalformedText
from notary.core.words import check_id, check_key, check_observed, check_type


def _checked(check: Any) -> Any:
    def validate(text: str) -> None:
        try:
            check(text)
        except MalformedText as error:
            raise ValidationError(error.detail) from None

    return validate


class Text(fields.String):
    """A string, and nothing that only looks like one (numbers are another type)."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if type(value) is not str:
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


class NewRecord(Schema):
    """
    One item. Its evidence is bytes: `payload_text` stands for its UTF-8 bytes,
    `payload_base64` for any others; exactly one of them is there.

    `observed` and `key` are the sender's own time and message id, as text.
    """

    source = Text(required=True, validate=_checked(check_id))
    payload_text = Text()
    payload_base64 = Text()
    observed = Text(validate=_checked(check_observed))
    key = Text(validate=_checked(check_key))
    type = Text(validate=_checked(check_type))

    @validates_schema
    def one_payload(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Exactly one payload."""
        if ("payload_text" in data) == ("payload_base64" in data):
            raise ValidationError(
                "Exactly one of payload_text and payload_base64 must be there.", "payload_text"
            )

    @post_load
    def to_bytes(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """The payload as bytes, and the type that it has unless told otherwise."""
        if "payload_text" in data:
            payload, default = data.pop("payload_text").encode(), "text/plain"
        else:
            try:
                payload = base64.b64decode(data.pop("payload_base64"), validate=True)
            except (binascii.Error, ValueError):
                raise ValidationError("It is not base64.", "payload_base64") from None
            default = "application/octet-stream"
        return {"type": default, **data, "payload": payload}


class Acceptance(Schema):
    """The answer to one item: a promise that it is durable, not yet a proof."""

    dataset = fields.String(required=True)
    source = fields.String(required=True)
    chain = fields.Integer(required=True)
    n = fields.Integer(required=True)
    leaf = fields.String(required=True)
    received = fields.String(required=True)
    duplicate = fields.Boolean(required=True)
    key_reused = fields.Boolean(required=True)
    receipt = fields.String(required=True)


class Answer(Schema):
    """The answer to several items, in their order: acceptances and refusals."""

    accepted = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    items = fields.List(fields.Dict(), required=True)
