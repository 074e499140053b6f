# SPDX-License-Identifier: Apache-2.0
"""
The records of one commit: each gets its place in its source's chain, its statement, its
row. Pure but for `copy`, which hands the rows to the database.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from struct import Struct, pack
from typing import NamedTuple

from notary.core.hashing import commitment
from notary.core.statement import StatementWriter
from notary.core.words import format_time
from notary.store import binary
from notary.store.pool import Transaction
from notary.usecases.lanes import Dataset, Head, Source
from notary.usecases.reading import KEY_REUSED, Acceptance, Pack, Reading

DIGEST_FIELDS = pack(">h", 4)
MAX_CONTENTS = 100
"""
So many contents are kept in mind of one key. A sender that uses a key more often for something
else hands in at least once, and costs nobody but itself.
"""

_RECORD_BEGIN = Struct(">h ii ii i").pack
_RECORD_MIDDLE = Struct(">iq ii ii ih i").pack
"""A row of records up to its leaf, around n: 13 fields, each with its length before it."""
_N = Struct(">q").pack
_DUPLICATE = Struct(">h iq iq ii ih ih").pack
_LENGTH = Struct(">i").pack


class Item(NamedTuple):
    """
    One reading between the look at it and the commit; `place` is that in the call.

    `key_print` is None where neither a key nor the sender's time is known; `observed` and
    `key` are what may stand in the statement.
    """

    place: int
    reading: Reading
    dataset: Dataset
    lane: int
    salt: bytes | None
    digest: bytes
    message: bytes | None
    key_print: int | None
    payload_print: int
    observed: str | None
    key: str | None


class Known(NamedTuple):
    """A known key's record: None where it is no longer there; its payload while that is."""

    accepted: Acceptance | None
    payload: bytes | None = None


KnownKeys = dict[int, dict[int, Known]]
"""By key print, then by payload print."""


def payload_hash(salt: bytes | None, payload: bytes) -> bytes:
    """The digest of an open dataset's payload, or the commitment of any other's."""
    return sha256(payload).digest() if salt is None else commitment(salt, payload)


def message_hash(salt: bytes | None, message: Pack | None) -> bytes | None:
    """
    The digest of the message from which a reading was split; only in an open dataset.

    In any other it would be a function of the neighbours' payloads under a salt that
    isn't theirs, and outlive their erasure.
    """
    return None if message is None or salt is not None else message.digest


def find_known(tx: Transaction, items: Sequence[Item], sources: Sequence[Source]) -> KnownKeys:
    """
    Look up the keys of the items, and the records of those that came before.

    Two questions at most, however many items. Requires their lanes to be locked.
    """
    wanted = {item.key_print: at for at, item in enumerate(items) if item.key_print is not None}
    if not wanted:
        return {}
    known: KnownKeys = {}
    places: dict[tuple[int, int, int], tuple[int, int]] = {}
    rows = tx.rows("find_duplicates", prints=binary.array(wanted), limit=MAX_CONTENTS)
    given = {(item.key_print, item.payload_print) for item in items} if rows else set()
    for key_print, payload_print, n, chain in rows:
        known.setdefault(key_print, {})[payload_print] = Known(None)
        if (key_print, payload_print) in given:
            source = sources[wanted[key_print]]
            places[source.id, chain, n] = (key_print, payload_print)
    if places:
        lanes = [items[wanted[key_print]].lane for key_print, _ in places.values()]
        ids, chains, numbers = zip(*places, strict=True)
        for source_id, chain, n, leaf, received, payload in tx.rows(
            "find_accepted", lanes=lanes, sources=list(ids), chains=list(chains), ns=list(numbers)
        ):
            key_print, payload_print = places[source_id, chain, n]
            at = wanted[key_print]
            known[key_print][payload_print] = Known(
                Acceptance(items[at].reading.dataset, sources[at].name, chain, n, leaf, received),
                payload,
            )
    return known


class _OfSource(NamedTuple):
    """The rows of one source, and when they were received."""

    lane: int
    dataset: int
    received: datetime
    rows: list[bytes]


class _Alike(NamedTuple):
    """What the records share that one source hands in alike, and where their rows go."""

    head: Head
    time: "_Time"
    write: Callable[..., str]
    begin: bytes
    middle: bytes
    rows: list[bytes]


class SegmentWriter:
    """
    Collects what one commit writes. `heads` (by lane and source id) are moved on as it goes.

    `lift` is how far `received` had to be lifted above the clock, at most.
    """

    def __init__(
        self, now: datetime, chain: int, heads: dict[int, dict[int, Head]], known: KnownKeys
    ) -> None:
        self._chain = chain
        self._heads = heads
        self._known = known
        self._records: dict[int, _OfSource] = {}
        self._alike: dict[tuple[int, int], _Alike] = {}
        self._message: tuple[bytes | None, bytes] = (None, binary.NULL)
        self._duplicates: list[bytes] = []
        self._digests: list[bytes] = []
        self._repeats: dict[int, int] = {}
        self._now = _Time(now)
        self.lift = timedelta(0)

    def add(self, item: Item, source: Source, form: int) -> Acceptance:
        """The acceptance of an item: of a new record, or of the one that is there already."""
        reading, key_print = item.reading, item.key_print
        same_key = None if key_print is None else self._known.get(key_print)
        if same_key is not None:
            known = same_key.get(item.payload_print)
            if known is not None and known.accepted is not None and _same(known, item):
                self._repeats[source.id] = self._repeats.get(source.id, 0) + 1
                return known.accepted._replace(duplicate=True)
        alike = self._alike.get((source.id, form))
        if alike is None:
            alike = self._alike[source.id, form] = self._begin(item, source, form)
        head, time, write, *_ = alike
        n = head.next_n
        text = write(item.digest, item.key, item.message, n, item.observed, head.leaf)
        leaf = sha256(b"\0" + text.encode()).digest()
        key_reused = same_key is not None and reading.key is not None
        accepted = Acceptance(
            reading.dataset, source.name, head.chain, n, leaf, time.received, False, key_reused
        )
        self._write(item, source.id, form, accepted, alike)
        if key_print is not None:
            if same_key is None:
                same_key = self._known[key_print] = {}
            if len(same_key) < MAX_CONTENTS:
                same_key[item.payload_print] = Known(accepted, reading.payload)
                self._duplicates.append(
                    _DUPLICATE(
                        5, 8, key_print, 8, n, 4, item.payload_print, 2, head.chain, 2, time.day
                    )
                )
        head.next_n, head.leaf, head.received = n + 1, leaf, time.received
        return accepted

    def _begin(self, item: Item, source: Source, form: int) -> _Alike:
        """What the records that a source hands in like this one will share."""
        reading, head, time = item.reading, self._heads[item.lane][source.id], self._now
        if head.received is not None and head.received > time.received:
            self.lift = max(self.lift, head.received - time.received)
            time = _Time(head.received)
        of_source = self._records.get(source.id)
        if of_source is None:
            of_source = _OfSource(item.lane, item.dataset.id, time.received, [])
            self._records[source.id] = of_source
        writer = StatementWriter(
            reading.by, head.chain, reading.dataset, item.dataset.is_open, time.text,
            source.name, reading.type,
        )  # fmt: skip
        return _Alike(
            head,
            time,
            writer.write,
            _RECORD_BEGIN(13, 4, item.lane, 4, source.id, 8),
            _middle(time, head.chain, form, 0),
            of_source.rows,
        )

    def copy(self, tx: Transaction) -> None:
        """
        Draw a segment number for each lane, and hand over all rows.

        Requires the lanes' locks: numbers then rise in the order of commits of a lane.
        """
        # Source by source, so that what is read together lies together and index pages fill.
        by_source = sorted(self._records.items())
        lanes: dict[tuple[int, int], list[tuple[int, _OfSource]]] = {}
        for source, of_source in by_source:
            lanes.setdefault((of_source.lane, of_source.dataset), []).append((source, of_source))
        for (lane, dataset), members in lanes.items():
            number = tx.rows("draw_segment")[0][0]
            counts = [len(of_source.rows) for _, of_source in members]
            tx.do(
                "add_segment",
                number=number,
                lane=lane,
                dataset=dataset,
                chain=self._chain,
                count=sum(counts),
                received=min(of_source.received for _, of_source in members),
                sources=binary.array(source for source, _ in members),
                counts=binary.array(counts),
            )
        if self._repeats:
            repeats = sorted(self._repeats.items())
            tx.do(
                "count_repeats",
                sources=binary.array(source for source, _ in repeats),
                counts=binary.array(count for _, count in repeats),
            )
        records = [row for _, of_source in by_source for row in of_source.rows]
        for query, rows in (
            ("copy_records", records),
            ("copy_duplicates", self._duplicates),
            ("copy_digests", self._digests),
        ):
            if rows:
                tx.copy(query, binary.table(rows))

    def _write(
        self, item: Item, source: int, form: int, accepted: Acceptance, alike: _Alike
    ) -> None:
        n, payload, flags = accepted.n, item.reading.payload, item.reading.flags
        middle = alike.middle
        if flags or accepted.key_reused:
            flags |= KEY_REUSED if accepted.key_reused else 0
            middle = _middle(alike.time, accepted.chain, form, flags)
        if item.message is not self._message[0]:
            # One for all readings of a pack.
            self._message = (item.message, binary.data(item.message))
        alike.rows.append(
            b"".join(
                (
                    alike.begin,
                    _N(n),
                    middle,
                    accepted.leaf,
                    binary.text(item.observed),
                    binary.text(item.key),
                    self._message[1],
                    binary.NULL if item.salt is None else binary.data(item.salt),
                    _LENGTH(len(payload)),
                    payload,
                )
            )
        )
        if item.dataset.digest_index:
            self._digests.append(
                b"".join(
                    (
                        DIGEST_FIELDS,
                        binary.data(item.digest),
                        binary.int4(source),
                        binary.int4(accepted.chain),
                        binary.int8(n),
                    )
                )
            )


class _Time:
    """A received time, in the ways in which it is written."""

    __slots__ = ("day", "field", "received", "text")

    def __init__(self, received: datetime) -> None:
        self.received = received
        self.text = format_time(received)
        self.field = binary.microseconds(received)
        self.day = binary.days(received)


def _middle(time: _Time, chain: int, form: int, flags: int) -> bytes:
    """The fields of a record's row from the received time to before the leaf."""
    return _RECORD_MIDDLE(8, time.field, 4, chain, 4, form, 2, flags, 32)


def _same(known: Known, item: Item) -> bool:
    """Whether the bytes are the same; of an erased payload only the print is left."""
    return known.payload is None or known.payload == item.reading.payload
