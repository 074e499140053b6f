# SPDX-License-Identifier: Apache-2.0
"""
The records of one commit: each gets its place in its source's chain, its statement, its
row. Pure but for `copy`, which hands the rows to the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from struct import pack

from notary.core.hashing import commitment
from notary.core.statement import Statement, statement_leaf, write_statement
from notary.store import binary
from notary.store.pool import Transaction
from notary.usecases.lanes import Dataset, Head, Source
from notary.usecases.reading import KEY_REUSED, Acceptance, Pack, Reading

RECORD_FIELDS = pack(">h", 13)
DUPLICATE_FIELDS = pack(">h", 5)
DIGEST_FIELDS = pack(">h", 4)


@dataclass(slots=True)
class Item:
    """
    One reading between the look at it and the commit; `index` is its place in the call.

    `key_print` is None where neither a key nor the sender's time is known; `observed` and
    `key` are what may stand in the statement.
    """

    index: int
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


@dataclass(frozen=True, slots=True)
class Known:
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
    given = {(item.key_print, item.payload_print) for item in items}
    for key_print, payload_print, n, chain in tx.rows("find_duplicates", prints=list(wanted)):
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


class SegmentWriter:
    """
    Collects what one commit writes. `heads` (by source id) are moved on as it goes.

    `lift` is how far `received` had to be lifted above the clock, at most.
    """

    def __init__(self, now: datetime, chain: int, heads: dict[int, Head], known: KnownKeys) -> None:
        self._now = now
        self._chain = chain
        self._heads = heads
        self._known = known
        self._records: dict[int, list[bytes]] = {}
        self._duplicates: list[bytes] = []
        self._digests: list[bytes] = []
        self._counts: dict[tuple[int, int], dict[int, int]] = {}
        self._first: dict[int, datetime] = {}
        self.lift = timedelta(0)

    def add(self, item: Item, source: Source, form: int) -> Acceptance:
        """The acceptance of an item: of a new record, or of the one that is there already."""
        same_key = {} if item.key_print is None else self._known.get(item.key_print, {})
        known = same_key.get(item.payload_print)
        if known is not None and known.accepted is not None and _same(known, item):
            return replace(known.accepted, duplicate=True)
        reused = bool(same_key) and item.reading.key is not None
        head = self._heads[source.id]
        received = self._now if head.received is None else max(self._now, head.received)
        self.lift = max(self.lift, received - self._now)
        leaf = statement_leaf(write_statement(_statement(item, source, head, received)))
        accepted = Acceptance(
            item.reading.dataset,
            source.name,
            head.chain,
            head.next_n,
            leaf,
            received,
            key_reused=reused,
        )
        self._write(item, source.id, form, accepted)
        if item.key_print is not None:
            self._note_key(item, item.key_print, accepted)
        head.next_n, head.leaf, head.received = head.next_n + 1, leaf, received
        return accepted

    def copy(self, tx: Transaction) -> None:
        """
        Draw a segment number for each lane, and hand over all rows.

        Requires the lanes' locks: numbers then rise in the order of commits of a lane.
        """
        for (lane, dataset), counts in self._counts.items():
            number = tx.rows("draw_segment")[0][0]
            tx.do(
                "add_segment",
                number=number,
                lane=lane,
                dataset=dataset,
                chain=self._chain,
                count=sum(counts.values()),
                received=self._first[lane],
                sources=list(counts),
                counts=list(counts.values()),
            )
        # Source by source, so that what is read together lies together and index pages fill.
        records = [row for source in sorted(self._records) for row in self._records[source]]
        for query, rows in (
            ("copy_records", records),
            ("copy_duplicates", self._duplicates),
            ("copy_digests", self._digests),
        ):
            if rows:
                tx.copy(query, binary.table(rows))

    def _write(self, item: Item, source: int, form: int, accepted: Acceptance) -> None:
        reading = item.reading
        received = binary.int8(binary.microseconds(accepted.received))
        n, source_field = binary.int8(accepted.n), binary.int4(source)
        chain = binary.int4(accepted.chain)
        self._records.setdefault(source, []).append(
            b"".join(
                (
                    RECORD_FIELDS,
                    binary.int4(item.lane),
                    source_field,
                    n,
                    received,
                    chain,
                    binary.int4(form),
                    binary.int2(KEY_REUSED if accepted.key_reused else 0),
                    binary.data(accepted.leaf),
                    binary.text(item.observed),
                    binary.text(item.key),
                    binary.data(item.message),
                    binary.data(item.salt),
                    binary.data(reading.payload),
                )
            )
        )
        if item.dataset.digest_index:
            self._digests.append(
                b"".join((DIGEST_FIELDS, binary.data(item.digest), source_field, chain, n))
            )
        counts = self._counts.setdefault((item.lane, item.dataset.id), {})
        counts[source] = counts.get(source, 0) + 1
        self._first.setdefault(item.lane, accepted.received)

    def _note_key(self, item: Item, key_print: int, accepted: Acceptance) -> None:
        known = Known(accepted, item.reading.payload)
        self._known.setdefault(key_print, {})[item.payload_print] = known
        self._duplicates.append(
            b"".join(
                (
                    DUPLICATE_FIELDS,
                    binary.int8(key_print),
                    binary.int8(accepted.n),
                    binary.int4(item.payload_print),
                    binary.int2(accepted.chain),
                    binary.int2(binary.days(accepted.received)),
                )
            )
        )


def _same(known: Known, item: Item) -> bool:
    """Whether the bytes are the same; of an erased payload only the print is left."""
    return known.payload is None or known.payload == item.reading.payload


def _statement(item: Item, source: Source, head: Head, received: datetime) -> Statement:
    reading, is_open = item.reading, item.dataset.is_open
    return Statement(
        dataset=reading.dataset,
        source=source.name,
        chain=head.chain,
        n=head.next_n,
        prev=head.leaf,
        received=received,
        by=reading.by,
        type=reading.type,
        digest=item.digest if is_open else None,
        commitment=None if is_open else item.digest,
        observed=item.observed,
        key=item.key,
        message=item.message,
    )
