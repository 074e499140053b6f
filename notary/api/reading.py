# SPDX-License-Identifier: Apache-2.0
"""How bodies and queries are read: strictly, and within bounds."""

import base64
import binascii
from typing import Any

from flask import request
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import UnsupportedMediaType

from notary.core import strict_json
from notary.core.errors import MalformedText

MAX_LIMIT = 1000


class StrictParser(FlaskParser):
    """Reads JSON bodies with strict_json; numbers become integers where they are some."""

    def load_json(self, req: Any, schema: Any) -> Any:
        """The body as JSON. Raises MalformedText or UnsupportedMediaType."""
        return plain(read_json())


def read_json() -> object:
    """The body of the request as JSON, numbers as text."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType()
    return strict_json.loads(request.get_data())


def plain(value: object) -> object:
    """Numbers as Python's; only for schemas that ask for some."""
    if isinstance(value, strict_json.Number):
        return float(value) if any(mark in value for mark in ".eE") else int(value)
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def limit() -> int:
    """`?limit=`, 100 unless told. Raises MalformedText out of 1 to 1000."""
    return number("limit", 100, 1, MAX_LIMIT)


def number(name: str, default: int, low: int, high: int) -> int:
    """A whole number of the query. Raises MalformedText."""
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and low <= int(text) <= high):
        raise MalformedText(f"{name} must be a whole number from {low} to {high}.")
    return int(text)


def cursor() -> str:
    """Where the page begins: what the last page's `next` said. Raises MalformedText."""
    text = request.args.get("cursor", "")
    try:
        return base64.urlsafe_b64decode(text.encode("ascii")).decode()
    except (binascii.Error, ValueError):
        raise MalformedText("The cursor is none that this notary gave.") from None


def cursor_number(default: int) -> int:
    """The same where pages go by number."""
    text = cursor()
    if not text:
        return default
    if not text.lstrip("-").isdigit() or len(text) > 18:
        raise MalformedText("The cursor is none that this notary gave.")
    return int(text)


def next_cursor(place: object) -> str:
    """The cursor of the next page, opaque to the caller."""
    return base64.urlsafe_b64encode(str(place).encode()).decode()
