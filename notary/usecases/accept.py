# SPDX-License-Identifier: Apache-2.0
"""
Accept: make readings durable and answer for each (DESIGN, "How accept stays right and fast").

One bad reading costs only itself: it is answered by a Refusal, its neighbours go on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import digest as hmac_digest
from os import urandom
from threading import Lock

from notary.core.errors import MalformedText, NotaryError
from notary.core.words import check_by, check_id, check_key, check_observed, check_type
from notary.store.pool import Pool, Transaction
from notary.usecases.gate import CLOSED, Gate, OpenLog
from notary.usecases.lanes import (
    MAX_REMEMBERED,
    Dataset,
    Datasets,
    Heads,
    Source,
    Way,
    find_sources,
)
from notary.usecases.marks import StateRefused
from notary.usecases.outbox import Answered, Outbox
from notary.usecases.prints import key_print, payload_print, source_prints
from notary.usecases.reading import Outcome, Reading, Refusal
from notary.usecases.segment import (
    Item,
    SegmentWriter,
    find_known,
    message_hash,
    payload_hash,
)

MAX_FORMS = 10_000
ALARM_LIFT = timedelta(seconds=1)
MAX_LIFT = timedelta(seconds=60)


class ClockBehind(NotaryError):
    """The clock stands more than a minute behind the last record; nothing is accepted."""

    code = "clock-behind"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what is taken in, in bytes and characters."""

    max_payload_bytes: int = 262_144


class KeyReused(NotaryError):
    """The Idempotency-Key was used for another body."""

    code = "idempotency-key-reused"


@dataclass(frozen=True, slots=True)
class Once:
    """A posted body under an Idempotency-Key; `answer` writes what is kept for a repeat."""

    api_key: str
    key: str
    body: bytes
    answer: Callable[[list[Outcome]], str]


Within = Callable[[Transaction, Mapping[int, Outcome]], None]
"""What else is done in a transaction that accepts; outcomes by place in the call."""


@dataclass(slots=True)
class Work:
    """What one transaction did, to be remembered once it is committed."""

    outcomes: dict[int, Outcome] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    sources: dict[tuple[int, str], Source] = field(default_factory=dict)
    answered: Answered = field(default_factory=dict)
    lift: timedelta = timedelta(0)


class Acceptor:
    """
    Accepts readings for one process; may be called from several threads, one at a time.

    `secret` is the instance secret under which keys are remembered; without an `outbox`
    no reading's sender gets an answer from it.
    """

    def __init__(
        self,
        pool: Pool,
        gate: Gate,
        secret: bytes,
        limits: Limits | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        self._pool = pool
        self._gate = gate
        self._secret = secret
        self._limits = limits or Limits()
        self._outbox = outbox
        self._datasets = Datasets(pool)
        self._sources: dict[tuple[int, str], Source] = {}
        self._ways: dict[tuple[str, str, str, str], Way] = {}
        self._forms: dict[tuple[str, str], int] = {}
        self._heads = Heads()
        self._busy = Lock()
        self.largest_lift = timedelta(0)
        """How far `received` had to be lifted above the clock, at most, so far."""

    def accept(
        self, readings: Sequence[Reading], now: datetime, within: Within | None = None
    ) -> list[Outcome]:
        """
        Make the readings durable, in their order, and answer each.

        One transaction, committed when this returns: all of them, or none. It waits for
        lanes that another process holds. `within` may do more in the same transaction; it is
        told the outcomes, and not called where all readings are refused.

        Raises:
            StateRefused: the gate is closed.
            ClockBehind: the clock went back by more than a minute.
            StoreUnavailable, LaneBusy: try again; readings with a key are not doubled.
        """
        answers = self._accept("lock_lanes", readings, now, within)
        return [answers[index] for index in range(len(readings))]

    def accept_free(self, readings: Sequence[Reading], now: datetime) -> list[Outcome | None]:
        """
        The same without waiting: None for a reading whose lane another process holds now.

        To keep a source's order, hand in what was put aside before what came later.
        """
        answers = self._accept("lock_free_lanes", readings, now)
        return [answers.get(index) for index in range(len(readings))]

    def accept_once(
        self, readings: Sequence[Reading], now: datetime, once: Once
    ) -> tuple[list[Outcome], str | None]:
        """
        The same for one posted body under its Idempotency-Key, in one transaction.

        Returns the outcomes, or the answer that was given the first time.

        Raises:
            KeyReused: the key was used for another body.
        """
        with self._busy:
            log = self._gate.open()
            answers: dict[int, Outcome] = {}
            items = self._look(readings, answers)
            body_print = hmac_digest(self._secret, b"body " + once.body, "sha256")
            with self._attempt(), self._pool.transaction() as tx:
                who = {"api_key": once.api_key, "key": once.key}
                if tx.do("claim_idempotency_key", **who, body_print=body_print, now=now) == 0:
                    row = tx.row("get_idempotency", **who)
                    if row is None or row[0] != body_print:
                        raise KeyReused()
                    return [], row[1]
                work = self._write(tx, "lock_lanes", items, log, now)
                answers.update(work.outcomes)
                outcomes = [answers[index] for index in range(len(readings))]
                tx.do("set_idempotency_answer", **who, answer=once.answer(outcomes))
            self._remember(work)
            return outcomes, None

    def _accept(
        self,
        query: str,
        readings: Sequence[Reading],
        now: datetime,
        within: Within | None = None,
    ) -> dict[int, Outcome]:
        with self._busy:
            log = self._gate.open()
            answers: dict[int, Outcome] = {}
            items = self._look(readings, answers)
            if items:
                answers.update(self._commit(query, items, log, now, answers, within))
            return answers

    # -- before the transaction

    def _look(self, readings: Sequence[Reading], answers: dict[int, Outcome]) -> list[Item]:
        """Check each reading and hash it; what is refused is answered at once."""
        datasets = self._datasets.find({reading.dataset for reading in readings})
        items = []
        for index, reading in enumerate(readings):
            try:
                items.append(self._item(index, reading, datasets))
            except NotaryError as error:
                reason = str(error.facts.get("reason") or "malformed")
                refusal = answers[index] = Refusal(reason, error.detail, error.facts)
                if reading.answer_to is not None:
                    reading.answer_to.address.refused[reading.answer_to.place] = refusal
        return items

    def _item(self, index: int, reading: Reading, datasets: dict[str, Dataset]) -> Item:
        payload, observed, key = reading.payload, reading.observed, reading.key
        way = self._ways.get((reading.dataset, reading.source, reading.type, reading.by))
        if way is None:
            way = self._way(reading, datasets)
        if observed is not None:
            check_observed(observed)
        if key is not None:
            check_key(key)
        if len(payload) > self._limits.max_payload_bytes:
            raise MalformedText(
                f"The payload has {len(payload)} bytes, more than the "
                f"{self._limits.max_payload_bytes} allowed.",
                reason="too-large",
            )
        is_open = way.dataset.is_open
        if is_open and reading.closed_only:
            raise MalformedText(
                "The payload holds a password, and by the digests of an open dataset it could "
                "be guessed. Hand it in to a dataset that is not open.",
                reason="needs-closed-dataset",
            )
        salt = None if is_open else urandom(32)
        hash_ = payload_hash(salt, payload)
        print_, content_print = key_print(self._secret, way.prints, key, observed), 0
        if print_ is not None:
            content_print = payload_print(self._secret, hash_ if is_open else None, payload)
        named = is_open or reading.keeps_names
        return Item(
            index,
            reading,
            way.dataset,
            way.lane,
            salt,
            hash_,
            None if reading.pack is None else message_hash(salt, reading.pack),
            print_,
            content_print,
            observed if named else None,
            key if named else None,
        )

    def _way(self, reading: Reading, datasets: dict[str, Dataset]) -> Way:
        """Check what all readings of a source have in common, and keep it in mind."""
        check_id(reading.dataset, "dataset")
        check_id(reading.source, "source")
        check_type(reading.type)
        check_by(reading.by)
        dataset = datasets.get(reading.dataset)
        if dataset is None:
            raise MalformedText(f"There is no dataset {reading.dataset}.", reason="unknown-dataset")
        prints = source_prints(self._secret, dataset.id, reading.source)
        way = Way(dataset, dataset.lane_of(reading.source), prints)
        if len(self._ways) > MAX_REMEMBERED:
            self._ways.clear()
        self._ways[reading.dataset, reading.source, reading.type, reading.by] = way
        return way

    # -- the transaction

    def _commit(
        self,
        query: str,
        items: list[Item],
        log: OpenLog,
        now: datetime,
        refused: dict[int, Outcome],
        within: Within | None,
    ) -> dict[int, Outcome]:
        with self._attempt():
            with self._pool.transaction() as tx:
                work = self._write(tx, query, items, log, now)
                if within is not None:
                    within(tx, {**refused, **work.outcomes})
            self._remember(work)
        return work.outcomes

    @contextmanager
    def _attempt(self) -> Iterator[None]:
        """After an error it isn't known what was committed: forget the heads."""
        try:
            yield
        except BaseException:
            self._heads.forget()
            raise

    def _remember(self, work: Work) -> None:
        """The commit is durable: keep what it left."""
        self.largest_lift = max(self.largest_lift, work.lift)
        if len(self._sources) > MAX_REMEMBERED:
            self._sources.clear()
        self._sources.update(work.sources)
        self._heads.keep(work.versions)
        if self._outbox is not None:
            self._outbox.committed(work.answered)

    def _write(
        self, tx: Transaction, query: str, items: list[Item], log: OpenLog, now: datetime
    ) -> Work:
        """Lock, look, copy. A crash anywhere in here leaves nothing."""
        locked = tx.rows(query, ids=sorted({item.lane for item in items}))
        if any(records != log.incarnation.records for _, _, records in locked):
            raise StateRefused("The tables were exchanged." + CLOSED, reason="exchanged")
        versions = {lane: version for lane, version, _ in locked}
        items = [item for item in items if item.lane in versions]
        work = Work(versions={lane: version + 1 for lane, version in versions.items()})
        if not items:
            return Work()
        sources = self._find_sources(tx, items, work)
        places = [(item.lane, source.id) for item, source in zip(items, sources, strict=True)]
        heads = self._heads.load(tx, versions, places, log.chain)
        writer = SegmentWriter(now, log.chain, heads, find_known(tx, items, sources))
        forms = self._find_forms(tx, items)
        for item, source in zip(items, sources, strict=True):
            form = forms[item.reading.by, item.reading.type]
            work.outcomes[item.place] = writer.add(item, source, form)
        if writer.lift > MAX_LIFT:
            raise ClockBehind(lift_seconds=writer.lift.total_seconds())
        work.lift = writer.lift
        writer.copy(tx)
        if self._outbox is not None:
            work.answered = self._outbox.keep(tx, items, work.outcomes, now)
        tx.do("raise_lanes", ids=list(versions))
        return work

    def _find_sources(self, tx: Transaction, items: list[Item], work: Work) -> list[Source]:
        """The source of each item. What is found or added is kept in mind after the commit."""
        known = self._sources
        keys = [(item.dataset.id, item.reading.source) for item in items]
        new = [item for item, key in zip(items, keys, strict=True) if key not in known]
        if new:
            work.sources = find_sources(tx, new)
        found = work.sources
        return [known.get(key) or found[key] for key in keys]

    def _find_forms(self, tx: Transaction, items: list[Item]) -> dict[tuple[str, str], int]:
        """In order, so that two processes that add forms don't wait for each other."""
        handed_in = sorted({(item.reading.by, item.reading.type) for item in items})
        return {form: self._form(tx, *form) for form in handed_in}

    def _form(self, tx: Transaction, by: str, type: str) -> int:
        """The id of a way to be handed in; kept in mind only where it was there before."""
        known = self._forms.get((by, type))
        if known is not None:
            return known
        row = tx.row("find_form", by=by, type=type)
        if row is None:
            tx.do("add_form", by=by, type=type)
            return int(tx.rows("find_form", by=by, type=type)[0][0])
        if len(self._forms) > MAX_FORMS:
            self._forms.clear()
        self._forms[by, type] = int(row[0])
        return int(row[0])
