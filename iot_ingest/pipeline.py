# SPDX-License-Identifier: Apache-2.0
"""
From messages to acceptances: a bounded queue, micro-batches, quarantine, acknowledgements.

A message is acknowledged once all that it carried is committed, as records or in quarantine;
never before. When the database is away nothing is acknowledged and the queue fills, so that
the broker has to wait. One bad message costs only itself.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from queue import Empty, Full, Queue
from threading import Event
from typing import Protocol

from iot_ingest.feeds import Feeds
from notary.core.errors import NotaryError
from notary.store.errors import LaneBusy, StoreUnavailable
from notary.usecases.accept import ClockBehind
from notary.usecases.marks import StateRefused
from notary.usecases.quarantine import Rejected
from notary.usecases.reading import Acceptance, Outcome, Reading, Refusal

MAX_BATCH_READINGS = 2_000
LINGER_SECONDS = 0.005
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.1, 5.0
AWAY = (StoreUnavailable, LaneBusy, StateRefused, ClockBehind)


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the broker; `ticket` is what its acknowledgement needs."""

    topic: str
    payload: bytes
    ticket: object


class Accepts(Protocol):
    """What the pipeline asks of the accepting side."""

    def accept(self, readings: Sequence[Reading], now: datetime) -> list[Outcome]:
        """As notary.usecases.accept.Acceptor."""


@dataclass(slots=True)
class Counts:
    """What this process has done since its start."""

    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    messages: int = 0
    problem: str | None = None
    last_message_at: datetime | None = None


@dataclass(slots=True)
class _Load:
    """One message on its way: its readings, and what it has for quarantine."""

    message: Message
    feed: str
    dataset: str | None
    readings: list[Reading]
    rejected: list[Rejected] = field(default_factory=list)


class Pipeline:
    """One worker's way from queue to acknowledgement; `put` may be called by another thread."""

    def __init__(
        self,
        feeds: Feeds,
        acceptor: Accepts,
        put_aside: Callable[[Sequence[Rejected], datetime], None],
        acknowledge: Callable[[Sequence[object]], None],
        clock: Callable[[], datetime],
        queue_size: int,
    ) -> None:
        self._feeds = feeds
        self._acceptor = acceptor
        self._put_aside = put_aside
        self._acknowledge = acknowledge
        self._clock = clock
        self._queue: Queue[Message] = Queue(queue_size)
        self._stop = Event()
        self.counts = Counts()

    @property
    def depth(self) -> int:
        """How many messages wait."""
        return self._queue.qsize()

    def put(self, message: Message) -> bool:
        """Queue a message; blocks while the queue is full. False once stopped."""
        while not self._stop.is_set():
            try:
                self._queue.put(message, timeout=0.5)
                return True
            except Full:
                continue
        return False

    def stop(self) -> None:
        """Take nothing more; `run` finishes what is queued as long as the database is there."""
        self._stop.set()

    def run(self) -> None:
        """Work until stopped and drained."""
        while True:
            loads = self._collect()
            if loads:
                if not self._process(loads):
                    return
            elif self._stop.is_set():
                return

    def _collect(self) -> list[_Load]:
        """A micro-batch: what is there, and what comes within a few milliseconds."""
        loads: list[_Load] = []
        readings = 0
        deadline = None
        while readings < MAX_BATCH_READINGS:
            try:
                if deadline is None:
                    message = self._queue.get(timeout=0.2)
                    deadline = time.monotonic() + LINGER_SECONDS
                elif self._queue.qsize():
                    message = self._queue.get_nowait()
                else:
                    message = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                break
            load = self._decode(message)
            loads.append(load)
            readings += max(1, len(load.readings))
        return loads

    def _decode(self, message: Message) -> _Load:
        self.counts.messages += 1
        self.counts.last_message_at = self._clock()
        feed = self._feeds.find(message.topic)
        if feed is None:
            load = _Load(message, "-", None, [])
            self._reject(load, "no-feed", "No feed matches the topic.", message.payload)
            return load
        readings, faults, dataset = feed.read(message.topic, message.payload)
        load = _Load(message, feed.name, dataset, readings)
        for fault in faults:
            self._reject(load, fault.reason, fault.detail, fault.payload)
        return load

    def _reject(self, load: _Load, reason: str, detail: str, payload: bytes) -> None:
        load.rejected.append(
            Rejected(load.feed, load.message.topic, load.dataset, reason, detail, payload)
        )

    def _process(self, loads: list[_Load]) -> bool:
        """Accept, put aside, acknowledge. False when stopped while the database is away."""
        if not self._retry(lambda: self._accept(loads)):
            return False
        rejected = [one for load in loads for one in load.rejected]
        if rejected:
            if not self._retry(lambda: self._put_aside(rejected, self._clock())):
                return False
            self.counts.quarantined += len(rejected)
        # All of it is committed; a crash here only lets the broker send it again.
        self._acknowledge([load.message.ticket for load in loads])
        return True

    def _retry(self, work: Callable[[], None]) -> bool:
        """Do it as soon as it can be done; False when stopped meanwhile."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                work()
                self.counts.problem = None
                return True
            except AWAY as error:
                self.counts.problem = f"{error.code}: {error.detail}"
            if self._stop.wait(pause):
                return False
            pause = min(pause * 2, LAST_PAUSE_SECONDS)

    def _accept(self, loads: list[_Load]) -> None:
        """Accept what the loads still hold; what is answered is taken out of them."""
        readings = [reading for load in loads for reading in load.readings]
        if not readings:
            return
        try:
            outcomes = self._acceptor.accept(readings, self._clock())
        except AWAY:
            raise
        except Exception as error:
            self._halve(loads, error)
            return
        place = 0
        for load in loads:
            for reading in load.readings:
                outcome = outcomes[place]
                place += 1
                if isinstance(outcome, Refusal):
                    self._reject(load, outcome.reason, outcome.detail, reading.payload)
                else:
                    self._count(outcome)
            load.readings = []

    def _halve(self, loads: list[_Load], error: Exception) -> None:
        """Something in here breaks the whole: find it, so that its neighbours go on."""
        if len(loads) > 1:
            self._accept(loads[: len(loads) // 2])
            self._accept(loads[len(loads) // 2 :])
            return
        load = loads[0]
        code = error.code if isinstance(error, NotaryError) else type(error).__name__
        self._reject(load, "internal", f"It could not be accepted: {code}", load.message.payload)
        load.readings = []

    def _count(self, accepted: Acceptance) -> None:
        if accepted.duplicate:
            self.counts.duplicates += 1
        else:
            self.counts.accepted += 1
