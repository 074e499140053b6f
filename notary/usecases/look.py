# SPDX-License-Identifier: Apache-2.0
"""The reading side: what pages and the API show. Decides nothing."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from notary.core.runs import Run, format_run
from notary.core.tiles import TILE_WIDTH, format_bundle
from notary.core.words import format_time
from notary.ledgers.port import Ledger
from notary.store.logtiles import read_log_tile
from notary.store.pool import Pool, Transaction
from notary.usecases.datasets import DatasetFacts
from notary.usecases.record import statement_text
from notary.usecases.rights import NotFound
from notary.usecases.witness_look import cosigner_names, find_witnessed

RUNS_AT_ONCE = 1000
TILES_AT_ONCE = 64


def list_sources(
    pool: Pool, dataset: DatasetFacts, after: str, limit: int, *, registered: bool = False
) -> list[dict[str, Any]]:
    """
    Sources with the end of their chains, by name, beginning after `after`.

    `registered`: those too that are registered and have no record yet.
    """
    asked = {"dataset": dataset.id, "after": after, "limit": limit, "registered": registered}
    with pool.transaction(read_only=True) as tx:
        return tx.maps("list_sources", **asked)


def get_source(
    pool: Pool, dataset: DatasetFacts, source: str, *, registered: bool = False
) -> dict[str, Any]:
    """One source with the end of its chain: where a gateway goes on from. Raises NotFound."""
    asked = {"dataset": dataset.id, "source": source, "registered": registered}
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("get_source", **asked)
    if not rows:
        raise NotFound(f"There is no source {source} in {dataset.name} here.")
    return rows[0]


def list_records(
    pool: Pool, dataset: DatasetFacts, source: str, chain: int | None, after: int, limit: int
) -> list[dict[str, Any]]:
    """Records of a source in the order of n, beginning after `after`. Raises NotFound."""
    found = get_source(pool, dataset, source)
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps(
            "list_records",
            lane=found["lane"],
            source=found["id"],
            chain=found["chain"] if chain is None else chain,
            after=after,
            limit=limit,
            is_open=dataset.is_open,
        )
    return [{"source": found["source"], **row} for row in rows]


def get_record(
    pool: Pool,
    ledgers: Sequence[Ledger],
    dataset: DatasetFacts,
    source: str,
    n: int,
    chain: int | None = None,
) -> dict[str, Any]:
    """One record, its statement, and each of its states. Raises NotFound."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.prepared("find_record", dataset.name, source, n, chain)
        if not rows:
            raise NotFound(f"There is no record {n} of {source} in {dataset.name} here.")
        row = rows[0]
        reached = states(tx, ledgers, row)
    text = statement_text(row)
    hashes = json.loads(text)
    row.update(
        digest=_from_hex(hashes.get("digest")), commitment=_from_hex(hashes.get("commitment"))
    )
    return {**row, "statement": text, "states": reached}


def name_of_source(pool: Pool, dataset: DatasetFacts, source: str) -> str:
    """The name that statements have for what a path calls `source`. Raises NotFound."""
    if dataset.is_open:
        return source
    return str(get_source(pool, dataset, source)["source"])


def _from_hex(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


def states(tx: Transaction, ledgers: Sequence[Ledger], row: dict[str, Any]) -> dict[str, Any]:
    """The five states, told apart; what isn't reached is None or an empty list."""
    reached: dict[str, Any] = {
        "accepted": row["received"],
        "sealed": None,
        "signed": None,
        "witnessed": None,
        "anchored": [],
        "needs_witnesses": tx.row("current_policy") is not None,
    }
    if row["batch"] is None:
        return reached
    batch = tx.maps("get_batch", index=row["batch"])[0]
    reached["sealed"] = {"batch": row["batch"], "at": format_time(batch["sealed_at"])}
    if batch["signed_size"] is None:
        return reached
    reached["signed"] = {
        "size": batch["signed_size"],
        "at": format_time(batch["signed_at"]),
    }
    reached["witnessed"] = find_witnessed(tx, row["batch"])
    reached["anchored"] = _anchored(tx, ledgers, row["batch"])
    return reached


def _anchored(tx: Transaction, ledgers: Sequence[Ledger], batch: int) -> list[dict[str, Any]]:
    own = {ledger.name: ledger.own_word for ledger in ledgers}
    return [
        {
            "ledger": anchor["ledger"],
            "size": anchor["size"],
            "own_word": own.get(anchor["ledger"], anchor["own_word"]),
            "at": format_time(anchor["changed_at"]),
        }
        for anchor in tx.maps("find_anchors", index=batch, first=0, last=None, ledgers=None)
    ]


def find_digest(
    pool: Pool, digest: bytes, after: Sequence[Any] | None, limit: int
) -> list[dict[str, Any]]:
    """
    Records of that payload digest, in open datasets that keep the index.

    `after` is the dataset, source, chain and n of the last one seen.
    """
    dataset, source, chain, n = after or ("", "", 0, 0)
    with pool.transaction(read_only=True) as tx:
        return tx.maps(
            "find_digest",
            digest=digest,
            dataset=dataset,
            source=source,
            chain=chain,
            n=n,
            limit=limit,
        )


def without_digests(pool: Pool, limit: int) -> list[dict[str, Any]]:
    """Open datasets with records that `find_digest` can't find; by name."""
    with pool.transaction(read_only=True) as tx:
        return tx.maps("without_digests", limit=limit)


def get_batch(pool: Pool, ledgers: Sequence[Ledger], index: int) -> dict[str, Any]:
    """A batch of the log by its index, with its states. Raises NotFound."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("get_batch", index=index)
        if not rows:
            raise NotFound(f"The log has no batch {index}.")
        row = rows[0]
        size, time = row.pop("signed_size"), row.pop("signed_at")
        row["signed"] = None if size is None else {"size": size, "at": format_time(time)}
        row["witnessed"] = find_witnessed(tx, index)
        row["needs_witnesses"] = tx.row("current_policy") is not None
        row["anchored"] = _anchored(tx, ledgers, index) if size is not None else []
    return row


def batch_runs(pool: Pool, index: int) -> Iterator[list[str]]:
    """
    The entries of a batch's run list as they were hashed, each with its newline, in parts.

    Each part is read in a transaction of its own: what is sealed doesn't change, and a
    slow reader holds no connection. Raises NotFound, at once.
    """
    get_batch(pool, (), index)
    lost = lost_batch(pool, index)
    if lost is not None:
        return iter([_kept(lost["run_list"], index).splitlines(keepends=True)])
    return map(_run_lines, _parts(pool, "batch_runs", index, "position", RUNS_AT_ONCE))


def batch_leaves(pool: Pool, index: int) -> Iterator[bytes]:
    """The leaf hashes of a batch, 32 bytes each, in parts as in `batch_runs`."""
    get_batch(pool, (), index)
    lost = lost_batch(pool, index)
    if lost is not None:
        return iter([_kept(lost["leaves"], index)])
    parts = _parts(pool, "batch_leaves", index, "index", TILES_AT_ONCE)
    return (b"".join(row["data"] for row in rows) for rows in parts)


def lost_batch(pool: Pool, index: int) -> dict[str, Any] | None:
    """Of a batch that was put back without its records: its run list and leaves, or None."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("lost_batch", batch=index)
    return rows[0] if rows else None


def _kept(part: Any, index: int) -> Any:
    if part is None:
        raise NotFound(f"This part of batch {index} is lost; nobody had it.")
    return part


def _parts(
    pool: Pool, query: str, batch: int, place: str, limit: int
) -> Iterator[list[dict[str, Any]]]:
    after = -1
    while True:
        with pool.transaction(read_only=True) as tx:
            rows = tx.maps(query, batch=batch, after=after, limit=limit)
        if rows:
            yield rows
        if len(rows) < limit:
            return
        after = rows[-1][place]


def _run_lines(rows: list[dict[str, Any]]) -> list[str]:
    return [
        format_run(
            Run(
                row["number"],
                row["tag"],
                row["chain"],
                row["first"],
                row["count"],
                row["start"],
                row["prev"],
                row["last"],
            )
        )
        + "\n"
        for row in rows
    ]


def count_records(pool: Pool, datasets: Sequence[DatasetFacts]) -> dict[str, int]:
    """How many records each of the datasets holds, by its id."""
    names = {dataset.id: dataset.name for dataset in datasets}
    with pool.transaction(read_only=True) as tx:
        rows = tx.rows("count_datasets_records", ids=list(names))
    return {names[row[0]]: row[1] for row in rows}


def newest_checkpoint(pool: Pool) -> dict[str, Any] | None:
    """
    Size, root, note and time of the newest checkpoint that is shown, or None; `is_witnessed`:
    whether it has its quorum of witnesses, None where none is required.
    """
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("newest_shown_checkpoint")
    return rows[0] if rows else None


def get_checkpoint(pool: Pool, ledgers: Sequence[Ledger], size: int) -> dict[str, Any]:
    """A signed checkpoint by its size, with the ledgers that cover it. Raises NotFound."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("get_signed_checkpoint", size=size)
        if not rows:
            raise NotFound(f"There is no checkpoint of size {size}.")
        anchors = _anchored(tx, ledgers, size - 1)
    return {**rows[0], "witnesses": cosigner_names(rows[0]["note"]), "anchored": anchors}


def log_tile(pool: Pool, level: int, index: int, width: int) -> bytes:
    """A tile of the log as it was under the newest checkpoint. Raises NotFound beyond it."""
    with pool.transaction(read_only=True) as tx:
        newest = tx.row("newest_checkpoint")
        hashes = (newest[0] if newest else 0) >> (8 * level)
        if index * TILE_WIDTH + width > hashes:
            raise NotFound("The log has no such tile.")
        return read_log_tile(tx, level, index, width)


def log_bundle(pool: Pool, index: int, width: int) -> bytes:
    """An entry bundle of the log (C2SP tlog-tiles). Raises NotFound beyond the checkpoint."""
    with pool.transaction(read_only=True) as tx:
        newest = tx.row("newest_checkpoint")
        start = index * TILE_WIDTH
        if start + width > (newest[0] if newest else 0):
            raise NotFound("The log has no such entries.")
        rows = tx.rows("log_entries", start=start, stop=start + width)
    return format_bundle([row[0].encode() for row in rows])


def totals(pool: Pool, ledgers: Sequence[Ledger]) -> dict[str, Any]:
    """Counts for the first page, /statusz and /metrics; anchored: on each required ledger."""
    required = [ledger.name for ledger in ledgers if ledger.required]
    with pool.transaction(read_only=True) as tx:
        return tx.maps("totals", required=required)[0]


def heartbeats(pool: Pool) -> dict[str, dict[str, Any]]:
    """What each process said of itself last, by its name."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("list_heartbeats")
    return {
        row["process"]: {"seen_at": row["seen_at"], "facts": json.loads(row["facts"])}
        for row in rows
    }


def log_facts(pool: Pool) -> dict[str, Any] | None:
    """Origin, vkey, size and chain of the log, or None where there is none."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("get_log")
    return rows[0] if rows else None
