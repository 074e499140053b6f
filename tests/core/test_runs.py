# SPDX-License-Identifier: Apache-2.0
"""The run list gives each record of a batch its one legal place."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from notary.core import canonical
from notary.core.errors import MalformedRun
from notary.core.runs import (
    Run,
    check_continues,
    check_run_list,
    format_run,
    parse_run,
    run_leaf,
    source_tag,
)

MEMBERS: dict[str, Any] = {
    "chain": 0,
    "count": 3,
    "first": 7,
    "last": "aa" * 32,
    "number": 2,
    "offset": 5,
    "prev": "bb" * 32,
    "tag": "cc" * 32,
}
TEXT = canonical.dumps(MEMBERS)
RUN = Run(2, b"\xcc" * 32, 0, 7, 3, 5, b"\xbb" * 32, b"\xaa" * 32)


def test_the_text() -> None:
    """Canonical JSON of the members, in both directions."""
    assert format_run(RUN) == TEXT
    assert parse_run(TEXT) == RUN
    assert run_leaf(TEXT) == hashlib.sha256(b"\x00" + TEXT.encode()).digest()


@pytest.mark.parametrize(
    "members",
    [
        {"count": 0},
        {"count": -1},
        {"first": 0},
        {"offset": -1},
        {"offset": 1.5},
        {"number": "2"},
        {"number": True},
        {"chain": 2**53},
        {"chain": None},
        {"last": "AA" * 32},
        {"prev": "bb"},
        {"tag": ""},
        {"v": "run/1"},
        {"source": "JFK"},
    ],
)
def test_an_entry_of_another_form_is_refused(members: dict[str, Any]) -> None:
    """Numbers out of range, hashes of another form, unknown members."""
    text = json.dumps(MEMBERS | members, sort_keys=True, separators=(",", ":"))
    with pytest.raises(MalformedRun):
        parse_run(text)


@pytest.mark.parametrize("name", MEMBERS)
def test_no_member_may_be_missing(name: str) -> None:
    """All eight are demanded."""
    with pytest.raises(MalformedRun):
        parse_run(canonical.dumps({k: v for k, v in MEMBERS.items() if k != name}))


@pytest.mark.parametrize(
    "text", ["", "[]", "null", TEXT + "\n", TEXT.replace(":", ": "), "x" * 1025]
)
def test_a_text_of_another_form_is_refused(text: str) -> None:
    """Not JSON, no object, other spellings, too long."""
    with pytest.raises(MalformedRun):
        parse_run(text)


@pytest.mark.parametrize(
    "members",
    [
        {"count": 0},
        {"first": 0},
        {"number": -1},
        {"chain": True},
        {"offset": 2**53},
        {"tag": b""},
        {"prev": bytes(31)},
        {"last": bytes(33)},
    ],
)
def test_what_would_not_be_read_back_is_not_written(members: dict[str, Any]) -> None:
    """The writer demands what the reader does."""
    with pytest.raises(MalformedRun):
        format_run(replace(RUN, **members))


def test_a_record_has_one_index() -> None:
    """offset + (n - first), and none outside the run."""
    assert [RUN.index_of(n) for n in (7, 8, 9)] == [5, 6, 7]
    for n in (-1, 6, 10):
        with pytest.raises(MalformedRun):
            RUN.index_of(n)


def test_a_tag_binds_dataset_and_source() -> None:
    """Open: anyone computes it. Any other: with 32 bytes that only receipts show."""
    assert source_tag("weather", "JFK", b"") == hashlib.sha256(b"tag/1 weather/JFK").digest()
    salt = bytes(range(32))
    salted = hashlib.sha256(b"tag/1 " + salt + b"weather/JFK").digest()
    assert source_tag("weather", "JFK", salt) == salted


@pytest.mark.parametrize("length", [1, 31, 33, 64])
def test_a_tags_salt_has_one_length(length: int) -> None:
    """Else the border between salt and name could be moved."""
    with pytest.raises(MalformedRun):
        source_tag("weather", "JFK", bytes(length))


def run(number: int, count: int, offset: int) -> Run:
    return replace(RUN, number=number, count=count, offset=offset)


@pytest.mark.parametrize(
    ("runs", "count"),
    [([], 0), ([run(0, 3, 0)], 3), ([run(0, 3, 0), run(1, 1, 3), run(7, 2, 4)], 6)],
)
def test_a_run_list_covers_its_batch(runs: list[Run], count: int) -> None:
    """In the order of source numbers, without hole or overlap."""
    check_run_list(runs, count)


@pytest.mark.parametrize(
    ("runs", "count"),
    [
        ([], 1),
        ([run(0, 3, 0)], 2),
        ([run(0, 3, 0)], 4),
        ([run(0, 3, 1)], 4),
        ([run(0, 3, 0), run(1, 1, 4)], 4),
        ([run(0, 3, 0), run(1, 1, 2)], 4),
        ([run(0, 3, 0), run(0, 1, 3)], 4),
        ([run(1, 3, 0), run(0, 1, 3)], 4),
    ],
)
def test_a_run_list_with_holes_or_overlaps_is_refused(runs: list[Run], count: int) -> None:
    """Offsets, order and sum are checked."""
    with pytest.raises(MalformedRun):
        check_run_list(runs, count)


FIRST = replace(RUN, first=0, prev=bytes(32))


def test_a_source_goes_on_where_it_ended() -> None:
    """The first run at 0, each later one behind the last."""
    check_continues(FIRST, None)
    check_continues(replace(RUN, first=3, prev=FIRST.last), FIRST)


@pytest.mark.parametrize(
    ("after", "last"),
    [
        (RUN, None),
        (replace(FIRST, prev=b"\xaa" * 32), None),
        (replace(RUN, first=4, prev=FIRST.last), FIRST),
        (replace(RUN, first=2, prev=FIRST.last), FIRST),
        (replace(RUN, first=3), FIRST),
        (FIRST, FIRST),
    ],
)
def test_a_source_that_leaves_out_doubles_or_links_elsewhere(after: Run, last: Run | None) -> None:
    """Is refused."""
    with pytest.raises(MalformedRun):
        check_continues(after, last)
