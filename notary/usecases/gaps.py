# SPDX-License-Identifier: Apache-2.0
"""
Gaps in what a source sent: numbers that are missing among its keys, and silence.

The chain itself has no gap: what is missing here never came. Keys count where they are whole
numbers that rise; a key that falls is told as a restart of the sender's counter.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from notary.store.pool import Pool
from notary.usecases.registers import DatasetFacts, NotFound

ROWS_AT_ONCE: Final = 5_000
MAX_DIGITS: Final = 18


class Place(NamedTuple):
    """One record, as far as gaps are concerned."""

    n: int
    received: datetime
    key: str | None


class Gap(NamedTuple):
    """
    Something between two neighbours in a chain: `missing` numbers, a `silence` of so long, or
    a `restart` of the sender's numbers.
    """

    kind: Literal["missing", "silence", "restart"]
    before: Place
    after: Place

    @property
    def size(self) -> int:
        """How many numbers are missing, or how many seconds the silence lasted."""
        if self.kind == "missing":
            return int(self.after.key or 0) - int(self.before.key or 0) - 1
        return int((self.after.received - self.before.received).total_seconds())


def find_gaps(places: Iterable[Place], interval: timedelta | None = None) -> Iterator[Gap]:
    """The gaps between neighbours of one chain; silence only where an `interval` is expected."""
    before: Place | None = None
    for after in places:
        if before is not None:
            if interval is not None and after.received - before.received > interval:
                yield Gap("silence", before, after)
            first, second = _number(before.key), _number(after.key)
            if first is not None and second is not None:
                if second > first + 1:
                    yield Gap("missing", before, after)
                elif second < first:
                    yield Gap("restart", before, after)
        before = after


def _number(key: str | None) -> int | None:
    is_number = key is not None and key.isascii() and key.isdigit() and len(key) <= MAX_DIGITS
    return int(key) if key is not None and is_number else None


def gaps_of_source(
    pool: Pool,
    dataset: DatasetFacts,
    source: str,
    interval: timedelta | None = None,
    since: datetime | None = None,
) -> Iterator[Gap]:
    """
    The gaps in what one source (by name or label) sent, in bounded memory.

    In a dataset that keeps no names in statements, keys aren't stored and only silence shows.

    Raises:
        NotFound: the dataset has no such source.
    """
    with pool.transaction(read_only=True, snapshot=True) as tx:
        found = tx.rows("get_source", dataset=dataset.id, source=source, registered=False)
        if not found:
            raise NotFound(f"There is no source {source} in {dataset.name} here.")
        _, _, lane, identity, chain, *_ = found[0]
        places = tx.stream(
            "gap_places", ROWS_AT_ONCE, lane=lane, source=identity, chain=chain, since=since
        )
        yield from find_gaps((Place(*row) for row in places), interval)
