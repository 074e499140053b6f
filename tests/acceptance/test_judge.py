# SPDX-License-Identifier: Apache-2.0
"""The judge of the fault suite sees each crime: it is the one who must not be blind."""

from collections.abc import Callable

import pytest

from tests.acceptance.judge import Told, judge
from tests.usecases.world import World, some_readings

DATASET = "air"
Crime = Callable[[World, Told], object]


@pytest.fixture
def told(world: World) -> Told:
    """Some readings that were sent, acknowledged and accepted; all is anchored."""
    world.dataset(DATASET, lane_count=2)
    told = Told()
    readings = some_readings(DATASET, 30)
    for reading, place in zip(readings, world.accept(readings), strict=True):
        key = (reading.source, str(reading.key))
        told.sent[key] = reading.payload
        told.puback.add(key)
        told.accepted[key] = {(place.chain, place.n, place.leaf.hex())}
    world.settle()
    return told


def first(told: Told) -> tuple[str, str]:
    """Some reading."""
    return next(iter(told.sent))


def send_and_tell(told: Told, *lists: str) -> None:
    """A reading of which the notary has nothing."""
    key = ("s0", "never came")
    told.sent[key] = b"{}"
    if "puback" in lists:
        told.puback.add(key)
    if "accepted" in lists:
        told.accepted[key] = {(0, 99, "00" * 32)}


def again_with_other_bytes(world: World, told: Told) -> None:
    """The same key twice, in two records."""
    one = some_readings(DATASET, 1)[0]._replace(payload=b"other")
    assert (one.source, one.key) in told.sent
    world.accept([one])
    world.settle()


def move(told: Told) -> None:
    """An acceptance that names another place."""
    ((chain, n, leaf),) = told.accepted[first(told)]
    told.accepted[first(told)] = {(chain, n + 1, leaf)}


def tell_twice(told: Told) -> None:
    """Two acceptances for one reading that differ."""
    told.accepted[first(told)].add((0, 77, "00" * 32))


def test_where_all_is_well_it_says_nothing(world: World, told: Told) -> None:
    """What was sent, and reached nobody, is no crime."""
    send_and_tell(told)
    judge(world, DATASET, told)


def test_what_a_killed_broker_had_acknowledged_may_be_gone(world: World, told: Told) -> None:
    """And only then."""
    send_and_tell(told, "puback")
    judge(world, DATASET, told, broker_was_killed=True)


@pytest.mark.parametrize(
    ("crime", "named"),
    [
        (lambda world, told: send_and_tell(told, "puback", "accepted"), "accepted and lost"),
        (lambda world, told: send_and_tell(told, "puback"), "the broker had it"),
        (lambda world, told: move(told), "not where the acceptance says"),
        (lambda world, told: tell_twice(told), "not where the acceptance says"),
        (again_with_other_bytes, "doubled"),
        (lambda world, told: told.sent.update({first(told): b"other"}), "nobody sent it so"),
        (lambda world, told: told.sent.pop(first(told)), "nobody sent it so"),
        (
            lambda world, told: world.change("DELETE FROM records WHERE n = 2"),
            "accepted and lost",
        ),
        (
            lambda world, told: [
                world.change("UPDATE records SET n = n + 1000 WHERE n > 5"),
                told.accepted.clear(),
            ],
            "a gap in",
        ),
        (lambda world, told: world.add(DATASET, 3, seed=9), "nobody sent it so"),
        (
            lambda world, told: world.change("UPDATE segments SET count = count + 1"),
            "the audit found",
        ),
    ],
)
def test_each_crime_is_named(world: World, told: Told, crime: Crime, named: str) -> None:
    """Lost, doubled, moved, invented, a gap, an audit that finds something."""
    crime(world, told)
    with pytest.raises(AssertionError, match=named):
        judge(world, DATASET, told)
