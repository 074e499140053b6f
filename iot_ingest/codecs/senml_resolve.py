# SPDX-License-Identifier: Apache-2.0
"""SenML packs are resolved (RFC 8428 section 4.6), whatever they were written in."""

from collections.abc import Sequence
from typing import Final

from iot_ingest.codecs import Decoded, Members, too_large
from iot_ingest.codecs.json_members import Object, bad_value
from iot_ingest.codecs.json_write import write
from iot_ingest.codecs.senml_fields import KINDS, VALUES, add, check_kind, check_name, is_absolute
from notary.core.errors import MalformedText
from notary.core.strict_json import Number
from notary.core.words import check_id, check_observed

VERSION: Final = "10"
UNDERSTOOD: Final = (VERSION, "26")
"""RFC 8428, and with the secondary units of RFC 9100, which are taken as they are."""
BASES: Final = ("bn", "bt", "bu", "bv", "bs")


def resolve(records: Sequence[object], members: Members) -> list[Decoded | MalformedText]:
    """
    A reading for each record, or why it is none.

    Records come in the values of strict_json; a MalformedText stands for a record, or for a
    field of one, that can't be read.

    Raises:
        MalformedText: no record can be trusted: by a version or a field that must be
            understood and isn't, or by a base field.
    """
    version = VERSION
    for number, record in enumerate(records):
        if isinstance(record, dict):
            version = _check_pack(record, number, version)
        elif not isinstance(record, MalformedText):
            raise bad_value(f"Record {number} is not an object.")
    base: Object = {}
    found: list[Decoded | MalformedText] = []
    for number, record in enumerate(records):
        if not isinstance(record, dict):
            assert isinstance(record, MalformedText)
            found.append(record)
            continue
        for name in BASES:
            if name in record:  # in force until the next of its kind
                base[name] = record[name]
        try:
            found.append(_resolve(record, number, base, version, members))
        except MalformedText as error:
            found.append(error)
    return found


def _check_pack(record: Object, number: int, version: str) -> str:
    """Check what a record tells of the pack (sections 4.1 and 4.4); the pack's version."""
    for name in record:
        if name.endswith("_"):
            raise MalformedText(
                f"Record {number} has the field {name[:40]}, which must be understood, "
                "and isn't known here.",
                reason="not-understood",
            )
        if name in BASES:
            check_kind(record, name, number)
    if "bver" not in record:
        return version
    check_kind(record, "bver", number)
    told = str(record["bver"])
    if told not in UNDERSTOOD:
        raise MalformedText(
            f"Record {number} has bver {told}; known here are {' and '.join(UNDERSTOOD)}.",
            reason="not-understood",
        )
    if number and told != version:
        raise bad_value(f"Record {number} has another bver than those before it.")
    return told


def _resolve(record: Object, number: int, base: Object, version: str, members: Members) -> Decoded:
    fields = _fields(record, number, base, version)
    time = fields.get("t")
    is_told = isinstance(time, Number) and is_absolute(time)
    payload = write(fields).encode()
    if len(payload) > members.max_bytes:
        fault = too_large(payload, members)
        raise MalformedText(fault.detail, reason=fault.reason)
    observed = check_observed(str(time)) if is_told else None
    return Decoded(payload, observed, None, _source(str(fields["n"]), number, members))


def _fields(record: Object, number: int, base: Object, version: str) -> Object:
    """The members of the resolved record (sections 4.5 and 4.6)."""
    more: Object = {}
    for name, value in record.items():
        if name in KINDS:
            check_kind(record, name, number)
        elif isinstance(value, MalformedText):
            raise value
        else:
            more[name] = value
    found: Object = {} if version == VERSION else {"bver": Number(version)}
    found["n"] = check_name(f"{base.get('bn', '')}{record.get('n', '')}", number)
    if "u" in record or "bu" in base:
        found["u"] = record.get("u", base.get("bu"))
    values = [name for name in VALUES if name in record]
    if len(values) > 1:
        raise bad_value(f"Record {number} has both {values[0]} and {values[1]}.")
    if values and values[0] != "v":
        found[values[0]] = record[values[0]]
    for name in ("v", "s", "t"):
        total = add(base.get(f"b{name}"), record.get(name), f"b{name} and {name}", number)
        if total is not None and (name != "v" or not found.keys() & VALUES):
            found[name] = total
    if not found.keys() & {*VALUES, "s"}:
        raise MalformedText(f"Record {number} has neither a value nor a sum.", reason="missing")
    if "ut" in record:
        found["ut"] = record["ut"]
    return found | more


def _source(name: str, number: int, members: Members) -> str | None:
    if not members.names_source:
        return None
    try:
        return check_id(name, "name")
    except MalformedText:
        raise MalformedText(
            f"The name {name[:160]} of record {number} can't be a source's id, which has 1 to "
            "128 characters of A-Z a-z 0-9 . _ : - and no slash. Let the feed name the source.",
            reason="bad-source",
        ) from None
