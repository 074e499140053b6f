# SPDX-License-Identifier: Apache-2.0
"""
The outbox: answers to devices, kept in the transaction that made what they say.

One row a commit and broker, with the answers to all its messages. A row stays until its
answers are with the broker, and where notices are wanted until "sealed" and "anchored" are
too; a crash at any moment only makes them be published again.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from json.encoder import encode_basestring
from typing import Any, Final, Protocol

from notary.core.words import format_time
from notary.store.pool import Pool, Transaction
from notary.usecases.lanes import Dataset
from notary.usecases.masking import mask_text
from notary.usecases.reading import Acceptance, Address, Asked, Outcome, Reading, Refusal

VERSION: Final = "acceptances/1"
ROWS_AT_ONCE: Final = 5
MAX_TEXT_CHARACTERS: Final = 500
ANSWER, SEALED, ANCHORED = 0, 1, 2
"""The stages of a row: what is to be published next."""

Answered = dict[Address, dict[int, tuple[Reading | None, Outcome]]]
"""For each message what became of its readings, by their places in it."""


class Item(Protocol):
    """A reading on its way through a commit."""

    @property
    def place(self) -> int: ...
    @property
    def reading(self) -> Reading: ...
    @property
    def dataset(self) -> Dataset: ...
    @property
    def lane(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What is published for one message; `text` is its JSON, `signed` whether signed
    acceptances go with it, `notices` whether "sealed" and "anchored" follow.
    """

    topic: str
    correlation: bytes | None
    text: str
    signed: bool
    notices: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its id, and the answers to its messages."""

    id: int
    answers: list[Answer]


class Outbox:
    """
    The outbox of one process. `process` names it for good (its client id at the broker),
    `wake` is called once there is something to publish.
    """

    def __init__(self, process: str, wake: Callable[[], None] = lambda: None) -> None:
        self._process = process
        self._wake = wake

    # -- in the transactions of accept and quarantine

    def keep(
        self,
        tx: Transaction,
        items: Iterable[Item],
        outcomes: Mapping[int, Outcome],
        now: datetime,
    ) -> Answered:
        """
        Keep the answers to what a commit accepted, and to what it refused of the same messages.

        Requires the items' lanes to be locked and their segments' numbers to be drawn. Hand
        what it returns to `committed`.
        """
        asked = [item for item in items if item.reading.answer_to is not None]
        if not asked:
            return {}
        parts: Answered = {}
        for item in asked:
            to = item.reading.answer_to
            if to is not None:
                part = parts.setdefault(to.address, {})
                part[to.place] = (item.reading, outcomes[item.place])
        for address, part in parts.items():
            for place, refusal in address.refused.items():
                if place not in address.told:
                    part.setdefault(place, (None, refusal))
        datasets = {item.dataset.id for item in asked}
        self._add(tx, parts, now, datasets, {item.lane for item in asked})
        return parts

    def refuse(
        self, tx: Transaction, refused: Iterable[tuple[Asked, Refusal]], now: datetime
    ) -> Answered:
        """Keep the answers to what goes to quarantine and was not answered before."""
        parts: Answered = {}
        for to, refusal in refused:
            if to.place not in to.address.told:
                parts.setdefault(to.address, {})[to.place] = (None, refusal)
        if parts:
            self._add(tx, parts, now, (), ())
        return parts

    def committed(self, parts: Answered) -> None:
        """What `keep` or `refuse` returned is durable."""
        if parts:
            for address, part in parts.items():
                address.told.update(part)
            self._wake()

    def _add(
        self,
        tx: Transaction,
        parts: Answered,
        now: datetime,
        datasets: Iterable[int],
        lanes: Iterable[int],
    ) -> None:
        by_broker: dict[str, list[tuple[Address, str]]] = {}
        for address, part in parts.items():
            text = write_answer(address, part)
            by_broker.setdefault(address.broker, []).append((address, text))
        for broker, written in by_broker.items():
            tx.do(
                "add_to_outbox",
                process=self._process,
                broker=broker,
                now=now,
                datasets=sorted(datasets),
                lanes=sorted(lanes),
                messages=len(written),
                wants_notices=bool(lanes) and any(address.notices for address, _ in written),
                answers=json.dumps(
                    [
                        [
                            address.topic,
                            None
                            if address.correlation is None
                            else b64encode(address.correlation).decode(),
                            text,
                            address.signed,
                            address.notices,
                        ]
                        for address, text in written
                    ]
                ),
            )


class OutboxReader:
    """The other side: what is to be published, and what was."""

    def __init__(self, pool: Pool, process: str, ledgers: Sequence[str]) -> None:
        self._pool = pool
        self._process = process
        self._ledgers = list(ledgers)

    def next_rows(self, broker: str, stage: int, after: int = 0) -> list[Row]:
        """
        Some rows, by id, that are due at a stage: an answer at once, "sealed" once a signed
        checkpoint covers it, "anchored" once each ledger has it.
        """
        where = {"process": self._process, "broker": broker, "after": after, "limit": ROWS_AT_ONCE}
        with self._pool.transaction(read_only=True) as tx:
            if stage == ANSWER:
                found = tx.rows("outbox_unpublished", **where)
            else:
                size = self._size(tx, stage)
                found = tx.rows("outbox_noticed", stage=stage, size=size, **where) if size else []
        return [Row(id_, _read(answers)) for id_, answers in found]

    def _size(self, tx: Transaction, stage: int) -> int:
        if stage == SEALED:
            row = tx.row("newest_checkpoint")
        else:
            row = tx.row("outbox_anchored_size", ledgers=self._ledgers)
        return int(row[0]) if row else 0

    def published(self, ids: Sequence[int], stage: int) -> None:
        """The broker has what these rows had to say at that stage."""
        query = "outbox_published"
        if stage != ANSWER:
            # Without a ledger nothing follows "sealed".
            query = "outbox_move_on" if stage == SEALED and self._ledgers else "outbox_remove"
        with self._pool.transaction() as tx:
            tx.do(query, ids=list(ids))

    def find_sealed(self) -> None:
        """Note which rows are in the log by now, whole."""
        with self._pool.transaction() as tx:
            tx.do("outbox_find_sealed", process=self._process)

    def drop(self, before: datetime, max_messages: int) -> tuple[int, int]:
        """
        Drop what was made before a time, and the oldest of what is too much.

        Returns how many messages lost their answer by that, and how many only a notice.
        """
        with self._pool.transaction() as tx:
            row = tx.rows(
                "outbox_drop", process=self._process, before=before, messages=max_messages
            )[0]
        return int(row[0]), int(row[1])

    def waiting(self) -> int:
        """How many messages are in the outbox."""
        with self._pool.transaction(read_only=True) as tx:
            return int(tx.rows("outbox_waiting", process=self._process)[0][0])


# -- the texts


def write_answer(address: Address, part: Mapping[int, tuple[Reading | None, Outcome]]) -> str:
    """
    The answer to one message, in canonical form (RFC 8785).

    Where not all of its readings are in it, `at` has their places and `of` says how many
    the message carried. A reading of another source than the first names it; where no source
    is known none is told.
    """
    places = sorted(part)
    named = (_source(*part[place]) for place in places)
    source = next(filter(None, named), address.source)
    good = any(isinstance(outcome, Acceptance) for _, outcome in part.values())
    readings = ",".join([_reading(*part[place], source) for place in places])
    whole = len(places) == address.of
    return "".join(
        (
            "{",
            "" if whole else f'"at":[{",".join(map(str, places))}],',
            f'"dataset":{_text(address.dataset)},',
            "" if whole else f'"of":{address.of},',
            f'"readings":[{readings}],',
            f'"source":{_text(source)},' if source else "",
            f'"state":"{"accepted" if good else "refused"}","v":"{VERSION}"}}',
        )
    )


def write_notices(answer: Answer, state: str) -> list[str]:
    """What is told of an answer's records once they are sealed or anchored: a text a run."""
    members = json.loads(answer.text)
    runs: list[list[Any]] = []
    told = sorted(
        {
            (reading.get("source", members["source"]), reading["chain"], reading["n"])
            for reading in members["readings"]
            if reading["state"] != "refused"
        }
    )
    for (source, chain), group in groupby(told, key=lambda one: one[:2]):
        for _, _, n in group:
            if runs and runs[-1][:2] == [source, chain] and runs[-1][3] == n - 1:
                runs[-1][3] = n
            else:
                runs.append([source, chain, n, n])
    dataset = _text(members["dataset"])
    return [
        f'{{"chain":{chain},"dataset":{dataset},"first":{first},"last":{last},'
        f'"source":{_text(source)},"state":"{state}","v":"{VERSION}"}}'
        for source, chain, first, last in runs
    ]


def _source(reading: Reading | None, outcome: Outcome) -> str | None:
    if isinstance(outcome, Acceptance):
        return outcome.source
    return None if reading is None else reading.source


def _reading(reading: Reading | None, outcome: Outcome, source: str) -> str:
    own = _source(reading, outcome) or source
    other = "" if own == source else f'"source":{_text(own)},'
    if isinstance(outcome, Refusal):
        detail = _text(mask_text(outcome.detail[:MAX_TEXT_CHARACTERS]))
        return f'{{"detail":{detail},"reason":{_text(outcome.reason)},{other}"state":"refused"}}'
    key = None if reading is None else reading.key
    return "".join(
        (
            f'{{"chain":{outcome.chain},',
            "" if key is None else f'"key":{_text(key)},',
            '"key_reused":true,' if outcome.key_reused else "",
            f'"leaf":"{outcome.leaf.hex()}","n":{outcome.n},',
            f'"received":"{format_time(outcome.received)}",{other}',
            f'"state":"{"duplicate" if outcome.duplicate else "accepted"}"}}',
        )
    )


def _text(value: str) -> str:
    """As RFC 8785 writes a string; halves of surrogate pairs are replaced."""
    return encode_basestring(value.encode("utf-8", "replace").decode())


def _read(answers: str) -> list[Answer]:
    return [
        Answer(topic, None if data is None else b64decode(data), text, signed, notices)
        for topic, data, text, signed, notices in json.loads(answers)
    ]
