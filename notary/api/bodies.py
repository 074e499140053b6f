# SPDX-License-Identifier: Apache-2.0
"""The whole body of a request, or none of it."""

from typing import Any

from flask import request
from marshmallow import Schema
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from notary.api.services import services
from notary.core.errors import MalformedText
from notary.core.words import check_key
from schemas.bodies import JSON_TYPE, parse_body
from schemas.faults import Fault, MalformedRequest, UnreadableBody


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


def read_idempotency_key() -> str | None:
    """
    The Idempotency-Key of the request, or None.

    Raises:
        MalformedRequest: it isn't one.
    """
    text = request.headers.get("Idempotency-Key")
    try:
        return None if text is None else check_key(text)
    except MalformedText:
        raise MalformedRequest(Fault("", "idempotency-key")) from None
