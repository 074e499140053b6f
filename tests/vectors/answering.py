# SPDX-License-Identifier: Apache-2.0
"""
The answers of the verifier to the cases of a vector file, in the words of docs/spec/verdict-v1.md.

Run as a program it reads a vector file and writes its answers, and needs nothing but `notary.core`:
so the same lines ask the checkout and `verify.pyz`.
"""

import base64
import json
import sys
from collections.abc import Iterator
from typing import Any

from notary.core.acceptance import verify_acceptance
from notary.core.consistency import verify_consistency_proof
from notary.core.cose_receipt import verify_cose_receipt
from notary.core.errors import NotaryError
from notary.core.fork import verify_fork
from notary.core.receipt import verify_receipt
from notary.core.tlog_proof import parse_tlog_proof
from notary.core.verdict import Check, Verdict
from notary.core.window import WindowVerdict, verify_window

Case = dict[str, Any]
FILES = {
    "receipts.json": "receipt",
    "windows.json": "window",
    "acceptances.json": "acceptance",
    "consistencies.json": "consistency",
    "forks.json": "fork",
    "tlog_proofs.json": "proof",
    "cose_receipts.json": "proof",
}
"""The files of whole proofs, and where the proof stands in their cases."""
WINDOW_SUBJECT = (
    "dataset", "source", "chain", "first", "last",
    "asked_first", "asked_last", "asked_count", "open_end", "payloads_checked",
)  # fmt: skip


def verdict_of(case: Case, trusts: dict[str, str]) -> Verdict | WindowVerdict:
    """The verifier's own verdict. Raises NotaryError."""
    trust = trusts[case["trust"]]
    payload = base64.b64decode(case["payload"]) if "payload" in case else None
    if "window" in case:
        payloads = None
        if "payloads" in case:
            payloads = [None if pair is None else _opened(*pair) for pair in case["payloads"]]
        return verify_window(case["window"], trust, payloads)
    if "acceptance" in case:
        return verify_acceptance(case["acceptance"], trust, payload)
    if "consistency" in case:
        return verify_consistency_proof(case["consistency"], trust)
    if "fork" in case:
        return verify_fork(case["fork"], trust)
    if "proof" in case:
        return _in_form_of_others(case["proof"], trust, payload)
    return verify_receipt(case["receipt"], trust, payload)


def _in_form_of_others(proof: str, trust: str, payload: bytes | None) -> Verdict:
    """A COSE receipt stands there in base64, a tlog-proof as its text, which never is that."""
    try:
        data = base64.b64decode(proof, validate=True)
    except ValueError:
        return verify_receipt(parse_tlog_proof(proof), trust, payload)
    return verify_cose_receipt(data, trust, payload)


def _opened(salt: str | None, payload: str) -> tuple[bytes | None, bytes]:
    return None if salt is None else bytes.fromhex(salt), base64.b64decode(payload)


def told(verdict: Verdict | WindowVerdict) -> dict[str, Any]:
    """A verdict in the words of the page."""
    if isinstance(verdict, WindowVerdict):
        one = verdict.receipt
        subject: dict[str, Any] = {name: getattr(verdict, name) for name in WINDOW_SUBJECT}
        kind, checks = "window", (*verdict.checks, *one.checks)
    else:
        one, subject, kind, checks = verdict, dict(verdict.subject), verdict.kind, verdict.checks
    return {
        "holds": True,
        "kind": kind,
        "origin": one.origin,
        "fingerprint": one.fingerprint,
        "subject": subject,
        "checks": [_check(check) for check in checks],
    }


def _check(check: Check) -> dict[str, Any]:
    return {"code": check.code, "status": check.status, "facts": dict(check.facts)}


def refused(error: NotaryError) -> dict[str, Any]:
    """A refusal in the words of the page."""
    return {"holds": False, "code": error.code, "reason": error.facts.get("reason")}


def answers(file: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The answer to each case, in their order."""
    for case in file["cases"]:
        try:
            yield told(verdict_of(case, file["trusts"]))
        except NotaryError as error:
            yield refused(error)


def all_wanted(file: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What the cases say that must be answered."""
    return map(wanted, file["cases"])


def wanted(case: Case) -> dict[str, Any]:
    """What a case says that must be answered."""
    if case["wantErr"] is None:
        found: dict[str, Any] = case["verdict"]
        return found
    code, _, reason = case["wantErr"].partition(".")
    return {"holds": False, "code": code, "reason": reason or None}


if __name__ == "__main__":
    json.dump(list(answers(json.load(sys.stdin.buffer))), sys.stdout)
