# SPDX-License-Identifier: Apache-2.0
"""The whole body of a request, or none of it."""

from typing import Any

from flask import request
from marshmallow import Schema
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from notary.api.services import services
from schemas.bodies import JSON_TYPE, parse_body
from schemas.faults import Fault, UnreadableBody


def read_body() -> bytes:
    """
    Read the body, which must be there whole.

    The web framework itself hands out the beginning of a body without a stated length
    that goes beyond the limit, and of one whose sender went away.

    Raises:
        RequestEntityTooLarge: it reaches the limit.
        UnreadableBody: it is shorter than was said.
    """
    data = request.get_data()
    stated = request.content_length
    if stated is None and len(data) >= services().max_body_bytes:
        raise RequestEntityTooLarge()
    if stated is not None and len(data) != stated:
        raise UnreadableBody(Fault("", "cut-short"))
    return data


def read_json(schema: Schema) -> dict[str, Any]:
    """
    Read the body as one JSON object by a schema.

    Raises:
        UnsupportedMediaType: it isn't said to be JSON.
        UnreadableBody, MalformedRequest: it isn't, or not the schema's.
    """
    if request.mimetype != JSON_TYPE:
        raise UnsupportedMediaType()
    return parse_body(read_body(), schema)
