# SPDX-License-Identifier: Apache-2.0
"""Sealers that are doubled, stopped, killed: the log never forks and nothing accepted is lost."""

import random
import signal
from pathlib import Path

import pytest

from tests.acceptance.sealers import (
    Load,
    SealerProcess,
    now,
    random_pause,
    settled,
    wait_for,
)
from tests.acceptance.steps import STEPS, step
from tests.usecases.world import World, fresh_seed


@pytest.fixture
def world(world: World) -> World:
    """A notary with one open and one closed dataset, on the real clock."""
    world.now = now()
    world.dataset("weather", digest_index=True, lane_count=2)
    world.dataset(None)
    return world


def clean(world: World, load: Load) -> None:
    """All is sealed, signed and anchored, each record stands once, an audit finds nothing."""
    wait_for("all is anchored", lambda: settled(world))
    load.check()
    fresh = world.again()
    report = fresh.audit()
    fresh.close()
    assert report.findings == ()
    assert (report.records, report.waiting) == (len(load.accepted), 0)


def no_trouble(sealer: SealerProcess) -> None:
    """It said nothing of a stop."""
    assert [line for line in sealer.said() if line["event"] == "stopped"] == []


def test_two_sealers_at_once_never_fork_the_log(world: World, tmp_path: Path, long: bool) -> None:
    """Both work all the time; each batch, size and anchor exists once."""
    with (
        SealerProcess(world.env, tmp_path / "a.log") as one,
        SealerProcess(world.env, tmp_path / "b.log") as other,
        Load(world, "weather") as load,
    ):
        wait_for("some batches", lambda: world.size() >= (200 if long else 20))
        load._stop.set()
        clean(world, load)
        assert [one.stop(), other.stop()] == [0, 0]
    no_trouble(one)
    no_trouble(other)
    sealed = [line["index"] for s in (one, other) for line in s.said() if line["event"] == "sealed"]
    assert sorted(map(int, map(str, sealed))) == list(range(world.size()))


def test_a_sealer_stopped_in_the_middle_and_woken_does_not_fork_the_log(
    world: World, tmp_path: Path, long: bool
) -> None:
    """One is frozen at random moments while the other goes on; woken, it harms nothing."""
    seed = fresh_seed()
    print(f"NOTARY_TEST_SEED={seed}")
    dice = random.Random(seed)
    with (
        SealerProcess(world.env, tmp_path / "a.log") as one,
        SealerProcess(world.env, tmp_path / "b.log") as other,
    ):
        with Load(world, "weather") as load:
            wait_for("both work", lambda: world.size() >= 4)
            for turn in range(60 if long else 6):
                frozen = (one, other)[turn % 2]
                frozen.send(signal.SIGSTOP)
                random_pause(dice, 0.1, 0.4)
                frozen.send(signal.SIGCONT)
                random_pause(dice, 0.01, 0.15)
        clean(world, load)
        assert [one.stop(), other.stop()] == [0, 0]
    no_trouble(one)
    no_trouble(other)


def test_sealers_killed_at_random_moments_lose_and_double_nothing(
    world: World, tmp_path: Path, long: bool
) -> None:
    """kill -9, again and again, while readings are accepted; the next one takes it up."""
    seed = fresh_seed()
    print(f"NOTARY_TEST_SEED={seed}")
    dice = random.Random(seed)
    log = tmp_path / "sealer.log"
    with Load(world, "weather") as load:
        for turn in range(80 if long else 8):
            with SealerProcess(world.env, log) as sealer:
                if turn % 4:
                    size = world.size()
                    wait_for("it works", lambda size=size: world.size() > size)  # type: ignore[misc]
                random_pause(dice, 0.0, 0.25)
                sealer.kill()
    killed_within = world.size()
    with SealerProcess(world.env, tmp_path / "last.log") as sealer:
        clean(world, load)
        assert sealer.stop() == 0
    no_trouble(sealer)
    assert killed_within > 6


# -- killed between any two steps


def test_a_process_killed_between_any_two_steps_is_taken_up(world: World) -> None:
    """At each step of seal, sign and anchor in turn, before it and after it, on one log."""
    for turn, where in enumerate(STEPS):
        for when in ("before", "after"):
            world.add("weather", 6, seed=2 * turn + (when == "after"))
            assert step(world.env, where, when) == -signal.SIGKILL, (where, when)
            # What the kill left is a state that an audit accepts, before anything is mended.
            other = world.again()
            assert other.audit().findings == (), (where, when)
            if turn % 3 == 0:
                # Else the next kill comes on top of this one.
                other.settle()
                other.settle()
                assert settled(other), (where, when)
            other.close()
    other = world.again()
    other.settle()
    other.settle()
    assert settled(other)
    report = other.audit()
    other.close()
    count = 6 * 2 * len(STEPS)
    assert (report.records, report.waiting, report.findings) == (count, 0, ())


def test_the_steps_can_be_gone_through(world: World) -> None:
    """Without a kill the same process seals, signs and anchors."""
    world.add("weather", 6)
    assert step(world.env, "nowhere", "before") == 0
    assert settled(world)
