# SPDX-License-Identifier: Apache-2.0
"""
Keep: a dataset says for how long content stays here; then the sealer drops it.

Statements, salts, leaves and digests stay: who holds a record's payload or a version's file
can still prove it. Only what is sealed is dropped, batch by batch in their order, so that one
number says what a dataset has dropped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from notary.core.descriptor import parse_descriptor
from notary.store.pool import Pool, Transaction

FILE_STAYS = timedelta(hours=1)
"""A version's file stays so long at least: a package is still being unpacked from it."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A batch of which the content went: its index, its dataset's id, and what it holds."""

    index: int
    dataset: int
    kind: str


def drop_due(pool: Pool, now: datetime) -> Iterator[Dropped]:
    """
    Drop the content of at most one batch of each dataset: the first that still has some, once
    the last of it was received longer ago than the dataset keeps content. A batch is one
    transaction: a crash leaves it whole or dropped.
    """
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("droppable_batches")
    for row in rows:
        descriptor = parse_descriptor(row["descriptor"])
        stays = timedelta(days=row["keep_days"])
        if descriptor.kind == "version":
            stays = max(stays, FILE_STAYS)
        if descriptor.last + stays > now:
            continue
        dropped = Dropped(row["index"], row["dataset"], descriptor.kind)
        with pool.transaction() as tx:
            is_done = _drop(tx, dropped, descriptor.number, row["keep_days"])
        if is_done:
            yield dropped


def _drop(tx: Transaction, batch: Dropped, number: int, keep_days: int) -> bool:
    held = {"dataset": batch.dataset, "number": number, "keep_days": keep_days}
    if tx.row("hold_dropping", **held) is None:
        return False
    if batch.kind == "records":
        tx.do("drop_payloads", batch=batch.index)
    else:
        for (version,) in tx.rows("find_batch_version", batch=batch.index):
            tx.do("erase_version_parts", id=version)
            tx.do("erase_version_marks", id=version)
    tx.do("advance_dropping", dataset=batch.dataset)
    return True
