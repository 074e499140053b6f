# SPDX-License-Identifier: Apache-2.0
"""
From messages to acceptances: decode, accept in micro-batches, quarantine, acknowledge.

A message is acknowledged once all that it carried is committed, as records or in quarantine;
never before. When the database is away nothing is acknowledged and the inbox fills, so that
the broker has to wait. One bad reading costs only itself.

Held back for a while are readings whose lane another process holds (in order, before what
comes later), and suspects: readings that alone made accepting fail in a way that nobody
foresaw. A suspect goes to quarantine only when it fails again after another reading was
accepted meanwhile; where all fail the fault is the notary's own, and nothing is lost.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Final

from iot_ingest.addresses import Addresses
from iot_ingest.feeds import Feed, Feeds, NoRoute, other_places
from iot_ingest.inbox import Inbox, Message
from iot_ingest.patience import Accepts, Broken, GaveUp, Patience, PatientAcceptor
from iot_ingest.senders.stage import Senders, Sent, open_message
from notary.usecases.quarantine import INTERNAL, Rejected, Whole
from notary.usecases.reading import Acceptance, Asked, Outcome, Reading, Refusal

MAX_BATCH_READINGS: Final = 5_000
MAX_TAKEN_BYTES: Final = 4 << 20
MAX_HELD: Final = 10_000
MAX_SUSPECTS: Final = 1_000
WAIT_SECONDS: Final = 0.2
LINGER_SECONDS: Final = 0.003
HELD_PAUSE_SECONDS: Final = 0.02
SUSPECT_PAUSE_SECONDS: Final = 1.0


@dataclass(slots=True)
class Counts:
    """What this process has done since its start."""

    messages: int = 0
    accepted: int = 0
    duplicates: int = 0
    keys_reused: int = 0
    quarantined: int = 0
    rounds: int = 0
    last_message_at: datetime | None = None
    heard: dict[str, datetime] = field(default_factory=dict)
    """By feed, when its newest message came."""


@dataclass(slots=True)
class _Load:
    """One message of some parts on its way; `open` counts what isn't committed of it yet."""

    message: Message
    parts: int
    open: int
    whole: Whole | None = None

    def kept(self) -> Whole:
        """The message as quarantine keeps it, the same for all its parts."""
        if self.whole is None:
            message = self.message
            user = () if message.properties is None else message.properties.user
            self.whole = Whole(message.payload, self.parts, message.broker, user)
        return self.whole


@dataclass(slots=True)
class _Part:
    """One reading of a message; `place` is that in it."""

    load: _Load
    feed: Feed
    reading: Reading
    sent: Sent | None
    place: int


@dataclass(slots=True)
class _Suspect:
    """A reading that failed when `accepted` others had been accepted."""

    part: _Part
    accepted: int


@dataclass(slots=True)
class _Bad:
    """Something of a message that goes to quarantine."""

    load: _Load
    rejected: Rejected


class Pipeline:
    """The way from the inbox to the acknowledgement, for one thread."""

    def __init__(
        self,
        feeds: Feeds,
        inbox: Inbox,
        acceptor: Accepts,
        senders: Senders,
        put_aside: Callable[[Sequence[Rejected], datetime], None],
        acknowledge: Callable[[Sequence[object]], None],
        clock: Callable[[], datetime],
        tell: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        self._feeds = feeds
        self._addresses = Addresses(feeds)
        self._inbox = inbox
        self._patience = Patience()
        self._acceptor = PatientAcceptor(acceptor, self._patience, clock, tell)
        self._senders = senders
        self._put_aside = put_aside
        self._acknowledge = acknowledge
        self._clock = clock
        self._taken: deque[Message] = deque()
        self._held: list[_Part] = []
        self._suspects: list[_Suspect] = []
        self._tried_at = 0.0
        self.counts = Counts()

    @property
    def problem(self) -> str | None:
        """Why nothing goes on just now, or None."""
        if self._patience.problem is None and len(self._suspects) >= MAX_SUSPECTS:
            return "internal: accepting fails for every reading, by a fault of the notary's own."
        return self._patience.problem

    @property
    def addresses_ignored(self) -> int:
        """How many messages asked for an answer where none may go."""
        return self._addresses.ignored

    @property
    def depth(self) -> int:
        """How many messages and readings wait."""
        return len(self._inbox) + len(self._taken) + len(self._held) + len(self._suspects)

    def run(self) -> None:
        """Work until the inbox is closed and all that was in it is done, or until `leave`."""
        try:
            while not (self._inbox.is_done and not self._taken and not self._held):
                self.go_round()
        except GaveUp:
            return

    def leave(self) -> None:
        """End `run` at once when something has to wait; what isn't acknowledged comes again."""
        self._patience.leave()

    def go_round(self) -> None:
        """Take a micro-batch and bring it to an end; raises GaveUp."""
        bad: list[_Bad] = []
        parts, self._held = self._held, []
        if len(parts) < MAX_HELD and len(self._suspects) < MAX_SUSPECTS:
            parts += self._decode(bad, 0.0 if parts else WAIT_SECONDS)
        elif not parts:
            self._patience.wait(WAIT_SECONDS)
        self._settle(parts, bad)
        self._try_suspects(bad)
        self._keep(bad)
        self.counts.rounds += 1
        if self._held and not self._taken:
            self._patience.wait(HELD_PAUSE_SECONDS)

    # -- from bytes to readings

    def _decode(self, bad: list[_Bad], wait_seconds: float) -> list[_Part]:
        """The readings of some waiting messages."""
        if not self._taken:
            self._taken.extend(
                self._inbox.take(MAX_BATCH_READINGS, MAX_TAKEN_BYTES, wait_seconds, LINGER_SECONDS)
            )
            if self._taken:
                self.counts.last_message_at = self._clock()
        parts: list[_Part] = []
        while self._taken and len(parts) < MAX_BATCH_READINGS:
            self._read(self._taken.popleft(), parts, bad)
        return self._judge(parts, bad) if parts else parts

    def _read(self, message: Message, parts: list[_Part], bad: list[_Bad]) -> None:
        self.counts.messages += 1
        route = self._feeds.route(message.topic, message.broker)
        if isinstance(route, NoRoute):
            load = _Load(message, 1, 1)
            self._reject(
                bad,
                load,
                route.feed,
                None,
                route.reason,
                route.detail,
                message.payload,
                route.secret,
            )
            return
        feed = route.feed
        if self.counts.last_message_at is not None:
            self.counts.heard[feed.name] = self.counts.last_message_at
        address = None if feed.acceptances == "off" else self._addresses.find(route, message)
        sent = open_message(feed, message) if feed.looks_at_senders else None
        inner = None if sent is None else sent.inner
        bad_places: list[int] = []
        readings, faults = feed.read(
            route.dataset, route.source, message.payload, address, inner, bad_places
        )
        count = len(readings) + len(faults)
        load = _Load(message, count, count)
        places = range(count) if not faults else other_places(count, bad_places)
        parts += [
            _Part(load, feed, reading, sent, place)
            for reading, place in zip(readings, places, strict=True)
        ]
        asked = [Asked(address, place) for place in address.refused] if address else []
        for at, fault in enumerate(faults):
            self._reject(
                bad,
                load,
                feed.name,
                route.dataset,
                fault.reason,
                fault.detail,
                fault.payload,
                feed.codec.secret,
                asked[at] if asked else None,
                bad_places[at],
                self._senders.knows(route.dataset, route.source),
            )

    def _judge(self, parts: list[_Part], bad: list[_Bad]) -> list[_Part]:
        """The parts whose sender may send, with what is known of it."""
        now = self._clock()
        judged = self._patience.try_until_done(lambda: self._senders.judge(parts, now))
        good = []
        for part, found in zip(parts, judged, strict=True):
            if isinstance(found, Refusal):
                asked = part.reading.answer_to
                if asked is not None:
                    asked.address.refused[asked.place] = found
                self._answered(part, found, [], bad)
            else:
                part.reading = found
                good.append(part)
        return good

    def _reject(
        self,
        bad: list[_Bad],
        load: _Load,
        feed: str,
        dataset: str | None,
        reason: str,
        detail: str,
        payload: bytes,
        secret: bool = False,
        answer_to: Asked | None = None,
        place: int = 0,
        is_known: bool = False,
    ) -> None:
        topic, whole = load.message.topic, load.kept()
        rejected = Rejected(
            feed, topic, dataset, reason, detail, payload, secret, answer_to, whole, place, is_known
        )
        bad.append(_Bad(load, rejected))

    # -- from readings to records

    def _settle(self, parts: list[_Part], bad: list[_Bad]) -> None:
        """Accept and acknowledge; what can't be accepted is held, suspected or bad."""
        answers = self._acceptor.accept([part.reading for part in parts])
        done: list[_Load] = []
        broken: list[_Part] = []
        for part, answer in zip(parts, answers, strict=True):
            if answer is None:
                self._held.append(part)
            elif isinstance(answer, Broken):
                broken.append(part)
            else:
                self._answered(part, answer, done, bad)
        self._suspects += [_Suspect(part, self._proven) for part in broken]
        self._close(done)

    @property
    def _proven(self) -> int:
        return self.counts.accepted + self.counts.duplicates

    def _answered(
        self, part: _Part, answer: Outcome | Broken, done: list[_Load], bad: list[_Bad]
    ) -> None:
        if isinstance(answer, Acceptance):
            self.counts.accepted += not answer.duplicate
            self.counts.duplicates += answer.duplicate
            self.counts.keys_reused += answer.key_reused
            done.append(part.load)
        else:
            reason = INTERNAL if isinstance(answer, Broken) else answer.reason
            reading = part.reading
            self._reject(
                bad,
                part.load,
                part.feed.name,
                reading.dataset,
                reason,
                answer.detail,
                reading.payload,
                reading.closed_only,
                reading.answer_to,
                part.place,
                self._senders.knows(reading.dataset, reading.source),
            )

    def _try_suspects(self, bad: list[_Bad]) -> None:
        """
        Try each suspect again alone, once another reading was accepted meanwhile.

        When none is, now and then the first one, whose success would prove as much.
        """
        suspects, self._suspects = self._suspects, []
        is_time = bool(suspects) and monotonic() - self._tried_at >= SUSPECT_PAUSE_SECONDS
        if is_time:
            self._tried_at = monotonic()
        done: list[_Load] = []
        for place, suspect in enumerate(suspects):
            others_are_well = self._proven > suspect.accepted
            if not others_are_well and not (is_time and place == 0):
                self._suspects.append(suspect)
                continue
            (answer,) = self._acceptor.accept([suspect.part.reading])
            if answer is None or (isinstance(answer, Broken) and not others_are_well):
                self._suspects.append(suspect)
            else:
                self._answered(suspect.part, answer, done, bad)
        self._close(done)

    # -- to the end

    def _keep(self, bad: list[_Bad]) -> None:
        """Commit what is bad to quarantine, and acknowledge it."""
        if not bad:
            return
        rejected = [one.rejected for one in bad]
        self._patience.try_until_done(lambda: self._put_aside(rejected, self._clock()))
        self.counts.quarantined += len(bad)
        self._close([one.load for one in bad])

    def _close(self, committed: list[_Load]) -> None:
        """
        Acknowledge the messages of which nothing is open any more.

        A crash before only makes the broker send them again.
        """
        tickets = []
        for load in committed:
            load.open -= 1
            if not load.open and load.message.ticket is not None:
                tickets.append(load.message.ticket)
        if tickets:
            self._acknowledge(tickets)
