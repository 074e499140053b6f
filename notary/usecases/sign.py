# SPDX-License-Identifier: Apache-2.0
"""
Sign: put a checkpoint over the log as it stands.

One log never signs two checkpoints without a consistency proof between them, and never
two roots for one size (DESIGN, invariant 2). The order is the safety:

1. (size, root) is committed, under the log's row, after a consistency check;
2. the mark beside the log key is raised to it, fsynced;
3. the note is signed and stored.

A crash after 1 or 2 leaves an unsigned row; the next call signs that very row first.
"""

from datetime import datetime
from functools import partial

from notary.core.checkpoint import Checkpoint, format_checkpoint
from notary.core.hashing import RootHash
from notary.core.proof import verify_consistency
from notary.core.tiles import consistency_path_from_tiles, root_from_tiles
from notary.keys import Signer
from notary.store.logtiles import read_log_tile
from notary.store.pool import Pool, Transaction
from notary.usecases.gate import CLOSED, Gate, read_mark
from notary.usecases.marks import Mark, MarkFile, StateRefused


def sign_newest(
    pool: Pool, gate: Gate, marks: MarkFile, signer: Signer, now: datetime
) -> Checkpoint | None:
    """
    Sign the log as it stands, and whatever an earlier call left unsigned.

    Returns the newest checkpoint that was signed now, or None where nothing was new.

    Raises:
        StateRefused: the database and the mark disagree; nothing is signed.
    """
    log = gate.open()
    if log.vkey != signer.vkey:
        raise StateRefused("The log key is not this log's.", reason="other-key")
    with pool.transaction() as tx:
        size = tx.rows("lock_log")[0][2]
        mark = marks.read()
        if mark is None or mark.size > size:
            raise StateRefused("The log is smaller than its mark." + CLOSED, reason="older")
        unsigned = _commit_root(tx, size, mark, now) if size > 0 else []
    # 1 is durable: a crash here leaves unsigned rows, and no signature over anything else.
    newest = None
    with pool.transaction() as tx:
        new_marks = [read_mark(tx, log.origin, log.vkey, size, root) for size, root in unsigned]
    for (size, root), new_mark in zip(unsigned, new_marks, strict=True):
        marks.raise_to(new_mark)
        # 2 is durable: an older database is refused from here on.
        newest = Checkpoint(log.origin, size, root)
        note = signer.sign(format_checkpoint(newest))
        with pool.transaction() as tx:
            tx.do("set_note", size=size, note=note, now=now)
        # 3 is durable: the checkpoint may be shown.
    return newest


def _commit_root(
    tx: Transaction, size: int, mark: Mark, now: datetime
) -> list[tuple[int, RootHash]]:
    """
    Keep the log's root for its size. Returns all that is unsigned, each proved to be a
    beginning of this log, as the mark and the last committed checkpoint are.
    """
    read = partial(read_log_tile, tx)
    root = root_from_tiles(read, size)
    tx.do("add_checkpoint", size=size, root=root, now=now)
    unsigned = [(int(row[0]), RootHash(row[1])) for row in tx.rows("unsigned_checkpoints")]
    last = tx.rows("newest_committed_checkpoint")[0]
    known = [(mark.size, bytes.fromhex(mark.root))] if mark.size else []
    for old_size, old_root in [*known, *unsigned, (last[0], last[1])]:
        if not 0 < old_size <= size:
            raise StateRefused(
                f"A checkpoint of size {old_size} is stored, and the log has {size} leaves."
                + CLOSED,
                reason="older",
            )
        path = consistency_path_from_tiles(read, old_size, size)
        verify_consistency(old_size, RootHash(old_root), size, root, path)
    return unsigned
