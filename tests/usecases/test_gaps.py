# SPDX-License-Identifier: Apache-2.0
"""Gaps in what a source sent: missing numbers, silence, restarted counters."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from notary.usecases.datasets import get_dataset
from notary.usecases.gaps import (
    HORIZON,
    MAX_HOLES,
    Finder,
    Gap,
    Place,
    find_gaps,
    gaps_of_source,
    report,
)
from notary.usecases.reading import Reading
from notary.usecases.rights import NotFound
from tests.usecases.servers import world
from tests.usecases.world import World

__all__ = ["world"]
START = datetime(2031, 1, 1, tzinfo=UTC)


def chain(*keys: str | None, seconds: tuple[int, ...] = ()) -> list[Place]:
    """Records with these keys, one a minute unless said otherwise."""
    times = seconds or tuple(60 * n for n in range(len(keys)))
    return [
        Place(n, START + timedelta(seconds=time), key)
        for n, (key, time) in enumerate(zip(keys, times, strict=True))
    ]


def told(gaps: list[Gap]) -> list[tuple[str, int, int]]:
    """Kind, size, and after which record."""
    return [(gap.kind, gap.size, gap.before.n) for gap in gaps]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ((), []),
        (("5",), []),
        (("1", "2", "3"), []),
        (("1", "4", "5"), [("missing", 2, 0)]),
        (("8", "9", "0", "1"), [("restart", 60, 1)]),
        (("7", "7", "8"), []),
        (("1", None, "9"), [("missing", 7, 0)]),
        (("a", "c"), []),
        (("1", "-3", "2.5", "4"), [("missing", 2, 0)]),
        (("1", "9" * 19), []),
        (("1", "²", "2"), []),
        (("1", "9" * 18), [("missing", 10**18 - 3, 0)]),
        (("1", "2", "4", "3", "5"), []),
        (("1", "5", "3", "6"), [("missing", 1, 0), ("missing", 1, 0)]),
        (("1", "9", "4", "5", "8", "2", "3", "7", "6", "10"), []),
        (("1", "9", "5", "5", "5", "10"), [("missing", 3, 0), ("missing", 3, 0)]),
        (("5", "6", "3", "7"), []),
        (("5", "6", "0", "3", "4"), [("restart", 60, 1), ("missing", 2, 2)]),
        (("5", "9", "0", "1", "6"), [("missing", 3, 0), ("restart", 60, 1), ("missing", 4, 3)]),
        (("8", "9", "0"), [("restart", 60, 1)]),
        (("9", "0", "9", "0", "1"), [("restart", 180, 0)]),
        (("1", None, "a", "4"), [("missing", 2, 0)]),
        (("100", "5000", "101", "5001", "102"), [("missing", 4897, 0)]),
    ],
)
def test_numbers_that_are_missing_are_counted(
    keys: tuple[str | None, ...], expected: list[tuple[str, int, int]]
) -> None:
    """Between neighbours whose keys are whole numbers; nothing is guessed of others."""
    assert told(list(find_gaps(chain(*keys)))) == expected


def test_what_is_missing_is_named() -> None:
    """First and last of each hole that is left."""
    found = list(find_gaps(chain("1", "9", "4", "5", "10")))
    assert [(gap.first, gap.last, gap.size) for gap in found] == [(2, 3, 2), (6, 8, 3)]


def test_silence_since_the_last_record_lasts() -> None:
    """It has no end yet."""
    places = chain("1", "2")
    later = START + timedelta(seconds=200)
    (gap,) = find_gaps(places, timedelta(seconds=60), later)
    assert (gap.kind, gap.size, gap.before.n, gap.after) == ("silence", 140, 1, None)
    assert list(find_gaps(places, None, later)) == []
    assert list(find_gaps([], timedelta(seconds=1), later)) == []


def test_gaps_are_told_in_the_order_of_the_chain() -> None:
    """Though some are certain later than others."""
    places = chain("1", "5", "6", "9", "8", "7", seconds=(0, 10, 500, 510, 520, 530))
    found = told(list(find_gaps(places, timedelta(seconds=60))))
    assert found == [("missing", 3, 0), ("silence", 490, 1)]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_order_what_never_came_is_what_is_told(seed: int) -> None:
    """Numbers that are shuffled over a short way, with some lost: told are those, each once."""
    dice = random.Random(seed)
    kept = [number for number in range(2000) if number in (0, 1999) or dice.random() < 0.9]
    kept[1:-1] = sorted(kept[1:-1], key=lambda number: number + dice.uniform(0, 40))
    found = list(find_gaps(chain(*map(str, kept))))
    told_missing = [
        number for gap in found for number in range(gap.first or 0, (gap.last or 0) + 1)
    ]
    assert {gap.kind for gap in found} == {"missing"}
    assert sorted(told_missing) == sorted(set(range(2000)) - set(kept))


def test_memory_is_bounded_whatever_is_missing() -> None:
    """A million records with a hole before each: told as it goes on, few are held."""
    finder, most, count = Finder(timedelta(seconds=1)), 0, 0
    for n in range(200_000):
        place = Place(n, START + timedelta(seconds=2 * n), str(3 * n))
        count += sum(1 for _ in finder.add(place))
        most = max(most, len(finder._waiting))
    count += sum(1 for _ in finder.end())
    assert count == 2 * 199_999
    assert most <= 2 * MAX_HOLES + 4


def test_a_number_later_than_the_horizon_stays_missing() -> None:
    """And is no restart, alone as it is."""
    keys = ["1", "3", *(str(number) for number in range(4, HORIZON + 10)), "2", "99999"]
    found = told(list(find_gaps(chain(*keys))))
    assert found[0] == ("missing", 1, 0)
    assert [kind for kind, *_ in found] == ["missing", "missing"]


def test_a_report_is_bounded_and_goes_on(world: World) -> None:
    """Part by part it tells the same as the whole; each record is looked at."""
    name = world.dataset("air")
    for number in range(60):
        readings = [
            Reading(name, "s", b"%d" % number, "text/plain", "acl", key=str(3 * number + twice))
            for twice in (0, 1)
        ]
        world.accept(readings)
        world.pass_by(1 if number % 10 else 100)
    dataset = get_dataset(world.pool, name, world.caller)
    interval = timedelta(seconds=50)
    whole = list(gaps_of_source(world.pool, dataset, "s", interval, None, world.now))
    for most_records, most_gaps in ((7, 1000), (1000, 5), (1, 1), (1000, 1000)):
        parts: list[Gap] = []
        since, looked = None, 0
        while True:
            part = report(
                world.pool, dataset, "s", interval, since, world.now, most_records, most_gaps
            )
            parts += part.gaps
            looked += part.looked
            if part.go_on is None:
                break
            assert since is None or part.go_on > since
            since = part.go_on
        assert sorted(set(parts)) == sorted(set(whole))
        assert looked >= 120
    assert len(whole) == 59 + 6


def test_silence_is_what_lasts_longer_than_the_interval() -> None:
    """Not as long as; and only where an interval is expected."""
    places = chain(None, None, None, seconds=(0, 60, 121))
    assert told(list(find_gaps(places, timedelta(seconds=60)))) == [("silence", 61, 1)]
    assert list(find_gaps(places)) == []


def test_the_gaps_of_a_stored_source_are_found(world: World) -> None:
    """By its name, from a time on; another source's records don't count."""
    name = world.dataset("air")
    for key in ("1", "2", "5", "6", "9"):
        world.accept(
            [Reading(name, source, b"x" + key.encode(), "text/plain", "acl", key=key)
             for source in ("s", "t" if key == "9" else "s2")]
        )  # fmt: skip
        world.pass_by(100)
    dataset = get_dataset(world.pool, name, world.caller)
    found = list(gaps_of_source(world.pool, dataset, "s", timedelta(seconds=99)))
    assert [gap.size for gap in found if gap.kind == "missing"] == [2, 2]
    assert [gap.size for gap in found if gap.kind == "silence"] == [100] * 4
    later = found[-1].before.received
    assert told(list(gaps_of_source(world.pool, dataset, "s", since=later))) == [("missing", 2, 3)]
    with pytest.raises(NotFound):
        list(gaps_of_source(world.pool, dataset, "none"))
