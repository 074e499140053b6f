# SPDX-License-Identifier: Apache-2.0
"""What a department says when it creates a dataset."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from notary.core.policy import parse_keep
from schemas.fields import CODES, Checked, Flag, Id, Strict, Text, Whole

SHARING = ("unconditional", "conditional", "not-shared")


class Sharing(fields.String):
    """The sharing attribute in the terms of State Council Order 809."""

    def __init__(self) -> None:
        super().__init__(validate=validate.OneOf(SHARING, error="sharing"), error_messages=CODES)


class Keep(Checked):
    """For how long content stays here: `all` (for good), `none`, or a number of days."""

    def __init__(self) -> None:
        metadata = {"pattern": "^(all|none|[1-9][0-9]{0,4} days?)$"}
        super().__init__(parse_keep, "keep", metadata=metadata)


class NewDataset(Strict):
    """
    A dataset is closed unless created open. An open one has the id that its owner gives
    it, any other a random one, because its id is seen in the public log.

    `random_sources`: sources get random ids too, where they may be persons.
    `digest_index`: records can be found by the digest of their payload (open ones only).
    `lanes`: into how many parts its sources are divided for accepting at the same time.
    `sharing`: what is open is shared unconditionally; else nothing is, unless it is said.
    """

    id = Id()
    label = Text(200, required=True, metadata={"description": "A name for people."})
    open = Flag(load_default=False)
    random_sources = Flag(load_default=False)
    digest_index = Flag(load_default=False)
    lanes = Whole(1, 64, load_default=4)
    licence = Text(200)
    catalogue = Text(128, metadata={"description": "Its code in the data catalogue."})
    sharing = Sharing()
    classification = Text(64)
    update_cycle = Text(64)
    keep = Keep()

    @validates_schema(skip_on_field_errors=True)
    def _check_together(self, data: Mapping[str, Any], **more: Any) -> None:
        """The id belongs to open datasets, random sources to the others."""
        wrong: dict[str, list[str]] = {}
        if data["open"] and "id" not in data:
            wrong["id"] = ["missing"]
        if not data["open"] and "id" in data:
            wrong["id"] = ["only-open"]
        if not data["open"] and data["digest_index"]:
            wrong["digest_index"] = ["only-open"]
        if data["open"] and data["random_sources"]:
            wrong["random_sources"] = ["only-closed"]
        if data["open"] and data.get("sharing", "unconditional") != "unconditional":
            wrong["sharing"] = ["only-closed"]
        if wrong:
            raise ValidationError(wrong)


class DatasetChange(Strict):
    """What is said of a dataset, as far as it is to change; null takes a word back."""

    label = Text(200)
    licence = Text(200, allow_none=True)
    catalogue = Text(128, allow_none=True)
    sharing = Sharing()
    classification = Text(64, allow_none=True)
    update_cycle = Text(64, allow_none=True)
    keep = Keep()
