# SPDX-License-Identifier: Apache-2.0
"""
What could not become a record: kept with its reason, so that nothing is dropped silently.

A flood costs a bounded place, and one sender's none of another's:

- of each feed and topic the first MAX_KEPT are kept, the others only counted;
- of each feed MAX_TOPICS topics are told apart, further ones are counted together;
- of each feed MAX_KEPT_OF_FEED are kept in all;
- of each payload and message the first MAX_KEPT_BYTES are kept, its whole size is noted.

Readings of one message that fail for one reason are one row, with the whole message: so it can
be tried again (iot_ingest.redrive), and a pack takes one place only.

Topics of known sources have as much place again, so that whoever makes up topics without end
takes none of theirs.

Passwords are masked before anything is kept (notary.usecases.masking).

What failed for a fault of the notary's own (reason `internal`) is kept beyond MAX_KEPT.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from notary.store.pool import Pool, Transaction
from notary.usecases.masking import mask, mask_text
from notary.usecases.outbox import Outbox
from notary.usecases.reading import Asked, Refusal
from notary.usecases.rights import NotFound

MAX_KEPT: Final = 100
MAX_TOPICS: Final = 1_000
MAX_KEPT_OF_FEED: Final = 10_000
MAX_KEPT_BYTES: Final = 65_536
MAX_TOPIC_CHARACTERS: Final = 300
MAX_DETAIL_CHARACTERS: Final = 500
MAX_SENT_TO: Final = 65_535
MAX_PROPERTIES: Final = 16_384
OTHER_TOPICS: Final = "(other topics)"
INTERNAL: Final = "internal"


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """A message that came: by which broker, with which user properties, in how many parts."""

    data: bytes
    parts: int = 1
    broker: str = "default"
    user: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """
    A message, or a part of one, with the reason why it is no record.

    `secret`: its format holds a password, so that only what is harmless of it is kept.
    `whole` is the message (None: `payload` is), in which `place` is the part's. `is_known`: it
    came from a source that may send.
    """

    feed: str
    topic: str
    dataset: str | None
    reason: str
    detail: str
    payload: bytes
    secret: bool = False
    answer_to: Asked | None = None
    whole: Whole | None = None
    place: int = 0
    is_known: bool = False


@dataclass(slots=True)
class _Row:
    """What is kept together: readings of one message that failed for one reason."""

    topic: str
    first: Rejected
    places: list[int]

    def values(self) -> dict[str, object]:
        """One value for each column."""
        first, whole = self.first, self.first.whole
        message = first.payload if whole is None else whole.data
        more = len(self.places) - 1
        detail = f"{first.detail} (and {more} more of the message)" if more else first.detail
        is_whole = mask(message, first.secret) == message
        is_kept = is_whole and message != first.payload and len(message) <= MAX_KEPT_BYTES
        user = () if whole is None or first.secret else whole.user
        properties = json.dumps(user) if user else None
        return {
            "topics": self.topic,
            "datasets": first.dataset,
            "reasons": first.reason,
            "details": clean(mask_text(detail), MAX_DETAIL_CHARACTERS),
            "sizes": len(first.payload),
            "payloads": mask(first.payload[:MAX_KEPT_BYTES], first.secret),
            "brokers": "default" if whole is None else whole.broker,
            "sent_to": _as_it_was(first.topic) if self.topic != first.topic else None,
            "messages": message if is_kept else None,
            "message_bytes": len(message) if is_whole else -len(message),
            "places": f"{{{','.join(map(str, self.places))}}}",
            "parts": 1 if whole is None else whole.parts,
            "properties": properties if len(properties or "") <= MAX_PROPERTIES else None,
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """Some of what is kept: these ids, or all of a feed, topic and reason, where given."""

    ids: Sequence[int] | None = None
    feed: str | None = None
    topic: str | None = None
    reason: str | None = None


ALL: Final = Choice()


def put_aside(
    pool: Pool, rejected: Sequence[Rejected], now: datetime, outbox: Outbox | None = None
) -> None:
    """
    Keep or count each, and tell the senders that asked. Committed when this returns.

    Raises:
        StoreUnavailable: try again.
    """
    with pool.transaction() as tx:
        tx.row("lock_quarantine")
        for feed in sorted({one.feed for one in rejected}):
            _put_aside(tx, feed, [one for one in rejected if one.feed == feed], now)
        answered = {} if outbox is None else outbox.refuse(tx, _refusals(rejected), now)
    if outbox is not None:
        outbox.committed(answered)


def _refusals(rejected: Sequence[Rejected]) -> Iterator[tuple[Asked, Refusal]]:
    for one in rejected:
        if one.answer_to is not None:
            yield one.answer_to, Refusal(one.reason, one.detail)


def _put_aside(tx: Transaction, feed: str, rejected: Sequence[Rejected], now: datetime) -> None:
    feed = clean(feed, 128)
    known = {row[0]: row[1] for row in tx.rows("kept_in_quarantine", feed=feed)}
    total = sum(known.values())
    kept: Counter[tuple[str, str]] = Counter()
    counted: Counter[tuple[str, str]] = Counter()
    rows: Counter[tuple[str, str]] = Counter()
    keep: list[_Row] = []
    for row in _rows(rejected):
        share = 2 if row.first.is_known else 1
        if row.topic not in known and len(known) >= MAX_TOPICS * share:
            row.topic = OTHER_TOPICS
        topic, reason = row.topic, row.first.reason
        of_topic = known.setdefault(topic, 0)
        if total < MAX_KEPT_OF_FEED * share and (of_topic < MAX_KEPT or reason == INTERNAL):
            known[topic], total = of_topic + 1, total + 1
            kept[topic, reason] += len(row.places)
            rows[topic, reason] += 1
            keep.append(row)
        else:
            counted[topic, reason] += len(row.places)
    if keep:
        values = [row.values() for row in keep]
        columns = {name: [one[name] for one in values] for name in values[0]}
        tx.do("keep_in_quarantine", now=now, feed=feed, **columns)
    # In one order, as `take` locks them too.
    places = sorted(kept.keys() | counted.keys())
    tx.do(
        "count_in_quarantine",
        feed=feed,
        topics=[topic for topic, _ in places],
        reasons=[reason for _, reason in places],
        kept=[kept[place] for place in places],
        counted=[counted[place] for place in places],
        rows=[rows[place] for place in places],
    )


def _rows(rejected: Sequence[Rejected]) -> Iterator[_Row]:
    """What belongs together, in the order in which it came."""
    rows: dict[tuple[int, str], _Row] = {}
    for number, one in enumerate(rejected):
        is_part = one.whole is not None and one.whole.parts > 1
        place = (id(one.whole), one.reason) if is_part else (number, "")
        row = rows.get(place)
        if row is None:
            rows[place] = _Row(_short(one.topic), one, [one.place])
        else:
            row.places.append(one.place)
    yield from rows.values()


def list_quarantine(
    pool: Pool, choice: Choice = ALL, after: int = 0, limit: int = 100
) -> list[dict[str, Any]]:
    """What is kept and was chosen, by id, without the payloads."""
    with pool.transaction(read_only=True) as tx:
        return tx.maps("list_quarantine", after=after, limit=limit, **_chosen(choice))


def show_quarantined(pool: Pool, id_: int) -> dict[str, Any]:
    """One of them with its payload. Raises NotFound."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("get_quarantined", id=id_)
    if not rows:
        raise NotFound(f"Nothing in quarantine has the id {id_}.")
    return rows[0]


def choose_quarantined(
    pool: Pool, choice: Choice, after: int = 0, limit: int = 100
) -> list[dict[str, Any]]:
    """What is kept and was chosen, by id from `after` on, with the payloads."""
    with pool.transaction(read_only=True) as tx:
        return tx.maps("choose_quarantined", after=after, limit=limit, **_chosen(choice))


def _chosen(choice: Choice) -> dict[str, object]:
    ids = None if choice.ids is None else list(choice.ids)
    return {"ids": ids, "feed": choice.feed, "topic": choice.topic, "reason": choice.reason}


def take_from_quarantine(pool: Pool, ids: Sequence[int]) -> int:
    """Forget some, as somebody decided. Says how many were there."""
    with pool.transaction() as tx:
        return take(tx, ids)


def take(tx: Transaction, ids: Sequence[int]) -> int:
    """The same in somebody's transaction, as in that which makes records of them."""
    return int(tx.rows("take_from_quarantine", ids=list(ids))[0][0])


def leave(tx: Transaction, id_: int, places: Sequence[int], parts: int) -> int:
    """Of a message of so many parts these stay; the others became records. 0: it is gone."""
    rows = tx.rows("leave_in_quarantine", id=id_, places=list(places), parts=parts)
    return int(rows[0][0])


def change_quarantined(pool: Pool, id_: int, reason: str, detail: str) -> None:
    """Note why one of them can't become a record today."""
    detail = clean(mask_text(detail), MAX_DETAIL_CHARACTERS)
    with pool.transaction() as tx:
        tx.rows("lock_quarantine_counts", id=id_)
        tx.do("change_quarantined", id=id_, reason=reason, detail=detail)


def count_quarantine(pool: Pool) -> list[dict[str, Any]]:
    """By reason: how many are kept, how many only counted."""
    with pool.transaction(read_only=True) as tx:
        return tx.maps("quarantine_totals")


def clean(text: str, max_characters: int) -> str:
    """Text that the database takes: without U+0000 and halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")[:max_characters]


def _as_it_was(topic: str) -> str:
    """A topic by which a message can be read again; "" where the database doesn't take it."""
    return topic if clean(topic, MAX_SENT_TO) == topic else ""


def _short(topic: str) -> str:
    """A topic that fits into an index; a long one is told from others by its hash."""
    if len(topic) <= MAX_TOPIC_CHARACTERS:
        return clean(topic, MAX_TOPIC_CHARACTERS)
    mark = sha256(topic.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{clean(topic, MAX_TOPIC_CHARACTERS)}… {mark}"
