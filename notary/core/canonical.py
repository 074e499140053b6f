# SPDX-License-Identifier: Apache-2.0
"""
Canonical JSON (RFC 8785) of the notary's own documents.

Only what they need: objects with ASCII names, arrays, strings of Unicode scalar
values, integers of at most 2^53 - 1, true, false, null. Numbers with a fraction or
an exponent don't occur, so every value has exactly one spelling. See docs/spec/json-v1.md.
"""

import json
from typing import NoReturn

from notary.core.errors import MalformedText

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 64
"""So deep may arrays and objects be nested, the outermost being the first."""


def dumps(value: object) -> str:
    """
    Write a value as canonical JSON.

    Raises:
        MalformedText: a value has no canonical form here.

    RFC 8785 section 3.2.
    """
    _check(value, 1)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def loads(text: str, *, max_bytes: int) -> object:
    """
    Read canonical JSON: hash the text first, then parse it here.

    The text must be exactly what `dumps` writes for its value.

    Raises:
        MalformedText: it is longer than `max_bytes` of UTF-8, or not canonical.
    """
    # json-v1.md, step 1: no half of a surrogate pair, so it is UTF-8.
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise MalformedText("The text holds a lone surrogate.") from None
    # json-v1.md, step 2.
    if size > max_bytes:
        raise MalformedText(f"The text is longer than {max_bytes} bytes.")
    # json-v1.md, step 3.
    try:
        value: object = json.loads(
            text, object_pairs_hook=_object, parse_float=_refuse, parse_constant=_refuse
        )
        canonical = dumps(value)
    except (ValueError, RecursionError):
        raise MalformedText("The text is not JSON.") from None
    # json-v1.md, step 4.
    if canonical != text:
        raise MalformedText("The text is not in canonical form (RFC 8785).", reason="not-canonical")
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedText("A member stands twice.")
    return members


def _refuse(text: str) -> NoReturn:
    raise MalformedText("Only integers are allowed as numbers.")


def _check(value: object, depth: int) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise MalformedText("A string holds a lone surrogate.") from None
    elif isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise MalformedText("An integer is larger than 2^53 - 1.")
    elif isinstance(value, dict):
        _check_depth(depth)
        for name, member in value.items():
            if not isinstance(name, str) or not name.isascii():
                raise MalformedText("The name of a member is not ASCII.")
            _check(member, depth + 1)
    elif isinstance(value, list | tuple):
        _check_depth(depth)
        for item in value:
            _check(item, depth + 1)
    else:
        raise MalformedText(f"A {type(value).__name__} has no canonical form.")


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MalformedText(f"It is nested more than {MAX_DEPTH} deep.")
