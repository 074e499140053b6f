# SPDX-License-Identifier: Apache-2.0
"""
Anchoring on all ledgers, side by side, each in a thread of its own.

One that is down or slow holds up neither sealing, nor signing, nor another ledger.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Thread
from typing import Final

from notary.core.errors import NotaryError
from notary.ledgers.port import Ledger
from notary.store.pool import Pool
from notary.usecases.anchor import Anchored, anchor, look_back
from notary.usecases.anchor_work import read_work
from notary.usecases.gate import Gate
from notary.usecases.marks import StateRefused
from notary.usecases.witnessing import Say

LOOK_SECONDS: Final = 10.0
CLOSED_PAUSE: Final = timedelta(minutes=1)
"""While the gate is closed a ledger is only asked what it holds, and so often."""


class Anchors:
    """The ledgers as the sealer asks them: `turn` at each round, which waits for nobody."""

    def __init__(
        self,
        pool: Pool,
        gate: Gate,
        ledgers: Sequence[Ledger],
        interval: timedelta,
        clock: Callable[[], datetime],
        say: Say,
    ) -> None:
        self._pool, self._gate = pool, gate
        self._is_begun = False
        self._turns = [_Turn(pool, gate, ledger, interval, clock, say) for ledger in ledgers]

    def begin(self) -> None:
        """
        Before anything is sealed, the first time: see what the ledgers of others hold of this
        log. They are waited for so long and no longer, however many don't answer.

        Raises:
            StateRefused: the gate is closed, or one of them knows more than the database.
            StoreUnavailable: the next round begins anew.
        """
        if self._is_begun:
            return
        self._gate.open()
        self._is_begun = True
        for turn in self._turns:
            turn.look()
        end = time.monotonic() + LOOK_SECONDS
        for turn in self._turns:
            turn.wait(max(end - time.monotonic(), 0.0))
        self._gate.hear()

    def turn(self, now: datetime) -> None:
        """
        Let each ledger get on with its anchor that is due; while the gate is closed, only see
        what the ledgers of others hold: one of them may be what closed it.

        Raises:
            StoreUnavailable: the next turn goes on.
        """
        try:
            self._gate.open()
        except StateRefused:
            for turn in self._turns:
                turn.look_again(now)
            return
        with self._pool.transaction(read_only=True) as tx:
            works = read_work(tx, [turn.ledger.name for turn in self._turns])
        for turn, work in zip(self._turns, works, strict=True):
            stopped = work.stopped(turn.ledger)
            if stopped is not None:
                turn.tell(Anchored(turn.ledger.name, stopped[0], "failed", stopped[1]))
            elif work.is_due(turn.ledger, turn.interval, now):
                turn.start()

    def wait(self, seconds: float) -> None:
        """Wait until no ledger is being asked, for each so long at most."""
        for turn in self._turns:
            turn.wait(seconds)


class _Turn:
    """One ledger, and its thread."""

    def __init__(
        self,
        pool: Pool,
        gate: Gate,
        ledger: Ledger,
        interval: timedelta,
        clock: Callable[[], datetime],
        say: Say,
    ) -> None:
        self.ledger = ledger
        self.interval = interval
        self._pool, self._gate, self._clock, self._say = pool, gate, clock, say
        self._thread: Thread | None = None
        self._not_before: datetime | None = None
        self._told: Anchored | None = None

    def start(self) -> None:
        """Get on, unless it is being asked."""
        self._run(self._go)

    def look(self) -> None:
        """See whether it holds what this log has forgotten, where others stand behind it."""
        if not self.ledger.own_word:
            self._run(self._look_back)

    def look_again(self, now: datetime) -> None:
        """The same, now and then."""
        if self._not_before is None or now >= self._not_before:
            self._not_before = now + CLOSED_PAUSE
            self.look()

    def _look_back(self) -> None:
        try:
            trouble = look_back(self._pool, self.ledger, self._clock)
        except NotaryError as error:
            self._say("anchor", ledger=self.ledger.name, problem=error.code)
            return
        if trouble is not None:
            self.tell(trouble)

    def tell(self, anchored: Anchored) -> None:
        """What a ledger answers is said once, not each time that it stays so."""
        if anchored != self._told:
            self._say(
                "anchor",
                ledger=anchored.ledger,
                size=anchored.size,
                state=anchored.state,
                error=anchored.error,
            )
        self._told = anchored

    def wait(self, seconds: float) -> None:
        """Wait for its end."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, what: Callable[[], None]) -> None:
        if self._thread is None or not self._thread.is_alive():
            name = f"ledger {self.ledger.name[:40]}"
            self._thread = Thread(target=what, name=name, daemon=True)
            self._thread.start()

    def _go(self) -> None:
        try:
            moved = anchor(self._pool, self._gate, self.ledger, self.interval, self._clock)
        except NotaryError as error:
            # Ours, not the ledger's: the database is away, say.
            self._say("anchor", ledger=self.ledger.name, problem=error.code)
            return
        for anchored in moved:
            self.tell(anchored)
