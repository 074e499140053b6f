# SPDX-License-Identifier: Apache-2.0
"""
The fault suite of ledgers: whatever goes wrong on the way, no anchor is lost, and none is
claimed that isn't there.

An adapter's test inherits `LedgerFaults` and gives the fixtures

* `proxy`: a FaultyProxy before the real ledger;
* `open_ledger`: a function, a new process's adapter, whose endpoint leads through the proxy. It
  gets the notary by `surroundings(world.pool, writes=True)`;
* `held`: a function of checkpoints, what the real ledger holds of them by an independent look:
  (size, root), each as often as it is there.

The `world` is a notary with a real database, its log two batches large. Each test begins with a
ledger that holds nothing of this log.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier
from typing import Any, ClassVar

import pytest

from notary.ledgers.http import Endpoint
from notary.ledgers.port import Anchorable, Ledger, anchorable
from notary.usecases.anchor import Anchored, anchor
from tests.ledgers.faulty_proxy import FAULTS, GARBAGE, Fault, FaultyProxy
from tests.usecases.power_cuts import PowerCut, cut_commit
from tests.usecases.world import ORIGIN, World

HOUR = timedelta(hours=1)
MOST_STEPS = 100
MOST_EXCHANGES = 12
EXCHANGES = 4
"""In so many exchanges of an anchor, each in its turn, something goes wrong."""
QUICK_SECONDS = 0.5
"""How long an adapter waits in the tests in which nothing comes."""
Held = Callable[[Sequence[Anchorable]], list[tuple[int, bytes]]]


@dataclass
class Stage:
    """A notary and one ledger, as one process after another sees them."""

    world: World
    open_ledger: Callable[[], Ledger]
    proxy: FaultyProxy
    held: Held
    ripen: Callable[[], None]
    once: bool
    seed: int = 1

    def process(self) -> Ledger:
        """The ledger as a process that was just started sees it."""
        return self.open_ledger()

    def step(self, ledger: Ledger) -> list[Anchored]:
        """What the sealer does once, a while later."""
        self.world.pass_by(600)
        world = self.world
        return anchor(world.pool, world.gate, ledger, HOUR, lambda: world.now, at_once=True)

    def settle(self, ledger: Ledger | None = None) -> None:
        """Go on until nothing is under way and the newest checkpoint is verified."""
        ledger = ledger or self.process()
        told: list[Anchored] = []
        for _ in range(MOST_STEPS):
            told += self.step(ledger)
            if self.newest_verified() == self.world.size():
                return
            assert not told or told[-1].state != "failed", told[-1]
            self.ripen()
        raise AssertionError(f"the newest checkpoint was never anchored: {told[-5:]}")

    def grow(self) -> None:
        """One more batch, signed."""
        self.seed += 1
        self.world.add("weather", 3, seed=self.seed)
        self.world.seal()
        self.world.sign()

    def rows(self) -> list[tuple[Any, ...]]:
        """(size, root, state) of this ledger's anchors."""
        return self.world.rows(
            "SELECT a.size, c.root, a.state FROM anchors a JOIN checkpoints c USING (size)"
            " WHERE a.ledger <> 'file' ORDER BY size"
        )

    def newest_verified(self) -> int:
        """The largest size that is called verified."""
        return max((size for size, _, state in self.rows() if state == "verified"), default=0)

    def check(self) -> None:
        """None is claimed that isn't there, none stands there twice."""
        checkpoints = [anchorable(ORIGIN, size, root) for size, root, _ in self.rows()]
        there = self.held(checkpoints)
        for size, root, state in self.rows():
            assert state != "verified" or (size, root) in there, f"size {size} isn't there"
        if self.once:
            assert len(there) == len(set(there)), "doubled"
        sizes = {size for size, _ in there}
        assert len(sizes) == len(set(there)), "two roots for one size"

    def audit(self, ledger: Ledger) -> None:
        """An audit finds nothing in what was kept."""
        self.world.parts.ledgers[1:] = [ledger]
        assert self.world.audit().findings == ()


def cut_exchange(patch: pytest.MonkeyPatch, number: int, *, after: bool) -> None:
    """The process ends before or after its exchange of that number, counted from 0."""
    real, count = Endpoint.post, iter(range(1_000_000))

    def post(self: Endpoint, *values: Any, **named: Any) -> tuple[int, bytes]:
        is_it = next(count) == number
        if is_it and not after:
            raise PowerCut
        answer = real(self, *values, **named)
        if is_it:
            raise PowerCut
        return answer

    patch.setattr(Endpoint, "post", post)


COMMITS = ("note_ledger", "add_anchor", "try_anchor", "anchor_submitted", "move_anchor")
"""All that is committed while a checkpoint is anchored, in this order."""


class LedgerFaults:
    """What can go wrong, each with what must hold afterwards."""

    remembers: ClassVar[bool] = True
    """False: the ledger keeps nothing by size, so the same checkpoint may stand there twice."""

    def ripen(self) -> None:
        """Let the ledger get on with what it was handed."""
        time.sleep(0.02)

    @pytest.fixture
    def stage(
        self,
        world: World,
        open_ledger: Callable[[], Ledger],
        proxy: FaultyProxy,
        held: Held,
    ) -> Iterator[Stage]:
        """A log of one signed batch; afterwards whatever is claimed must be there."""
        world.add(world.dataset("weather"), 3)
        world.seal()
        world.sign()
        made = Stage(world, open_ledger, proxy, held, self.ripen, self.remembers)
        yield made
        proxy.heal()
        made.check()

    # -- nothing goes wrong

    def test_a_log_that_grows_is_anchored_again_and_again(self, stage: Stage) -> None:
        """Several anchors by one process, one by the next; an audit finds nothing."""
        ledger = stage.process()
        for _ in range(3):
            stage.settle(ledger)
            stage.grow()
        other = stage.process()
        stage.settle(other)
        assert [state for _, _, state in stage.rows()] == ["verified"] * 4
        stage.audit(other)

    # -- the way to the ledger

    @pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "hang"])
    def test_a_fault_on_the_way(self, stage: Stage, fault: Fault) -> None:
        """Never `failed`, nothing claimed meanwhile that isn't there; once it is over: anchored."""
        ledger = stage.process()
        stage.settle(ledger)
        # Where an honest "it isn't there" is replayed, it is handed over once more.
        stage.once = stage.once and fault != "replay"
        for after in range(EXCHANGES):
            stage.grow()
            stage.proxy.fail(fault, after=after)
            for _ in range(2):
                for moved in stage.step(ledger):
                    assert moved.state != "failed", (after, moved)
                stage.check()
            stage.proxy.heal()
            stage.settle(ledger)

    def test_garbage_in_the_place_of_every_answer(self, stage: Stage) -> None:
        """It proves nothing: no state but `unknown` or waiting, and no traceback of the adapter."""
        ledger = stage.process()
        for garbage in GARBAGE:
            stage.proxy.fail("garbage", garbage=garbage)
            for _ in range(2):
                for moved in stage.step(ledger):
                    assert moved.state in ("unknown", "submitted", "committed"), (garbage, moved)
                    assert "The adapter failed" not in (moved.error or ""), (garbage, moved)
            stage.proxy.heal()
            stage.settle(ledger)
            stage.grow()

    def test_an_answer_that_never_comes(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A time-out is no failure."""
        real = Endpoint.__init__

        def quick(self: Endpoint, url: str, **named: Any) -> None:
            real(self, url, **{**named, "timeout_seconds": QUICK_SECONDS})

        monkeypatch.setattr(Endpoint, "__init__", quick)
        ledger = stage.process()
        monkeypatch.undo()
        stage.proxy.fail("hang")
        (moved,) = stage.step(ledger)
        assert moved.state == "unknown"
        stage.proxy.heal()
        stage.settle()

    def test_a_time_out_after_it_was_handed_over(self, stage: Stage) -> None:
        """Each exchange is lost once, in its turn: the ledger has it, nobody heard; not twice."""
        for lost in range(EXCHANGES):
            ledger = stage.process()
            stage.proxy.fail("swallow", after=lost)
            stage.step(ledger)
            stage.proxy.heal()
            stage.settle()
            stage.check()
            stage.grow()

    def test_answers_about_an_earlier_checkpoint_prove_nothing(self, stage: Stage) -> None:
        """Everything that the ledger said of size 1 is said again of size 2."""
        stage.once = False
        ledger = stage.process()
        stage.settle(ledger)
        stage.grow()
        # The last ones first: an early one says that nothing is there, and lets it be handed over.
        for first in reversed(range(min(len(stage.proxy.answers), 8))):
            stage.proxy.fail("replay", first=first)
            for _ in range(2):
                stage.step(ledger)
                stage.check()
        stage.proxy.heal()
        stage.settle()

    # -- a ledger that is away

    def test_a_ledger_that_was_down_for_many_intervals_catches_up_with_one(
        self, stage: Stage
    ) -> None:
        """What was under way, and one for the newest; what came in between is covered by it."""
        ledger = stage.process()
        stage.proxy.fail("down")
        for _ in range(5):
            stage.step(ledger)
            stage.grow()
        assert [(size, state) for size, _, state in stage.rows()] == [(1, "unknown")]
        stage.proxy.heal()
        stage.settle(ledger)
        assert [(size, state) for size, _, state in stage.rows()] == [
            (1, "verified"),
            (6, "verified"),
        ]

    # -- the process is killed

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_killed_between_any_two_exchanges(self, stage: Stage, after: bool) -> None:
        """The next process takes the anchor up where it stands."""
        for number in range(MOST_EXCHANGES):
            with pytest.MonkeyPatch.context() as patch:
                cut_exchange(patch, number, after=after)
                try:
                    ledger = stage.process()
                    for _ in range(MOST_STEPS):
                        stage.step(ledger)
                        if stage.newest_verified() == stage.world.size():
                            break
                        self.ripen()
                except PowerCut:
                    was_cut = True
                else:
                    was_cut = False
            stage.check()
            stage.settle()
            stage.check()
            if not was_cut:
                assert number > 0, "the adapter speaks to nobody"
                return
            stage.grow()

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_killed_between_any_two_commits(self, stage: Stage, after: bool) -> None:
        """What is handed over and not noted is found out, the reference too."""
        for query in COMMITS:
            with pytest.MonkeyPatch.context() as patch:
                cut_commit(patch, query, after=after)
                with pytest.raises(PowerCut):
                    stage.step(stage.process())
            stage.check()
            stage.settle()
            stage.check()
            stage.grow()
        assert {state for _, _, state in stage.rows()} == {"verified"}

    def test_a_reference_that_was_lost(self, stage: Stage) -> None:
        """A database that knows only the intention, though the ledger has it for long."""
        ledger = stage.process()
        stage.settle(ledger)
        stage.world.change(
            "UPDATE anchors SET state = 'built', reference = NULL, evidence = NULL, attempts = 0"
        )
        stage.settle()

    def test_two_sealers_at_once_anchor_it_once(self, stage: Stage) -> None:
        """One of them hands it over, the other one leaves it alone."""
        world, ready = stage.world, Barrier(2)

        def one(ledger: Ledger) -> list[Anchored]:
            ready.wait()
            return anchor(world.pool, world.gate, ledger, timedelta(0), lambda: world.now)

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(one, [stage.process(), stage.process()]))
        stage.check()
        stage.settle()
