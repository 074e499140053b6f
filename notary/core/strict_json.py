# SPDX-License-Identifier: Apache-2.0
"""
JSON from outside, read strictly (RFC 8259, RFC 7493).

Refused is what two readers could understand differently, or none: members that stand twice,
halves of surrogate pairs, U+0000, numbers that overflow or have more digits than readers
take, NaN, depth without end. Numbers come back as the text that was sent.
"""

import json
import math
import re
from typing import Final, NoReturn

from notary.core.errors import MalformedText

MAX_DIGITS: Final = 400
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_BROKEN = re.compile("[\x00\ud800-\udfff]")


class Number(str):
    """A number, as the text that was sent."""

    __slots__ = ()


def loads(data: bytes) -> object:
    """
    Read JSON in UTF-8.

    Raises:
        MalformedText: with `reason` not-utf-8, not-json, bad-value or too-deep.
    """
    try:
        value: object = _DECODER.decode(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise MalformedText("The bytes are not UTF-8.", reason="not-utf-8") from None
    except RecursionError:
        raise MalformedText("Its brackets are nested too deep.", reason="too-deep") from None
    except ValueError:
        raise MalformedText("It is not JSON.", reason="not-json") from None
    if is_suspect(data):
        check_strings(value)
    return value


def scan(text: str, at: int) -> tuple[object, int]:
    """
    Read the one value that begins at `at`, as part of a larger text; the value, and where it
    ends (exclusive).

    Its strings aren't looked at: `check_strings` does it.

    Raises:
        MalformedText: with `reason` not-json, bad-value or too-deep.
    """
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise MalformedText("Its brackets are nested too deep.", reason="too-deep") from None
    except ValueError:
        raise MalformedText("It is not JSON.", reason="not-json") from None


def is_suspect(data: bytes) -> bool:
    """Whether UTF-8 holds an escape that `check_strings` could refuse."""
    return _SUSPECT.search(data) is not None


def _bad(detail: str) -> MalformedText:
    return MalformedText(detail, reason="bad-value")


def _number(text: str) -> Number:
    if len(text) > MAX_DIGITS:
        raise _bad(f"A number has more than {MAX_DIGITS} characters.")
    if math.isinf(float(text)):
        raise _bad("A number is too large.")
    return Number(text)


def _constant(text: str) -> NoReturn:
    raise _bad(f"{text} is not JSON.")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _bad("A member stands twice.")
    return members


_DECODER = json.JSONDecoder(
    parse_float=_number, parse_int=_number, parse_constant=_constant, object_pairs_hook=_object
)


def check_strings(value: object) -> None:
    """
    Refuse U+0000 and halves of surrogate pairs in a value's strings and names.

    Only needed where `is_suspect` saw such an escape in the bytes. Raises MalformedText.
    """
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            if _BROKEN.search(item):
                raise _bad("A string holds U+0000 or half of a surrogate pair.")
        elif isinstance(item, dict):
            todo += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            todo += item
