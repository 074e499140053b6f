# SPDX-License-Identifier: Apache-2.0
"""All gateways of a simulation at work, until everything is answered, or nobody answers."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Final

from iot_simulator.answers import read_answer
from iot_simulator.gateway import Counts, Gateway
from iot_simulator.listing import SYNC_SECONDS, Listing
from iot_simulator.mqtt import (
    Acknowledged,
    Broker,
    Connected,
    Connection,
    Denied,
    Event,
    Heard,
    Lost,
)
from iot_simulator.plan import Plan
from notary.core.errors import MalformedText

LOOK_SECONDS: Final = 0.25
_STOP: Final = (-1, None)


def simulate(
    plan: Plan,
    list_: Path | None,
    broker: Broker,
    clock: Callable[[], datetime],
    begin: datetime | None = None,
) -> int:
    """
    Simulate a plan; readings are taken from `begin` (else now) on. 0: all that was sent is
    answered, as it should be; 1: something isn't.

    Raises:
        MalformedText: the list is another's, or the broker won't have the gateways.
    """
    start = begin or clock()
    start = start.replace(microsecond=start.microsecond // 1000 * 1000)
    listing = Listing(list_, plan.repeatable(), start)
    try:
        if begin is not None and listing.begin != start:
            raise MalformedText(f"{list_} was begun with another begin: take the same, or none.")
        simulator = Simulator(plan, listing, broker, clock)
        with _stopped_by_signals(simulator.stop):
            simulator.run()
    finally:
        listing.close()
    return simulator.tell_end(list_)


class Simulator:
    """One thread that thinks for all gateways; each connection has a thread that tells it."""

    def __init__(
        self, plan: Plan, listing: Listing, broker: Broker, clock: Callable[[], datetime]
    ) -> None:
        self._plan, self._listing, self._clock = plan, listing, clock
        self._events: SimpleQueue[tuple[int, Event | None]] = SimpleQueue()
        self._gateways = [Gateway(plan, number, listing) for number in range(plan.gateways)]
        run = f"{listing.begin:%Y%m%d%H%M%S}{listing.begin.microsecond // 1000:03d}"
        self._connections = [
            Connection(
                broker, gateway.station.name, plan.answers_of(number), run, self._teller(number)
            )
            for number, gateway in enumerate(self._gateways)
        ]
        self._started = monotonic()
        self._looked = self._synced = self._shown = 0.0
        self._moved = 0.0
        self._stopped = False
        self._problem: str | None = None
        self._terminal = sys.stdout.isatty()
        self._pause = min(LOOK_SECONDS, max(0.005, 0.5 * plan.pack / plan.rate))

    def _teller(self, number: int) -> Callable[[Event], None]:
        return lambda event: self._events.put((number, event))

    def stop(self) -> None:
        """Send and wait no longer; may be called by a signal."""
        self._events.put(_STOP)

    def run(self) -> None:
        """Until all is sent and answered, `stop`, or nothing moves for the plan's patience."""
        plan = self._plan
        who = "1 gateway sends" if plan.gateways == 1 else f"{plan.gateways} gateways send"
        print(f"{who} {', '.join(plan.formats)} to {plan.dataset}, seed {plan.seed}.", flush=True)
        for connection in self._connections:
            connection.start()
        try:
            while not self._stopped and not self._is_done():
                self._go_round()
        finally:
            for connection, gateway in zip(self._connections, self._gateways, strict=True):
                connection.stop(for_good=gateway.ended and not gateway.waiting)
            self._show(last=True)

    def _is_done(self) -> bool:
        if all(gateway.ended and not gateway.waiting for gateway in self._gateways):
            return True
        idle = not any(gateway.waiting for gateway in self._gateways)
        if idle and all(connection.ready for connection in self._connections):
            self._moved = self._elapsed()
        return self._elapsed() - self._moved > self._plan.patience

    def _elapsed(self) -> float:
        return monotonic() - self._started

    def _go_round(self) -> None:
        elapsed = self._elapsed()
        looks = elapsed - self._looked >= LOOK_SECONDS
        if looks:
            self._looked = elapsed
        over = self._plan.seconds is not None and elapsed >= self._plan.seconds
        for gateway, connection in zip(self._gateways, self._connections, strict=True):
            if over:
                gateway.close()
            gateway.send(elapsed, self._clock(), connection)
            if looks:
                gateway.send_again(elapsed, connection)
        if elapsed - self._synced >= SYNC_SECONDS:
            self._synced = elapsed
            self._listing.sync()
        self._show()
        self._take_events()

    def _take_events(self) -> None:
        """Wait for one a little, then take all that are there."""
        try:
            number, event = self._events.get(timeout=self._pause)
            while True:
                if event is None:
                    self._stopped = True
                else:
                    self._take(number, event)
                number, event = self._events.get_nowait()
        except Empty:
            return

    def _take(self, number: int, event: Event) -> None:
        gateway, connection = self._gateways[number], self._connections[number]
        answered = gateway.counts.answered
        if isinstance(event, Connected):
            self._problem = None
            connection.opened()
            gateway.reconnected(self._elapsed())
        elif isinstance(event, Lost):
            self._problem = event.why
            connection.lost()
        elif isinstance(event, Denied):
            raise MalformedText(f"{event.why[0].upper()}{event.why[1:]}.")
        elif isinstance(event, Acknowledged):
            id_ = connection.acknowledged(event.mid)
            if id_ is not None:
                gateway.acknowledged(id_, self._clock(), taken=event.taken)
        elif isinstance(event, Heard):
            answer = read_answer(event.payload)
            if answer is not None:
                gateway.answered(event.id, answer, self._clock())
        if gateway.counts.answered > answered:
            self._moved = self._elapsed()

    def _counts(self) -> Counts:
        every = [gateway.counts for gateway in self._gateways]
        return Counts(
            sent=sum(one.sent for one in every),
            answered=sum(one.answered for one in every),
            refused=sum(one.refused for one in every),
            wrong=sum(one.wrong for one in every),
            again=sum(one.again for one in every),
        )

    def _show(self, last: bool = False) -> None:
        """One line: renewed on a terminal, else now and then."""
        elapsed = self._elapsed()
        if not last and elapsed - self._shown < (0.2 if self._terminal else 5.0):
            return
        self._shown = elapsed
        one = self._counts()
        line = (
            f"{one.sent:,} readings sent, {one.answered:,} answered, "
            f"{one.sent - one.answered:,} waiting, {one.refused:,} refused; "
            f"{one.again:,} messages sent again"
        )
        if self._problem is not None:
            line += f"; {self._problem}"
        if self._terminal:
            print(f"\r\x1b[K{line}", end="\n" if last else "", flush=True)
        else:
            print(line, flush=True)

    def tell_end(self, list_: Path | None) -> int:
        """The last sentences, and the exit code."""
        counts = self._counts()
        left = counts.sent - counts.answered
        if counts.wrong:
            first = next(one.first_wrong for one in self._gateways if one.first_wrong)
            print(f"{counts.wrong} answers are not as they should be, first {first}")
        if left:
            why = f" The last problem: {self._problem}." if self._problem else ""
            where = ""
            if list_ is not None:
                where = f" {list_} has them: the same command with this list goes on."
            print(f"{left} readings are not answered.{why}{where}")
        elif not counts.sent:
            print(f"Nothing could be sent: {self._problem or 'stopped'}.")
        elif self._plan.acceptances == "off":
            print(
                f"The broker has all {counts.sent} readings. That is the broker's word alone "
                "(PUBACK): whether the notary has them was not asked."
            )
        else:
            accepted = counts.answered - counts.refused
            print(f"All {counts.sent} readings are answered: {accepted} accepted, "
                  f"{counts.refused} refused.")  # fmt: skip
        return int(bool(left or counts.wrong or not counts.sent))


@contextmanager
def _stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop it in order."""
    before = {
        number: signal.signal(number, lambda *_: stop())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
