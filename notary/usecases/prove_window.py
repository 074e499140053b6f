# SPDX-License-Identifier: Apache-2.0
"""
Prove that nothing is missing: the run of records that a span holds, and one receipt for the
last of them (docs/spec/window-v1.md).

Only what a signed checkpoint covers is carried. A window is written part by part, so that one
of any length costs little memory.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from notary.core import canonical
from notary.core.errors import NotaryError
from notary.core.receipt_format import erased_members
from notary.core.receipt_parts import Erased
from notary.core.statement import Statement
from notary.core.window_format import Asked, compact
from notary.core.words import ZERO_HASH, format_time
from notary.store.pool import Pool, Transaction
from notary.usecases.datasets import DatasetFacts
from notary.usecases.prove import NotYet, Prover, Until
from notary.usecases.record import statement_text
from notary.usecases.rights import NotFound

MAX_RECORDS = 200_000
"""So many records one window carries at most: more than two days of one a second."""
PART_RECORDS = 5_000


class WindowTooLong(NotaryError):
    """The span holds more records than one window carries; ask in parts."""

    code = "window-too-long"


@dataclass(frozen=True, slots=True)
class Run:
    """Records first..last of a source's chain, both included."""

    lane: int
    source_id: int
    source: str
    chain: int
    first: int
    last: int

    @property
    def count(self) -> int:
        """How many records they are."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class WindowProof:
    """
    A window, to be written as it is sent; `final` once it can't change any more, `is_closed`
    where no record that comes later can lie in the span.

    `leaf` is that of the last record carried, which the receipt proves.
    """

    run: Run
    leaf: bytes
    final: bool
    is_closed: bool
    parts: Iterator[bytes]


class WindowProver:
    """Makes windows for one process; may be called from several threads."""

    def __init__(self, pool: Pool, prover: Prover) -> None:
        self._pool = pool
        self._prover = prover

    def window(
        self,
        dataset: DatasetFacts,
        source: str,
        asked: Asked,
        *,
        chain: int | None = None,
        until: Until = "signed",
    ) -> WindowProof:
        """
        The window over a span, for who may read the dataset.

        It carries one neighbour on each side, where there is one and it is signed; asked by
        the sender's time, from the first record of the span to the last.

        Raises:
            NotFound: there is no such source, or nothing that the span could hold.
            NotYet: none of it is under a signed checkpoint (or, as asked, anchored) yet.
            WindowTooLong: it would carry more than MAX_RECORDS.
        """
        with self._pool.transaction(read_only=True) as tx:
            run = _find_run(tx, dataset, source, asked, chain)
            head = tx.prepared("find_record", dataset.name, run.source, run.first, run.chain)[0]
            erased = _erased(tx, run)
        receipt = self._prover.receipt(
            dataset.name, run.source, run.last, caller=None, chain=run.chain, until=until,
            granted=True,
        )  # fmt: skip
        start = canonical.dumps({"by": asked.by, "from": asked.start, "to": asked.stop})
        begin = "".join(
            (
                f'{{"asked":{start},',
                f'"erased":{canonical.dumps(erased)},' if erased else "",
                f'"head":{canonical.dumps(statement_text(head))},',
                f'"receipt":{receipt.text},"rest":[',
            )
        )
        is_closed = not _is_open_end(asked, run, json.loads(receipt.text)["statement"])
        parts = self._write(dataset, run, head, begin)
        return WindowProof(run, receipt.leaf, receipt.final and is_closed, is_closed, parts)

    def payloads(
        self, dataset: DatasetFacts, source: str, first: int, last: int, chain: int | None = None
    ) -> tuple[Run, Iterator[bytes]]:
        """
        What a window's records hold, one line of JSON each, in the order of n: `n`,
        `payload` in base64 (null: it is not kept here) and `salt` in a dataset that isn't open.

        Raises:
            NotFound: there are no such records.
            WindowTooLong: more than MAX_RECORDS.
        """
        with self._pool.transaction(read_only=True) as tx:
            found = _source(tx, dataset, source)
            known = found["chain"] if chain is None else chain
            run = Run(found["lane"], found["id"], found["source"], known, first, last)
            ends = [_received(tx, run, n) for n in (first, last)]
        if first > last or None in ends:
            raise NotFound(f"There are no records {first} to {last} of {source} here.")
        return _bounded(run), self._read_payloads(run)

    def _write(
        self, dataset: DatasetFacts, run: Run, head: dict[str, Any], begin: str
    ) -> Iterator[bytes]:
        before = _statement(head, head["dataset"], run, dataset.is_open)
        yield begin.encode()
        for start in range(run.first + 1, run.last + 1, PART_RECORDS):
            items = []
            for row in self._rows("window_records", run, start, is_open=dataset.is_open):
                statement = _statement(row, head["dataset"], run, dataset.is_open)
                items.append(canonical.dumps(compact(statement, before)))
                before = statement
            yield ("" if start == run.first + 1 else ",").encode() + ",".join(items).encode()
        yield b'],"v":"window/1"}'

    def _read_payloads(self, run: Run) -> Iterator[bytes]:
        for start in range(run.first, run.last + 1, PART_RECORDS):
            lines = []
            for row in self._rows("window_payloads", run, start):
                payload, salt = row["payload"], row["salt"]
                kept = None if payload is None else b64encode(payload).decode()
                with_salt = {} if salt is None else {"salt": salt.hex()}
                lines.append(canonical.dumps({"n": row["n"], "payload": kept, **with_salt}) + "\n")
            yield "".join(lines).encode()

    def _rows(self, query: str, run: Run, start: int, **more: object) -> list[dict[str, Any]]:
        """A part of the records, in a transaction of its own: a slow reader holds none."""
        stop = min(start + PART_RECORDS, run.last + 1)
        place = {"lane": run.lane, "source": run.source_id, "chain": run.chain}
        with self._pool.transaction(read_only=True) as tx:
            return tx.maps(query, **place, start=start, stop=stop, **more)


def _statement(row: dict[str, Any], dataset: str, run: Run, is_open: bool) -> Statement:
    """As far as the compact form needs it: without the link to the one before."""
    hashed = row.get("hash")
    return Statement(
        dataset=dataset,
        source=run.source,
        chain=run.chain,
        n=row["n"],
        prev=ZERO_HASH,
        received=row["received"],
        by=row["by_word"],
        type=row["type"],
        digest=hashed if is_open else None,
        commitment=None if is_open else hashed,
        observed=row["observed"],
        key=row["key"],
        message=row["message"],
    )


def _source(tx: Transaction, dataset: DatasetFacts, source: str) -> dict[str, Any]:
    rows = tx.maps("get_source", dataset=dataset.id, source=source, registered=False)
    if not rows:
        raise NotFound(f"There is no source {source} in {dataset.name} here.")
    return rows[0]


def _find_run(
    tx: Transaction, dataset: DatasetFacts, source: str, asked: Asked, chain: int | None
) -> Run:
    found = _source(tx, dataset, source)
    chain = found["chain"] if chain is None else chain
    signed = tx.row("last_signed_record", source=found["id"], chain=chain)
    if signed is None:
        raise NotYet("accepted", 2)
    whole = Run(found["lane"], found["id"], found["source"], chain, 0, signed[0])
    first, stop = _span(tx, whole, asked)
    if asked.by == "n" and first > whole.last:
        if first > found["n"]:
            raise NotFound(f"There is no record {first} of {source} in {dataset.name} here.")
        raise NotYet("accepted", 2)
    neighbours = 0 if asked.by == "observed" else 1
    first, last = max(first - neighbours, 0), min(stop - 1 + neighbours, whole.last)
    return _bounded(Run(whole.lane, whole.source_id, whole.source, chain, first, last))


def _span(tx: Transaction, whole: Run, asked: Asked) -> tuple[int, int]:
    """The first n of the span and the first one behind it."""
    if asked.by == "n":
        return int(asked.start), int(asked.stop)
    if asked.by == "received":
        return _first_from(tx, whole, str(asked.start)), _first_from(tx, whole, str(asked.stop))
    place = {"lane": whole.lane, "source": whole.source_id, "chain": whole.chain}
    ends = tx.rows("observed_span", **place, last=whole.last, start=asked.start, stop=asked.stop)
    first, last = ends[0]
    if first is None:
        raise NotFound(f"No record of {whole.source} has a time of the sender's in that span.")
    return first, last + 1


def _first_from(tx: Transaction, whole: Run, time: str) -> int:
    """The first n that was received at a time or later: they never fall within a chain."""
    low, high = 0, whole.last + 1
    while low < high:
        middle = (low + high) // 2
        received = _received(tx, whole, middle)
        if received is not None and received < time:
            low = middle + 1
        else:
            high = middle
    return low


def _received(tx: Transaction, run: Run, n: int) -> str | None:
    place = {"lane": run.lane, "source": run.source_id, "chain": run.chain}
    row = tx.row("received_of_record", **place, n=n)
    return None if row is None else format_time(row[0])


def _bounded(run: Run) -> Run:
    if run.count > MAX_RECORDS:
        raise WindowTooLong(count=run.count, limit=MAX_RECORDS)
    return run


def _erased(tx: Transaction, run: Run) -> list[dict[str, object]]:
    rows = tx.rows(
        "erased_in_run", source=run.source_id, chain=run.chain, first=run.first, last=run.last
    )
    return [
        {"n": n, **erased_members(Erased(at, ground, record))} for n, at, ground, record in rows
    ]


def _is_open_end(asked: Asked, run: Run, last_statement: str) -> bool:
    """Whether records that come later may lie in the span."""
    if asked.by == "n":
        return run.last < int(asked.stop) - 1
    received = str(json.loads(last_statement)["received"])
    return asked.by == "observed" or received < str(asked.stop)
