# SPDX-License-Identifier: Apache-2.0
"""Erasures on the wire: what is ordered, and what was done."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from notary.core.canonical import MAX_INTEGER
from schemas.fields import Flag, Id, Strict, Text, Time, Whole

MAX_CHAIN = MAX_VERSION = 2**31 - 1


class NewErasure(Strict):
    """
    A record (`source` and `n`, and `chain` unless it is the current one) or a `version`; who
    ordered its erasure, on what legal ground, and who does it. `dry_run`: only say what
    would remain.
    """

    source = Id()
    n = Whole(0, MAX_INTEGER)
    chain = Whole(0, MAX_CHAIN)
    version = Whole(1, MAX_VERSION)
    order = Text(500, required=True, metadata={"description": "Such as a letter or a judgement."})
    ground = Text(500, required=True, metadata={"description": "Told in receipts and on pages."})
    by = Text(200, required=True, metadata={"description": "The name of who does it."})
    dry_run = Flag(load_default=False)

    @validates_schema(skip_on_field_errors=True)
    def _check_together(self, data: Mapping[str, Any], **more: Any) -> None:
        """A record or a version, and not a half of either."""
        names = {"source", "n", "chain"} & data.keys()
        if "version" in data and names:
            raise ValidationError({name: ["record-or-version"] for name in sorted(names)})
        if "version" not in data:
            missing = {"source", "n"} - names
            if missing:
                raise ValidationError({name: ["missing"] for name in sorted(missing)})


class RemainsAnswer(Schema):
    """One thing that an erasure can't take away, and why it matters."""

    what = fields.String()
    detail = fields.String()


class ErasureAnswer(Schema):
    """
    What was erased, on whose order, when; `record`, which says so, has a receipt. `order` and
    `by` are missing once that record was erased itself.
    """

    dataset = fields.String()
    source = fields.String()
    chain = fields.Integer()
    n = fields.Integer()
    version = fields.Integer()
    order = fields.String(attribute="ordered")
    ground = fields.String()
    by = fields.String(attribute="done_by")
    at = Time(attribute="erased_at")
    record = fields.String(metadata={"description": "As dataset/source/chain/n."})
    remains = fields.List(fields.Nested(RemainsAnswer))
    links = fields.Dict()
