# SPDX-License-Identifier: Apache-2.0
"""How answers are written: JSON, pages of long lists, and what is cached for how long."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from flask import Response, request
from marshmallow import Schema

from schemas.faults import Fault, MalformedQuery

FOREVER: Final = "public, max-age=31536000, immutable"
FOREVER_FOR_ONE: Final = "private, max-age=31536000, immutable"
BRIEFLY: Final = "public, max-age=2"
ASK_AGAIN: Final = "no-cache"

_Row = TypeVar("_Row", bound=Mapping[str, Any])


def answer(body: object, status: int = 200, cache: str | None = None) -> Response:
    """A JSON answer; not to be kept by anyone unless `cache` says so."""
    response = Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/json")
    if cache:
        response.headers["Cache-Control"] = cache
    return response


def page(
    rows: Sequence[_Row],
    limit: int,
    schema: Schema,
    place: Callable[[_Row], tuple[object, ...]],
    show: Callable[[_Row], Mapping[str, Any]] = dict,
    **more: object,
) -> Response:
    """
    The answer for rows of which one more than `limit` was asked for.

    `place` gives the parts of the cursor that goes on after a row, `show` its members; `more`
    stands beside the items.
    """
    items = rows[:limit]
    following = write_cursor(*place(items[-1])) if len(rows) > limit else None
    shown = [schema.dump(show(item)) for item in items]
    response = answer({"items": shown, "next": following, **more})
    if following is not None:
        query = urlencode({**request.args.to_dict(), "cursor": following})
        response.headers["Link"] = f'<{request.path}?{query}>; rel="next"'
    return response


def write_cursor(*parts: object) -> str:
    """A place in a list as one word for a URL. Nothing in it is secret."""
    return urlsafe_b64encode("\n".join(map(str, parts)).encode()).decode().rstrip("=")


def read_cursor(text: str | None, *kinds: Callable[[str], Any]) -> list[Any] | None:
    """
    The place that `write_cursor` wrote, its parts converted by `kinds`, or None.

    Raises:
        MalformedQuery: it is not one of this list's cursors.
    """
    if text is None:
        return None
    try:
        data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
        parts = [kind(part) for kind, part in zip(kinds, data.split("\n"), strict=True)]
        if write_cursor(*parts) != text:
            raise ValueError(text)
        return parts
    except ValueError:
        raise MalformedQuery(Fault("/cursor", "cursor")) from None


def number(text: str) -> int:
    """A whole number of at most 16 digits, for a cursor. Raises ValueError."""
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise ValueError(text)
    return int(text)


def word(text: str) -> str:
    """A printable word of ASCII, for a cursor. Raises ValueError."""
    if not (text.isascii() and text.isprintable()):
        raise ValueError(text)
    return text


def fixed(data: bytes | str, mimetype: str, cache: str = FOREVER) -> Response:
    """What stays as it is, with its ETag; 304 where the caller has it."""
    raw = data.encode() if isinstance(data, str) else data
    tag = sha256(raw).hexdigest()[:32]
    headers = {"ETag": f'"{tag}"', "Cache-Control": cache}
    if "If-None-Match" in request.headers and request.if_none_match.contains_weak(tag):
        return Response(status=304, headers=headers)
    return Response(raw, 200, headers, mimetype=mimetype)


def streamed(parts: Iterable[bytes], mimetype: str) -> Response:
    """What is long and never changes, part by part."""
    return Response(parts, 200, {"Cache-Control": FOREVER}, mimetype=mimetype)
