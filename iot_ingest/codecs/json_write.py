# SPDX-License-Identifier: Apache-2.0
"""
JSON of values that notary.core.strict_json has read, for payloads that are resolved from a
message: numbers as the texts that were sent, members in the order of the dict, no blanks,
strings as RFC 8785 section 3.2.2.2 writes them. One value has one text.
"""

from json.encoder import encode_basestring
from typing import Final

from notary.core.errors import MalformedText
from notary.core.strict_json import Number

_WORDS: Final = {True: "true", False: "false", None: "null"}


def write(value: object) -> str:
    """
    Write a value of dict, list, str, Number, bool and None.

    Raises:
        MalformedText: its brackets are nested too deep.
    """
    try:
        return _write(value)
    except RecursionError:
        raise MalformedText("Its brackets are nested too deep.", reason="too-deep") from None


def _write(value: object) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_write(k)}:{_write(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_write, value)) + "]"
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    raise TypeError(f"a {type(value).__name__} is no value of JSON")
