# SPDX-License-Identifier: Apache-2.0
"""The reading side: what pages and the API show. Decides nothing."""

import json
from collections.abc import Sequence
from typing import Any

from notary.core.runs import Run, format_run
from notary.core.tiles import TILE_WIDTH, format_bundle
from notary.ledgers.port import Ledger
from notary.store.logtiles import read_log_tile
from notary.store.pool import Pool, Transaction
from notary.usecases.record import statement_text
from notary.usecases.registers import DatasetFacts, NotFound


def list_sources(pool: Pool, dataset: DatasetFacts, after: str, limit: int) -> list[dict[str, Any]]:
    """Sources with the end of their chains, by name, beginning after `after`."""
    with pool.transaction(read_only=True) as tx:
        return tx.maps("list_sources", dataset=dataset.id, after=after, limit=limit)


def get_source(pool: Pool, dataset: DatasetFacts, source: str) -> dict[str, Any]:
    """One source with the end of its chain: where a gateway goes on from. Raises NotFound."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("get_source", dataset=dataset.id, source=source)
    if not rows:
        raise NotFound(f"There is no source {source} in {dataset.name} here.")
    return rows[0]


def list_records(
    pool: Pool, dataset: DatasetFacts, source: str, chain: int | None, after: int, limit: int
) -> list[dict[str, Any]]:
    """Records of a source in the order of n, beginning after `after`. Raises NotFound."""
    found = get_source(pool, dataset, source)
    with pool.transaction(read_only=True) as tx:
        return tx.maps(
            "list_records",
            lane=found["lane"],
            source=found["id"],
            chain=found["chain"] if chain is None else chain,
            after=after,
            limit=limit,
        )


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
        states = _states(tx, ledgers, row)
    return {**row, "statement": statement_text(row), "states": states}


def _states(tx: Transaction, ledgers: Sequence[Ledger], row: dict[str, Any]) -> dict[str, Any]:
    """The five states, told apart; what isn't reached is None or an empty list."""
    states: dict[str, Any] = {
        "accepted": row["received"],
        "sealed": None,
        "signed": None,
        "witnessed": None,
        "anchored": [],
    }
    if row["batch"] is None:
        return states
    states["sealed"] = {"batch": row["batch"]}
    batch = tx.maps("find_batch", index=row["batch"])[0]
    if batch["note"] is None:
        return states
    states["signed"] = {"size": batch["size"]}
    own = {ledger.name: ledger.own_word for ledger in ledgers}
    states["anchored"] = [
        {
            "ledger": anchor["ledger"],
            "size": anchor["size"],
            "own_word": own.get(anchor["ledger"], True),
        }
        for anchor in tx.maps("find_anchors", index=row["batch"])
    ]
    return states


def find_digest(pool: Pool, digest: bytes, limit: int) -> list[dict[str, Any]]:
    """Records of that payload digest, in open datasets that keep the index."""
    with pool.transaction(read_only=True) as tx:
        return tx.maps("find_digest", digest=digest, limit=limit)


def get_batch(pool: Pool, index: int) -> dict[str, Any]:
    """A batch of the log by its index. Raises NotFound."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("get_batch", index=index)
    if not rows:
        raise NotFound(f"The log has no batch {index}.")
    return rows[0]


def batch_runs(pool: Pool, index: int) -> list[str]:
    """The entries of a batch's run list as they were hashed."""
    get_batch(pool, index)
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("batch_runs", batch=index)
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
        for row in rows
    ]


def batch_leaves(pool: Pool, index: int) -> bytes:
    """The leaf hashes of a batch, 32 bytes each."""
    get_batch(pool, index)
    with pool.transaction(read_only=True) as tx:
        return b"".join(row[0] for row in tx.rows("batch_leaves", batch=index))


def list_anchors(
    pool: Pool, ledgers: Sequence[Ledger], before: int, limit: int
) -> list[dict[str, Any]]:
    """Anchors, the newest first, below a size; each says whether it is our own word."""
    own = {ledger.name: ledger.own_word for ledger in ledgers}
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("list_anchors", before=before, limit=limit)
    for row in rows:
        row["evidence"] = None if row["evidence"] is None else json.loads(row["evidence"])
        row["own_word"] = own.get(row["ledger"], True)
    return rows


def newest_checkpoint(pool: Pool) -> dict[str, Any] | None:
    """Size, root, note and time of the newest signed checkpoint, or None."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("newest_checkpoint")
    return rows[0] if rows else None


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


def totals(pool: Pool) -> dict[str, Any]:
    """Counts for the first page, /statusz and /metrics."""
    with pool.transaction(read_only=True) as tx:
        return tx.maps("totals")[0]


def heartbeats(pool: Pool) -> dict[str, dict[str, Any]]:
    """What each process said of itself last, by its name."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("list_heartbeats")
    return {
        row["process"]: {"seen_at": row["seen_at"], "facts": json.loads(row["facts"])}
        for row in rows
    }
