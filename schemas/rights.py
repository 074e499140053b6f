# SPDX-License-Identifier: Apache-2.0
"""What is said of departments and API keys over HTTP."""

from marshmallow import Schema, fields, validate

from schemas.fields import CODES, Id, Strict, Text, Time, Whole

SCOPES = ("read", "write", "manage", "share", "erase", "admin")
MAX_DAYS, YEAR_DAYS = 1_096, 365
MAX_OVERLAP_HOURS, OVERLAP_HOURS = 720, 24
MAX_DATASETS = 100


class NewDepartment(Strict):
    """A department: an id that stays, and a name for people."""

    id = Id(required=True)
    name = Text(200, required=True)


class DepartmentAnswer(Schema):
    """A department. Once it is closed its keys have ended, and its datasets stay."""

    id = fields.String()
    name = fields.String()
    created = Time(attribute="created_at")
    closed = Time(attribute="closed_at")


class Scope(fields.String):
    """One of the things that a key may do."""

    def __init__(self) -> None:
        validator = validate.OneOf(SCOPES, error="scope")
        super().__init__(validate=validator, error_messages=CODES)


class NewApiKey(Strict):
    """
    A key of the asking key's department; `department` is for the operator's keys. It may do
    no more than the asking key, unless that is the operator's. `datasets`: for these alone.
    """

    department = Id()
    scopes = fields.List(
        Scope(), required=True, validate=validate.Length(1, 6, error="scopes"), error_messages=CODES
    )
    datasets = fields.List(
        Id(),
        validate=validate.Length(1, MAX_DATASETS, error="too-many-datasets"),
        error_messages=CODES,
    )
    days = Whole(1, MAX_DAYS, load_default=YEAR_DAYS)


class Rotation(Strict):
    """For how many hours the old key stays valid beside the new one."""

    overlap_hours = Whole(0, MAX_OVERLAP_HOURS, load_default=OVERLAP_HOURS)


class MadeKeyAnswer(Schema):
    """A new key: `key` is shown only here, and only now."""

    id = fields.String()
    key = fields.String()


class ApiKeyAnswer(Schema):
    """A key, without its secret. `used`: its last use, to the hour."""

    id = fields.String()
    department = fields.String()
    scopes = fields.List(fields.String())
    datasets = fields.List(fields.String())
    created = Time(attribute="created_at")
    expires = Time(attribute="expires_at")
    used = Time(attribute="used_at")
    revoked = Time(attribute="revoked_at")
