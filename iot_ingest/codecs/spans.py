# SPDX-License-Identifier: Apache-2.0
"""
Where the parts of a JSON text stand, so that a part can be kept as it was sent.

Requires a text that notary.core.strict_json has read: nothing is checked again here.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str)
_BLANK: Final = re.compile(r"[ \t\r\n]*")

Span = tuple[int, int]
"""Where a value begins, and where it ends (exclusive)."""


def begin(text: str) -> int:
    """Where the text's value begins."""
    return _skip(text, 0)


def elements(text: str, at: int) -> Iterator[Span]:
    """The spans of a list's elements; the list begins at `at`."""
    at = _skip(text, at + 1)
    while text[at] != "]":
        end = _end(text, at)
        yield at, end
        at = _next(text, end)


def members(text: str, at: int) -> Iterator[tuple[str, Span]]:
    """The names of an object's members and the spans of their values."""
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        end = _end(text, at)
        yield name, (at, end)
        at = _next(text, end)


def member(text: str, at: int, name: str) -> Span:
    """The span of one member's value. Raises KeyError where it isn't there."""
    return dict(members(text, at))[name]


def _end(text: str, at: int) -> int:
    return _DECODER.raw_decode(text, at)[1]


def _next(text: str, at: int) -> int:
    """Where the next part begins, or the closing bracket stands."""
    at = _skip(text, at)
    return _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    assert match is not None
    return match.end()
