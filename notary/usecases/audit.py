# SPDX-License-Identifier: Apache-2.0
"""
Audit: recompute everything from what is stored, and compare (DESIGN, six verbs).

It reads one snapshot, believes no stored hash, and names what differs: the first record,
run, tile, batch, checkpoint or anchor. `scope.py` says which columns that covers.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from notary.core.checkpoint import open_checkpoint
from notary.core.descriptor import descriptor_leaf, parse_descriptor
from notary.core.errors import NotaryError
from notary.core.note import parse_vkey
from notary.core.runs import source_tag
from notary.core.tiles import TILE_WIDTH
from notary.core.tree import root
from notary.core.words import ZERO_HASH
from notary.ledgers.port import Ledger
from notary.store.pool import Pool, Transaction
from notary.usecases.audit_anchors import AnchorAudit
from notary.usecases.audit_batches import BatchAudit, Differs, Facts, naming
from notary.usecases.audit_erasures import look_at_erasures
from notary.usecases.audit_recoveries import look_at_recoveries, read_lost
from notary.usecases.audit_versions import look_at_versions
from notary.usecases.audit_witnesses import look_at_witnesses
from notary.usecases.closed_logs import read_origins
from notary.usecases.marks import Mark, MarkFile, StateRefused


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, and all that differs (the first of each part)."""

    records: int
    waiting: int
    versions: int
    batches: int
    checkpoints: int
    anchors: int
    findings: tuple[str, ...]
    not_checked: tuple[str, ...] = ()
    """What nobody could be asked about, and why: no finding."""


def audit(
    pool: Pool,
    marks: MarkFile,
    ledgers: Sequence[Ledger],
    progress: Callable[[int], None] = lambda records: None,
) -> Report:
    """
    Recompute the whole log of one snapshot of the database.

    `progress` is told how many records were recomputed so far.

    Raises:
        StoreUnavailable: the database went away; nothing is known then.
    """
    # Read before the snapshot: a checkpoint is committed before the mark is raised to it, so
    # beside a sealer at work the snapshot still holds what the mark knows.
    findings: list[str] = []
    mark = None
    try:
        mark = marks.read()
    except StateRefused as error:
        findings.append(error.detail)
    with pool.transaction(read_only=True, snapshot=True) as tx:

        def part(name: str, look: Callable[[], int]) -> int:
            try:
                return look()
            except Differs as differs:
                findings.append(differs.detail)
            except NotaryError as error:
                findings.append(f"{name}: {error.detail}")
            except ValueError as error:
                # What the database gave back is no text, no number or no time at all.
                findings.append(f"{name}: {error}")
            return 0

        facts = Facts()
        part("the log", lambda: _read_log(tx, facts))
        part("datasets and sources", lambda: _look_at_sources(tx, facts))
        part("the log's leaves", lambda: _read_batches(tx, facts))
        batches = BatchAudit(tx, facts, progress)
        part("the batches", batches.look_at_batches)
        part("waiting records", batches.look_at_waiting)
        part("segments", batches.look_at_segments)
        versions = part("versions", lambda: look_at_versions(tx, facts))
        part("the log's hashes", lambda: _look_at_hashes(tx, facts))
        part("recoveries", lambda: look_at_recoveries(tx, facts, mark))
        part("erasures", lambda: look_at_erasures(tx))
        signed = part("checkpoints", lambda: _look_at_checkpoints(tx, facts, mark))
        part("witnesses", lambda: look_at_witnesses(tx, facts, mark))
        anchors = AnchorAudit(tx, ledgers)
        anchored = part("anchors", anchors.look_at_anchors)
    # Outside of the snapshot: whoever is asked may take long.
    part("ledgers", anchors.ask_ledgers)
    counts = batches.sealed, batches.waiting, versions, len(facts.leaves), signed, anchored
    return Report(*counts, tuple(findings), tuple(anchors.not_checked))


def _read_log(tx: Transaction, facts: Facts) -> int:
    facts.datasets = {row["id"]: row for row in tx.maps("audit_datasets")}
    facts.sources = {row["id"]: row for row in tx.maps("audit_sources")}
    read_lost(tx, facts)
    log = tx.row("get_log")
    if log is None:
        raise Differs("the log: there is none in this database")
    facts.origin, facts.vkey, facts.size, facts.chain = log
    recovered = max((row["chain"] for row in tx.maps("list_recoveries")), default=0)
    if facts.chain != max(tx.rows("audit_newest_chain")[0][0], recovered):
        raise Differs(f"the log: its chain {facts.chain} is not that of its newest records")
    return 1


def _look_at_sources(tx: Transaction, facts: Facts) -> int:
    """Each source has its number, its lane and its tag; `facts.sources` is in their order."""
    lanes = dict(tx.rows("audit_lanes"))
    for lane, owner in lanes.items():
        if owner not in facts.datasets:
            raise Differs(f"lane {lane}: it belongs to no dataset")
    numbers: dict[int, int] = dict.fromkeys(facts.datasets, 0)
    for source in facts.sources.values():
        name = f"source {source['id']} ({source['name']})"
        dataset = facts.datasets.get(source["dataset"])
        if dataset is None or lanes.get(source["lane"]) != source["dataset"]:
            raise Differs(f"{name}: it belongs to no dataset, or to another one's lane")
        if source["number"] is not None:
            expected = numbers[source["dataset"]]
            skipped = source["number"] > expected and source["dataset"] in facts.lossy
            if source["number"] != expected and not skipped:
                raise Differs(f"{name}: the numbers of the dataset's sources have a gap")
            numbers[source["dataset"]] = source["number"] + 1
        if (source["tag_salt"] == b"") != dataset["is_open"]:
            raise Differs(f"{name}: its tag is not of its dataset's kind")
        if source_tag(dataset["name"], source["name"], source["tag_salt"]) != source["tag"]:
            raise Differs(f"{name}: the tag doesn't follow from its name and salt")
    for id_, dataset in facts.datasets.items():
        skipped = id_ in facts.lossy and dataset["source_count"] > numbers[id_]
        if dataset["source_count"] != numbers[id_] and not skipped:
            raise Differs(f"dataset {dataset['name']}: the count of its sources is wrong")
    return len(facts.sources)


def _read_batches(tx: Transaction, facts: Facts) -> int:
    """The log's leaves are without a gap, each dataset's batches are linked."""
    last: dict[int, tuple[int, bytes]] = {}
    for row in tx.maps("audit_batches"):
        index, name = row["index"], f"batch {row['index']}"
        if index != len(facts.leaves):
            raise Differs(f"{name}: the log has a gap at leaf {len(facts.leaves)}")
        with naming(name):
            descriptor = parse_descriptor(row["descriptor"])
        if descriptor_leaf(row["descriptor"]) != row["leaf"]:
            raise Differs(f"{name}: the leaf is not that of the descriptor")
        dataset = facts.datasets.get(row["dataset"])
        number, prev = last.get(row["dataset"], (-1, ZERO_HASH))
        wanted = (dataset and dataset["name"], number + 1, prev, row["number"], row["count"])
        got = (
            descriptor.dataset,
            descriptor.number,
            descriptor.prev,
            descriptor.number,
            descriptor.count,
        )
        if wanted != got:
            raise Differs(f"{name}: the descriptor doesn't follow on the dataset's last one")
        last[row["dataset"]] = (number + 1, row["leaf"])
        facts.leaves.append(row["leaf"])
        facts.descriptors.append((row["dataset"], descriptor))
    if len(facts.leaves) != facts.size:
        raise Differs(f"the log: its size is {facts.size}, its leaves are {len(facts.leaves)}")
    for id_, dataset in facts.datasets.items():
        number, leaf = last.get(id_, (-1, ZERO_HASH))
        if not 0 <= dataset["dropped"] <= number + 1:
            raise Differs(f"dataset {dataset['name']}: it has not so many batches to drop")
        if (dataset["batch_count"], dataset["last_descriptor"]) != (number + 1, leaf):
            raise Differs(f"dataset {dataset['name']}: its last batch is another one")
    return len(facts.leaves)


def _look_at_hashes(tx: Transaction, facts: Facts) -> int:
    """Every hash of which the log's tiles are made, recomputed from its leaves."""
    wanted: dict[tuple[int, int], bytes] = {}
    level, hashes = 0, list(facts.leaves)
    while hashes:
        wanted.update({(level, index): hash_ for index, hash_ in enumerate(hashes)})
        full = len(hashes) // TILE_WIDTH
        hashes = [bytes(root(hashes[i * TILE_WIDTH : (i + 1) * TILE_WIDTH])) for i in range(full)]
        level += 1
    for level, index, hash_ in tx.rows("audit_log_hashes"):
        if wanted.pop((level, index), None) != hash_:
            raise Differs(f"tile of the log, level {level}, hash {index}: it is another one")
    for level, index in wanted:
        raise Differs(f"tile of the log, level {level}, hash {index}: it is missing")
    return len(facts.leaves)


def _look_at_checkpoints(tx: Transaction, facts: Facts, mark: Mark | None) -> int:
    known: dict[int, bytes] = {}
    origins = read_origins(tx)
    keys = [parse_vkey(facts.vkey)]
    if mark is not None and mark.keys:
        keys = [key.verifier for key in mark.keys]
    for size, stored, note in tx.rows("audit_checkpoints"):
        name = f"checkpoint of size {size}"
        if not 0 <= size <= len(facts.leaves) or root(facts.leaves[:size]) != stored:
            raise Differs(f"{name}: its root is not that of the log's leaves")
        known[size] = stored
        if note is None:
            continue
        with naming(name):
            checkpoint, _ = open_checkpoint(note, keys)
        said = checkpoint.origin, checkpoint.size, checkpoint.root
        if said != (origins.at(size), size, stored):
            raise Differs(f"{name}: the signed note says something else")
    if mark is None:
        raise Differs("the high-water mark: it is missing")
    if (mark.origin, mark.vkey) != (facts.origin, facts.vkey):
        raise Differs("the high-water mark: it knows another log or another key of it")
    if mark.size and known.get(mark.size) != bytes.fromhex(mark.root):
        raise Differs("the high-water mark: the database doesn't hold its checkpoint")
    return len(known)


def describe(report: Report) -> Iterator[str]:
    """The report in lines for a person."""
    yield (
        f"{report.records} records and {report.versions} versions in {report.batches} batches, "
        f"{report.waiting} waiting, {report.checkpoints} checkpoints, {report.anchors} anchors "
        "were recomputed."
    )
    for sentence in report.not_checked:
        yield f"not checked: {sentence}"
    for finding in report.findings:
        yield f"DIFFERS: {finding}"
    if not report.findings:
        yield "Nothing differs."
