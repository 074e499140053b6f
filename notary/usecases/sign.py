# SPDX-License-Identifier: Apache-2.0
"""
Sign: put a checkpoint over the log as it stands.

One log never signs two checkpoints without a consistency proof between them, and never
two roots for one size (DESIGN, invariant 2). The order is the safety:

1. (size, root) is committed, under the log's row, after a consistency check;
2. the mark beside the log key is raised to it, fsynced;
3. the note is signed, by each key that serves its size, and stored.

A crash after 1 or 2 leaves an unsigned row; the next call signs that very row first. A key
that came later signs the newest note too: its line is added, the text stays.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from notary.core.checkpoint import Checkpoint, format_checkpoint
from notary.core.hashing import RootHash
from notary.core.note import Signature, format_note, parse_note
from notary.core.proof import verify_consistency
from notary.core.tiles import consistency_path_from_tiles, root_from_tiles
from notary.keys import Signer
from notary.store.logtiles import read_log_tile
from notary.store.pool import Pool, Transaction
from notary.usecases.closed_logs import Origins, read_origins
from notary.usecases.gate import CLOSED, Gate, OpenLog, read_mark
from notary.usecases.marks import Mark, MarkFile, StateRefused
from notary.usecases.witness_alarms import check_alarms


class Signers(Protocol):
    """Whoever has private keys of the log: one `Signer`, or a `KeyRing` of them."""

    def find(self, vkey: str) -> Signer | None:
        """The key, or None where it isn't here."""


def sign_newest(
    pool: Pool, gate: Gate, marks: MarkFile, signers: Signers, now: datetime
) -> Checkpoint | None:
    """
    Sign the log as it stands, and whatever an earlier call left unsigned.

    Returns the newest checkpoint that was signed now, or None where nothing was new.

    Raises:
        StateRefused: the database and the mark disagree, or a key that must sign is missing;
            nothing is signed.
        KeyRefused: a key's file may be read by others.
    """
    log = gate.open()
    with pool.transaction() as tx:
        origin, _, size, _ = tx.rows("lock_log")[0]
        mark = marks.read()
        if mark is None or mark.size > size:
            raise StateRefused("The log is smaller than its mark." + CLOSED, reason="older")
        if origin != log.origin:
            raise StateRefused("The database was exchanged.", reason="exchanged")
        check_alarms(tx, origin, size, mark.log_keys)
        origins = read_origins(tx)
        if size > 0 and not is_signed(tx, size):
            _find(signers, mark, origins.at(size), size)
        unsigned = _commit_root(tx, size, mark, now) if size > 0 else []
    # 1 is durable: a crash here leaves unsigned rows, and no signature over anything else.
    newest = None
    with pool.transaction() as tx:
        new_marks = [read_mark(tx, log.origin, log.vkey, size, root) for size, root in unsigned]
    for (size, root), new_mark in zip(unsigned, new_marks, strict=True):
        marks.raise_to(new_mark)
        # 2 is durable: an older database is refused from here on.
        newest = Checkpoint(origins.at(size), size, root)
        note = _sign(signers, marks, newest)
        with pool.transaction() as tx:
            tx.do("set_note", size=size, note=note, now=now)
        # 3 is durable: the checkpoint may be shown.
    if newest is None:
        _complete(pool, signers, marks, log, origins)
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


def _find(signers: Signers, mark: Mark, origin: str, size: int) -> list[Signer]:
    """The keys that serve this size, all of them."""
    found = [signers.find(key.verifier.vkey) for key in mark.serving(origin, size)]
    if not found or None in found:
        raise StateRefused(
            "A key that must sign the log is missing here, or another one stands in its place: "
            "`notary log-keys list` names the keys.",
            reason="other-key",
        )
    return [signer for signer in found if signer is not None]


def _sign(signers: Signers, marks: MarkFile, checkpoint: Checkpoint) -> str:
    """
    The signed note. The keys are read after (size, root) was committed: a key that was added
    or ended before then is heeded.
    """
    mark = marks.read()
    assert mark is not None
    text = format_checkpoint(checkpoint)
    found = _find(signers, mark, checkpoint.origin, checkpoint.size)
    return format_note(text, [signer.signature(text) for signer in found])


def _complete(
    pool: Pool, signers: Signers, marks: MarkFile, log: OpenLog, origins: Origins
) -> None:
    """Add to the newest note the line of a key that serves its size and came after it."""
    with pool.transaction(read_only=True) as tx:
        row = tx.row("newest_checkpoint")
    mark = marks.read()
    if row is None or mark is None or (row[0], row[1].hex()) != (mark.size, mark.root):
        return
    size, note = row[0], row[2]
    if origins.at(size) != log.origin:
        return
    parsed = parse_note(note)
    lines: Sequence[Signature] = parsed.unverified
    signed = {(line.name, line.key_id) for line in lines}
    missing = [
        signer
        for signer in _find(signers, mark, log.origin, size)
        if (signer.name, signer.verifier.key_id) not in signed
    ]
    text = format_checkpoint(Checkpoint(log.origin, size, RootHash(bytes.fromhex(mark.root))))
    if not missing or parsed.text != text:
        return
    new = format_note(text, [*lines, *(signer.signature(text) for signer in missing)])
    with pool.transaction() as tx:
        # Only where nobody added another line meanwhile; then the next call does it.
        tx.do("add_to_note", size=size, note=note, new=new)


def is_signed(tx: Transaction, size: int) -> bool:
    """Whether the database holds a signed checkpoint of that size."""
    return tx.row("get_signed_checkpoint", size=size) is not None
