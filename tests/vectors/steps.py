# SPDX-License-Identifier: Apache-2.0
"""Which step of which page refuses: known from the error, or said by the case where it isn't."""

RECEIPT = {
    "malformed-trust": 1,
    "malformed-trust.not-canonical": 1,
    "malformed-receipt": 1,
    "malformed-receipt.not-canonical": 1,
    "malformed-descriptor": 1,
    "malformed-descriptor.not-canonical": 1,
    "malformed-statement": 2,
    "malformed-statement.not-canonical": 2,
    "receipt-refused.salt-in-open": 3,
    "receipt-refused.no-tag-salt": 3,
    "receipt-refused.not-erased": 3,
    "receipt-refused.no-salt": 3,
    "receipt-refused.salt-erased": 3,
    "receipt-refused.version-salt": 3,
    "payload-mismatch": 3,
    "receipt-refused.statement-in-version": 4,
    "receipt-refused.row-in-records": 4,
    "receipt-refused.file-in-records": 4,
    "receipt-refused.other-dataset": 4,
    "receipt-refused.outside-times": 4,
    "malformed-run": 5,
    "malformed-run.not-canonical": 5,
    "receipt-refused.other-source": 5,
    "receipt-refused.other-chain": 5,
    "receipt-refused.outside-run": 5,
    "receipt-refused.run-too-long": 5,
    "receipt-refused.other-prev": 5,
    "receipt-refused.other-last": 5,
    "malformed-note": 7,
    "bad-signature": 7,
    "unknown-signer": 7,
    "receipt-refused.size-not-served": 7,
    "receipt-refused.not-good": 8,
    "receipt-refused.no-consistency": 8,
    "quorum-not-met": 9,
    "receipt-refused.fork": 10,
    "receipt-refused.ledger-kind": 10,
    "receipt-refused.ledger-evidence": 10,
    "receipt-refused.ledger-other": 10,
}
WINDOW = {
    "malformed-trust": 1,
    "malformed-window": 1,
    "malformed-window.not-canonical": 1,
    "malformed-window.broken-chain": 2,
    "unknown-signer": 3,
    "quorum-not-met": 3,
    "root-mismatch": 3,
    "malformed-proof": 3,
    "bad-signature": 3,
    "receipt-refused.other-source": 3,
    "receipt-refused.no-salt": 3,
    "malformed-window.no-start": 4,
    "payload-mismatch": 5,
    "payload-mismatch.too-few": 5,
    "payload-mismatch.too-many": 5,
}
ACCEPTANCE = {
    "malformed-acceptance": 1,
    "malformed-acceptance.not-canonical": 1,
    "malformed-statement": 1,
    "malformed-statement.not-canonical": 1,
    "acceptance-refused.salt-in-open": 1,
    "malformed-trust": 2,
    "unknown-signer": 2,
    "unknown-signer.no-acceptance-key": 2,
    "bad-signature": 2,
    "malformed-note": 2,
    "acceptance-refused.other-origin": 2,
    "malformed-proof": 3,
    "root-mismatch": 3,
    "acceptance-refused.no-time": 4,
    "acceptance-refused.no-salt": 5,
    "payload-mismatch": 5,
}
SIGNED = {
    "malformed-trust": 1,
    "malformed-note": 2,
    "bad-signature": 2,
    "unknown-signer": 2,
    "receipt-refused.size-not-served": 2,
}
CONSISTENCY = SIGNED | {
    "malformed-consistency": 1,
    "malformed-consistency.not-canonical": 1,
    "consistency-refused.other-origin": 3,
    "malformed-proof": 4,
    "root-mismatch": 4,
    "log-forked": 4,
    "fork-refused.compromised": 4,
    "receipt-refused.not-good": 5,
    "receipt-refused.no-consistency": 5,
    "quorum-not-met": 6,
}
FORK = SIGNED | {
    "malformed-fork": 1,
    "malformed-fork.not-canonical": 1,
    "fork-refused.other-origin": 3,
    "fork-refused.compromised": 4,
    "malformed-proof": 5,
    "root-mismatch": 5,
    "fork-refused.no-fork": 5,
}
PAGES = {
    "receipt-v1.md": RECEIPT,
    "window-v1.md": WINDOW,
    "acceptance-v1.md": ACCEPTANCE,
    "consistency-v1.md": CONSISTENCY,
    "fork-v1.md": FORK,
}


def step(page: str, error: str | None, said: int | None) -> dict[str, str]:
    """The member `step` of a case; nothing where it holds."""
    if error is None:
        return {}
    return {"step": f"{page}, step {said or PAGES[page][error]}"}


def of_log(error: str) -> dict[str, str]:
    """The same of an attack on a receipt's place in the log, whose path is that of step 8."""
    is_path = error in ("root-mismatch", "malformed-proof")
    return step("receipt-v1.md", error, 8 if is_path else None)
