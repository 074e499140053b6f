# SPDX-License-Identifier: Apache-2.0
"""
Verifying that a receipt's record, row or file is in its batch: docs/spec/receipt-v1.md,
step 2 to step 6. Who stands behind the batch is receipt_signers.py's matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from notary.core.descriptor import Descriptor
from notary.core.errors import PayloadMismatch, ReceiptRefused
from notary.core.hashing import (
    LeafHash,
    RootHash,
    commitment,
    digest,
    hash_pieces,
    leaf_hash,
)
from notary.core.proof import verify_inclusion
from notary.core.receipt_parts import Erased, FilePart, RecordPart, RowPart
from notary.core.runs import Run, parse_run, run_leaf, source_tag
from notary.core.statement import Statement, parse_statement, statement_leaf
from notary.core.verdict import Findings
from notary.core.words import format_time


@dataclass(frozen=True, slots=True)
class Proved:
    """What is in the batch, as facts for the verdict, and when the notary received it."""

    facts: dict[str, object]
    received: datetime


def row_leaf(profile: str, salt: bytes, row: bytes) -> LeafHash:
    """
    The leaf of a version's row: SHA-256(0x00 || "row/1 " || profile || 0x0A || salt || row).

    No statement begins so: a statement begins with an opening brace.
    """
    return leaf_hash(b"row/1 " + profile.encode() + b"\n" + salt + row)


def check_record(
    part: RecordPart,
    descriptor: Descriptor,
    erased: Erased | None,
    payload: bytes | None,
    findings: Findings,
) -> Proved:
    """
    Check a record: its payload, its run and its one place in the batch.

    Raises:
        MalformedStatement, MalformedRun: a text is not of its format.
        PayloadMismatch: a payload is not the one that was notarised.
        ReceiptRefused: the parts don't belong together.
        RootMismatch, MalformedProof: a path doesn't lead where it should.
    """
    # receipt-v1.md, step 2: the leaf is the hash of the text as it stands; the text is a statement.
    statement = parse_statement(part.statement)
    leaf = statement_leaf(part.statement)
    findings.held("statement", dataset=statement.dataset, source=statement.source, n=statement.n)
    # receipt-v1.md, step 3: what opens the hashes, and the payload.
    _check_openings(part, statement, erased)
    _check_payloads(part, statement, erased, payload, findings)
    # receipt-v1.md, step 4: the batch holds records, of this dataset, at these times.
    if descriptor.runs is None:
        raise ReceiptRefused("The batch is a version's.", reason="statement-in-version")
    if descriptor.dataset != statement.dataset:
        raise ReceiptRefused("The batch is of another dataset.", reason="other-dataset")
    if not descriptor.first <= statement.received <= descriptor.last:
        raise ReceiptRefused("The batch is of another time.", reason="outside-times")
    # receipt-v1.md, step 5: the run is the source's, and in the batch's run list.
    run = parse_run(part.run.entry)
    _check_run(run, statement, leaf, part.tag_salt or b"", descriptor.count)
    runs_root = RootHash(descriptor.runs)
    entry_leaf = run_leaf(part.run.entry)
    verify_inclusion(entry_leaf, part.run.index, part.run.size, part.run.path, runs_root)
    findings.held("run", first=run.first, last=run.first + run.count - 1, chain=run.chain)
    # receipt-v1.md, step 6: the record stands where its run says, and nowhere else is legal.
    root, index = RootHash(descriptor.root), run.index_of(statement.n)
    verify_inclusion(leaf, index, descriptor.count, part.path, root)
    findings.held("batch", number=descriptor.number, count=descriptor.count)
    return Proved(_record_facts(statement), statement.received)


def check_row(
    part: RowPart, descriptor: Descriptor, payload: bytes | None, findings: Findings
) -> Proved:
    """
    Check a version's row: its bytes and its place.

    Raises: as `check_record`.
    """
    # receipt-v1.md, step 4, which comes first for a row.
    if descriptor.profile is None:
        raise ReceiptRefused("The batch holds records.", reason="row-in-records")
    # receipt-v1.md, step 3.
    if (descriptor.digest is not None) != (part.salt == b""):
        raise ReceiptRefused("The salt is not of the version's kind.", reason="version-salt")
    if payload is not None and payload != part.data:
        raise PayloadMismatch()
    where = "inside" if payload is None else "given"
    findings.held("payload", bytes=len(part.data), reason=where)
    # receipt-v1.md, step 6: the row stands at its number.
    leaf, root = row_leaf(descriptor.profile, part.salt, part.data), RootHash(descriptor.root)
    verify_inclusion(leaf, part.number, descriptor.count, part.path, root)
    findings.held("row", number=part.number, count=descriptor.count)
    return Proved({**_version_facts(descriptor), "row": part.number}, descriptor.last)


def check_file(
    part: FilePart,
    descriptor: Descriptor,
    erased: Erased | None,
    payload: Iterable[bytes] | None,
    findings: Findings,
) -> Proved:
    """
    Check a version's file, which comes in pieces of any size, against the descriptor.

    Raises:
        PayloadMismatch: the file is not the one that was notarised.
        ReceiptRefused: the parts don't belong together.
    """
    # receipt-v1.md, step 4, which comes first for a file.
    if descriptor.profile is None:
        raise ReceiptRefused("The batch holds records.", reason="file-in-records")
    # receipt-v1.md, step 3.
    is_open = descriptor.digest is not None
    if (is_open or erased is not None) != (part.salt == b""):
        raise ReceiptRefused("The salt is not of the version's kind.", reason="version-salt")
    _note_erased(erased, findings)
    if payload is None:
        findings.not_checked("payload", reason="erased" if erased else "none")
    else:
        wanted = descriptor.digest if is_open else descriptor.commitment
        size_bytes = _compare_file(payload, part.salt, wanted, is_open)
        findings.held("payload", bytes=size_bytes, reason="given")
    return Proved(_version_facts(descriptor), descriptor.last)


def _check_openings(part: RecordPart, statement: Statement, erased: Erased | None) -> None:
    is_open = statement.digest is not None
    if is_open and (part.salt is not None or part.tag_salt is not None):
        raise ReceiptRefused("An open dataset has no salts.", reason="salt-in-open")
    if not is_open and part.tag_salt is None:
        raise ReceiptRefused("The salt of the source's tag is missing.", reason="no-tag-salt")
    if erased is not None and (part.payload is not None or part.salt is not None):
        raise ReceiptRefused("Payload or salt is called erased, and is there.", reason="not-erased")


def _check_payloads(
    part: RecordPart,
    statement: Statement,
    erased: Erased | None,
    given: bytes | None,
    findings: Findings,
) -> None:
    _note_erased(erased, findings)
    is_open = statement.digest is not None
    wanted = statement.digest if is_open else statement.commitment
    for payload in (part.payload, given):
        if payload is not None:
            _compare(payload, part.salt, wanted, is_open, erased)
    if given is not None:
        findings.held("payload", bytes=len(given), reason="given")
    elif part.payload is not None:
        findings.held("payload", bytes=len(part.payload), reason="inside")
    else:
        findings.not_checked("payload", reason="erased" if erased else "none")


def _compare(
    payload: bytes, salt: bytes | None, wanted: bytes | None, is_open: bool, erased: Erased | None
) -> None:
    """Open: SHA-256(payload). Any other: SHA-256(salt || payload), a salt of 32 bytes."""
    if is_open:
        got = digest(payload)
    elif salt is None:
        reason = "no-salt" if erased is None else "salt-erased"
        raise ReceiptRefused("Without its salt no content can be compared.", reason=reason)
    else:
        got = commitment(salt, payload)
    if got != wanted:
        raise PayloadMismatch()


def _compare_file(pieces: Iterable[bytes], salt: bytes, wanted: bytes | None, is_open: bool) -> int:
    """The same for a file in pieces, of which one is held at a time; its size in bytes."""
    if not is_open and not salt:
        raise ReceiptRefused("Without its salt no content can be compared.", reason="salt-erased")
    got, size_bytes = hash_pieces(salt, pieces)
    if got != wanted:
        raise PayloadMismatch()
    return size_bytes


def _check_run(run: Run, statement: Statement, leaf: bytes, tag_salt: bytes, count: int) -> None:
    if source_tag(statement.dataset, statement.source, tag_salt) != run.tag:
        raise ReceiptRefused("The run is another source's.", reason="other-source")
    if run.chain != statement.chain:
        raise ReceiptRefused("The run is of another chain.", reason="other-chain")
    if not run.first <= statement.n < run.first + run.count:
        raise ReceiptRefused("The record lies outside its run.", reason="outside-run")
    if run.offset + run.count > count:
        raise ReceiptRefused("The run reaches beyond the batch.", reason="run-too-long")
    if statement.n == run.first and statement.prev != run.prev:
        raise ReceiptRefused("The run's first record is linked elsewhere.", reason="other-prev")
    if statement.n == run.first + run.count - 1 and leaf != run.last:
        raise ReceiptRefused("The run's last record is another one.", reason="other-last")


def _note_erased(erased: Erased | None, findings: Findings) -> None:
    if erased is not None:
        findings.own_word(
            "erased", at=format_time(erased.at), ground=erased.ground, record=erased.record
        )


def _record_facts(statement: Statement) -> dict[str, object]:
    return {
        "dataset": statement.dataset,
        "source": statement.source,
        "chain": statement.chain,
        "n": statement.n,
        "received": format_time(statement.received),
        "observed": statement.observed,
        "key": statement.key,
        "by": statement.by,
        "type": statement.type,
    }


def _version_facts(descriptor: Descriptor) -> dict[str, object]:
    return {
        "dataset": descriptor.dataset,
        "version": descriptor.version,
        "corrects": descriptor.corrects,
        "received": format_time(descriptor.last),
    }
