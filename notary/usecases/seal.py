# SPDX-License-Identifier: Apache-2.0
"""
Seal: put a dataset's new records into one tree, and the tree into the log.

A batch is a whole number of segments. All of it (tiles, runs, descriptor, log leaf) is
one transaction that holds the log's row: a crash anywhere leaves nothing of it, and the
next try seals the same records.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from struct import pack

from notary.core.descriptor import Descriptor
from notary.core.errors import NotaryError
from notary.core.policy import SealingPolicy
from notary.core.runs import Run, check_run_list, format_run, run_leaf
from notary.core.tree import Tree
from notary.core.words import ZERO_HASH
from notary.store import binary
from notary.store.logtiles import stored_tiles
from notary.store.pool import Pool, Transaction
from notary.usecases.gate import Gate
from notary.usecases.log_writing import Sealed, append_batch, lock_log
from notary.usecases.seal_versions import seal_versions
from notary.usecases.second_root import SecondRoot, check_roots

RECORDS_TREE, RUNS_TREE = 0, 1


class RecordsMissing(NotaryError):
    """Records that were accepted are not in the database; sealing has stopped."""

    code = "records-missing"


@dataclass(frozen=True, slots=True)
class _Source:
    id: int
    lane: int
    number: int
    tag: bytes
    first: int
    prev: bytes
    count: int


class Sealer:
    """Seals for one process; others may try at the same time and only lose time."""

    def __init__(
        self, pool: Pool, gate: Gate, policy: SealingPolicy, second_root: SecondRoot | None
    ) -> None:
        self._pool = pool
        self._gate = gate
        self._policy = policy
        self._second_root = second_root

    def seal_due(self, now: datetime, *, at_once: bool = False) -> list[Sealed]:
        """
        Seal one batch for each dataset that is due (or, `at_once`, that has any record), and
        every version.

        Raises:
            StateRefused: the gate is closed.
            RootsDisagree, RecordsMissing: nothing more is sealed until a person looked.
        """
        self._gate.open()
        with self._pool.transaction(read_only=True) as tx:
            waiting = tx.rows("list_waiting")
        due = [
            dataset
            for dataset, count, oldest in waiting
            if at_once or self._policy.is_due(count, oldest, now)
        ]
        sealed = [self._seal(dataset, now) for dataset in due]
        versions = seal_versions(self._pool, self._gate.open(), self._second_root, now)
        return [batch for batch in sealed if batch is not None] + versions

    def _seal(self, dataset: int, now: datetime) -> Sealed | None:
        log = self._gate.open()
        with self._pool.transaction() as tx:
            index = lock_log(tx, log)
            if index is None:
                return None
            segments, chain = self._choose(tx.rows("waiting_segments", dataset=dataset))
            if not segments:
                return None
            name, number, known, prev = tx.rows("get_sealing_dataset", dataset=dataset)[0]
            sources, source_count = _number_sources(tx, segments, chain, known)
            leaves, first, last = _read_leaves(tx, sources, chain)
            runs = _make_runs(sources, leaves, chain)
            flat = [leaf for source in sources for leaf in leaves[source.id]]
            records_tree = Tree(flat)
            runs_tree = Tree([run_leaf(format_run(run)) for run in runs])
            # An anchored root can't be withdrawn: both must agree before it exists.
            check_roots(flat, records_tree.root, self._second_root)
            check_run_list(runs, len(flat))
            descriptor = Descriptor(
                dataset=name,
                kind="records",
                number=number,
                prev=prev,
                count=len(flat),
                root=records_tree.root,
                first=first,
                last=last,
                runs=runs_tree.root,
            )
            _copy_tiles(tx, index, records_tree, runs_tree)
            _copy_runs(tx, index, sources, runs)
            tx.do("mark_segments", batch=index, numbers=[segment[0] for segment in segments])
            batch = append_batch(tx, index, dataset, descriptor, source_count, now)
        # Committed: the batch is in the log for good, not yet under a checkpoint.
        return batch

    def _choose(
        self, segments: Sequence[tuple[int, int, int, list[int], list[int]]]
    ) -> tuple[list[tuple[int, int, int, list[int], list[int]]], int]:
        """As many whole segments of one chain as fit, at least one."""
        chosen: list[tuple[int, int, int, list[int], list[int]]] = []
        total = 0
        for segment in segments:
            fits = total + segment[2] <= self._policy.max_count
            if chosen and (not fits or segment[1] != chosen[0][1]):
                break
            chosen.append(segment)
            total += segment[2]
        return chosen, chosen[0][1] if chosen else 0


def _number_sources(
    tx: Transaction,
    segments: Sequence[tuple[int, int, int, list[int], list[int]]],
    chain: int,
    known: int,
) -> tuple[list[_Source], int]:
    """The sources of a batch in the order of their numbers; new ones get the next."""
    counts: dict[int, int] = {}
    for _, _, _, sources, per_source in segments:
        for source, count in zip(sources, per_source, strict=True):
            counts[source] = counts.get(source, 0) + count
    rows = tx.rows("sealing_sources", ids=sorted(counts), chain=chain)
    if len(rows) != len(counts):
        raise RecordsMissing("Sources of a segment are missing in the database.")
    new = sorted(row[0] for row in rows if row[2] is None)
    numbers = {source: known + place for place, source in enumerate(new)}
    if new:
        tx.do("number_sources", ids=new, numbers=[numbers[source] for source in new])
    found = [
        _Source(
            id=id_,
            lane=lane,
            number=numbers[id_] if number is None else number,
            tag=tag,
            first=next_ or 0,
            prev=last or ZERO_HASH,
            count=counts[id_],
        )
        for id_, lane, number, tag, next_, last in rows
    ]
    return sorted(found, key=lambda source: source.number), known + len(new)


def _read_leaves(
    tx: Transaction, sources: list[_Source], chain: int
) -> tuple[dict[int, list[bytes]], datetime, datetime]:
    """The leaves of each run in the order of n, and the received times at both ends."""
    rows = tx.rows(
        "sealing_leaves",
        chain=chain,
        lanes=[source.lane for source in sources],
        sources=[source.id for source in sources],
        firsts=[source.first for source in sources],
        counts=[source.count for source in sources],
    )
    found = {source: (count, joined) for source, count, joined, _, _ in rows}
    leaves = {}
    for source in sources:
        count, joined = found.get(source.id, (0, b""))
        if count != source.count or len(joined) != 32 * count:
            raise RecordsMissing(
                f"Of source number {source.number}, {source.count} records from n = "
                f"{source.first} were accepted, and {count} are in the database."
            )
        leaves[source.id] = [joined[at : at + 32] for at in range(0, len(joined), 32)]
    return leaves, min(row[3] for row in rows), max(row[4] for row in rows)


def _make_runs(sources: list[_Source], leaves: dict[int, list[bytes]], chain: int) -> list[Run]:
    runs, offset = [], 0
    for source in sources:
        runs.append(
            Run(
                number=source.number,
                tag=source.tag,
                chain=chain,
                first=source.first,
                count=source.count,
                offset=offset,
                prev=source.prev,
                last=leaves[source.id][-1],
            )
        )
        offset += source.count
    return runs


def _copy_tiles(tx: Transaction, batch: int, records: Tree, runs: Tree) -> None:
    fields = pack(">h", 6) + binary.int8(batch)
    rows = [
        b"".join(
            (
                fields,
                binary.int4(index),
                binary.int2(tree),
                binary.int2(level),
                binary.data(data),
                binary.data(middle),
            )
        )
        for tree, hashes in ((RECORDS_TREE, records), (RUNS_TREE, runs))
        for level, index, data, middle in stored_tiles(hashes)
    ]
    tx.copy("copy_batch_tiles", binary.table(rows))


def _copy_runs(tx: Transaction, batch: int, sources: list[_Source], runs: list[Run]) -> None:
    rows = [
        b"".join(
            (
                pack(">h", 10),
                binary.int4(source.id),
                binary.int4(run.chain),
                binary.int8(run.first),
                binary.int8(batch),
                binary.int4(position),
                binary.int4(run.number),
                binary.int4(run.count),
                binary.int4(run.offset),
                binary.data(run.prev),
                binary.data(run.last),
            )
        )
        for position, (source, run) in enumerate(zip(sources, runs, strict=True))
    ]
    tx.copy("copy_runs", binary.table(rows))
