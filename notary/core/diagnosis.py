# SPDX-License-Identifier: Apache-2.0
"""
What a payload is that doesn't match its proof: the same content in other bytes, perhaps. See
docs/spec/resaved.md. Asked only once it is known that the proof itself holds.
"""

from notary.core.acceptance_format import SignedAcceptance
from notary.core.descriptor import parse_descriptor
from notary.core.errors import PayloadMismatch
from notary.core.hashing import digest
from notary.core.receipt_parts import FilePart, Receipt, RowPart
from notary.core.resaved import Read, lead_back
from notary.core.resaved_rows import same_row, same_rows
from notary.core.statement import Statement, parse_statement


def diagnose(proof: Receipt | SignedAcceptance, read: Read) -> PayloadMismatch:
    """
    The mismatch, with a reason and `changes` where it is known what the payload is.

    `proof` holds by itself; `read` gives the payload that didn't match it.
    """
    if isinstance(proof, SignedAcceptance):
        return diagnose_record(parse_statement(proof.statement), proof.salt, read)
    part = proof.subject
    if isinstance(part, FilePart):
        descriptor = parse_descriptor(proof.descriptor)
        wanted = descriptor.digest or descriptor.commitment or b""
        return _told(lead_back(wanted, part.salt, read)) or _of_rows(same_rows(descriptor, read))
    if isinstance(part, RowPart):
        profile = parse_descriptor(proof.descriptor).profile or "none"
        changes = lead_back(digest(part.data), b"", read)
        return _told(changes) or _of_rows(same_row(profile, part.data, read))
    return diagnose_record(parse_statement(part.statement), part.salt, read)


def diagnose_record(statement: Statement, salt: bytes | None, read: Read) -> PayloadMismatch:
    """The same for a record's payload, and where a window's is meant. See `diagnose`."""
    wanted = statement.digest or statement.commitment or b""
    return _told(lead_back(wanted, salt or b"", read)) or PayloadMismatch()


def _told(changes: tuple[str, ...] | None) -> PayloadMismatch | None:
    return PayloadMismatch(reason="resaved", changes=list(changes)) if changes else None


def _of_rows(reason: str | None) -> PayloadMismatch:
    return PayloadMismatch() if reason is None else PayloadMismatch(reason=reason)
