# SPDX-License-Identifier: Apache-2.0
"""
SenML as CBOR (RFC 8428 section 6): the same records, resolved to the same JSON objects.

Integers are written as they are; a decimal fraction (tag 4) exactly, in decimal notation; a
float of any width as the shortest decimal that reads back as the same IEEE 754 double; bytes
as base64url without padding. Refused is what a reader could take for something else: labels
as text that have a number, other tags than 2 to 4, NaN and infinities, undefined, simple
values, what is left behind the pack.
"""

import math
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any, Final, NoReturn

import cbor2

from iot_ingest.codecs import Decoded, Fault, Members
from iot_ingest.codecs.json_array import MAX_ELEMENTS
from iot_ingest.codecs.json_members import bad_value, fault_of
from iot_ingest.codecs.senml_fields import KINDS, MAX_EXPONENT
from iot_ingest.codecs.senml_resolve import resolve
from notary.core.errors import MalformedText
from notary.core.strict_json import MAX_DIGITS, Number, check_strings

MAX_DEPTH: Final = 64
LABELS: Final = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
"""Table 6; no more integers will be defined."""
OF_THE_PACK: Final = (-1, -2, -3, -4, -5, -6)


def decode_senml_cbor(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """A reading or a fault for each record; one fault where the pack is broken."""
    try:
        pack = _load(payload)
        if not isinstance(pack, list):
            raise bad_value("It is CBOR, and not an array.")
        if not pack:
            raise MalformedText("The pack is an empty array.", reason="empty")
        if len(pack) > MAX_ELEMENTS:
            raise MalformedText(
                f"The pack has more than {MAX_ELEMENTS} records.", reason="too-many"
            )
        found = resolve([_record(record, number) for number, record in enumerate(pack)], members)
    except MalformedText as error:
        return [fault_of(payload, error)]
    return list(_with_packs(pack, found))


def _with_packs(
    pack: Sequence[dict[object, object]], found: Sequence[Decoded | MalformedText]
) -> Iterator[Decoded | Fault]:
    """What is set aside is a pack again: the record with the base fields in force."""
    base: dict[object, object] = {}
    for record, item in zip(pack, found, strict=True):
        base |= {label: record[label] for label in OF_THE_PACK if label in record}
        if isinstance(item, Decoded):
            yield item
        else:
            yield fault_of(cbor2.dumps([base | record]), item)


def _refuse_tag(*found: Any) -> NoReturn:
    raise ValueError("tag")


_TAGS: Final = dict.fromkeys(
    (0, 1, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799),
    _refuse_tag,
)
"""What cbor2 would make a value of its own of; any other tag comes to the hook."""


def _load(payload: bytes) -> object:
    """RFC 8949, of definite or indefinite length; a label that stands twice is an error."""
    stream = BytesIO(payload)
    try:
        value: object = cbor2.CBORDecoder(
            stream,
            tag_hook=_refuse_tag,
            semantic_decoders=_TAGS,
            max_depth=MAX_DEPTH,
            allow_duplicate_keys=False,
        ).decode()
    except (cbor2.CBORDecodeError, ArithmeticError, ValueError, TypeError):
        raise MalformedText("It is not CBOR as SenML has it.", reason="not-cbor") from None
    if stream.read(1):
        raise MalformedText("Something is left behind the pack.", reason="not-cbor")
    return value


def _record(record: object, number: int) -> object:
    """
    A record by its labels as text, in the values of strict_json; a MalformedText where a
    value is none of them, or for a record of which a label means nothing.

    Raises:
        MalformedText: it isn't a map, or it holds a label that could be of the pack.
    """
    if not isinstance(record, dict):
        raise bad_value(f"Record {number} is not a map.")
    found: dict[str, object] = {}
    for label, value in record.items():
        name = LABELS.get(label) if type(label) is int else label
        if not isinstance(name, str) or label in KINDS:
            shown = str(label)[:40]
            raise bad_value(f"Record {number} has the label {shown!r}, which SenML has not.")
        try:
            if isinstance(value, bytes) != (name == "vd") and name in KINDS:
                raise bad_value(f"Of record {number}, vd must be bytes, and nothing else.")
            if name == "bver" and type(value) is not int:
                raise bad_value(f"bver of record {number} must be an integer.")
            found[name] = _value(value)
            check_strings({name: found[name]})
        except MalformedText as error:
            found[name] = error
    return found


def _value(value: object) -> object:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, bytes):
        return urlsafe_b64encode(value).rstrip(b"=").decode()
    if isinstance(value, int):
        if value.bit_length() > 1_023:
            raise bad_value("A number is too large.")
        return Number(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise bad_value("NaN and infinities are no numbers here.")
        return Number(repr(value))
    if isinstance(value, Decimal):
        return _fraction(value)
    if isinstance(value, list | tuple):
        return [_value(item) for item in value]
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return {name: _value(item) for name, item in value.items()}
    raise bad_value("A value is none that JSON has.")


def _fraction(value: Decimal) -> Number:
    """Tag 4 with bounds, as an exponent alone could fill the memory."""
    if not value.is_finite() or abs(int(value.as_tuple().exponent)) > MAX_EXPONENT:
        raise bad_value("A decimal fraction is out of bounds.")
    text = f"{value:f}"
    if len(text) > MAX_DIGITS or math.isinf(float(text)):
        raise bad_value("A decimal fraction has too many digits.")
    return Number(text)
