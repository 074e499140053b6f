# SPDX-License-Identifier: Apache-2.0
"""
Accepting with patience: what may be taken in later is tried again until it is, and of what
breaks a whole batch only the broken part is told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Final, Protocol, TypeVar

from notary.store.errors import LaneBusy, StoreUnavailable
from notary.usecases.accept import ClockBehind
from notary.usecases.marks import StateRefused
from notary.usecases.reading import Outcome, Reading

AWAY: Final = (StoreUnavailable, LaneBusy)
"""Passes by itself, soon."""
SHUT: Final = (StateRefused, ClockBehind)
"""A person may have to look: tried again slowly."""

FIRST_PAUSE_SECONDS: Final = 0.1
MAX_AWAY_SECONDS: Final = 5.0
MAX_SHUT_SECONDS: Final = 30.0

T = TypeVar("T")


class GaveUp(Exception):
    """The process has to leave; what isn't acknowledged comes again."""


class Accepts(Protocol):
    """What is asked of the accepting side."""

    def accept_free(self, readings: Sequence[Reading], now: datetime) -> list[Outcome | None]:
        """As notary.usecases.accept.Acceptor.accept_free."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A reading that alone makes accepting fail in a way that nobody foresaw."""

    detail: str


Answer = Outcome | Broken | None
"""None: its lane is held by another process."""


class Patience:
    """
    Waits between tries, longer each time; `problem` says for what, None when all is well.
    """

    def __init__(self) -> None:
        self.problem: str | None = None
        self._leave = Event()

    def leave(self) -> None:
        """Wait no longer: from now on every wait ends in GaveUp."""
        self._leave.set()

    def try_until_done(self, work: Callable[[], T]) -> T:
        """
        Do the work as soon as it can be done.

        Raises:
            GaveUp: told to leave meanwhile.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                done = work()
            except AWAY as error:
                self.problem, longest = f"{error.code}: {error.detail}", MAX_AWAY_SECONDS
            except SHUT as error:
                self.problem, longest = f"{error.code}: {error.detail}", MAX_SHUT_SECONDS
            else:
                self.problem = None
                return done
            self.wait(pause)
            pause = min(pause * 2, longest)

    def wait(self, seconds: float) -> None:
        """Wait. Raises GaveUp when told to leave."""
        if self._leave.wait(seconds):
            raise GaveUp


class PatientAcceptor:
    """The accepting side for one pipeline; `tell` hears of each failure that nobody foresaw."""

    def __init__(
        self,
        acceptor: Accepts,
        patience: Patience,
        clock: Callable[[], datetime],
        tell: Callable[[Exception], None],
    ) -> None:
        self._acceptor = acceptor
        self._patience = patience
        self._clock = clock
        self._tell = tell

    def accept(self, readings: Sequence[Reading]) -> list[Answer]:
        """
        An answer for each reading; all that were accepted are durable.

        Raises:
            GaveUp: told to leave. Some may be durable then; all come again.
        """
        if not readings:
            return []
        try:
            return list(self._patience.try_until_done(lambda: self._once(readings)))
        except GaveUp:
            raise
        except Exception as error:
            if len(readings) == 1:
                self._tell(error)
                return [Broken(f"{type(error).__name__} while accepting.")]
        half = len(readings) // 2
        answers = self.accept(readings[:half])
        held = {
            (reading.dataset, reading.source)
            for reading, answer in zip(readings, answers, strict=False)
            if answer is None
        }
        # What came later from a source must not be accepted before what was put aside.
        later = readings[half:]
        free = iter(self.accept([one for one in later if (one.dataset, one.source) not in held]))
        for one in later:
            answers.append(None if (one.dataset, one.source) in held else next(free))
        return answers

    def _once(self, readings: Sequence[Reading]) -> list[Outcome | None]:
        return self._acceptor.accept_free(readings, self._clock())
