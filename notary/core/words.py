# SPDX-License-Identifier: Apache-2.0
"""
The small words of which statements, descriptors and runs are made.

Each kind has one spelling and one check; all raise MalformedText.
"""

import re
from datetime import UTC, datetime
from typing import Final

from notary.core.canonical import MAX_INTEGER
from notary.core.errors import MalformedText

MAX_ID_CHARACTERS: Final = 128
MAX_OBSERVED_CHARACTERS: Final = 64
MAX_KEY_CHARACTERS: Final = 128
ZERO_HASH: Final = bytes(32)

_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*", re.ASCII)
_BY = re.compile(r"acl|none|(key|bad-signature|api):[A-Za-z0-9._:-]{1,128}", re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def check_id(text: object, what: str = "id") -> str:
    """A dataset's or source's id: 1 to 128 of `A-Z a-z 0-9 . _ : -`, neither `.` nor `..`."""
    if not isinstance(text, str) or not _ID.fullmatch(text) or text in (".", ".."):
        raise MalformedText(
            f"The {what} must be 1 to {MAX_ID_CHARACTERS} characters of A-Z a-z 0-9 . _ : -",
            what=what,
        )
    return text


def check_string(text: object, what: str, max_characters: int) -> str:
    """A string from outside: Unicode scalar values without U+0000 to U+001F and U+007F."""
    if not isinstance(text, str) or not 1 <= len(text) <= max_characters:
        raise MalformedText(f"The {what} must have 1 to {max_characters} characters.", what=what)
    # Printable ASCII, by far the most, needs no closer look.
    if not (text.isascii() and text.isprintable()) and _CONTROL.search(text):
        raise MalformedText(
            f"The {what} holds a control character or half of a surrogate pair.", what=what
        )
    return text


def check_observed(text: object) -> str:
    """The sender's time as it was sent: at most 64 characters, not interpreted."""
    return check_string(text, "observed time", MAX_OBSERVED_CHARACTERS)


def check_key(text: object) -> str:
    """The sender's message id as it was sent: at most 128 characters."""
    return check_string(text, "key", MAX_KEY_CHARACTERS)


def check_type(text: object) -> str:
    """A media type without parameters, lower case, at most 127 characters."""
    if not isinstance(text, str) or len(text) > 127 or not _TYPE.fullmatch(text):
        raise MalformedText("The media type must be type/subtype in lower case.", what="type")
    return text


def check_by(text: object) -> str:
    """What is known of the sender: acl, none, key:<id>, bad-signature:<id>, api:<id>."""
    if not isinstance(text, str) or not _BY.fullmatch(text):
        raise MalformedText("The word for the sender is not one of the format's.", what="by")
    return text


def check_count(value: object, what: str, minimum: int = 0) -> int:
    """An integer from `minimum` to 2^53 - 1; true and false are none."""
    if type(value) is not int or not minimum <= value <= MAX_INTEGER:
        raise MalformedText(f"The {what} must be an integer of at least {minimum}.", what=what)
    return value


def parse_hash(text: object, what: str = "hash") -> bytes:
    """32 bytes as 64 lower-case hexadecimal digits."""
    if not isinstance(text, str) or not _HASH.fullmatch(text):
        raise MalformedText(f"The {what} must be 64 lower-case hexadecimal digits.", what=what)
    return bytes.fromhex(text)


def check_hash(value: bytes, what: str = "hash") -> bytes:
    """32 bytes, on their way to a text."""
    if len(value) != 32:
        raise MalformedText(f"The {what} must have exactly 32 bytes.", what=what)
    return value


def format_time(time: datetime) -> str:
    """UTC with six decimals: `2026-11-24T23:32:34.123456Z`. Refuses a time without zone."""
    if time.tzinfo is None:
        raise MalformedText("A time has no zone.")
    return time.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def parse_time(text: object, what: str = "time") -> datetime:
    """The time that `format_time` wrote; leap seconds and other spellings are refused."""
    if isinstance(text, str) and _TIME.fullmatch(text):
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            time = None
        # Some versions of Python read more than one spelling, such as hour 24.
        if time is not None and format_time(time) == text:
            return time
    raise MalformedText(f"The {what} must be UTC like 2026-11-24T23:32:34.123456Z", what=what)
