# SPDX-License-Identifier: Apache-2.0
"""
What becomes of readings by who sent them: a feed's policy over what is known of senders.

- A source is known by registration or by its records; to an open feed a new one comes in, up
  to the feed's `max_sources`. Any other is refused (`unknown-source`, `revoked-source`).
- `signature = "require"`: what isn't signed, or not rightly, is refused (`unsigned`,
  `bad-signature`); `record`: `by` says what it is; `ignore`: nobody looks.
- Flagged, not refused: what came before or was signed long ago (REPLAYED), and what is dated
  more than a day ahead (FUTURE_DATED).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar, cast

from iot_ingest.feeds import Feed
from iot_ingest.inbox import Message
from iot_ingest.senders.cose import read_cose
from iot_ingest.senders.evidence import BadEvidence, Evidence, Found, fault_of
from iot_ingest.senders.hmac_tag import read_hmac
from iot_ingest.senders.jws import read_jws
from notary.usecases.device_keys import DeviceKey
from notary.usecases.reading import FUTURE_DATED, REPLAYED, Reading, Refusal
from notary.usecases.sender_time import MAX_AHEAD, FutureWatch
from notary.usecases.source_book import NEWCOMER, Sender, SourceBook, Who

MAX_AGE: Final = timedelta(days=1)
"""How long ago a message may have been signed without a flag."""
MAX_PRINTS: Final = 100_000
"""How many signatures are kept in mind to tell when one comes again (twice as many at most)."""
SAID_TWICE: Final = BadEvidence("A user property for the signature stands twice.")


class Sent:
    """What came with one message about its sender; `inner` is what a COSE message holds."""

    __slots__ = ("checked", "fault", "flags", "found", "inner")

    def __init__(self, found: Found, inner: bytes | None = None) -> None:
        self.found = found
        self.inner = inner
        self.checked: DeviceKey | None = None
        self.fault: str | None = None
        self.flags: int | None = None


class HasSender(Protocol):
    """A reading, the feed that it came by, and what came with it (None: nothing)."""

    @property
    def feed(self) -> Feed: ...
    @property
    def reading(self) -> Reading: ...
    @property
    def sent(self) -> Sent | None: ...


P = TypeVar("P", bound=HasSender)


def open_message(feed: Feed, message: Message) -> Sent | None:
    """What a message says of its sender, as its feed looks at it; None: nothing."""
    if feed.signed_by == "cose":
        signed = read_cose(message.payload, message.topic)
        if signed is None:
            return None
        found = None if feed.signature == "ignore" else signed.evidence
        return Sent(found, signed.payload)
    if message.properties is None or feed.signature == "ignore":
        return None
    told: dict[str, list[str]] = {}
    for name, value in message.properties.user:
        told.setdefault(name, []).append(value)
    found = _by_properties(feed, message, told)
    return None if found is None else Sent(found)


def _by_properties(feed: Feed, message: Message, told: dict[str, list[str]]) -> Found:
    is_jws = feed.signed_by == "jws"
    if ("jws" if is_jws else "hmac") not in told:
        return None
    names = ("jws",) if is_jws else ("hmac", "key", "iat")
    if any(len(told.get(name, ())) > 1 for name in names):
        return SAID_TWICE
    one = {name: values[0] for name, values in told.items()}
    if is_jws:
        return read_jws(one["jws"], message.topic, message.payload)
    return read_hmac(one["hmac"], one.get("key"), one.get("iat"), message.topic, message.payload)


class Senders:
    """Judges readings for one pipeline."""

    def __init__(self, book: SourceBook) -> None:
        self._book = book
        self._prints: set[bytes] = set()
        self._older: set[bytes] = set()

    def knows(self, dataset: str, source: str) -> bool:
        """Whether it is in mind as a source that may send; asks nobody."""
        sender = self._book.senders.get((dataset, source))
        return sender is not None and sender.known and not sender.revoked

    def judge(self, parts: Sequence[P], now: datetime) -> list[Reading | Refusal]:
        """
        For each reading what is to be recorded of it, or why it isn't.

        Asks the database at most twice for new facts, however many readings, and once more
        for each dataset to which an open feed lets new sources in.

        Raises:
            StoreUnavailable: the same call may succeed later.
        """
        self._book.refresh()
        senders, watch = self._book.senders, FutureWatch(now)
        today, judged, later = watch.today, cast(list[Reading | Refusal], [None] * len(parts)), []
        for at, part in enumerate(parts):
            reading, sent = part.reading, part.sent
            sender = senders.get((reading.dataset, reading.source))
            if sender is None or (sent is not None and _lacks(sender, sent.found)):
                later.append(at)
                continue
            observed = reading.observed
            # The usual case first and by itself, as this is done for every reading.
            if observed is not None and not (observed[:10] == today and observed[-1] == "Z"):
                reading = _dated(reading, observed, watch)
            if sent is None and not sender.revoked and part.feed.signature != "require":
                judged[at] = reading
            else:
                judged[at] = self._judge(part, reading, sender, now)
        if later:
            asked = self._ask([parts[at] for at in later])
            for at in later:
                part = parts[at]
                reading = part.reading
                sender = asked[reading.dataset, reading.source]
                if reading.observed is not None:
                    reading = _dated(reading, reading.observed, watch)
                judged[at] = self._judge(part, reading, sender, now)
        return judged

    def _ask(self, parts: Sequence[P]) -> dict[Who, Sender]:
        """What has to be asked of the parts' senders, because it isn't in mind."""
        wanted: dict[Who, P] = {}
        for part in parts:
            who = (part.reading.dataset, part.reading.source)
            if who not in wanted or _lets_in(part.feed):
                wanted[who] = part
        asked = self._book.ask(wanted)
        for who, sender in asked.items():
            feed = wanted[who].feed
            is_new = sender.has_dataset and not sender.known and _lets_in(feed)
            if is_new and self._book.admit(who, feed.max_sources):
                asked[who] = NEWCOMER
        return asked

    def _judge(self, part: P, reading: Reading, sender: Sender, now: datetime) -> Reading | Refusal:
        """The reading of a sender that is looked at, or that may not send."""
        feed, sent = part.feed, part.sent
        if not sender.has_dataset:
            return reading  # the acceptor says what is wrong with it
        if sender.revoked:
            return Refusal("revoked-source", f"The source {reading.source} is revoked.")
        if not sender.known and feed.sources != "open":
            detail = f"The source {reading.source} is not registered in {reading.dataset}."
            return Refusal("unknown-source", detail)
        if not sender.known and feed.signature != "require":
            detail = f"{reading.dataset} has its {feed.max_sources} sources; register this one."
            return Refusal("unknown-source", detail)
        found = None if sent is None else sent.found
        if sent is None or found is None:
            if feed.signature == "require":
                return Refusal("unsigned", "The feed demands a signature, and there is none.")
            return reading
        fault = self._fault(sent, found, sender.keys.get(found.key_id), now)
        if fault is None:
            flags = reading.flags | self._flags(sent, found, now)
            return reading._replace(by=f"key:{found.key_id}", flags=flags)
        if feed.signature == "require":
            return Refusal("bad-signature", fault)
        return reading._replace(by=f"bad-signature:{found.key_id}")

    def _fault(
        self, sent: Sent, found: Evidence | BadEvidence, key: DeviceKey | None, now: datetime
    ) -> str | None:
        """As `fault_of`; the same key is tried once for all readings of a message."""
        if isinstance(found, BadEvidence):
            return found.detail
        if key is None or sent.checked is not key:
            sent.fault, sent.checked = fault_of(found, key, now), key
        return sent.fault

    def _flags(self, sent: Sent, found: Evidence | BadEvidence, now: datetime) -> int:
        """What is odd about a signature that holds: once for a message."""
        if sent.flags is None and isinstance(found, Evidence):
            sent.flags = REPLAYED if self._came_before(found.print) else 0
            if found.issued_at is not None:
                ahead = found.issued_at - now.timestamp()
                if -ahead > MAX_AGE.total_seconds():
                    sent.flags |= REPLAYED
                if ahead > MAX_AHEAD.total_seconds():
                    sent.flags |= FUTURE_DATED
        return sent.flags or 0

    def _came_before(self, print_: bytes) -> bool:
        if print_ in self._prints or print_ in self._older:
            return True
        if len(self._prints) >= MAX_PRINTS:
            self._older, self._prints = self._prints, set()
        self._prints.add(print_)
        return False


def _dated(reading: Reading, observed: str, watch: FutureWatch) -> Reading:
    """The reading, flagged where it is dated far ahead."""
    if watch.is_future(observed):
        return reading._replace(flags=reading.flags | FUTURE_DATED)
    return reading


def _lets_in(feed: Feed) -> bool:
    """Whether a source may become known by its first reading, which nobody can have signed."""
    return feed.sources == "open" and feed.signature != "require"


def _lacks(sender: Sender, found: Found) -> bool:
    """Whether a message names a key that isn't in mind: it may have been registered just now."""
    return isinstance(found, Evidence) and found.key_id not in sender.keys
