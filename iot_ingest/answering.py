# SPDX-License-Identifier: Apache-2.0
"""
Publishing what the outbox holds: answers at once, then "sealed" and "anchored".

A row goes on only after the broker has acknowledged all that it had to say; a crash, or a
broker that is away, only makes it be published again. Nothing here is ever waited for by the
accepting side.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from time import monotonic
from typing import Final

from iot_ingest.outgoing import BrokerAway, Letter, Way
from notary.core.errors import NotaryError
from notary.usecases.outbox import (
    ANCHORED,
    ANSWER,
    SEALED,
    Answer,
    OutboxReader,
    Row,
    write_notices,
)

LOOK_SECONDS: Final = 1.0
DROP_SECONDS: Final = 30.0
IDLE_SECONDS: Final = 5.0
MIN_PAUSE_SECONDS: Final = 0.5
MAX_PAUSE_SECONDS: Final = 15.0
STATES: Final = {SEALED: "sealed", ANCHORED: "anchored"}


@dataclass(slots=True)
class Told:
    """What was done since the start, in messages."""

    answers: int = 0
    notices: int = 0
    refused: int = 0
    dropped: int = 0
    dropped_notices: int = 0


class Answering:
    """
    One thread's work; `complete` puts signed acceptances into an answer's text.

    What is older than `max_age`, and the oldest beyond `max_messages`, is dropped and counted.
    `tell` hears of failures that nobody foresaw.
    """

    def __init__(
        self,
        outbox: OutboxReader,
        ways: Mapping[str, Way],
        complete: Callable[[Sequence[Answer]], Sequence[str]],
        clock: Callable[[], datetime],
        max_age: timedelta,
        max_messages: int,
        tell: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        self._outbox = outbox
        self._ways = ways
        self._complete = complete
        self._clock = clock
        self._max_age = max_age
        self._max_messages = max_messages
        self._hear = tell
        self._leave, self._finish = Event(), Event()
        self._woken = Event()
        self._looked_at = self._dropped_at = float("-inf")
        self._retry_at = dict.fromkeys(ways, 0.0)
        self._pauses = dict.fromkeys(ways, MIN_PAUSE_SECONDS)
        self._waiting = False
        self._problems: dict[str, str] = {}
        self.told = Told()

    @property
    def problem(self) -> str | None:
        """Why answers wait, or None."""
        return next(iter(list(self._problems.values())), None)

    def wake(self) -> None:
        """There is something to publish."""
        self._woken.set()

    def finish(self) -> None:
        """End `run` once all answers that can be told are told; notices wait for the next start."""
        self._finish.set()
        self._woken.set()

    def leave(self) -> None:
        """End `run`; what is in the outbox stays there for the next start."""
        self._leave.set()
        self._woken.set()
        for way in self._ways.values():
            way.leave()

    def run(self) -> None:
        """Work until `finish` or `leave`."""
        while not self._leave.is_set():
            self._woken.clear()
            try:
                more = self.go_round()
                self._problems.pop("", None)
            except NotaryError as error:
                self._problems[""] = f"{error.code}: {error.detail}"
                self._leave.wait(MIN_PAUSE_SECONDS)
                continue
            except Exception as error:
                # A fault of our own costs answers time, and accepting nothing.
                self._problems[""] = f"internal: {type(error).__name__} while answering."
                self._hear(error)
                self._leave.wait(MAX_PAUSE_SECONDS)
                continue
            if not more and self._finish.is_set():
                return
            if not more:
                self._woken.wait(self._pause())

    def _pause(self) -> float:
        """Until the next look: soon where something waits, else now and then."""
        return LOOK_SECONDS if self._waiting or self._problems else IDLE_SECONDS

    def go_round(self) -> bool:
        """Publish some of what is due. Returns whether more may be due."""
        now = monotonic()
        stages = [ANSWER]
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._waiting = self._outbox.waiting() > 0
            if self._waiting:
                self._outbox.find_sealed()
                stages += [SEALED, ANCHORED]
        if now - self._dropped_at >= DROP_SECONDS:
            self._dropped_at = now
            self._drop()
        more = False
        for stage in stages:
            for name in self._ways:
                more |= self._tell(name, stage)
        return more

    def _drop(self) -> None:
        answers, notices = self._outbox.drop(self._clock() - self._max_age, self._max_messages)
        self.told.dropped += answers
        self.told.dropped_notices += notices

    def _tell(self, broker: str, stage: int) -> bool:
        if monotonic() < self._retry_at[broker]:
            return False
        rows = self._outbox.next_rows(broker, stage)
        if not rows:
            return False
        self._waiting = True
        letters = self._write(rows, stage)
        try:
            refused = self._ways[broker].deliver(letters)
        except BrokerAway as error:
            self._problems[broker] = f"answers to devices wait: {error.detail}"
            self._retry_at[broker] = monotonic() + self._pauses[broker]
            self._pauses[broker] = min(self._pauses[broker] * 2, MAX_PAUSE_SECONDS)
            return False
        self._problems.pop(broker, None)
        self._pauses[broker] = MIN_PAUSE_SECONDS
        self._outbox.published([row.id for row in rows], stage)
        self.told.refused += refused
        if stage == ANSWER:
            self.told.answers += len(letters)
        else:
            self.told.notices += len(letters)
        return True

    def _write(self, rows: Sequence[Row], stage: int) -> list[Letter]:
        letters = []
        for row in rows:
            if stage == ANSWER:
                texts = self._complete(row.answers)
                written = list(zip(row.answers, texts, strict=True))
            else:
                written = [
                    (answer, text)
                    for answer in row.answers
                    if answer.notices
                    for text in write_notices(answer, STATES[stage])
                ]
            letters += [
                Letter(answer.topic, text.encode(), answer.correlation) for answer, text in written
            ]
        return letters
