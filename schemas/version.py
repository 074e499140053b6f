# SPDX-License-Identifier: Apache-2.0
"""Versions on the wire: what may be asked of them, and what is answered."""

from marshmallow import Schema, fields

from schemas.answers import DatasetAnswer, ErasedAnswer, StateAnswer
from schemas.fields import Hash, Text, Time, Whole
from schemas.queries import AnyQuery, PageQuery

MAX_VERSION = 2**31 - 1


class NewVersionQuery(AnyQuery):
    """
    `name` is the file's name for people. `corrects` and `reason`: which earlier version this
    one corrects, and why. All are erasable and none is in the log but the number.
    """

    name = Text(255)
    corrects = Whole(1, MAX_VERSION, text=True)
    reason = Text(500)


class PublishingAnswer(Schema):
    """Where the key may hand in versions, and how many bytes one may have."""

    items = fields.List(fields.Nested(DatasetAnswer))
    next = fields.String(allow_none=True)
    max_bytes = fields.Integer()


class VersionsQuery(PageQuery):
    """A part of the versions of a dataset."""


class ChangesQuery(PageQuery):
    """
    `to` is the version that the one in the path is compared with, the newest unless it is
    given. `key`: the columns (members) that name a row, parted by commas; unless it is given
    what a Data Package said. Without any, a changed row is one removed and one added.
    """

    to = Whole(1, MAX_VERSION, text=True)
    key = Text(500)


class VersionAnswer(Schema):
    """
    A version: what the log says of it, how far it is, and its labels.

    `rows` is the number of leaves, a CSV file's header among them. `duplicate`: the newest
    version had these bytes already, and this is it.
    """

    dataset = fields.String()
    version = fields.Integer()
    profile = fields.String(metadata={"enum": ["csv-v1", "ndjson-v1", "none"]})
    rows = fields.Integer(attribute="count")
    root = Hash()
    digest = Hash()
    commitment = Hash()
    corrects = fields.Integer()
    corrected_by = fields.Integer()
    reason = fields.String()
    name = fields.String()
    type = fields.String()
    size_bytes = fields.Integer()
    by = fields.String(attribute="by_word")
    received = Time()
    erased = fields.Nested(ErasedAnswer)
    duplicate = fields.Boolean()
    state = fields.Nested(StateAnswer)
    links = fields.Dict()


class RowAnswer(Schema):
    """One row: its bytes as they are in the leaf, and what they say."""

    dataset = fields.String()
    version = fields.Integer()
    row = fields.Integer()
    profile = fields.String()
    bytes_base64 = fields.String(metadata={"format": "byte"})
    cells = fields.List(fields.String(), metadata={"description": "Of a row of csv-v1."})
    text = fields.String(metadata={"description": "Of a row of ndjson-v1."})
    links = fields.Dict()


class ChangeAnswer(Schema):
    """A row that was added, removed or changed: its numbers and what it says, CSV as cells."""

    change = fields.String(metadata={"enum": ["added", "removed", "changed"]})
    before_row = fields.Integer()
    after_row = fields.Integer()
    before = fields.Raw()
    after = fields.Raw()


class ChangesAnswer(Schema):
    """How many rows of two versions are the same, added, removed, changed, and some of those."""

    dataset = fields.String()
    before = fields.Integer()
    after = fields.Integer()
    profile = fields.String()
    key = fields.List(fields.String())
    same = fields.Integer()
    added = fields.Integer()
    removed = fields.Integer()
    changed = fields.Integer()
    items = fields.List(fields.Nested(ChangeAnswer))
    next = fields.String(allow_none=True)
