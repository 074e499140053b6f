# SPDX-License-Identifier: Apache-2.0
"""Prove that the log only grew between two of its signed checkpoints (consistency-v1.md)."""

from functools import partial
from typing import Any

from notary.core.consistency import ConsistencyProof, format_consistency
from notary.core.errors import MalformedProof
from notary.core.tiles import consistency_path_from_tiles, root_from_tiles
from notary.ledgers.port import LedgerRefused
from notary.store.logtiles import read_log_tile
from notary.store.pool import Pool, Transaction
from notary.usecases.rights import NotFound


def prove_growth(pool: Pool, old: int, new: int | None) -> str:
    """
    The consistency proof between two signed sizes as text; to the newest one that is shown where
    `new` is None.

    Raises:
        NotFound: a checkpoint of one of the sizes was never signed.
        MalformedProof: the older one is the larger one.
    """
    with pool.transaction(read_only=True) as tx:
        newer = _signed(tx, new)
        older = _signed(tx, old)
        if older["size"] > newer["size"]:
            raise MalformedProof("from is at most to")
        read = partial(read_log_tile, tx)
        path = consistency_path_from_tiles(read, older["size"], newer["size"])
    return format_consistency(ConsistencyProof(older["note"], newer["note"], tuple(path)))


def _signed(tx: Transaction, size: int | None) -> dict[str, Any]:
    if size is None:
        rows = tx.maps("newest_shown_checkpoint")
    else:
        rows = tx.maps("get_signed_checkpoint", size=size)
    if not rows:
        which = "Nothing is shown yet." if size is None else f"No size {size} was ever signed."
        raise NotFound(which)
    return rows[0]


def growth_path(pool: Pool, old: int, new: int) -> list[bytes]:
    """
    The consistency path between two sizes of the log, signed or not; 1 <= old <= new.

    Raises:
        MalformedProof: the older one is the larger one.
        LedgerRefused: our log isn't that large.
    """
    with pool.transaction(read_only=True) as tx:
        _demand_size(tx, new)
        return consistency_path_from_tiles(partial(read_log_tile, tx), old, new)


def root_at(pool: Pool, size: int) -> bytes:
    """The root of the log at a size of at least 1. Raises LedgerRefused beyond the log."""
    with pool.transaction(read_only=True) as tx:
        _demand_size(tx, size)
        return root_from_tiles(partial(read_log_tile, tx), size)


def _demand_size(tx: Transaction, size: int) -> None:
    """What a ledger holds and the log doesn't is known only outside: a person must look."""
    ours: int = tx.rows("get_log")[0][2]
    if size > ours:
        raise LedgerRefused(f"The ledger holds size {size}, and our log has only {ours}.")
