# SPDX-License-Identifier: Apache-2.0
"""
Receipts: `receipt_format` reads and writes them, `verify_receipt` here checks them,
docs/spec/receipt-v1.md, steps 1 to 10, in their order.

Everything that fails raises; what can't be checked here is listed as not checked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from notary.core import canonical
from notary.core.checkpoint import Checkpoint, parse_checkpoint
from notary.core.descriptor import Descriptor, descriptor_leaf, parse_descriptor
from notary.core.errors import (
    BadSignature,
    MalformedReceipt,
    MalformedText,
    MalformedTrust,
    NotaryError,
    PayloadMismatch,
    QuorumNotMet,
    ReceiptRefused,
    UnknownSigner,
)
from notary.core.hashing import LeafHash, RootHash, commitment, digest, leaf_hash
from notary.core.ledger_entry import parse_entry
from notary.core.note import Note, Verified, open_note
from notary.core.proof import verify_inclusion
from notary.core.receipt_format import (
    Anchor,
    Receipt,
    format_receipt,
    parse_receipt,
    receipt_from,
)
from notary.core.runs import Run, parse_run, run_leaf, source_tag
from notary.core.statement import Statement, parse_statement, statement_leaf
from notary.core.trust import LedgerTrust, Trust, parse_trust
from notary.core.verdict import Check, Verdict
from notary.core.words import format_time

__all__ = ["Anchor", "Receipt", "format_receipt", "parse_receipt", "row_leaf", "verify_receipt"]


def verify_receipt(
    receipt: Receipt | str | bytes | Mapping[str, object],
    trust: Trust | str | bytes | Mapping[str, object],
    payload: bytes | None = None,
) -> Verdict:
    """
    Check a receipt, and the payload where one is given, against a trust file.

    `payload` is what the asker holds: the record's payload, the row's bytes, or the
    version's file.

    Raises:
        MalformedText: the receipt, the trust file or a text in the receipt is malformed.
        PayloadMismatch: the payload is not the one that was notarised.
        ReceiptRefused: the parts don't belong together.
        RootMismatch, MalformedProof: a path doesn't lead where it should.
        BadSignature, UnknownSigner: the checkpoint isn't signed by a log key of the trust file.
        QuorumNotMet: too few witnesses cosigned.
    """
    return _Verification(_as_receipt(receipt), _as_trust(trust), payload).run()


def row_leaf(profile: str, salt: bytes, row: bytes) -> LeafHash:
    """
    The leaf of a version's row: SHA-256(0x00 || "row/1 " || profile || 0x0A || salt || row).

    No statement begins so: a statement begins with an opening brace.
    """
    return leaf_hash(b"row/1 " + profile.encode() + b"\n" + salt + row)


@dataclass(slots=True)
class _Verification:
    receipt: Receipt
    trust: Trust
    payload: bytes | None
    checks: list[Check] = field(default_factory=list)

    def run(self) -> Verdict:
        # Step 1 was parsing the receipt.
        descriptor = parse_descriptor(self.receipt.descriptor)
        if self.receipt.kind == "record":
            subject, received = self._record(descriptor)
        elif self.receipt.kind == "row":
            subject, received = self._row(descriptor)
        else:
            subject, received = self._file(descriptor)
        # Step 7: the descriptor is a leaf of the log under the checkpoint.
        checkpoint, note, signed = self._checkpoint()
        index, leaf = self.receipt.log.index, descriptor_leaf(self.receipt.descriptor)
        hashes = self.receipt.log.hashes
        verify_inclusion(leaf, index, checkpoint.size, hashes, RootHash(checkpoint.root))
        self._held("log", index=index, size=checkpoint.size)
        fingerprint = signed.verifier.fingerprint
        self._held("checkpoint", origin=checkpoint.origin, fingerprint=fingerprint)
        self._witnesses(note, received)
        for anchor in self.receipt.anchors:
            self._anchor(anchor, index, leaf, checkpoint.origin)
        if not self.receipt.anchors:
            self._not_checked("anchor", reason="none", ledger="-")
        return Verdict(
            kind=self.receipt.kind,
            subject=subject,
            trust_name=self.trust.name,
            origin=checkpoint.origin,
            fingerprint=fingerprint,
            checks=tuple(self.checks),
        )

    # -- steps 2 to 6: the subject is in the batch

    def _record(self, descriptor: Descriptor) -> tuple[dict[str, object], datetime]:
        receipt = self.receipt
        assert receipt.statement is not None
        assert receipt.run_entry is not None
        assert receipt.run_path is not None
        # Step 2: hash the statement's text first, then parse it.
        leaf = statement_leaf(receipt.statement)
        statement = parse_statement(receipt.statement)
        self._held("statement", dataset=statement.dataset, source=statement.source, n=statement.n)
        # Step 3: the payload belongs to the statement.
        self._record_payload(statement)
        # Step 4: statement and descriptor speak of the same dataset, in the same form.
        if descriptor.kind != "records" or descriptor.runs is None:
            raise ReceiptRefused("The batch is a version's; a statement is no leaf of it.")
        if descriptor.dataset != statement.dataset:
            raise ReceiptRefused("The statement is of another dataset than the batch.")
        if not descriptor.first <= statement.received <= descriptor.last:
            raise ReceiptRefused("The record was received outside the batch's times.")
        # Step 5: the run is the source's, and in the batch's run list.
        run = self._run(statement, leaf, descriptor)
        verify_inclusion(
            run_leaf(receipt.run_entry),
            receipt.run_path.index,
            receipt.run_path.size or 0,
            receipt.run_path.hashes,
            RootHash(descriptor.runs),
        )
        self._held("run", first=run.first, last=run.first + run.count - 1, chain=run.chain)
        # Step 6: the record is legal at one index of the batch only.
        verify_inclusion(
            leaf,
            run.index_of(statement.n),
            descriptor.count,
            receipt.path,
            RootHash(descriptor.root),
        )
        self._held("batch", number=descriptor.number, count=descriptor.count)
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
        }, statement.received

    def _record_payload(self, statement: Statement) -> None:
        receipt = self.receipt
        is_open = statement.digest is not None
        if is_open and (receipt.salt is not None or receipt.tag_salt is not None):
            raise ReceiptRefused("A statement of an open dataset has no salt.")
        if not is_open and receipt.tag_salt is None:
            raise ReceiptRefused("The salt of the source's tag is missing.")
        if receipt.erased is not None:
            if receipt.payload is not None:
                raise ReceiptRefused("The payload is called erased, and is there.")
            self._own_word("erased", **receipt.erased)
        for candidate in (receipt.payload, self.payload):
            if candidate is None:
                continue
            if is_open:
                matches = digest(candidate) == statement.digest
            elif receipt.salt is None:
                raise PayloadMismatch("Without its salt the payload can't be checked.")
            else:
                matches = commitment(receipt.salt, candidate) == statement.commitment
            if not matches:
                raise PayloadMismatch()
        self._payload_seen(receipt.payload)

    def _payload_seen(self, inside: bytes | None) -> None:
        if self.payload is not None:
            self._held("payload", bytes=len(self.payload), where="given")
        elif inside is not None:
            self._held("payload", bytes=len(inside), where="inside")
        else:
            self._not_checked("payload", reason="none")

    def _run(self, statement: Statement, leaf: bytes, descriptor: Descriptor) -> Run:
        receipt = self.receipt
        run = parse_run(receipt.run_entry or "")
        if source_tag(statement.dataset, statement.source, receipt.tag_salt or b"") != run.tag:
            raise ReceiptRefused("The run is another source's.")
        if run.chain != statement.chain:
            raise ReceiptRefused("The run is of another chain.")
        index = run.index_of(statement.n)
        if run.offset + run.count > descriptor.count or index >= descriptor.count:
            raise ReceiptRefused("The run reaches beyond the batch.")
        if statement.n == run.first and statement.prev != run.prev:
            raise ReceiptRefused("The run's first record is linked to another one.")
        if statement.n == run.first + run.count - 1 and leaf != run.last:
            raise ReceiptRefused("The run's last record is another one.")
        return run

    def _row(self, descriptor: Descriptor) -> tuple[dict[str, object], datetime]:
        row = self.receipt.row
        assert row is not None
        if descriptor.kind != "version" or descriptor.profile is None:
            raise ReceiptRefused("The batch holds records; a row is no leaf of it.")
        self._salt_fits(descriptor, row.salt)
        if self.payload is not None and self.payload != row.data:
            raise PayloadMismatch()
        self._payload_seen(row.data)
        leaf = row_leaf(descriptor.profile, row.salt, row.data)
        root = RootHash(descriptor.root)
        verify_inclusion(leaf, row.number, descriptor.count, self.receipt.path, root)
        self._held("batch", number=descriptor.number, count=descriptor.count)
        return {**self._version(descriptor), "row": row.number}, descriptor.last

    def _file(self, descriptor: Descriptor) -> tuple[dict[str, object], datetime]:
        salt = self.receipt.file_salt
        assert salt is not None
        if descriptor.kind != "version":
            raise ReceiptRefused("The batch holds records and has no file.")
        self._salt_fits(descriptor, salt)
        if self.payload is not None:
            whole = commitment(salt, self.payload) if salt else digest(self.payload)
            if whole != (descriptor.commitment or descriptor.digest):
                raise PayloadMismatch()
        self._payload_seen(None)
        return self._version(descriptor), descriptor.last

    def _salt_fits(self, descriptor: Descriptor, salt: bytes) -> None:
        if (descriptor.digest is not None) != (salt == b""):
            raise ReceiptRefused("The salt is not of the version's kind.")

    def _version(self, descriptor: Descriptor) -> dict[str, object]:
        return {
            "dataset": descriptor.dataset,
            "version": descriptor.version,
            "corrects": descriptor.corrects,
            "received": format_time(descriptor.last),
        }

    # -- steps 8 to 10: who says so

    def _checkpoint(self) -> tuple[Checkpoint, Note, Verified]:
        """Step 8: a log key of the trust file signed, and served this size."""
        logs = {log.verifier: log for log in self.trust.logs}
        note = open_note(self.receipt.checkpoint, [*logs, *self.trust.witnesses])
        checkpoint = parse_checkpoint(note.text)
        for verified in note.verified:
            log = logs.get(verified.verifier)
            if log is None or log.verifier.name != checkpoint.origin:
                continue
            if not log.served(checkpoint.size):
                raise ReceiptRefused("The log key did not serve checkpoints of this size.")
            return checkpoint, note, verified
        raise UnknownSigner("No log key of the trust file signed the checkpoint.")

    def _witnesses(self, note: Note, received: datetime) -> None:
        """Step 9: the quorum of witnesses, and their time beside the notary's."""
        seen = {
            verified.verifier.public_key: verified
            for verified in note.verified
            if verified.time is not None
        }
        if len(seen) < self.trust.quorum:
            raise QuorumNotMet(got=len(seen), want=self.trust.quorum)
        if not seen:
            self._not_checked("witnesses", reason="none")
            self._own_word("time", received=format_time(received), reason="no-witness")
            return
        names = ", ".join(sorted(verified.verifier.name for verified in seen.values()))
        self._held("witnesses", count=len(seen), want=self.trust.quorum, names=names)
        first = min(verified.time or 0 for verified in seen.values())
        try:
            witnessed = datetime.fromtimestamp(first, UTC)
        except (ValueError, OverflowError, OSError):
            raise BadSignature("A witness's time is no time.") from None
        gap = (witnessed - received).total_seconds()
        facts = {"received": format_time(received), "witnessed": format_time(witnessed)}
        if 0 <= gap <= self.trust.delay_seconds:
            self._held("time", **facts)
        else:
            self._own_word("time", reason="gap", **facts)

    def _anchor(self, anchor: Anchor, index: int, leaf: LeafHash, origin: str) -> None:
        """Step 10: the descriptor is under the anchored root, and the ledger holds that."""
        verify_inclusion(leaf, index, anchor.size, anchor.path, RootHash(anchor.root))
        ledger = self.trust.ledger(anchor.ledger)
        facts = {"ledger": anchor.ledger, "kind": anchor.kind, "size": anchor.size}
        if ledger is None:
            self._not_checked("anchor", reason="not-in-trust-file", **facts)
        elif ledger.kind != anchor.kind:
            raise ReceiptRefused("The anchor's ledger is of another kind in the trust file.")
        elif anchor.kind not in EVIDENCE:
            self._not_checked("anchor", reason="needs-package", **facts)
        else:
            time = EVIDENCE[anchor.kind](anchor, ledger, origin)
            self._own_word("anchor", time=format_time(time), **facts)

    def _held(self, code: str, **facts: object) -> None:
        self.checks.append(Check(code, "held", facts))

    def _own_word(self, code: str, **facts: object) -> None:
        self.checks.append(Check(code, "own-word", facts))

    def _not_checked(self, code: str, **facts: object) -> None:
        self.checks.append(Check(code, "not-checked", facts))


def _file_ledger(anchor: Anchor, ledger: LedgerTrust, origin: str) -> datetime:
    """The file ledger's signed entry names this origin, size and root."""
    note = anchor.evidence.get("note")
    if anchor.evidence.keys() != {"note"} or not isinstance(note, str):
        raise ReceiptRefused("The evidence of the file ledger is one signed note.")
    try:
        entry = parse_entry(open_note(note, [str(ledger.members["key"])]).text)
    except NotaryError as error:
        raise ReceiptRefused(f"The file ledger's entry: {error.detail}") from None
    wanted = (digest(origin.encode()), anchor.size, anchor.root)
    if (entry.origin_hash, entry.size, entry.root) != wanted:
        raise ReceiptRefused("The file ledger's entry is another checkpoint's.")
    return entry.time


EVIDENCE: Mapping[str, Callable[[Anchor, LedgerTrust, str], datetime]] = {"file": _file_ledger}
"""Kinds of evidence that need nothing but the standard library."""


def _as_receipt(value: Receipt | str | bytes | Mapping[str, object]) -> Receipt:
    if isinstance(value, Receipt):
        return value
    if isinstance(value, Mapping):
        try:
            return receipt_from(dict(value))
        except MalformedText as error:
            raise MalformedReceipt(error.detail) from None
    return parse_receipt(_as_text(value, MalformedReceipt))


def _as_trust(value: Trust | str | bytes | Mapping[str, object]) -> Trust:
    if isinstance(value, Trust):
        return value
    if isinstance(value, Mapping):
        return parse_trust(canonical.dumps(dict(value)))
    return parse_trust(_as_text(value, MalformedTrust))


def _as_text(value: str | bytes, error: type[MalformedText]) -> str:
    if isinstance(value, str):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise error("The file is not UTF-8.") from None
