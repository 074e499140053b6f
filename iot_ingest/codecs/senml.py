# SPDX-License-Identifier: Apache-2.0
"""
SenML (RFC 8428) as JSON: each record of a pack is a reading, resolved (section 4.6).

    [{"bn": "urn:dev:ow:10e2073a01080063", "bt": 1.320067464e+09, "bu": "%RH", "v": 21.2},
     {"t": 10, "v": 21.30}]

A record's meaning hangs on the base fields before it, so the evidence is an object with the
members bver, n, u, v or vs or vb or vd, s, t, ut, in this order, then the record's own other
members in theirs: the base fields are worked in and gone. A number that had nothing to be
added to is the text that was sent; a sum is exact, in decimal notation.

    {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","v":21.30,"t":1320067474}

A time below 2^28 is relative to when the pack came (section 4.5.3), which only the
statement's `received` tells: it stays relative, and isn't told as `observed`, as two of them
are not the same time. The source is the resolved name, unless the feed has one.

A record that can't be read costs only itself, where it holds nothing that others hang on.
What is set aside of a pack is a pack again: the record behind the base fields in force.
"""

from collections.abc import Iterator, Sequence

from iot_ingest.codecs import Decoded, Fault, Members
from iot_ingest.codecs.json_array import list_of
from iot_ingest.codecs.json_members import Object, fault_of
from iot_ingest.codecs.json_write import write
from iot_ingest.codecs.senml_resolve import BASES, resolve
from iot_ingest.codecs.slices import Part, Text, read, read_parts
from notary.core.errors import MalformedText

_OF_THE_PACK = ("bver", *BASES)


def decode_senml_json(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """A reading or a fault for each record; one fault where the pack is broken."""
    try:
        text = Text(payload)
        parts = list_of(read(text, read_parts), "The pack")
        found = resolve([_readable(text, part) for part in parts], members)
    except MalformedText as error:
        return [fault_of(payload, error)]
    return list(_with_packs(text, parts, found))


def _readable(text: Text, part: Part) -> object:
    """A record, or why it is none; raises where others could hang on it."""
    if isinstance(part.value, MalformedText):
        names = text.names(part)
        if names is None or any(name in _OF_THE_PACK or name.endswith("_") for name in names):
            raise part.value
    return part.value


def _with_packs(
    text: Text, parts: Sequence[Part], found: Sequence[Decoded | MalformedText]
) -> Iterator[Decoded | Fault]:
    base: Object = {}
    for part, item in zip(parts, found, strict=True):
        record = part.value if isinstance(part.value, dict) else {}
        own = {name: record[name] for name in _OF_THE_PACK if name in record}
        if isinstance(item, Decoded):
            yield item
        else:
            before = {name: value for name, value in base.items() if name not in own}
            yield fault_of(_pack(before, text.bytes_of(part)), item)
        base |= own


def _pack(base: Object, record: bytes) -> bytes:
    """A pack of one record, whose own members stay as they were sent."""
    if not base:
        return b"[" + record + b"]"
    rest = record[1:].lstrip(b" \t\r\n")
    comma = b"" if rest == b"}" else b","
    return b"[" + write(base)[:-1].encode() + comma + rest + b"]"
