# SPDX-License-Identifier: Apache-2.0
"""How answers are written: JSON with UTC times and hex hashes, pages, cached files."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from notary.api.reading import next_cursor
from notary.core.words import format_time

FOREVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=2"


def _default(value: object) -> str:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(type(value).__name__)


def answer(body: object, status: int = 200, cache: str | None = None) -> Response:
    """JSON; times in UTC with six decimals, bytes in hex."""
    text = json.dumps(body, ensure_ascii=False, default=_default)
    response = Response(text, status, mimetype="application/json")
    if cache:
        response.headers["Cache-Control"] = cache
    return response


def page(items: Sequence[Mapping[str, Any]], limit: int, place: str) -> Response:
    """One page `{items, next}`; `place` is the member that the next one goes on from."""
    more = len(items) == limit and bool(items)
    token = next_cursor(items[-1][place]) if more else None
    response = answer({"items": items, "next": token})
    if token:
        arguments = {**request.args, "cursor": token}
        response.headers["Link"] = f'<{request.path}?{urlencode(arguments)}>; rel="next"'
    return response


def fixed(data: bytes | str, mimetype: str, etag: str | None = None) -> Response:
    """What never changes: cached for good, 304 where the caller has it."""
    response = Response(data, mimetype=mimetype)
    response.headers["Cache-Control"] = FOREVER
    if etag is None:
        response.add_etag()
    else:
        response.set_etag(etag)
    response.make_conditional(request)
    return response
