# SPDX-License-Identifier: Apache-2.0
"""A dataset as it is created and shown."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from notary.core.errors import MalformedText
from notary.core.words import check_id


def is_id(text: str) -> None:
    """An id of ours, or a ValidationError that says what one is."""
    try:
        check_id(text)
    except MalformedText as error:
        raise ValidationError(error.detail) from None


class NewDataset(Schema):
    """
    What creates a dataset. An open one is named by `id`; any other gets a random id.

    `random_sources`: sources get random ids too, where they may be persons.
    `digest_index`: records can be found by the digest of their payload (open ones only).
    `lanes`: into how many parts its sources are divided for accepting at the same time.
    """

    id = fields.String(validate=is_id)
    label = fields.String(required=True, validate=validate.Length(1, 200))
    open = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    random_sources = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    digest_index = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    lanes = fields.Integer(load_default=1, validate=validate.Range(1, 64))

    @validates_schema
    def fits(self, data: dict[str, Any], **kwargs: Any) -> None:
        """An open dataset has an id of its own choice, any other has none."""
        if data["open"] and "id" not in data:
            raise ValidationError("An open dataset needs an id.", "id")
        if not data["open"] and "id" in data:
            raise ValidationError("A dataset that isn't open gets a random id.", "id")
        if data["open"] and data["random_sources"]:
            raise ValidationError("An open dataset names its sources.", "random_sources")
        if data["digest_index"] and not data["open"]:
            raise ValidationError("Only an open dataset can be searched.", "digest_index")


class Dataset(Schema):
    """A dataset as it is shown."""

    id = fields.String(required=True)
    label = fields.String(required=True)
    open = fields.Boolean(required=True)
    random_sources = fields.Boolean(required=True)
    digest_index = fields.Boolean(required=True)
    lanes = fields.Integer(required=True)
    batches = fields.Integer(required=True)
    sealed_sources = fields.Integer(required=True)
    created_at = fields.String(required=True)
