# SPDX-License-Identifier: Apache-2.0
"""
What the log holds of a batch. Format `descriptor/1`.

    {"count":3,"dataset":"weather","first":"2026-…Z","kind":"records","last":"2026-…Z",
     "number":0,"prev":"0000…0000","root":"5c1f…","runs":"77b2…","v":"descriptor/1"}

A batch of a version has `version`, `profile`, one of `digest` and `commitment`, perhaps
`corrects`, and no `runs`. Never a name, a file name or a person.
See docs/spec/descriptor-v1.md.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from notary.core import canonical
from notary.core.errors import MalformedDescriptor, MalformedText
from notary.core.hashing import EMPTY_ROOT, LeafHash, leaf_hash
from notary.core.words import (
    ZERO_HASH,
    check_count,
    check_hash,
    check_id,
    format_time,
    parse_hash,
    parse_time,
)

VERSION: Final = "descriptor/1"
MAX_DESCRIPTOR_BYTES: Final = 65_535
PROFILES: Final = ("csv-v1", "ndjson-v1", "none")

Kind = Literal["records", "version"]

_COMMON = frozenset({"count", "dataset", "first", "kind", "last", "number", "prev", "root", "v"})
_RECORDS = _COMMON | {"runs"}
_VERSION = _COMMON | {"version", "profile"}
_VERSION_OPTIONAL = frozenset({"digest", "commitment", "corrects"})


@dataclass(frozen=True, slots=True)
class Descriptor:
    """
    One batch. `number` counts a dataset's batches from 0 without a gap, `prev` is the
    hash of the dataset's previous descriptor (64 zeros at 0), `first` and `last` are the
    received times at both ends (aware UTC).
    """

    dataset: str
    kind: Kind
    number: int
    prev: bytes
    count: int
    root: bytes
    first: datetime
    last: datetime
    runs: bytes | None = None
    version: int | None = None
    profile: str | None = None
    digest: bytes | None = None
    commitment: bytes | None = None
    corrects: int | None = None


def format_descriptor(descriptor: Descriptor) -> str:
    """
    Write a descriptor as its canonical text.

    Raises:
        MalformedDescriptor: a member isn't what the format demands.
    """
    try:
        text = _write(descriptor)
    except MalformedText as error:
        raise error.renamed(MalformedDescriptor) from None
    parse_descriptor(text)
    return text


def parse_descriptor(text: str) -> Descriptor:
    """
    Read a descriptor and demand that it serialises to the same text.

    Raises:
        MalformedDescriptor: not canonical, a member missing, unknown, of the other kind
            or out of range.

    docs/spec/descriptor-v1.md, rules 1 to 8.
    """
    try:
        # descriptor-v1.md, step 1.
        members = canonical.loads(text, max_bytes=MAX_DESCRIPTOR_BYTES)
        if not isinstance(members, dict):
            raise MalformedText("The descriptor is not an object.")
        return _read(members)
    except MalformedText as error:
        raise error.renamed(MalformedDescriptor) from None


def descriptor_leaf(text: str) -> LeafHash:
    """The log's leaf for a descriptor: SHA-256(0x00 || text), RFC 9162 section 2.1.1."""
    return leaf_hash(text.encode())


def _write(d: Descriptor) -> str:
    members: dict[str, object] = {
        "v": VERSION,
        "dataset": d.dataset,
        "kind": d.kind,
        "number": d.number,
        "prev": check_hash(d.prev, "prev").hex(),
        "count": d.count,
        "root": check_hash(d.root, "root").hex(),
        "first": format_time(d.first),
        "last": format_time(d.last),
        "version": d.version,
        "profile": d.profile,
        "corrects": d.corrects,
    }
    for name, value in (("runs", d.runs), ("digest", d.digest), ("commitment", d.commitment)):
        members[name] = None if value is None else check_hash(value, name).hex()
    return canonical.dumps({name: value for name, value in members.items() if value is not None})


def _read(members: dict[str, object]) -> Descriptor:
    kind = members.get("kind")
    # descriptor-v1.md, step 2.
    if members.get("v") != VERSION:
        raise MalformedText(f"The version must be {VERSION}.")
    if kind == "records":
        _demand(members, _RECORDS, frozenset())
        descriptor = _read_common(members, "records")
        runs = parse_hash(members["runs"], "runs")
        result = Descriptor(*descriptor, runs=runs)
        check_count(result.count, "count", 1)
    elif kind == "version":
        _demand(members, _VERSION, _VERSION_OPTIONAL)
        result = _read_version(members)
    else:
        raise MalformedText("The kind must be records or version.")
    # descriptor-v1.md, step 3; each kind's own: `_read_version`, and the count above.
    if result.number == 0 and result.prev != ZERO_HASH:
        raise MalformedText("At number 0 prev must be 64 zeros.")
    if result.last < result.first:
        raise MalformedText("The last received time lies before the first.")
    return result


def _demand(members: dict[str, object], required: frozenset[str], optional: frozenset[str]) -> None:
    if not members.keys() >= required or not members.keys() <= required | optional:
        raise MalformedText("A member is missing or unknown.")


def _read_common(
    members: dict[str, object], kind: Kind
) -> tuple[str, Kind, int, bytes, int, bytes, datetime, datetime]:
    return (
        check_id(members["dataset"], "dataset"),
        kind,
        check_count(members["number"], "number"),
        parse_hash(members["prev"], "prev"),
        check_count(members["count"], "count"),
        parse_hash(members["root"], "root"),
        parse_time(members["first"], "first received time"),
        parse_time(members["last"], "last received time"),
    )


def _read_version(members: dict[str, object]) -> Descriptor:
    def optional_hash(name: str) -> bytes | None:
        return parse_hash(members[name], name) if name in members else None

    result = Descriptor(
        *_read_common(members, "version"),
        version=check_count(members["version"], "version", 1),
        profile=str(members["profile"]),
        digest=optional_hash("digest"),
        commitment=optional_hash("commitment"),
        corrects=check_count(members["corrects"], "corrects", 1) if "corrects" in members else None,
    )
    if members["profile"] not in PROFILES:
        raise MalformedText("The row profile is not one of the format's.")
    if (result.digest is None) == (result.commitment is None):
        raise MalformedText("Exactly one of digest and commitment must be there.")
    if result.profile == "none" and result.count != 0:
        raise MalformedText("A version without rows has count 0.")
    if result.count == 0 and result.root != EMPTY_ROOT:
        raise MalformedText("A version without rows has the empty root.")
    if result.corrects is not None and result.version is not None:
        check_count(result.version - 1 - result.corrects, "corrected version")
    return result
