# SPDX-License-Identifier: Apache-2.0
"""SenML's fields, their kinds and their sums (RFC 8428 sections 4 and 5)."""

import math
import re
from collections.abc import Callable
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from typing import Final

from iot_ingest.codecs.json_members import Object, bad_value
from notary.core.errors import MalformedText
from notary.core.strict_json import MAX_DIGITS, Number

VALUES: Final = ("v", "vs", "vb", "vd")
RELATIVE_BELOW: Final = 2**28
"""A time below is relative to now (section 4.5.3)."""
MAX_EXPONENT: Final = 400
MAX_NAME_CHARACTERS: Final = 1_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:./_-]*", re.ASCII)
_DATA = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
_VERSION = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_EXACT = Context(prec=MAX_DIGITS, traps=[Inexact, InvalidOperation])


def check_kind(record: Object, name: str, number: int) -> None:
    """Demand that a field is of its kind (table 1, section 5). Raises MalformedText."""
    kind, is_good = KINDS[name]
    if not is_good(record[name]):
        raise bad_value(f"{name} of record {number} must be {kind}.")


def _is_number(value: object) -> bool:
    return isinstance(value, Number)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, Number)


def _is_data(value: object) -> bool:
    """RFC 4648 section 5 without padding."""
    text = value if isinstance(value, str) and _is_text(value) else "!"
    return len(text) % 4 != 1 and _DATA.fullmatch(text) is not None


def _is_version(value: object) -> bool:
    return isinstance(value, Number) and _VERSION.fullmatch(value) is not None


_NUMBER = ("a number", _is_number)
_TEXT = ("text", _is_text)
KINDS: Final[dict[str, tuple[str, Callable[[object], bool]]]] = {
    "bver": ("a positive whole number", _is_version),
    "bn": _TEXT,
    "bt": _NUMBER,
    "bu": _TEXT,
    "bv": _NUMBER,
    "bs": _NUMBER,
    "n": _TEXT,
    "u": _TEXT,
    "v": _NUMBER,
    "vs": _TEXT,
    "vb": ("true or false", lambda value: isinstance(value, bool)),
    "vd": ("base64url without padding", _is_data),
    "s": _NUMBER,
    "t": _NUMBER,
    "ut": _NUMBER,
}
"""Each field that RFC 8428 defines: what it must be."""


def check_name(name: str, number: int) -> str:
    """A resolved name (section 4.5.1). Raises MalformedText."""
    if not name:
        raise MalformedText(f"Record {number} has neither bn nor n.", reason="missing")
    if len(name) > MAX_NAME_CHARACTERS:
        raise bad_value(f"The name of record {number} is longer than {MAX_NAME_CHARACTERS}.")
    if not _NAME.fullmatch(name):
        raise bad_value(
            f"The name of record {number} must begin with a letter or digit and hold nothing "
            "but A-Z a-z 0-9 - : . / _"
        )
    return name


def add(base: object, own: object, what: str, number: int) -> Number | None:
    """
    Base and own number: one of them as it was sent, where it is alone, or their exact sum.

    Raises:
        MalformedText: the sum would need more digits than anybody measures.
    """
    if base is None or own is None:
        found = own if base is None else base
        return found if isinstance(found, Number) else None
    try:
        text = f"{_EXACT.add(_decimal(str(base)), _decimal(str(own))):f}"
        if len(text) <= MAX_DIGITS and not math.isinf(float(text)):
            return Number(text)
    except DecimalException:
        pass
    raise bad_value(f"{what} of record {number} have no sum that is a number as it may be sent.")


def _decimal(text: str) -> Decimal:
    """Exponents are bounded, or one short number would fill the memory."""
    value = _EXACT.create_decimal(text)
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > MAX_EXPONENT:
        raise InvalidOperation
    return value


def is_absolute(time: Number) -> bool:
    """Whether a time counts from 1970 (section 4.5.3)."""
    return float(time) >= RELATIVE_BELOW
