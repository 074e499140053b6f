# SPDX-License-Identifier: Apache-2.0
"""Fault options do what they say, no more, and the same each time."""

from itertools import islice

import pytest

from iot_simulator.order import LATE_BEHIND, Chances, Order, Turn

MANY = 2_000


def turns(total: int | None = MANY, **chances: float) -> list[Turn]:
    """All turns of an order."""
    order = Order(Chances(**chances), "7/0", total)
    return list(islice(iter(order.take, None), MANY * 3))


def test_without_faults_each_message_has_its_turn_once() -> None:
    """In the order in which readings were taken."""
    assert turns() == [Turn(number, 1) for number in range(MANY)]


@pytest.mark.parametrize("fault", ["duplicates", "reorder", "late", "bad"])
def test_whatever_the_fault_each_message_has_one_turn_and_it_is_repeatable(fault: str) -> None:
    """Nothing is lost by it, also where it strikes always."""
    for chance in (0.3, 1.0):
        found = turns(**{fault: chance})
        assert sorted(turn.number for turn in found) == list(range(MANY))
        assert found == turns(**{fault: chance})


def test_all_faults_at_once_lose_nothing() -> None:
    """They are decided apart from each other."""
    found = turns(duplicates=0.2, reorder=0.2, late=0.2, bad=0.2)
    assert sorted(turn.number for turn in found) == list(range(MANY))


def test_duplicates_are_as_many_as_the_chance_says() -> None:
    """And every message where it says always."""
    twice = sum(turn.copies == 2 for turn in turns(duplicates=0.1))
    assert 0.07 * MANY < twice < 0.13 * MANY
    assert {turn.copies for turn in turns(duplicates=1.0)} == {2}


def test_what_is_reordered_changes_places_with_the_next_alone() -> None:
    """Nobody is more than one place off."""
    numbers = [turn.number for turn in turns(reorder=0.2)]
    off = [abs(place - number) for place, number in enumerate(numbers)]
    assert set(off) == {0, 1}
    assert 0.2 * MANY < sum(off) < 0.5 * MANY


def test_what_is_late_comes_when_twenty_later_ones_are_sent() -> None:
    """Or at the end; it is the only one that is out of order."""
    numbers = [turn.number for turn in turns(late=0.02)]
    late = [
        number
        for place, number in enumerate(numbers)
        if any(other > number for other in numbers[:place])
    ]
    assert 0.01 * MANY < len(late) < 0.03 * MANY
    for number in late:
        before = set(numbers[: numbers.index(number)])
        passed = [other for other in range(number + 1, number + 1 + LATE_BEHIND) if other < MANY]
        assert before >= set(passed) - set(late)


def test_closing_lets_out_what_was_held_back_and_nothing_new() -> None:
    """As at the end of --seconds."""
    order = Order(Chances(late=0.5), "7/0", None)
    taken = [order.take() for _ in range(50)]
    order.close()
    rest = list(islice(iter(order.take, None), 100))
    numbers = sorted(turn.number for turn in [*taken, *rest] if turn is not None)
    assert numbers == list(range(len(numbers)))
    assert rest
    assert order.take() is None


def test_another_gateway_has_other_faults() -> None:
    """What strikes one doesn't strike all."""
    bad = [[Order(Chances(bad=0.3), name, None).is_bad(number) for number in range(200)]
           for name in ("7/0", "7/1", "8/0")]  # fmt: skip
    assert bad[0] != bad[1] != bad[2] != bad[0]
    assert all(30 < sum(one) < 90 for one in bad)
