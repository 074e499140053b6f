# SPDX-License-Identifier: Apache-2.0
"""A descriptor is of records or of a version, and says so by exactly its members."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notary.core import canonical
from notary.core.descriptor import (
    Descriptor,
    descriptor_leaf,
    format_descriptor,
    parse_descriptor,
)
from notary.core.errors import MalformedDescriptor
from notary.core.hashing import EMPTY_ROOT

FIRST = datetime(2026, 11, 24, 8, 0, 1, tzinfo=UTC)
LAST = FIRST + timedelta(seconds=3)
COMMON: dict[str, Any] = {
    "count": 3,
    "dataset": "weather",
    "first": "2026-11-24T08:00:01.000000Z",
    "last": "2026-11-24T08:00:04.000000Z",
    "number": 4,
    "prev": "aa" * 32,
    "root": "bb" * 32,
    "v": "descriptor/1",
}
RECORDS = COMMON | {"kind": "records", "runs": "cc" * 32}
VERSION = COMMON | {
    "kind": "version",
    "version": 2,
    "profile": "csv-v1",
    "digest": "dd" * 32,
    "corrects": 1,
}
OF_RECORDS = Descriptor(
    "weather", "records", 4, b"\xaa" * 32, 3, b"\xbb" * 32, FIRST, LAST, runs=b"\xcc" * 32
)
OF_VERSION = replace(
    OF_RECORDS,
    kind="version",
    runs=None,
    version=2,
    profile="csv-v1",
    digest=b"\xdd" * 32,
    corrects=1,
)
WITHOUT_ROWS = {"profile": "none", "count": 0, "root": EMPTY_ROOT.hex()}


@pytest.mark.parametrize(
    ("members", "descriptor"), [(RECORDS, OF_RECORDS), (VERSION, OF_VERSION)], ids=["r", "v"]
)
def test_the_text(members: dict[str, Any], descriptor: Descriptor) -> None:
    """Canonical JSON of the members, in both directions."""
    assert format_descriptor(descriptor) == canonical.dumps(members)
    assert parse_descriptor(canonical.dumps(members)) == descriptor


def test_the_leaf_is_the_hash_of_a_zero_byte_and_the_text() -> None:
    """RFC 9162 section 2.1.1."""
    text = canonical.dumps(RECORDS)
    assert descriptor_leaf(text) == hashlib.sha256(b"\x00" + text.encode()).digest()


@pytest.mark.parametrize(
    "members",
    [
        {"corrects": ...},
        {"digest": ..., "commitment": "dd" * 32},
        {"profile": "ndjson-v1"},
        WITHOUT_ROWS,
        {"count": 0, "root": EMPTY_ROOT.hex()},
        {"number": 0, "prev": "00" * 32},
        {"last": COMMON["first"]},
    ],
)
def test_versions(members: dict[str, Any]) -> None:
    """First and corrected, open and closed, with rows and without."""
    text = dumps(VERSION, members)
    assert format_descriptor(parse_descriptor(text)) == text


def dumps(members: dict[str, Any], changes: dict[str, Any]) -> str:
    """The members, changed; those that are given as Ellipsis left out."""
    return canonical.dumps({k: v for k, v in (members | changes).items() if v is not ...})


BOTH: dict[str, dict[str, Any]] = {
    "another version of the format": {"v": "descriptor/2"},
    "an unknown kind": {"kind": "rows"},
    "a kind that is a list": {"kind": ["records"]},
    "an unknown member": {"label": "Weather"},
    "a dataset that is a folder": {"dataset": ".."},
    "a number below zero": {"number": -1},
    "a first number with a link": {"number": 0},
    "a short prev": {"prev": "aa"},
    "a count as text": {"count": "3"},
    "a root that is null": {"root": None},
    "times the wrong way round": {"last": "2026-11-24T08:00:00.999999Z"},
    "a first time that is none": {"first": "yesterday"},
    "a last time without fraction": {"last": "2026-11-24T08:00:04Z"},
} | {f"without {name}": {name: ...} for name in COMMON}
OF_RECORDS_ONLY: dict[str, dict[str, Any]] = {
    "no records": {"count": 0},
    "without run list": {"runs": ...},
    "without kind": {"kind": ...},
    "a version's member": {"version": 1},
    "a digest": {"digest": "dd" * 32},
}
OF_VERSION_ONLY: dict[str, dict[str, Any]] = {
    "a run list": {"runs": "cc" * 32},
    "version 0": {"version": 0},
    "without version": {"version": ...},
    "without profile": {"profile": ...},
    "an unknown profile": {"profile": "xlsx-v1"},
    "a profile that is a list": {"profile": ["csv-v1"]},
    "digest and commitment": {"commitment": "dd" * 32},
    "neither": {"digest": ...},
    "a short digest": {"digest": "dd"},
    "a commitment that is null": {"digest": ..., "commitment": None},
    "a version that corrects itself": {"corrects": 2},
    "a version that corrects a later one": {"corrects": 3},
    "a version that corrects number 0": {"corrects": 0},
    "rows without profile": {"profile": "none"},
    "no rows with a root": {"count": 0},
}


@pytest.mark.parametrize("attack", BOTH | OF_RECORDS_ONLY)
def test_a_batch_of_records_has_exactly_its_members(attack: str) -> None:
    """Whatever is missing, unknown, a version's or of another form is refused."""
    with pytest.raises(MalformedDescriptor):
        parse_descriptor(dumps(RECORDS, (BOTH | OF_RECORDS_ONLY)[attack]))


@pytest.mark.parametrize("attack", BOTH | OF_VERSION_ONLY)
def test_a_batch_of_a_version_has_exactly_its_members(attack: str) -> None:
    """Whatever is missing, unknown, a run list or of another form is refused."""
    with pytest.raises(MalformedDescriptor):
        parse_descriptor(dumps(VERSION, (BOTH | OF_VERSION_ONLY)[attack]))


@pytest.mark.parametrize("text", ["", "[]", "null", canonical.dumps(RECORDS) + "\n", "x" * 70_000])
def test_a_text_of_another_form_is_refused(text: str) -> None:
    """Not JSON, no object, a newline too many, too long."""
    with pytest.raises(MalformedDescriptor):
        parse_descriptor(text)


@pytest.mark.parametrize(
    "members",
    [
        {"count": 2**53},
        {"count": 0},
        {"root": b"short"},
        {"prev": b""},
        {"runs": bytes(33)},
        {"runs": None},
        {"version": 1},
        {"first": FIRST.replace(tzinfo=None)},
        {"first": LAST + timedelta(seconds=1)},
        {"kind": "version"},
        {"corrects": True},
    ],
)
def test_what_would_not_be_read_back_is_not_written(members: dict[str, Any]) -> None:
    """A time without zone, a hash of another length, members of the other kind."""
    with pytest.raises(MalformedDescriptor):
        format_descriptor(replace(OF_RECORDS, **members))
