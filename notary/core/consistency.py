# SPDX-License-Identifier: Apache-2.0
"""
Proof that a log only grew from one signed checkpoint to another. Format `consistency/1`,
canonical JSON. See docs/spec/consistency-v1.md.

    {"new":"<note>","old":"<note>","path":["<hash>", …],"v":"consistency/1"}

The path is that of RFC 9162 section 2.1.4. What contradicts it is proof of misconduct: fork.py.
"""

from dataclasses import dataclass
from typing import Final

from notary.core.checkpoint_pair import (
    Kind,
    as_trust,
    check_one_log,
    read_pair,
    write_pair,
)
from notary.core.errors import (
    ConsistencyRefused,
    LogForked,
    MalformedConsistency,
    MalformedProof,
    MalformedText,
    RootMismatch,
)
from notary.core.fork import forked
from notary.core.proof import verify_consistency
from notary.core.receipt_signers import Signed, check_checkpoint, check_good, check_quorum
from notary.core.trust import Trust
from notary.core.verdict import Findings, Verdict

KIND: Final = Kind("consistency/1", "old", "new")


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """Two notes and a path of 32-byte hashes, not yet verified."""

    old: str
    new: str
    path: tuple[bytes, ...] = ()


def parse_consistency(text: str) -> ConsistencyProof:
    """
    Read a consistency proof: canonical JSON, perhaps with one final newline.

    Raises:
        MalformedConsistency: not canonical, a member missing, unknown or out of range.

    docs/spec/consistency-v1.md, rules 1 to 4.
    """
    try:
        return ConsistencyProof(*read_pair(text, KIND))
    except MalformedText as error:
        raise error.renamed(MalformedConsistency) from None


def format_consistency(proof: ConsistencyProof) -> str:
    """Write a proof as its canonical text. Raises MalformedConsistency as the parser."""
    try:
        return write_pair(KIND, proof.old, proof.new, proof.path)
    except MalformedText as error:
        raise error.renamed(MalformedConsistency) from None


def verify_consistency_proof(proof: ConsistencyProof | str, trust: Trust | str) -> Verdict:
    """
    Check that the log of the newer checkpoint begins with that of the older one.

    Raises:
        MalformedConsistency, MalformedTrust: one of the files is malformed.
        MalformedNote, BadSignature, UnknownSigner, ReceiptRefused: a checkpoint isn't signed
            by a log key of the trust file that served its size, or by a compromised one and
            isn't its last good state.
        ConsistencyRefused: the checkpoints are two logs'.
        LogForked: they contradict each other, which is proof of misconduct.
        MalformedProof, RootMismatch: the path doesn't lead from one to the other.
        QuorumNotMet: too few witnesses cosigned the newer one.
    """
    # consistency-v1.md, step 1: the files are of their formats.
    trust = as_trust(trust)
    proof = proof if isinstance(proof, ConsistencyProof) else parse_consistency(proof)
    # consistency-v1.md, step 2: keys of the log signed both checkpoints.
    old, new = (check_checkpoint(text, trust) for text in (proof.old, proof.new))
    # consistency-v1.md, step 3: they are one log's.
    check_one_log(old, new, ConsistencyRefused)
    findings = Findings()
    # consistency-v1.md, step 4: the older one is the beginning of the newer.
    check_path(old, new, proof)
    before, after = old.checkpoint, new.checkpoint
    findings.held("grown", old=before.size, new=after.size)
    fingerprint = new.log.verifier.fingerprint
    findings.held("checkpoint", origin=after.origin, fingerprint=fingerprint)
    # consistency-v1.md, step 5: the newer one is no thief's.
    check_good(new, None, trust.quorum, findings)
    # consistency-v1.md, step 6: the witnesses.
    check_quorum(new.note, trust, findings)
    facts = {
        "old": before.size,
        "old_root": before.root.hex(),
        "new": after.size,
        "new_root": after.root.hex(),
    }
    checks = tuple(findings.checks)
    return Verdict("consistency", facts, trust.name, after.origin, fingerprint, checks)


def check_path(older: Signed, newer: Signed, proof: ConsistencyProof) -> None:
    """
    Check that the path of a proof leads from one opened checkpoint to the other (step 4).

    Raises:
        LogForked: they contradict each other; `fork` proves it.
        ForkRefused: they do, and a thief may have signed one of them.
        MalformedProof, RootMismatch: the path doesn't lead there.
    """
    old, new = older.checkpoint, newer.checkpoint
    if old.size == new.size and old.root != new.root:
        raise forked(older, newer)
    try:
        verify_consistency(old.size, old.root, new.size, new.root, proof.path)
    except RootMismatch:
        fork = _fork_of_path(older, newer, proof)
        if fork is not None:
            raise fork from None
        raise


def _fork_of_path(older: Signed, newer: Signed, proof: ConsistencyProof) -> LogForked | None:
    """A path that leads to the newer root alone is proof itself, where it is whole."""
    try:
        return forked(older, newer, proof.path)
    except (MalformedProof, RootMismatch):
        return None
