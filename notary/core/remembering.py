# SPDX-License-Identifier: Apache-2.0
"""
Holding a proof's checkpoint against others of its log: one that somebody remembers, and the one
to which a monitor followed the log.
"""

from collections.abc import Sequence

from notary.core.checkpoint_pair import check_one_log
from notary.core.consistency import ConsistencyProof, check_path
from notary.core.errors import ConsistencyRefused
from notary.core.fork import forked
from notary.core.monitor_report import Report
from notary.core.receipt_signers import Signed, check_checkpoint
from notary.core.trust import Trust
from notary.core.verdict import Findings
from notary.core.words import format_time


def check_since(
    remembered: Signed,
    proved: Signed,
    given: Sequence[ConsistencyProof],
    trust: Trust,
    findings: Findings,
) -> None:
    """
    Hold the checkpoint of a proof against one that was seen before, or later.

    Raises:
        As `linked`.

    docs/spec/consistency-v1.md, section Remembering.
    """
    size1, size2 = remembered.checkpoint.size, proved.checkpoint.size
    facts = {"remembered": size1, "size": size2}
    reason = "same" if size1 == size2 else "older" if size1 < size2 else "newer"
    if linked(remembered, proved, given, trust):
        findings.held("since", reason=reason, **facts)
    else:
        older, newer = sorted((size1, size2))
        findings.not_checked("since", older=older, newer=newer, **facts)


def check_monitored(
    report: Report,
    index: int,
    proved: Signed,
    given: Sequence[ConsistencyProof],
    trust: Trust,
    findings: Findings,
) -> None:
    """
    Say how far a monitor followed the log of a proof, whose batch is entry `index` of it.

    Raises:
        As `linked`; also what `check_checkpoint` raises for the report's checkpoint.

    docs/spec/monitor-v1.md, section What it is good for, steps 1 to 3.
    """
    followed = check_checkpoint(report.checkpoint, trust)
    facts = {
        "followed": format_time(report.followed),
        "size": report.size,
        "batches": report.batches,
        "standing": report.standing,
    }
    is_linked = linked(followed, proved, given, trust)
    if report.standing:
        findings.not_checked("monitored", reason="alarms", **facts)
    elif index >= report.batches:
        findings.not_checked("monitored", reason="behind", **facts)
    elif not is_linked:
        older, newer = sorted((report.size, proved.checkpoint.size))
        findings.not_checked("monitored", reason="unlinked", older=older, newer=newer, **facts)
    else:
        findings.held("monitored", **facts)


def linked(one: Signed, two: Signed, given: Sequence[ConsistencyProof], trust: Trust) -> bool:
    """
    Whether it is shown that the smaller of two checkpoints is the beginning of the larger one:
    they are one, or one of the `given` proofs leads from one to the other.

    Raises:
        LogForked: they contradict each other; `fork` proves it.
        ConsistencyRefused: they are two logs'.
        ForkRefused: they contradict each other, and a thief may have signed one of them.
        MalformedProof, RootMismatch: a path doesn't lead from one to the other.
        MalformedNote, BadSignature, UnknownSigner, ReceiptRefused: a checkpoint of a `given`
            proof isn't signed by the log.
    """
    check_one_log(one, two, ConsistencyRefused)
    older, newer = sorted((one, two), key=lambda signed: signed.checkpoint.size)
    if older.checkpoint.size == newer.checkpoint.size:
        if older.checkpoint.root != newer.checkpoint.root:
            raise forked(older, newer)
        return True
    for proof in given:
        old, new = (check_checkpoint(text, trust) for text in (proof.old, proof.new))
        if _place(old) == _place(older) and _place(new) == _place(newer):
            for mine, theirs in ((older, old), (newer, new)):
                if mine.checkpoint.root != theirs.checkpoint.root:
                    raise forked(mine, theirs)
            check_path(older, newer, proof)
            return True
    # Every log begins with the empty one.
    return older.checkpoint.size == 0


def _place(signed: Signed) -> tuple[str, int]:
    return signed.checkpoint.origin, signed.checkpoint.size
