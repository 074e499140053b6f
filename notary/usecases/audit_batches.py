# SPDX-License-Identifier: Apache-2.0
"""The part of an audit that walks through every record, run, tile and batch."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from notary.core.descriptor import Descriptor
from notary.core.errors import NotaryError
from notary.core.hashing import commitment, digest
from notary.core.runs import Run, check_continues, check_run_list, format_run, run_leaf
from notary.core.statement import parse_statement, statement_leaf
from notary.core.tree import Tree, root
from notary.core.words import ZERO_HASH
from notary.store.logtiles import stored_tiles
from notary.store.pool import Transaction
from notary.usecases.record import statement_text

PAGE = 2000
PROGRESS_EVERY = 10_000


@dataclass(slots=True)
class Facts:
    """
    What the audit has read so far of datasets, sources and the log. `lost`: the batches whose
    records are lost, by index; `lossy`: the datasets of which they are.
    """

    origin: str = ""
    vkey: str = ""
    size: int = 0
    chain: int = 0
    datasets: dict[int, dict[str, Any]] = field(default_factory=dict)
    sources: dict[int, dict[str, Any]] = field(default_factory=dict)
    leaves: list[bytes] = field(default_factory=list)
    descriptors: list[tuple[int, Descriptor]] = field(default_factory=list)
    lost: dict[int, Descriptor] = field(default_factory=dict)
    lossy: set[int] = field(default_factory=set)


class Differs(NotaryError):
    """Something stored is not what follows from the rest; the text names it."""

    code = "audit-differs"


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Whatever differs inside is told with the name of what was looked at."""
    try:
        yield
    except Differs:
        raise
    except (NotaryError, ValueError) as error:
        raise Differs(f"{name}: {error}") from error


COLUMNS = (
    *("position", "source", "chain", "n", "received", "by_word", "type", "leaf"),
    *("observed", "key", "message", "salt", "digest", "payload", "erasure"),
)


class BatchAudit:
    """Counts what it saw: `sealed` and `waiting` records."""

    def __init__(self, tx: Transaction, facts: Facts, progress: Callable[[int], None]) -> None:
        self._tx = tx
        self._facts = facts
        self._progress = progress
        self._last: dict[tuple[int, int], Run] = {}
        self._in_batch: dict[tuple[int | None, int, int, int], int] = {}
        self._digests = 0
        self.sealed = 0
        self.waiting = 0

    def look_at_batches(self) -> int:
        """Every batch: its records, run list, tiles, root and descriptor."""
        for index, (dataset, descriptor) in enumerate(self._facts.descriptors):
            if descriptor.kind == "records" and index not in self._facts.lost:
                with naming(f"Batch {index}"):
                    self._look_at_batch(index, dataset, descriptor)
        for (what,) in self._tx.rows("audit_stray"):
            raise Differs(f"A {what} is stored, and there is no such batch.")
        return len(self._facts.descriptors)

    def _look_at_batch(self, index: int, dataset: int, descriptor: Descriptor) -> None:
        name = f"Batch {index}"
        runs = [self._run(index, dataset, row) for row in self._tx.maps("audit_runs", batch=index)]
        if [place for _, place, _ in runs] != list(range(len(runs))):
            raise Differs(f"{name}: positions in the run list have a gap.")
        entries = [run for _, _, run in runs]
        check_run_list(entries, descriptor.count)
        leaves: list[bytes] = []
        received: list[Any] = []
        rows = self._records("audit_batch_records", batch=index)
        by_place = groupby(rows, key=lambda row: row["position"])
        for (source, place, run), (found, records) in zip(runs, by_place, strict=False):
            if found != place:
                raise Differs(f"{name}: records of run {place} are missing.")
            at = run.first, run.prev
            last = self._walk(records, dataset, descriptor.number, at, leaves, received)
            if last != (run.first + run.count, run.last):
                raise Differs(
                    f"{name}: run {place} (source {source}) doesn't end where its records do."
                )
            self._in_batch[index, dataset, source, run.chain] = run.count
        if len(leaves) != descriptor.count:
            raise Differs(
                f"{name}: {len(leaves)} records are stored, {descriptor.count} were sealed."
            )
        run_leaves = [run_leaf(format_run(run)) for run in entries]
        if root(leaves) != descriptor.root or root(run_leaves) != descriptor.runs:
            raise Differs(f"{name}: the root is not that of its records and runs.")
        if (min(received), max(received)) != (descriptor.first, descriptor.last):
            raise Differs(f"{name}: the received times at its ends are others.")
        self._look_at_tiles(index, leaves, run_leaves)
        self.sealed += len(leaves)

    def _run(self, batch: int, dataset: int, row: Mapping[str, Any]) -> tuple[int, int, Run]:
        source = self._facts.sources.get(row["source"])
        name = f"Batch {batch}, run {row['position']}"
        if source is None or source["dataset"] != dataset or source["number"] != row["number"]:
            raise Differs(f"{name}: the source is another one.")
        run = Run(
            number=row["number"],
            tag=source["tag"],
            chain=row["chain"],
            first=row["first"],
            count=row["count"],
            offset=row["start"],
            prev=row["prev"],
            last=row["last"],
        )
        key = row["source"], row["chain"]
        try:
            check_continues(run, self._last.get(key))
        except NotaryError as error:
            raise Differs(f"{name}: {error.detail}") from None
        self._last[key] = run
        return row["source"], row["position"], run

    def _look_at_tiles(self, batch: int, leaves: list[bytes], run_leaves: list[Any]) -> None:
        wanted = {
            (tree, level, index): (data, middle)
            for tree, hashes in enumerate((leaves, run_leaves))
            for level, index, data, middle in stored_tiles(Tree(hashes))
        }
        for tree, level, index, *tile in self._tx.rows("audit_batch_tiles", batch=batch):
            if wanted.pop((tree, level, index), None) != tuple(tile):
                raise Differs(f"Batch {batch}: tile {tree}/{level}/{index} is another one.")
        if wanted:
            raise Differs(f"Batch {batch}: tile {next(iter(wanted))} is missing.")

    def look_at_waiting(self) -> int:
        """Every record that is not sealed yet, and that there are no others."""
        rows = self._records("audit_waiting_records", more=("next", "last"))
        for (source, chain), group in groupby(rows, key=lambda r: (r["source"], r["chain"])):
            records = list(group)
            dataset = self._facts.sources[source]["dataset"]
            first, prev = records[0]["next"], records[0]["last"] or ZERO_HASH
            self._walk(records, dataset, None, (first, prev), [], [])
            self._in_batch[-1, dataset, source, chain] = len(records)
            self.waiting += len(records)
        count = self._tx.rows("audit_count_records")[0][0]
        if count != self.sealed + self.waiting:
            raise Differs(f"{count} records are stored, {self.sealed + self.waiting} have a place.")
        if self._tx.rows("audit_count_digests")[0][0] != self._digests:
            raise Differs("The index of digests has rows that belong to no record.")
        return self.waiting

    def look_at_segments(self) -> int:
        """Segments say the same as runs and waiting records."""
        for (number,) in self._tx.rows("audit_segment_counts"):
            raise Differs(f"Segment {number}: its members don't add up.")
        found = {
            (-1 if batch is None else batch, dataset, source, chain): count
            for batch, dataset, source, chain, count in self._tx.rows("audit_segments")
        }
        for key in sorted(found.keys() | self._in_batch.keys()):
            if found.get(key) != self._in_batch.get(key):
                raise Differs(
                    f"Segments of source {key[2]} hold {found.get(key, 0)} records, "
                    f"batch {key[0]} (-1: waiting) has {self._in_batch.get(key, 0)}."
                )
        return len(found)

    def _records(
        self, query: str, more: tuple[str, ...] = (), **values: object
    ) -> Iterator[dict[str, Any]]:
        names = (*COLUMNS, *more)
        for row in self._tx.stream(query, PAGE, **values):
            yield dict(zip(names, row, strict=True))

    def _walk(
        self,
        records: Iterable[dict[str, Any]],
        dataset: int,
        batch: int | None,
        at: tuple[int, bytes],
        leaves: list[bytes],
        received: list[Any],
    ) -> tuple[int, bytes]:
        """
        Recompute records of one source from n on, which follows on a leaf; return where they
        end. `batch` is the number of their batch in the dataset; None: they wait.
        """
        facts = self._facts.datasets.get(dataset)
        if facts is None:
            raise Differs(f"Dataset {dataset} is missing, and there are records of it.")
        (n, prev), last = at, None
        is_dropped = batch is not None and batch < facts["dropped"]
        for row in records:
            source = self._facts.sources[row["source"]]
            name = f"Record {row['n']} of {source['name']} in {facts['name']}"
            if row["n"] != n:
                raise Differs(f"{name}: record {n} should be here.")
            if row["received"] is None:
                raise Differs(f"{name}: its time is none.")
            if last is not None and row["received"] < last:
                raise Differs(f"{name}: it was received before the one before it.")
            row.update(
                dataset=facts["name"],
                is_open=facts["is_open"],
                source=source["name"],
                source_id=source["id"],
                prev=prev,
            )
            _look_at_payload(name, row, is_open=facts["is_open"], is_dropped=is_dropped)
            if facts["digest_index"]:
                self._look_at_digest(name, row)
            with naming(name):
                text = statement_text(row)
                parse_statement(text)
            if statement_leaf(text) != row["leaf"]:
                raise Differs(f"{name}: the stored columns don't give its leaf.")
            prev, n, last = row["leaf"], n + 1, row["received"]
            leaves.append(prev)
            received.append(last)
            if (self.sealed + len(leaves)) % PROGRESS_EVERY == 0:
                self._progress(self.sealed + len(leaves))
        return n, prev

    def _look_at_digest(self, name: str, row: Mapping[str, Any]) -> None:
        """The index has the digest of each record, but of what was erased."""
        if row["erasure"] is not None:
            return
        hashed = row["digest"] if row["payload"] is None else digest(row["payload"])
        where = {"source": row["source_id"], "chain": row["chain"], "n": row["n"]}
        if self._tx.row("audit_digest", digest=hashed, **where) is None:
            raise Differs(f"{name}: its digest is missing in the index.")
        self._digests += 1


def _look_at_payload(name: str, row: Mapping[str, Any], *, is_open: bool, is_dropped: bool) -> None:
    """
    The content is there, unless it was erased, or its dataset keeps it no longer; and then
    it is not.
    """
    payload, salt, hashed = row["payload"], row["salt"], row["digest"]
    is_erased = row["erasure"] is not None
    if payload is None and not is_erased and not is_dropped:
        raise Differs(f"{name}: its payload is missing, and was not erased.")
    if not is_erased and ((salt is None) != is_open or (salt is not None and len(salt) != 32)):
        raise Differs(f"{name}: its salt is not of its dataset's kind.")
    if payload is None:
        if is_erased and salt is not None:
            raise Differs(f"{name}: it was erased, and its salt is there.")
        if hashed is None:
            raise Differs(f"{name}: neither payload nor digest is stored.")
        return
    if is_erased or is_dropped:
        raise Differs(f"{name}: its payload should be gone, and is there.")
    if hashed not in (None, digest(payload) if salt is None else commitment(salt, payload)):
        raise Differs(f"{name}: the kept digest is not the payload's.")
