# SPDX-License-Identifier: Apache-2.0
"""
Gaps in what a source sent: numbers that are missing among its keys, and silence.

The chain itself has no gap: what is missing here never came. Keys count where they are whole
numbers that rise. A number that comes late, up to HORIZON records behind, is not missing; two
in a row that lie below what was there are a restart of the sender's counter, a single one is
nothing. Memory is bounded: beyond MAX_HOLES open holes the oldest is told as it stands.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from notary.store.pool import Pool
from notary.usecases.datasets import DatasetFacts
from notary.usecases.rights import NotFound

ROWS_AT_ONCE: Final = 5_000
MAX_DIGITS: Final = 18
HORIZON: Final = 10_000
MAX_HOLES: Final = 1_000


class Place(NamedTuple):
    """One record, as far as gaps are concerned."""

    n: int
    received: datetime
    key: str | None


class Gap(NamedTuple):
    """
    `missing` numbers, `first` to `last`; a `silence` between two neighbours, or since the last
    record (`after` is None); or a `restart` of the sender's numbers.
    """

    kind: Literal["missing", "silence", "restart"]
    before: Place
    after: Place | None
    size: int
    """How many numbers are missing, or for how many seconds nothing came."""
    first: int | None = None
    last: int | None = None


@dataclass(slots=True)
class _Entry:
    """What will be told once it is certain; `holes` of a `missing` shrink while it waits."""

    kind: Literal["missing", "silence", "restart"]
    before: Place
    after: Place
    holes: list[tuple[int, int]] = field(default_factory=list)
    is_open: bool = False

    def gaps(self) -> Iterator[Gap]:
        """What is left of it."""
        if self.kind == "missing":
            for first, last in self.holes:
                yield Gap("missing", self.before, self.after, last - first + 1, first, last)
        else:
            yield Gap(self.kind, self.before, self.after, _seconds(self.before, self.after))


class Finder:
    """Takes the records of one chain in their order, and tells of gaps in that order."""

    def __init__(self, interval: timedelta | None = None) -> None:
        self._interval = interval
        self._waiting: list[_Entry] = []
        self._holes = 0
        self._last: Place | None = None
        self._highest: tuple[int, Place] | None = None
        self._side: tuple[int, Place] | None = None

    def add(self, place: Place) -> Iterator[Gap]:
        """One more record. Yields the gaps that are certain by now."""
        last, self._last = self._last, place
        if last is not None and self._is_silence(last.received, place.received):
            self._waiting.append(_Entry("silence", last, place))
        number = _number(place.key)
        if number is not None:
            self._count(number, place)
        if self._waiting:
            yield from self._certain(place)

    def end(self, now: datetime | None = None) -> Iterator[Gap]:
        """After the last record: what is left, and the silence since then until `now`."""
        if self._side is not None and self._highest is not None:
            self._waiting.append(_Entry("restart", self._highest[1], self._side[1]))
        for entry in self._waiting:
            yield from entry.gaps()
        self._waiting.clear()
        last = self._last
        if last is not None and now is not None and self._is_silence(last.received, now):
            yield Gap("silence", last, None, int((now - last.received).total_seconds()))

    def _is_silence(self, before: datetime, after: datetime) -> bool:
        return self._interval is not None and after - before > self._interval

    def _count(self, number: int, place: Place) -> None:
        if self._highest is None or number > self._highest[0]:
            self._rise(number, place)
            self._side = None
        elif number < self._highest[0] and not self._fill(number):
            if self._side is None or number <= self._side[0]:
                self._side = (number, place)
                return
            self._waiting.append(_Entry("restart", self._highest[1], self._side[1]))
            for entry in self._waiting:
                entry.is_open = False
            self._highest, self._side = self._side, None
            self._rise(number, place)

    def _rise(self, number: int, place: Place) -> None:
        if self._highest is not None and number > self._highest[0] + 1:
            before = self._highest[1]
            holes = [(self._highest[0] + 1, number - 1)]
            self._waiting.append(_Entry("missing", before, place, holes, is_open=True))
            self._holes += 1
        self._highest = (number, place)

    def _fill(self, number: int) -> bool:
        """A late number: it is missing no more. False where it wasn't."""
        entries = [entry for entry in self._waiting if entry.is_open and entry.holes]
        at = bisect_right(entries, number, key=lambda entry: entry.holes[0][0]) - 1
        if at < 0:
            return False
        holes = entries[at].holes
        place = bisect_right(holes, number, key=lambda hole: hole[0]) - 1
        first, last = holes[place]
        if number > last:
            return False
        left = [(first, number - 1), (number + 1, last)]
        holes[place : place + 1] = [hole for hole in left if hole[0] <= hole[1]]
        self._holes += sum(hole[0] <= hole[1] for hole in left) - 1
        return True

    def _certain(self, place: Place) -> Iterator[Gap]:
        done = 0
        for entry in self._waiting:
            waits = entry.is_open and entry.holes and place.n - entry.after.n <= HORIZON
            if waits and self._holes <= MAX_HOLES:
                break
            done += 1
            self._holes -= len(entry.holes)
            yield from entry.gaps()
        del self._waiting[:done]


def _seconds(before: Place, after: Place) -> int:
    return int((after.received - before.received).total_seconds())


def _number(key: str | None) -> int | None:
    is_number = key is not None and key.isascii() and key.isdigit() and len(key) <= MAX_DIGITS
    return int(key) if key is not None and is_number else None


def find_gaps(
    places: Iterable[Place], interval: timedelta | None = None, now: datetime | None = None
) -> Iterator[Gap]:
    """The gaps of one chain; silence only where an `interval` is expected."""
    finder = Finder(interval)
    for place in places:
        yield from finder.add(place)
    yield from finder.end(now)


def gaps_of_source(
    pool: Pool,
    dataset: DatasetFacts,
    source: str,
    interval: timedelta | None = None,
    since: datetime | None = None,
    now: datetime | None = None,
) -> Iterator[Gap]:
    """
    The gaps in what one source (by name or label) sent, in bounded memory.

    In a dataset that keeps no names in statements, keys aren't stored and only silence shows.

    Raises:
        NotFound: the dataset has no such source.
    """
    with pool.transaction(read_only=True, snapshot=True) as tx:
        places = tx.stream("gap_places", ROWS_AT_ONCE, **_find(tx, dataset, source), since=since)
        yield from find_gaps((Place(*row) for row in places), interval, now)


class Report(NamedTuple):
    """
    A part of a source's gaps: `looked` records of its chain were looked at. `go_on` is from
    when on to ask for more, or None at the end.
    """

    source: str
    chain: int
    looked: int
    gaps: list[Gap]
    duplicates: int
    go_on: datetime | None


def report(
    pool: Pool,
    dataset: DatasetFacts,
    source: str,
    interval: timedelta | None,
    since: datetime | None,
    now: datetime,
    most_records: int,
    most_gaps: int,
) -> Report:
    """
    The same for a caller who is answered at once: a bounded number of records and gaps.

    `duplicates` is how many readings of the source came again, ever.

    Raises:
        NotFound: the dataset has no such source.
    """
    with pool.transaction(read_only=True, snapshot=True) as tx:
        where = _find(tx, dataset, source)
        row = tx.rows("get_repeats", source=where["source"])
        finder, looked = Finder(interval), 0
        gaps: list[Gap] = []
        go_on = None
        for found in tx.stream("gap_places", ROWS_AT_ONCE, **where, since=since):
            place, looked = Place(*found), looked + 1
            gaps += finder.add(place)
            is_over = looked >= most_records or len(gaps) >= most_gaps
            # At least one moment further than last time, or asking would go round in a circle.
            if is_over and place.received != since:
                go_on = place.received
                break
        gaps += finder.end(now if go_on is None else None)
    name, duplicates = row[0]
    return Report(name, where["chain"], looked, gaps, duplicates, go_on)


def _find(tx: Any, dataset: DatasetFacts, source: str) -> dict[str, Any]:
    found = tx.rows("get_source", dataset=dataset.id, source=source, registered=False)
    if not found:
        raise NotFound(f"There is no source {source} in {dataset.name} here.")
    _, _, lane, identity, chain, *_ = found[0]
    return {"lane": lane, "source": identity, "chain": chain}
