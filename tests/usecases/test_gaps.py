# SPDX-License-Identifier: Apache-2.0
"""Gaps in what a source sent: missing numbers, silence, restarted counters."""

from datetime import UTC, datetime, timedelta

import pytest

from notary.usecases.gaps import Gap, Place, find_gaps, gaps_of_source
from notary.usecases.reading import Reading
from notary.usecases.registers import NotFound, get_dataset
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
        (("1", None, "9"), []),
        (("a", "c"), []),
        (("1", "-3", "2.5", "4"), []),
        (("1", "9" * 19), []),
        (("1", "²", "9"), []),
        (("1", "9" * 18), [("missing", 10**18 - 3, 0)]),
    ],
)
def test_numbers_that_are_missing_are_counted(
    keys: tuple[str | None, ...], expected: list[tuple[str, int, int]]
) -> None:
    """Between neighbours whose keys are whole numbers; nothing is guessed of others."""
    assert told(list(find_gaps(chain(*keys)))) == expected


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
