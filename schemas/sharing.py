# SPDX-License-Identifier: Apache-2.0
"""What is said of grants, and of what was handed over under them."""

from marshmallow import Schema, fields

from notary.core.canonical import MAX_INTEGER
from schemas.fields import Hash, Id, Moment, Strict, Text, Time, Whole

MAX_VERSION = 2**31 - 1


class NewGrant(Strict):
    """
    To which department, what for, and by which approval. Without `version` the whole dataset;
    until it is withdrawn, or until a time.
    """

    to = Id(required=True)
    purpose = Text(500, required=True)
    approval = Text(128, required=True, metadata={"description": "The approval's number."})
    version = Whole(1, MAX_VERSION)
    until = Moment()


class GrantAnswer(Schema):
    """A grant: it holds until `until` or until it was `withdrawn`."""

    id = fields.String()
    dataset = fields.String()
    version = fields.Integer()
    to = fields.String(attribute="department")
    purpose = fields.String()
    approval = fields.String()
    made = Time(attribute="made_at")
    until = Time()
    withdrawn = Time(attribute="withdrawn_at")
    links = fields.Dict()


class SharingRecordAnswer(Schema):
    """
    A record about a grant: a `grant`, a `withdrawal` or a `hand-over`. `says` is its payload,
    empty once that was erased; `leaf` is in the log.
    """

    grant = fields.String(attribute="granted")
    to = fields.String(attribute="department")
    number = fields.Integer(metadata={"minimum": 0, "maximum": MAX_INTEGER})
    kind = fields.String()
    received = Time()
    leaf = Hash()
    says = fields.Dict()
    links = fields.Dict()
