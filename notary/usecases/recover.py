# SPDX-License-Identifier: Apache-2.0
"""
Recover: go on after the database was set back to an older state, and say so for good.

The log goes on as itself where all that was signed is here, or was put back. Else it is
closed, and a log of another name goes on that begins with what is here. Either way records
join a new chain from there on, so that no (source, chain, n) ever gets a second place; and
what waited to be sealed, and may lie in a lost batch, is accepted again in it. The order:

1. one transaction: lost batches put back, chain raised, what waits set aside, the signed note
   of recovery/1 (docs/spec/recovery-v1.md);
2. the mark is tied to this database and holds the note: from here on the gate opens;
3. the note becomes a record (recover_again.py), and what was set aside is accepted again.

A crash before 1 changes nothing; after 1 or 2 the same command goes on there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from notary.core.errors import NotaryError
from notary.core.hashing import EMPTY_ROOT
from notary.core.note import open_note
from notary.core.recovery import Recovery, format_recovery, parse_recovery
from notary.core.trust import LogKey
from notary.keys import KeyRing, Signer
from notary.ledgers.port import Ledger
from notary.store.pool import Pool, Transaction
from notary.usecases.gate import read_incarnation
from notary.usecases.log_keys import next_key
from notary.usecases.marks import Mark, MarkFile
from notary.usecases.recover_look import Gap, Helper, RecoverRefused, find_gap
from notary.usecases.recover_lost import Found, checkpoints_of, fetch_lost, put_back, root_of


@dataclass(frozen=True, slots=True)
class Plan:
    """What is missing, and the lost batches where somebody has all of them."""

    gap: Gap
    found: Found | None

    @property
    def is_closed(self) -> bool:
        """Whether the log can't go on under its name."""
        return self.gap.lost > 0 and self.found is None


def make_plan(
    pool: Pool,
    marks: MarkFile,
    ledgers: Sequence[Ledger],
    helpers: Sequence[Helper],
    now: datetime,
) -> Plan:
    """
    Look, and try out what helpers have; nothing is changed.

    Raises:
        RecoverRefused: this database is not an older state of the log.
    """
    gap = find_gap(pool, marks, ledgers, helpers)
    if gap.lost == 0:
        return Plan(gap, None)
    found, said = fetch_lost(pool, gap, helpers, now)
    return Plan(replace(gap, unheard=(*gap.unheard, *said)), found)


def carry_out(
    pool: Pool, marks: MarkFile, ring: KeyRing, plan: Plan, new_origin: str | None, now: datetime
) -> Recovery:
    """
    Steps 1 and 2. `new_origin` is the name of the log that goes on where this one is closed.

    Raises:
        RecoverRefused: a name is missing or not needed, a key is missing, another process is
            at it, or the database changed since the plan was made. Nothing was changed.
    """
    gap = plan.gap
    goes_on = _goes_on(plan, new_origin)
    signers = [_old_signer(ring, gap.mark, gap.newest.size)]
    if plan.is_closed:
        signers.append(next_key(ring, gap.mark, goes_on))
    with pool.transaction() as tx:
        if tx.row("try_sealer") != (True,):
            raise RecoverRefused("A sealer is at work: stop it first.", reason="sealer")
        log = tx.rows("lock_log")[0]
        same_life = read_incarnation(tx).same_life(gap.incarnation)
        if log != (gap.origin, gap.vkey, gap.size, gap.chain) or not same_life:
            raise RecoverRefused("The database changed meanwhile: look again.", reason="changed")
        kept_root = root_of(tx, gap.size)
        if plan.found is not None:
            put_back(tx, gap, plan.found, now)
        recovery = Recovery(
            origin=gap.origin,
            size=gap.newest.size,
            root=gap.newest.root,
            kept=gap.size,
            kept_root=kept_root,
            chain=_next_chain(tx, gap),
            goes_on=goes_on,
            time=now,
        )
        text = format_recovery(recovery)
        note = signers[0].sign(text)
        _write(tx, plan, recovery, note, signers[-1].vkey, now)
    # 1 is durable: the gate is closed until the mark follows.
    finish(pool, marks, ring)
    return recovery


def finish(pool: Pool, marks: MarkFile, ring: KeyRing) -> Recovery | None:
    """
    Step 2, also after a crash: tie the mark to a database that was recovered, and to no other.

    Returns the recovery, or None where none was begun.

    Raises:
        RecoverRefused: the database tells of a recovery that no key of the log signed.
    """
    mark = marks.read()
    if mark is None:
        return None
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("list_recoveries")
        if not rows or rows[-1]["note"] in mark.recoveries:
            return None
        row = rows[-1]
        recovery = _opened(row["note"], mark)
        newest = tx.row("newest_committed_checkpoint")
        incarnation = read_incarnation(tx)
    size, root = (0, bytes(EMPTY_ROOT)) if newest is None else (newest[0], newest[1])
    changed = replace(
        mark,
        incarnation=incarnation,
        recoveries=(*mark.recoveries, row["note"]),
    )
    if recovery.is_closed:
        new = next_key(ring, mark, recovery.goes_on)
        changed = _after_closing(changed, recovery, new, row["last_size"])
        if size != row["last_size"]:
            raise RecoverRefused("The database changed meanwhile: look again.", reason="changed")
        changed = replace(changed, size=size, root=root.hex())
    else:
        changed = replace(changed, size=recovery.size, root=recovery.root.hex())

    def change(known: Mark) -> Mark:
        if known != mark:
            raise RecoverRefused("The mark changed meanwhile: look again.", reason="changed")
        return changed

    marks.change(change)
    # 2 is durable: the gate opens.
    return recovery


def _goes_on(plan: Plan, new_origin: str | None) -> str:
    gap = plan.gap
    if not plan.is_closed:
        if new_origin is not None:
            raise RecoverRefused(
                "Nothing of the log is lost for good: it goes on under its name, without "
                "--new-origin.",
                reason="needs-no-origin",
            )
        return gap.origin
    names = {key.origin for key in gap.mark.log_keys}
    if new_origin is None or new_origin in names:
        raise RecoverRefused(
            f"{gap.lost} batches are lost and were found nowhere, so the log {gap.origin} has to "
            "be closed. Name the log that goes on in its place with --new-origin, a name that "
            "no log had; or say where the batches are, with --mirror or --monitor.",
            reason="needs-origin",
        )
    return new_origin


def _old_signer(ring: KeyRing, mark: Mark, size: int) -> Signer:
    """The key of the log that was set back: the one that signs today."""
    keys = [key for key in mark.serving(mark.origin, size) if key.good is None]
    signer = ring.find(keys[-1].verifier.vkey) if keys else None
    if signer is None:
        raise RecoverRefused(
            f"The key of the log {mark.origin} is not here, and it must sign what is said of it.",
            reason="no-key",
        )
    return signer


def _next_chain(tx: Transaction, gap: Gap) -> int:
    """A chain that no record ever joined, in this database or in what it forgot."""
    said = [parse_recovery(_text(note)).chain for note in gap.mark.recoveries]
    newest = tx.rows("audit_newest_chain")[0][0]
    return max(gap.chain, int(newest), *said, 0) + 1


def _write(
    tx: Transaction, plan: Plan, recovery: Recovery, note: str, vkey: str, now: datetime
) -> None:
    """What changes in the database beside the lost batches."""
    gap = plan.gap
    if not recovery.is_closed:
        for one in checkpoints_of(gap):
            if root_of(tx, one.size) != one.root:
                raise RecoverRefused(f"{one.who} knows another root for {one.size}.", reason="fork")
            tx.do("add_checkpoint", size=one.size, root=one.root, now=now)
            if one.note is not None:
                tx.do("set_note", size=one.size, note=one.note, now=now)
    if gap.lost:
        tx.do("set_segments_aside")
        tx.do("forget_notices")
        tx.do("end_notices")
    tx.do(
        "add_recovery",
        chain=recovery.chain,
        origin=recovery.origin,
        goes_on=recovery.goes_on,
        last_size=gap.signed,
        note=note,
    )
    vkey = vkey if recovery.is_closed else gap.vkey
    tx.do("recover_log", origin=recovery.goes_on, vkey=vkey, chain=recovery.chain)


def _opened(note: str, mark: Mark) -> Recovery:
    """The recovery of a note that a key of the marked log signed."""
    keys = [key.verifier for key in mark.log_keys if key.origin == mark.origin]
    try:
        recovery = parse_recovery(open_note(note, keys).text)
    except NotaryError as error:
        raise RecoverRefused(
            f"The database tells of a recovery that this log's key did not sign: {error.detail}",
            reason="other-log",
        ) from None
    before = [parse_recovery(_text(known)).chain for known in mark.recoveries]
    if recovery.chain <= max(before, default=0):
        raise RecoverRefused(
            "The database tells of a recovery after which there was another one.", reason="older"
        )
    if recovery.origin != mark.origin or recovery.size < mark.size:
        raise RecoverRefused(
            "The database tells of a recovery from a state older than the mark.", reason="older"
        )
    return recovery


def _after_closing(mark: Mark, recovery: Recovery, new: Signer, last_size: int) -> Mark:
    """The closed log's keys end with its newest size, the new one's begin after what is here."""
    keys = [
        replace(key, last_size=recovery.size)
        if key.origin == recovery.origin and key.last_size is None
        else key
        for key in mark.log_keys
    ]
    begins = LogKey(new.verifier, last_size + 1, None)
    return replace(mark, origin=recovery.goes_on, vkey=new.vkey, keys=(*keys, begins))


def _text(note: str) -> str:
    """The text of a note that was checked when it was written."""
    return note[: note.rfind("\n\n") + 1]
