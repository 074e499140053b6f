# SPDX-License-Identifier: Apache-2.0
"""
One gateway's mind: what it sends when, what it waits for, what it sends again.

No network and no clock: time is an argument (seconds of a steady clock; `now` for the list).
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from iot_simulator.formats import Message, Simulated, formats
from iot_simulator.listing import Answer, Listing, Sent
from iot_simulator.order import Order
from iot_simulator.plan import Plan
from iot_simulator.readings import measure

MAX_PAUSE_SECONDS: Final = 120.0
REMEMBERED: Final = 2_000
MOST_AT_ONCE: Final = 100
"""Messages in one go, so that nobody else waits long for their turn."""
RESUME_SECONDS: Final = 1.0
"""After it begins again, so long answers that wait at the broker may come first."""


class Way(Protocol):
    """A connection to the broker."""

    @property
    def ready(self) -> bool:
        """Whether a message can be handed to the broker now."""

    def publish(self, sent: Sent) -> None:
        """Hand it over; it comes back by `acknowledged`. Requires `ready`."""


@dataclass(slots=True)
class Counts:
    """In readings; `again` in messages."""

    sent: int = 0
    answered: int = 0
    refused: int = 0
    wrong: int = 0
    again: int = 0


@dataclass(slots=True)
class Waiting:
    """
    A message that isn't answered. Unless it is `with_broker` (acknowledged) it is the
    connection that sends it again; else it is due at `due`.
    """

    sent: Sent
    pause: float
    due: float
    with_broker: bool = False


class Gateway:
    """The gateway of a number. Goes on where its part of the list ended."""

    def __init__(self, plan: Plan, number: int, listing: Listing) -> None:
        self._plan, self._listing = plan, listing
        self.station = plan.station(number)
        self._name = plan.format_name(number)
        self._format = formats()[self._name]
        self._pack = plan.pack_of(self._format)
        self._topic = plan.topic_of(number)
        self._clock = plan.clock(number, listing.begin)
        total = None if plan.count is None else -(-plan.count // self._pack)
        self._order = Order(plan.chances, f"{plan.seed}/{number}", total)
        self._answered: OrderedDict[str, Sent] = OrderedDict()
        self.waiting: dict[str, Waiting] = {}
        self.counts = Counts()
        self.first_wrong: str | None = None
        self._known = self._take_over()
        self._turns_taken = 0
        self.ended = False

    def _take_over(self) -> set[int]:
        """What the list has of this gateway; the numbers of its messages."""
        known = set()
        for sent in self._listing.take(self.station.name):
            known.add(sent.number)
            self.counts.sent += len(sent.message.readings)
            for answers in sent.answers.values():
                for nth, told in enumerate(answers):
                    self._count(sent, told, nth)
            if sent.unanswered:
                waiting = Waiting(sent, self._plan.again, RESUME_SECONDS, with_broker=True)
                self.waiting[sent.id] = waiting
        return known

    def close(self) -> None:
        """No new readings are taken; those that were held back are still sent."""
        self._order.close()

    def send(self, elapsed: float, now: datetime, way: Way) -> None:
        """Send what is due `elapsed` seconds after the start, as far as the window allows."""
        allowed = 1 + int(elapsed * self._plan.rate / self._pack)
        allowed = min(allowed, self._turns_taken + MOST_AT_ONCE)
        while not self.ended and self._turns_taken < allowed:
            if len(self.waiting) >= self._plan.window or not way.ready:
                return
            turn = self._order.take()
            if turn is None:
                self.ended = True
            elif turn.number not in self._known:
                self._turns_taken += 1
                sent = self._make(turn.number)
                self._listing.sent(sent, now)
                self.counts.sent += len(sent.message.readings)
                self.counts.again += turn.copies - 1
                again = self._plan.again
                self.waiting[sent.id] = Waiting(sent, again, elapsed + again)
                for _ in range(turn.copies):
                    way.publish(sent)

    def send_again(self, elapsed: float, way: Way) -> None:
        """Send again what was not answered for a while; more and more seldom."""
        for waiting in self.waiting.values():
            if waiting.due > elapsed or not waiting.with_broker:
                continue
            if not way.ready:
                return
            self.counts.again += 1
            waiting.with_broker = False
            waiting.due = elapsed + waiting.pause
            waiting.pause = min(2 * waiting.pause, max(MAX_PAUSE_SECONDS, self._plan.again))
            way.publish(waiting.sent)

    def reconnected(self, elapsed: float) -> None:
        """The broker may have lost what it had acknowledged: send that again soon."""
        for waiting in self.waiting.values():
            if waiting.with_broker:
                waiting.due = min(waiting.due, elapsed + RESUME_SECONDS)

    def acknowledged(self, id_: str, now: datetime, *, taken: bool) -> None:
        """
        The broker answered for a message; unless it has `taken` it, it is sent again later.
        Where no acceptances come, that is all that is known.
        """
        waiting = self.waiting.get(id_)
        if waiting is None:
            return
        waiting.with_broker = True
        if taken and self._plan.acceptances == "off":
            told: Answer = {"state": "acknowledged"}
            self.answered(id_, dict.fromkeys(waiting.sent.unanswered, told), now)

    def answered(self, id_: str, answer: dict[int, Answer], now: datetime) -> None:
        """The notary said something of a message's readings."""
        waiting = self.waiting.get(id_)
        sent = self._answered.get(id_) if waiting is None else waiting.sent
        for place, told in answer.items():
            if sent is None:
                # Answered long ago: whoever reads the list sees whether that is new.
                self._listing.answered(id_, place, told, now)
            elif place >= len(sent.message.readings):
                self._wrong(sent, f"there is no reading {place} in it")
            elif sent.hear(place, told):
                self._listing.answered(id_, place, told, now)
                self._count(sent, told, len(sent.answers[place]) - 1)
        if waiting is not None and not waiting.sent.unanswered:
            self._forget(id_)

    def _forget(self, id_: str) -> None:
        """Only the last answered messages are remembered: memory has a bound."""
        self._answered[id_] = self.waiting.pop(id_).sent
        if len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)

    def _count(self, sent: Sent, told: Answer, nth: int) -> None:
        """Take account of the `nth` (from 0) different answer to a reading."""
        if nth:
            if not self._format.repeats:
                self._wrong(sent, "a second answer says something else")
            return
        self.counts.answered += 1
        refused = told["state"] == "refused"
        self.counts.refused += refused
        if refused and not sent.bad:
            self._wrong(sent, f"refused: {told.get('detail') or told.get('reason')}")
        elif sent.bad and not refused and told["state"] != "acknowledged":
            self._wrong(sent, "accepted, and its bytes are spoilt")

    def _wrong(self, sent: Sent, what: str) -> None:
        self.counts.wrong += 1
        self.first_wrong = self.first_wrong or f"{sent.id} ({sent.format}): {what}"

    def _make(self, number: int) -> Sent:
        first, pack = number * self._pack, self._pack
        if self._plan.count is not None:
            pack = min(pack, self._plan.count - first)
        bad = self._format.can_be_bad and self._order.is_bad(number)
        samples = [
            measure(self.station, first + place, self._clock) for place in range(1 if bad else pack)
        ]
        message = self._format.encode(self.station, samples)
        if bad:
            payload = self._order.spoil(number, message.payload)
            message = Message(payload, (Simulated(self.station.name, payload),))
        return Sent(f"{self.station.name}/{number}", self._name, self._topic, message, bad)
