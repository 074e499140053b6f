# SPDX-License-Identifier: Apache-2.0
"""
Keeping cosignatures: lines are added to a checkpoint's stored note, whose text never changes.

Each was checked before it gets here, and all are checked again when it is seen whether they are
the quorum of the rule in force.
"""

from datetime import datetime

from notary.core.errors import BadSignature, UnknownSigner
from notary.core.note import Signature, Verifier, format_note, open_note, parse_note
from notary.core.tlog_policy import TlogPolicy
from notary.store.pool import Pool, Transaction
from notary.usecases.witness_rule import current_rule


def keep_cosignature(
    pool: Pool, size: int, witness: Verifier, cosignature: Signature, now: datetime
) -> None:
    """
    Add a witness's cosignature to the checkpoint of that size; the first one stays.

    Raises:
        StoreUnavailable: not known whether it was kept; the witness is asked again.
    """
    with pool.transaction() as tx:
        row = tx.rows("lock_note", size=size)[0]
        note = parse_note(row[0])
        known = {(line.name, line.key_id) for line in note.unverified}
        text = row[0]
        if (cosignature.name, cosignature.key_id) not in known:
            text = format_note(note.text, [*note.unverified, cosignature])
        _store(tx, size, row[0], text, now)
        tx.do("witness_cosigned", vkey=witness.vkey, size=size, now=now)


def judge_newest(pool: Pool, now: datetime) -> None:
    """See whether the newest checkpoint has the quorum of a rule that came into force."""
    with pool.transaction() as tx:
        newest = tx.row("newest_checkpoint")
        if newest is not None:
            note = tx.rows("lock_note", size=newest[0])[0][0]
            _store(tx, newest[0], note, note, now)


def cosigners(note: str, policy: TlogPolicy) -> list[Verifier]:
    """Those witnesses of the policy whose cosignatures in the note hold."""
    known = [witness.verifier for witness in policy.witnesses]
    try:
        return [item.verifier for item in open_note(note, known).verified]
    except (BadSignature, UnknownSigner):
        return []


def _store(tx: Transaction, size: int, before: str, note: str, now: datetime) -> None:
    rule = current_rule(tx)
    met = None
    if rule is not None:
        signed = cosigners(note, rule.policy)
        # Where no cosignature is asked for, a checkpoint without any isn't called witnessed.
        met = rule.policy.fingerprint if signed and rule.policy.is_met(signed) else None
    if note != before or met is not None:
        tx.do("set_cosigned", size=size, before=before, note=note, met=met, now=now)
