# SPDX-License-Identifier: Apache-2.0
"""What a dataset's owner says of a source and its keys."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from schemas.fields import CODES, Id, Strict, Text, Time

MAX_KEY_CHARACTERS = 2_000
ALGORITHMS = ("ed25519", "es256", "hmac-sha256")


class KeyText(fields.String):
    """A key as text, line breaks and all; it is read by whoever knows its algorithm."""

    def __init__(self, **more: Any) -> None:
        super().__init__(error_messages=CODES, **more)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> str:
        if type(value) is not str:
            raise ValidationError("string")
        if not 1 <= len(value) <= MAX_KEY_CHARACTERS:
            raise ValidationError("public-key" if attr == "public_key" else "secret")
        return value


class NewSourceKey(Strict):
    """
    A key; `id` is what messages call it. `public_key` goes with ed25519 and es256; `secret`
    with hmac-sha256, where without one a new secret is made, and shown in the answer and
    never again.
    """

    id = Id(required=True)
    algorithm = fields.String(
        required=True,
        error_messages=CODES,
        validate=validate.OneOf(ALGORITHMS, error="algorithm"),
    )
    public_key = KeyText(
        metadata={"description": "PEM, DER in base64, a JWK, or bare in base64 or hexadecimal."}
    )
    secret = KeyText(
        load_only=True, metadata={"description": "16 to 128 bytes in base64 or hexadecimal."}
    )
    valid_from = Text(64, metadata={"description": "RFC 3339, with a zone; else from now on."})
    valid_to = Text(64, metadata={"description": "RFC 3339; not valid from then on."})

    @validates_schema(skip_on_field_errors=True)
    def _check_together(self, data: Mapping[str, Any], **more: Any) -> None:
        """A secret for HMAC, a public key for the others."""
        is_hmac = data["algorithm"] == "hmac-sha256"
        if not is_hmac and "public_key" not in data:
            raise ValidationError({"public_key": ["missing"]})
        if is_hmac and "public_key" in data:
            raise ValidationError({"public_key": ["other-algorithm"]})
        if not is_hmac and "secret" in data:
            raise ValidationError({"secret": ["other-algorithm"]})


class NewSource(Strict):
    """
    A source that may send, and its keys; `id` is what its messages call it. `title` is a name
    for people, kept beside the log and told to the owner only.
    """

    id = Id(required=True)
    title = Text(200)
    keys = fields.List(
        fields.Nested(NewSourceKey),
        validate=validate.Length(max=16, error="too-many-keys"),
        error_messages=CODES,
    )


class SourceKeyAnswer(Schema):
    """
    A registered key. `fingerprint` is SHA-256 of the bare public key. `secret` stands only in
    the answer to the request by which it was made.
    """

    id = fields.String()
    algorithm = fields.String()
    public_key = fields.String(metadata={"description": "The bare key in base64."})
    secret = fields.String(metadata={"description": "Base64; shown once."})
    fingerprint = fields.String()
    added = Time(attribute="added_at")
    valid_from = Time()
    valid_to = Time()
    revoked = Time(attribute="revoked_at")


class SourceKeysAnswer(Schema):
    """The keys of a source, those that ended and were revoked too."""

    items = fields.List(fields.Nested(SourceKeyAnswer))


class RegisteredAnswer(Schema):
    """A source as it is registered now."""

    dataset = fields.String()
    source = fields.String(metadata={"description": "Its name in statements."})
    label = fields.String(metadata={"description": "As its messages name it."})
    title = fields.String()
    registered = Time(attribute="registered_at")
    revoked = Time(attribute="revoked_at")
    keys = fields.List(fields.Nested(SourceKeyAnswer))
    links = fields.Dict()
