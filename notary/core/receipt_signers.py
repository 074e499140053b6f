# SPDX-License-Identifier: Apache-2.0
"""
Verifying who stands behind a receipt's batch: the log's key and the witnesses; the ledgers are
receipt_ledgers.py's matter. docs/spec/receipt-v1.md, step 7 to step 9. Only keys of the trust
file count.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from notary.core.checkpoint import Checkpoint, parse_checkpoint
from notary.core.errors import BadSignature, QuorumNotMet, ReceiptRefused, UnknownSigner
from notary.core.note import Note, open_note
from notary.core.proof import verify_consistency
from notary.core.receipt_parts import Consistency
from notary.core.trust import LogKey, Trust
from notary.core.verdict import Findings
from notary.core.words import format_time

CLOCK_STEP_SECONDS: Final = 1
"""A witness states whole seconds, so its time may lie below `received` by less than this."""
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000
"""In microseconds: times are compared exactly."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint with the log key that signed it, and the note with its cosignatures."""

    checkpoint: Checkpoint
    log: LogKey
    note: Note


def check_checkpoint(note_text: str, trust: Trust) -> Signed:
    """
    The checkpoint is signed by a log key which served its size.

    Raises:
        MalformedNote: not a checkpoint's note.
        BadSignature: a line names a key of the trust file and doesn't hold.
        UnknownSigner: no log key of the trust file signed.
        ReceiptRefused: none of those that did served this size.
    """
    # receipt-v1.md, step 7.
    note = open_note(note_text, [*(log.verifier for log in trust.logs), *trust.witnesses])
    checkpoint = parse_checkpoint(note.text)
    signed = {item.verifier for item in note.verified if item.verifier.name == checkpoint.origin}
    signers = [log for log in trust.logs if log.verifier in signed]
    if not signers:
        raise UnknownSigner("No log key of the trust file signed the checkpoint.")
    serving = [log for log in signers if log.served(checkpoint.size)]
    if not serving:
        raise ReceiptRefused("The log key did not serve this size.", reason="size-not-served")
    # The first in the trust file's order; one that was never compromised before the others.
    return Signed(checkpoint, min(serving, key=lambda log: log.good is not None), note)


def check_good(
    signed: Signed, consistency: Consistency | None, quorum: int, findings: Findings
) -> None:
    """
    For a compromised key: the checkpoint leads to the last good one.

    By being it, by a consistency path to it, or by the word of a quorum of witnesses
    (step 9 demands it).

    Raises:
        ReceiptRefused: the checkpoint is another one, or nothing leads from it.
        RootMismatch, MalformedProof: the path doesn't lead there.
    """
    # receipt-v1.md, step 8.
    good, checkpoint = signed.log.good, signed.checkpoint
    if good is None:
        if consistency is not None:
            findings.not_checked("consistency", size=consistency.size, reason="no-root")
        return
    facts = {"size": checkpoint.size, "good": good.size}
    if checkpoint.size == good.size:
        if checkpoint.root != good.root:
            raise ReceiptRefused("The checkpoint is not the last good one.", reason="not-good")
        findings.held("consistency", reason="same", **facts)
    elif consistency is not None and consistency.size == good.size:
        verify_consistency(checkpoint.size, checkpoint.root, good.size, good.root, consistency.path)
        findings.held("consistency", reason="path", **facts)
    elif quorum > 0:
        findings.held("consistency", reason="quorum", **facts)
    else:
        raise ReceiptRefused(
            "The log key was compromised, and nothing leads to its last good state.",
            reason="no-consistency",
        )


def check_quorum(note: Note, trust: Trust, findings: Findings) -> list[int]:
    """
    The quorum of witnesses; of each that cosigned the earliest time, POSIX seconds.

    Raises:
        QuorumNotMet: too few witnesses of different names signed.
    """
    # receipt-v1.md, step 9.
    times: dict[str, int] = {}
    for item in note.verified:
        if item.time is not None:
            name = item.verifier.name
            times[name] = min(item.time, times.get(name, item.time))
    if len(times) < trust.quorum:
        raise QuorumNotMet(got=len(times), want=trust.quorum)
    if times:
        names = ", ".join(sorted(times))
        findings.held("witnesses", count=len(times), want=trust.quorum, names=names)
    else:
        findings.not_checked("witnesses", reason="none")
    return list(times.values())


def check_witnesses(note: Note, trust: Trust, received: datetime, findings: Findings) -> None:
    """
    The quorum of witnesses, and their time beside the notary's.

    Raises:
        QuorumNotMet: too few witnesses of different names signed.
        BadSignature: a witness's time is none.
    """
    # receipt-v1.md, step 9.
    times = check_quorum(note, trust, findings)
    if not times:
        findings.own_word("time", received=format_time(received), reason="no-witness")
        return
    # Of any `quorum` witnesses at least one is honest: its time is at most this one.
    witnessed = _time(sorted(times)[max(trust.quorum, 1) - 1])
    facts = {"received": format_time(received), "witnessed": format_time(witnessed)}
    gap = (witnessed - received) // _MICROSECOND
    if -CLOCK_STEP_SECONDS * _SECOND < gap <= trust.delay_seconds * _SECOND:
        findings.held("time", **facts)
    else:
        findings.own_word("time", reason="gap", **facts)


def _time(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise BadSignature("The time of a witness is none.") from None
