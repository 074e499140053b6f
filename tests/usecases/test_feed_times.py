# SPDX-License-Identifier: Apache-2.0
"""Records over time: which spans there are, what is a number, and what is a gap."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.usecases.feed_times import (
    SPANS,
    newest_over_time,
    read_number,
    read_observed,
    series,
)
from tests.usecases.world import World, some_readings

BEGIN = datetime(2031, 3, 5, 6, 7, 8, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def row(n: int, after: timedelta, **more: Any) -> dict[str, Any]:
    """A record as the store has it."""
    said = {"observed": None, "key": None, "payload": None}
    return {"n": n, "received": BEGIN + after, **said, **more}


def rows(*minutes: float, **more: Any) -> list[dict[str, Any]]:
    """Records so many minutes after the beginning."""
    return [row(n, timedelta(minutes=at), **more) for n, at in enumerate(minutes)]


@pytest.mark.parametrize(
    ("minutes", "unit", "counts"),
    [
        ((0,), "minute", [1]),
        ((0, 0, 2), "minute", [2, 0, 1]),
        ((0, 60, 240), "hour", [1, 1, 0, 0, 1]),
        ((0, 1440 * 4), "day", [1, 0, 0, 0, 1]),
        ((0, 1440 * 100), "week", [1, *[0] * 13, 1]),
        ((0, 1440 * 365 * 3), "year", [1, 0, 0, 1]),
    ],
)
def test_spans_follow_each_other_without_a_hole(
    minutes: tuple[float, ...], unit: str, counts: list[int]
) -> None:
    """A span without a record is there, with none: that is the gap."""
    found = series(rows(*minutes), SHANGHAI)
    assert found is not None
    assert (found.unit, found.by) == (unit, "received")
    assert [span.count for span in found.spans] == counts
    begins = [span.begin for span in found.spans]
    assert begins == sorted(set(begins))


def test_a_day_begins_where_the_city_is() -> None:
    """At its own midnight, with its own offset."""
    found = series(rows(0, 1440 * 4), SHANGHAI)
    assert found is not None
    assert found.spans[0].begin.isoformat() == "2031-03-05T00:00:00+08:00"


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=50))
def test_every_record_is_in_one_span_that_holds_its_time(minutes: list[int]) -> None:
    """None is left out, none is counted twice, and there are never too many spans."""
    found = series(rows(*sorted(minutes)), SHANGHAI)
    assert found is not None
    assert sum(span.count for span in found.spans) == len(minutes)
    assert len(found.spans) <= SPANS
    assert found.spans[0].begin <= BEGIN + timedelta(minutes=min(minutes))
    assert found.spans[0].count
    assert found.spans[-1].count


def test_senders_times_are_taken_only_where_all_of_them_can_be_read() -> None:
    """One that can't be, or all of them too far apart, and the notary's own are taken."""
    good = rows(0, 1, observed="2013-01-01T06:00:00-05:00")
    found = series(good, SHANGHAI)
    assert found is not None
    assert found.by == "observed"
    assert found.spans[0].begin == datetime(2013, 1, 1, 11, tzinfo=UTC)
    for strange in (None, "noon", "2013-01-01T06:00:00", "0001-01-01T00:00:00+23:59", "9" * 64):
        assert read_observed(strange) is None
        found = series([*good, row(2, timedelta(), observed=strange)], SHANGHAI)
        assert found is not None
        assert found.by == "received"
    far = [*good, row(2, timedelta(), observed="1066-10-14T09:00:00Z")]
    found = series(far, SHANGHAI)
    assert found is not None
    assert found.by == "received"


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b"21.5", 21.5),
        (b" -3 ", -3),
        (b"1e3", 1000),
        (b"1e308", 1e308),
        *[(bad, None) for bad in (b"", b" ", b"true", b"null", b'"7"', b"NaN", b"-Infinity")],
        *[(bad, None) for bad in (b"1e999", b"7 8", b"[7]", b"\xff", b"0x10", b"1_000", b"- 1")],
        *[(bad, None) for bad in (b"<b>7</b>", b"9" * 5000, b"07")],
    ],
)
def test_only_json_numbers_are_values(payload: bytes, value: float | None) -> None:
    """Neither words nor what is too large for one."""
    assert read_number(payload) == value


def test_the_mean_of_the_largest_numbers_is_a_number() -> None:
    """And no error, whatever was sent."""
    found = series(rows(0, 0, 0, payload=b"1.7e308"), SHANGHAI)
    assert found is not None
    assert found.spans[0].mean == pytest.approx(1.7e308)


def test_missing_numbers_are_told() -> None:
    """As the gaps of the source are."""
    records = [row(n, timedelta(minutes=n), key=str(key)) for n, key in enumerate((1, 2, 5))]
    found = series(records, SHANGHAI)
    assert found is not None
    assert [(gap.kind, gap.first, gap.last) for gap in found.gaps] == [("missing", 3, 4)]


def test_what_is_stored_is_read_from_the_end_of_the_chain(world: World) -> None:
    """The newest ones, up to the bound; of a closed dataset no values."""
    open_name, closed_name = world.dataset("weather"), world.dataset(None)
    for name in (open_name, closed_name):
        world.accept(
            [
                type(reading)(name, "desk", b"%d" % n, "application/json", "acl")
                for n, reading in enumerate(some_readings(name, 10, 1))
            ]
        )
    found = newest_over_time(world.pool, world.datasets[open_name], "desk", SHANGHAI)
    assert found is not None
    assert (found.first, found.last, found.looked, found.has_values) == (0, 9, 10, True)
    found = newest_over_time(world.pool, world.datasets[closed_name], "desk", SHANGHAI)
    assert found is not None
    assert not found.has_values
