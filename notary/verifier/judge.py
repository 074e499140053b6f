# SPDX-License-Identifier: Apache-2.0
"""A proof judged: by itself, with its payload, and beside what else its user has."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice

from notary.core.acceptance import SignedAcceptance, verify_acceptance
from notary.core.checkpoint_pair import MAX_PAIR_BYTES
from notary.core.consistency import (
    ConsistencyProof,
    parse_consistency,
    verify_consistency_proof,
)
from notary.core.cose_receipt import CoseReceipt, verify_cose_receipt
from notary.core.diagnosis import diagnose, diagnose_record
from notary.core.errors import NotaryError, PayloadMismatch
from notary.core.fork import Fork, verify_fork
from notary.core.misconduct import Judgement, hold_against_acceptance, hold_against_receipt
from notary.core.monitor_report import MAX_REPORT_BYTES, Report, parse_report
from notary.core.receipt import Receipt, verify_receipt
from notary.core.receipt_format import MAX_RECEIPT_BYTES
from notary.core.receipt_ledgers import FILE_ALONE, Checker
from notary.core.receipt_signers import Signed, check_checkpoint
from notary.core.recovery import RecoveryNote, verify_recovery
from notary.core.remembering import check_monitored, check_since
from notary.core.trust import Trust
from notary.core.verdict import Check, Findings, Verdict
from notary.core.window import MAX_WINDOW_BYTES, Window, WindowVerdict, verify_window
from notary.remembered import checkpoint_in
from notary.verifier.files import Proof, Unusable, opened, parse, pieces, read, read_text


def judge(
    proof: Proof,
    cose: CoseReceipt | None,
    trust: Trust,
    payload: bytes | Iterator[bytes] | None,
    name: str | None,
    checkers: Mapping[str, Checker] = FILE_ALONE,
) -> Verdict | WindowVerdict:
    """Check a proof, with the payload, or a window's with the file of that name."""
    if isinstance(proof, ConsistencyProof):
        return verify_consistency_proof(proof, trust)
    if isinstance(proof, Fork):
        return verify_fork(proof, trust)
    if isinstance(proof, RecoveryNote):
        return verify_recovery(proof, trust)
    if isinstance(proof, Window):
        return verify_window(proof, trust, opened(name, proof) if name else None, checkers)
    if isinstance(proof, SignedAcceptance):
        return verify_acceptance(proof, trust, payload if isinstance(payload, bytes) else None)
    if cose is not None:
        return verify_cose_receipt(cose, trust, payload)
    # tlog-proof-v1.md, step 2: the receipt that it stands for holds, as any receipt.
    return verify_receipt(proof, trust, payload, checkers)


def beside(arguments: argparse.Namespace, proof: Proof, trust: Trust) -> tuple[Check, ...]:
    """What is said of a proof's log by what its user remembers, and by a monitor."""
    is_asked = arguments.since or arguments.monitor
    if not isinstance(proof, Receipt | Window):
        if is_asked or arguments.consistency:
            raise Unusable("verify.since-nothing")
        return ()
    if arguments.consistency and not is_asked:
        raise Unusable("verify.since-nothing")
    receipt = proof.receipt if isinstance(proof, Window) else proof
    proved, findings = check_checkpoint(receipt.checkpoint, trust), Findings()
    given = [_grown(name, trust) for name in arguments.consistency]
    if arguments.since:
        check_since(_remembered(arguments.since, trust), proved, given, trust, findings)
    if arguments.monitor:
        report = _report(arguments.monitor, trust)
        check_monitored(report, receipt.log_index, proved, given, trust, findings)
    elif isinstance(proof, Window):
        findings.not_checked("monitored", reason="none")
    return tuple(findings.checks)


def _remembered(name: str, trust: Trust) -> Signed:
    with _usable("verify.since-unusable", name):
        return check_checkpoint(checkpoint_in(read_text(name, MAX_WINDOW_BYTES)), trust)


def _grown(name: str, trust: Trust) -> ConsistencyProof:
    with _usable("verify.beside-unusable", name):
        proof = parse_consistency(read_text(name, MAX_PAIR_BYTES))
        for note in (proof.old, proof.new):
            check_checkpoint(note, trust)
        return proof


def _report(name: str, trust: Trust) -> Report:
    with _usable("verify.beside-unusable", name):
        report = parse_report(read_text(name, MAX_REPORT_BYTES))
        check_checkpoint(report.checkpoint, trust)
        return report


@contextmanager
def _usable(code: str, name: str) -> Iterator[None]:
    """What is wrong with a file beside the proof is no fault of the proof."""
    try:
        yield
    except NotaryError as error:
        raise Unusable(code, path=name, why=error.detail) from None


def told_apart(
    mismatch: PayloadMismatch, proof: Proof, trust: Trust, name: str | None
) -> PayloadMismatch:
    """
    The mismatch with what is known of the payload. Where the proof itself holds, `of` says what
    beside it is another: the `file`, the content of a `record` of a window, or their `count`.
    """
    found, of = mismatch, "proof"
    if name and isinstance(proof, Receipt | SignedAcceptance):
        found, of = diagnosed(proof, trust, name), "file"
    elif name and isinstance(proof, Window) and "n" in mismatch.facts:
        found, of = diagnosed_line(proof, int(str(mismatch.facts["n"])), name), "record"
    elif name and mismatch.facts.get("reason") in ("too-few", "too-many"):
        of = "count"
    found.facts["of"] = of
    return found


def diagnosed(proof: Receipt | SignedAcceptance, trust: Trust, name: str) -> PayloadMismatch:
    """
    A payload that doesn't match may be the same content in other bytes, and then it is told. It
    stays a mismatch. Of a proof that doesn't hold itself nothing is said.
    """
    if isinstance(proof, Receipt):
        verify_receipt(proof, trust)
    else:
        verify_acceptance(proof, trust)
    return diagnose(proof, lambda: pieces(name))


def diagnosed_line(window: Window, n: int, name: str) -> PayloadMismatch:
    """The same of record n's payload beside a window, which holds by itself."""
    place = n - window.statements[0].n
    salt, payload = next(islice(opened(name, window), place, None)) or (None, b"")
    found = diagnose_record(window.statements[place], salt, lambda: [payload])
    found.facts["n"] = n
    return found


def hold_against(proof: Proof, name: str, trust: Trust) -> Judgement:
    """What an acceptance and another file say of each other."""
    other = parse(read(name, MAX_RECEIPT_BYTES), name)
    if isinstance(proof, SignedAcceptance) and isinstance(other, Receipt):
        return hold_against_receipt(proof, other, trust)
    if isinstance(proof, SignedAcceptance) and isinstance(other, SignedAcceptance):
        return hold_against_acceptance(proof, other, trust)
    raise Unusable("verify.against-nothing")
