# SPDX-License-Identifier: Apache-2.0
"""RFC 9457: the one form of every error."""

from marshmallow import Schema, fields


class Problem(Schema):
    """A problem; `detail` is for people, `type` and `errors` for programs."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String()
    errors = fields.List(fields.Dict())
