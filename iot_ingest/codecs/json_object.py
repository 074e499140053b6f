# SPDX-License-Identifier: Apache-2.0
"""
JSON: one object a message (`json`), or one a line (`ndjson`).

Refused is what two readers could understand differently, or none: halves of surrogate
pairs, U+0000, numbers that overflow or have more digits than readers take, depth without
end, NaN. The bytes are the evidence; decoding only looks for time and id.
"""

import json
import math
import re
from collections.abc import Sequence
from typing import NoReturn

from iot_ingest.codecs import Decoded, Fault, Members

MAX_DIGITS = 400
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|[0-9]{%d}" % MAX_DIGITS)
_BROKEN = re.compile("[\x00\ud800-\udfff]")


class _Refused(ValueError):
    """A value that isn't taken; carries the sentence."""


def decode_json(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """One JSON object."""
    return [_decode(payload, members)]


def decode_ndjson(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """One JSON object a line; empty lines are passed over, a line's bytes are kept."""
    lines = [line.removesuffix(b"\r") for line in payload.split(b"\n")]
    found = [_decode(line, members) for line in lines if line.strip()]
    return found or [Fault(payload, "empty", "The message holds no line.")]


def _decode(payload: bytes, members: Members) -> Decoded | Fault:
    try:
        value = _DECODER.decode(payload.decode("utf-8"))
        if not isinstance(value, dict):
            raise _Refused("It is JSON, and not an object.")
        if _SUSPECT.search(payload):
            _look_at_strings(value)
        return Decoded(payload, _member(value, members.observed), _member(value, members.key))
    except UnicodeDecodeError:
        return Fault(payload, "not-utf-8", "The bytes are not UTF-8.")
    except _Refused as refused:
        return Fault(payload, "bad-value", str(refused))
    except RecursionError:
        return Fault(payload, "too-deep", "Its brackets are nested too deep.")
    except ValueError:
        return Fault(payload, "not-json", "It is not JSON.")


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _Refused("A number is too large.")
    return value


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _Refused(f"A number has more than {MAX_DIGITS} digits.")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise _Refused(f"{text} is not JSON.")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Refused("A member stands twice.")
    return members


_DECODER = json.JSONDecoder(
    parse_float=_float, parse_int=_int, parse_constant=_constant, object_pairs_hook=_object
)


def _look_at_strings(value: object) -> None:
    """Only where an escape or a long number was seen in the bytes."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            if _BROKEN.search(item):
                raise _Refused("A string holds U+0000 or half of a surrogate pair.")
        elif isinstance(item, dict):
            todo += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            todo += item


def _member(value: dict[str, object], name: str | None) -> str | None:
    """A member as the text that was sent; numbers as JSON writes them."""
    found = None if name is None else value.get(name)
    if found is None or isinstance(found, dict | list):
        return None
    return found if isinstance(found, str) else json.dumps(found)
