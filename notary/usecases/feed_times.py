# SPDX-License-Identifier: Apache-2.0
"""
A source's newest records over time, for a plot: how many there are in each span, their values,
and what is missing among them. At most RECORDS are looked at, however long the chain is.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from notary.store.pool import Pool
from notary.usecases.datasets import DatasetFacts
from notary.usecases.gaps import Gap, Place, find_gaps
from notary.usecases.look import get_source

RECORDS: Final = 5_000
BATCHES: Final = 5_000
SPANS: Final = 72
NUMBER_BYTES: Final = 64
UNITS: Final = (
    ("minute", timedelta(minutes=1)),
    ("hour", timedelta(hours=1)),
    ("day", timedelta(days=1)),
    ("week", timedelta(days=7)),
    ("year", timedelta(days=365)),
)
"""How long a span may be: the first that covers everything with SPANS of them is taken."""


@dataclass(slots=True)
class Span:
    """Records of one span; `values` of those whose payload is a JSON number."""

    begin: datetime
    count: int = 0
    values: list[float] = field(default_factory=list)

    @property
    def mean(self) -> float | None:
        """The mean of the values, if any."""
        # Each is divided first: the sum of the largest numbers is no number.
        count = len(self.values)
        return math.fsum(value / count for value in self.values) if count else None


@dataclass(frozen=True, slots=True)
class Series:
    """
    Spans without a hole from the oldest to the newest record that was looked at: one without
    a record is a gap. `by`: `observed` (the sender's times, not checked), `received`, or
    `sealed`; `first` and `last` are n, or numbers of batches.
    """

    by: str
    unit: str
    spans: tuple[Span, ...]
    looked: int
    first: int
    last: int
    gaps: tuple[Gap, ...]

    @property
    def has_values(self) -> bool:
        """Whether any payload is a number."""
        return any(span.values for span in self.spans)


def newest_over_time(
    pool: Pool, dataset: DatasetFacts, source: str, zone: ZoneInfo
) -> Series | None:
    """The newest records of a source; None where all times lie too far apart. Raises NotFound."""
    found = get_source(pool, dataset, source)
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps(
            "newest_records",
            lane=found["lane"],
            source=found["id"],
            chain=found["chain"],
            with_payload=dataset.is_open,
            number_bytes=NUMBER_BYTES,
            limit=RECORDS,
        )
    return series(rows[::-1], zone)


def sealed_over_time(pool: Pool, dataset: DatasetFacts, zone: ZoneInfo) -> Series | None:
    """A dataset's records by when they were sealed, from its newest batches; None without any."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("newest_record_batches", dataset=dataset.id, limit=BATCHES)[::-1]
    unit = _unit([row["sealed_at"] for row in rows])
    if unit is None:
        return None
    spans: dict[int, Span] = defaultdict(lambda: Span(rows[0]["sealed_at"]))
    for row in rows:
        spans[_place(unit, row["sealed_at"], zone)].count += row["count"]
    looked = sum(row["count"] for row in rows)
    every = _filled(unit, spans, zone)
    return Series("sealed", unit, every, looked, rows[0]["number"], rows[-1]["number"], ())


def _filled(unit: str, spans: dict[int, Span], zone: ZoneInfo) -> tuple[Span, ...]:
    """The same with those between that have no record, each with its beginning."""
    places = range(min(spans), max(spans) + 1)
    for place in places:
        spans[place].begin = _begin(unit, place, zone)
    return tuple(spans[place] for place in places)


def series(rows: Sequence[dict[str, Any]], zone: ZoneInfo) -> Series | None:
    """Records in the order of n as a series: by the sender's times where all can be read."""
    observed = [read_observed(row["observed"]) for row in rows]
    times = [time for time in observed if time is not None]
    by = "observed" if len(times) == len(rows) and _unit(times) else "received"
    if by == "received":
        times = [row["received"] for row in rows]
    unit = _unit(times)
    if unit is None:
        return None
    spans: dict[int, Span] = defaultdict(lambda: Span(times[0]))
    for row, moment in zip(rows, times, strict=True):
        span = spans[_place(unit, moment, zone)]
        span.count += 1
        if (value := read_number(row["payload"])) is not None:
            span.values.append(value)
    found = find_gaps(Place(row["n"], row["received"], row["key"]) for row in rows)
    first, last = rows[0]["n"], rows[-1]["n"]
    every = _filled(unit, spans, zone)
    return Series(by, unit, every, len(rows), first, last, tuple(found))


def read_observed(text: str | None) -> datetime | None:
    """A sender's time where it is one with an offset, else None."""
    try:
        moment = datetime.fromisoformat(text or "")
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def read_number(payload: bytes | None) -> float | None:
    """A payload that is a JSON number, and finite."""
    if payload is None or payload.strip()[:1] not in b"-0123456789" or not payload.strip():
        return None
    try:
        value = float(json.loads(payload))
    except (ValueError, TypeError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _unit(times: Iterable[datetime]) -> str | None:
    known = sorted(times)
    if not known:
        return None
    for name, length in UNITS:
        if (known[-1] - known[0]) / length <= SPANS - 2:
            return name
    return None


def _place(unit: str, moment: datetime, zone: ZoneInfo) -> int:
    """Which span a time lies in: minutes and hours as UTC has them, days as the city has them."""
    if unit in ("minute", "hour"):
        return int(moment.timestamp() // (60 if unit == "minute" else 3600))
    day = moment.astimezone(zone).date()
    if unit == "year":
        return day.year
    return day.toordinal() // (7 if unit == "week" else 1)


def _begin(unit: str, place: int, zone: ZoneInfo) -> datetime:
    if unit in ("minute", "hour"):
        return datetime.fromtimestamp(place * (60 if unit == "minute" else 3600), UTC)
    if unit == "year":
        day = date(max(place, 1), 1, 1)
    else:
        day = date.fromordinal(max(place * (7 if unit == "week" else 1), 1))
    return datetime.combine(day, time(), zone)
