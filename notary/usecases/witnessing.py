# SPDX-License-Identifier: Apache-2.0
"""
Asking all witnesses of the rule, side by side, each in a thread of its own.

One that is down, slow or false costs nothing but its cosignature: it is asked again after a
growing pause, always for the newest checkpoint, and so catches up.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Thread
from typing import Final, Protocol

from notary.core.errors import NotaryError
from notary.core.trust import LogKey
from notary.store.pool import Pool
from notary.usecases.ask_witness import Asking, Heard
from notary.usecases.cosignatures import judge_newest
from notary.usecases.witness_client import WitnessClient
from notary.usecases.witness_rule import WitnessRule, adopt_rule

FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=5)
LOOK_SECONDS: Final = 10.0


class Say(Protocol):
    """What writes a line for the operator."""

    def __call__(self, event: str, /, **facts: object) -> None:
        """One event."""


class Witnesses:
    """The witnesses as the sealer asks them: `turn` at each round, which waits for nobody."""

    def __init__(
        self,
        pool: Pool,
        rule: WitnessRule | None,
        log_keys: Callable[[], Sequence[LogKey]],
        clock: Callable[[], datetime],
        say: Say,
    ) -> None:
        self._pool = pool
        self._rule = rule
        self._is_begun = False
        witnesses = () if rule is None else rule.policy.witnesses
        self._askers = [
            _Asker(Asking(pool, one.verifier, WitnessClient(str(one.url)), log_keys, clock), say)
            for one in witnesses
        ]

    def begin(self, now: datetime) -> None:
        """
        Before anything is signed, the first time: put the rule in force, and see what each
        witness remembers. One that doesn't answer is waited for so long and no longer.

        Raises:
            StoreUnavailable: the next round begins anew.
        """
        if self._is_begun:
            return
        adopt_rule(self._pool, self._rule, now)
        judge_newest(self._pool, now)
        threads = [Thread(target=asker.look_back, daemon=True) for asker in self._askers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LOOK_SECONDS)
        self._is_begun = True

    def turn(self, now: datetime) -> None:
        """
        Let each witness be asked that is due.

        Raises:
            StoreUnavailable: the next turn goes on.
        """
        self.begin(now)
        if not self._askers:
            return
        with self._pool.transaction(read_only=True) as tx:
            newest = tx.row("newest_checkpoint")
            cosigned = {row[0]: row[3] for row in tx.rows("list_witnesses")}
        for asker in self._askers:
            if newest is not None and cosigned[asker.vkey] != newest[0]:
                asker.start(now)

    def wait(self, seconds: float) -> None:
        """Wait until nobody is being asked, each so long at most."""
        for asker in self._askers:
            asker.wait(seconds)


class _Asker:
    """One witness, its thread and its pauses."""

    def __init__(self, asking: Asking, say: Say) -> None:
        self.vkey = asking.witness.vkey
        self._asking = asking
        self._say = say
        self._thread: Thread | None = None
        self._failures = 0
        self._not_before: datetime | None = None
        self._said: Heard | None = None

    def start(self, now: datetime) -> None:
        """Ask, unless it is being asked or has its pause."""
        if self._thread is not None and self._thread.is_alive():
            return
        if self._not_before is not None and now < self._not_before:
            return
        # Counted as a failure until it isn't one: whatever happens, the pause is there.
        self._failures += 1
        pause = FIRST_PAUSE * 2 ** min(self._failures - 1, 16)
        self._not_before = now + min(pause, LONGEST_PAUSE)
        self._thread = Thread(target=self._ask, name=f"witness {self.vkey[:40]}", daemon=True)
        self._thread.start()

    def look_back(self) -> None:
        """See whether it remembers what this log has forgotten."""
        with suppress(NotaryError):  # it is asked again, for its cosignature
            self._asking.look_back()

    def wait(self, seconds: float) -> None:
        """Wait for the answer."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _ask(self) -> None:
        try:
            heard = self._asking.ask()
        except NotaryError as error:
            # Ours, not the witness's: the database is away, say.
            self._say("witness", witness=self._asking.witness.name, problem=error.code)
            return
        if heard.problem is None:
            self._failures, self._not_before = 0, None
        if (heard.problem, heard.status) != (
            self._said and (self._said.problem, self._said.status)
        ):
            # What a witness answers is said once, not each time that it stays so.
            self._say(
                "witness",
                witness=self._asking.witness.name,
                size=heard.size,
                problem=heard.problem,
                status=heard.status,
            )
        self._said = heard
