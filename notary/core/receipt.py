# SPDX-License-Identifier: Apache-2.0
"""
Receipts: reading and writing is receipt_format.py's matter; `verify_receipt` checks them.

The steps are those of docs/spec/receipt-v1.md, in their order. Everything that fails
raises; what can't be checked here is listed as not checked.
"""

from collections.abc import Iterable, Mapping

from notary.core import canonical
from notary.core.descriptor import Descriptor, descriptor_leaf, parse_descriptor
from notary.core.errors import MalformedReceipt, MalformedText, MalformedTrust
from notary.core.proof import verify_inclusion
from notary.core.receipt_format import format_receipt, parse_receipt
from notary.core.receipt_ledgers import FILE_ALONE, Checker, check_anchors
from notary.core.receipt_parts import (
    Anchor,
    Consistency,
    Erased,
    FilePart,
    Receipt,
    RecordPart,
    RowPart,
    RunPart,
)
from notary.core.receipt_signers import check_checkpoint, check_good, check_witnesses
from notary.core.receipt_subject import Proved, check_file, check_record, check_row, row_leaf
from notary.core.trust import Trust, parse_trust
from notary.core.verdict import Findings, Verdict

__all__ = [
    "Anchor",
    "Consistency",
    "Erased",
    "FilePart",
    "Receipt",
    "RecordPart",
    "RowPart",
    "RunPart",
    "format_receipt",
    "parse_receipt",
    "row_leaf",
    "verify_receipt",
]


def verify_receipt(
    receipt: Receipt | str | bytes | Mapping[str, object],
    trust: Trust | str | bytes | Mapping[str, object],
    payload: bytes | Iterable[bytes] | None = None,
    checkers: Mapping[str, Checker] = FILE_ALONE,
) -> Verdict:
    """
    Check a receipt, and the payload where one is given, against a trust file.

    `payload` is what the asker holds: the record's payload, the row's bytes, or the
    version's file; also in pieces, of which a file's are held one at a time. `checkers`: what
    reads the evidence of ledgers, by its kind; evidence of another kind is not checked.

    Raises:
        MalformedText: the receipt, the trust file or a text in the receipt is malformed.
        PayloadMismatch: the payload is not the one that was notarised.
        ReceiptRefused: the parts don't belong together; `facts["reason"]` says which.
        RootMismatch, MalformedProof: a path doesn't lead where it should.
        MalformedNote, BadSignature, UnknownSigner: the checkpoint isn't signed by a log
            key of the trust file.
        QuorumNotMet: too few witnesses cosigned.
    """
    # receipt-v1.md, step 1: trust file, receipt and the descriptor in it are of their formats.
    trust, receipt = _as_trust(trust), _as_receipt(receipt)
    descriptor = parse_descriptor(receipt.descriptor)
    findings = Findings()
    # receipt-v1.md, step 2 to step 6: what the receipt proves is in the batch.
    proved = _check_subject(receipt, descriptor, payload, findings)
    # receipt-v1.md, step 7: the log's key signed the checkpoint.
    signed = check_checkpoint(receipt.checkpoint, trust)
    checkpoint, fingerprint = signed.checkpoint, signed.log.verifier.fingerprint
    # receipt-v1.md, step 8: the batch's descriptor is a leaf of the log under it.
    index, leaf = receipt.log_index, descriptor_leaf(receipt.descriptor)
    verify_inclusion(leaf, index, checkpoint.size, receipt.log_path, checkpoint.root)
    findings.held("log", index=index, size=checkpoint.size)
    findings.held("checkpoint", origin=checkpoint.origin, fingerprint=fingerprint)
    check_good(signed, receipt.consistency, trust.quorum, findings)
    # receipt-v1.md, step 9: the witnesses.
    check_witnesses(signed.note, trust, proved.received, findings)
    # receipt-v1.md, step 10: the ledgers.
    check_anchors(receipt.anchors, index, leaf, signed, trust, checkers, findings)
    if not receipt.anchors:
        findings.not_checked("anchor", reason="none")
    return Verdict(
        kind=receipt.kind,
        subject=proved.facts,
        trust_name=trust.name,
        origin=checkpoint.origin,
        fingerprint=fingerprint,
        checks=tuple(findings.checks),
    )


def _check_subject(
    receipt: Receipt,
    descriptor: Descriptor,
    payload: bytes | Iterable[bytes] | None,
    findings: Findings,
) -> Proved:
    part = receipt.subject
    if isinstance(part, FilePart):
        pieces = [payload] if isinstance(payload, bytes) else payload
        return check_file(part, descriptor, receipt.erased, pieces, findings)
    if payload is not None and not isinstance(payload, bytes):
        payload = b"".join(payload)
    if isinstance(part, RecordPart):
        return check_record(part, descriptor, receipt.erased, payload, findings)
    return check_row(part, descriptor, payload, findings)


def _as_receipt(value: Receipt | str | bytes | Mapping[str, object]) -> Receipt:
    if isinstance(value, Receipt):
        return value
    return parse_receipt(_as_text(value, MalformedReceipt))


def _as_trust(value: Trust | str | bytes | Mapping[str, object]) -> Trust:
    if isinstance(value, Trust):
        return value
    return parse_trust(_as_text(value, MalformedTrust))


def _as_text(value: str | bytes | Mapping[str, object], error_class: type[MalformedText]) -> str:
    """The text of a document which may also come as bytes or as its members."""
    if isinstance(value, str):
        return value
    try:
        return value.decode() if isinstance(value, bytes) else canonical.dumps(dict(value))
    except UnicodeDecodeError:
        raise error_class("The file is not UTF-8.") from None
    except MalformedText as error:
        raise error.renamed(error_class) from None
