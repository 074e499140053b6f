# SPDX-License-Identifier: Apache-2.0
"""
Holding a signed acceptance against what the notary signed elsewhere.

Two signatures that contradict each other prove misconduct to anybody, whoever brings them. See
docs/spec/acceptance-v1.md, section Misconduct. Nothing in here accuses without such proof: what
is merely not shown is called that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from notary.core.acceptance import Checked, SignedAcceptance, check_acceptance
from notary.core.descriptor import Descriptor, descriptor_leaf, parse_descriptor
from notary.core.errors import MalformedProof, RootMismatch
from notary.core.receipt import Receipt, RecordPart, parse_receipt, verify_receipt
from notary.core.receipt_signers import check_checkpoint, check_good
from notary.core.runs import parse_run
from notary.core.statement import parse_statement, statement_leaf
from notary.core.tree import root
from notary.core.trust import Trust
from notary.core.verdict import Findings
from notary.core.words import format_time

Kind = Literal[
    "kept", "not-due", "unrelated", "late", "missing", "other-record", "other-link", "two-records"
]
MISCONDUCT: Final = frozenset({"late", "missing", "other-record", "other-link", "two-records"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    What two things that the notary signed say of each other.

    kept: the record is in the log, as promised. not-due: it isn't there, and nothing shows that
    its time is over. unrelated: neither says anything of the other. Misconduct: late (it was
    sealed when its time was over), missing (its time is over and it isn't there), other-record
    (another record stands in its place), other-link (its neighbour in the chain is linked to
    another one), two-records (two acceptances contradict each other).
    """

    kind: Kind
    facts: Mapping[str, object]

    @property
    def is_misconduct(self) -> bool:
        """Whether it is proved that the notary broke its word."""
        return self.kind in MISCONDUCT


def hold_against_receipt(
    acceptance: SignedAcceptance | str | bytes, receipt: Receipt | str, trust: Trust
) -> Judgement:
    """
    Hold an acceptance against the receipt of a record of the same source.

    Raises:
        NotaryError: one of them doesn't hold by itself, and so says nothing.
    """
    checked = check_acceptance(acceptance, trust)
    if not isinstance(receipt, Receipt):
        receipt = parse_receipt(receipt)
    verdict = verify_receipt(receipt, trust)
    part = receipt.subject
    if not isinstance(part, RecordPart) or verdict.origin != checked.promise.origin:
        return _judge("unrelated", checked)
    leaf, run = statement_leaf(part.statement), parse_run(part.run.entry)
    other = parse_statement(part.statement)
    mine = checked.statement
    if (other.dataset, other.source, other.chain) != (mine.dataset, mine.source, mine.chain):
        return _judge("unrelated", checked)
    after = {other.n: other.prev, run.first: run.prev}.get(mine.n + 1, checked.leaf)
    at = {run.first + run.count - 1: run.last, other.n: leaf}.get(mine.n)
    if at is None:
        before = {run.first + run.count: run.last, other.n + 1: leaf}.get(mine.n, mine.prev)
        linked = after == checked.leaf and before == mine.prev
        return _judge("unrelated" if linked else "other-link", checked)
    return _judge("kept" if at == checked.leaf else "other-record", checked)


def hold_against_acceptance(
    acceptance: SignedAcceptance | str | bytes,
    other: SignedAcceptance | str | bytes,
    trust: Trust,
) -> Judgement:
    """
    Hold two acceptances against each other: of one place, or of two that are linked.

    Raises:
        NotaryError: one of them doesn't hold by itself, and so says nothing.
    """
    one, two = check_acceptance(acceptance, trust), check_acceptance(other, trust)
    if _place(one) != _place(two):
        return _judge("unrelated", one)
    first, second = sorted((one, two), key=lambda checked: checked.statement.n)
    distance = second.statement.n - first.statement.n
    if distance == 0:
        return _judge("unrelated" if one.leaf == two.leaf else "two-records", one)
    if distance == 1 and second.statement.prev != first.leaf:
        return _judge("two-records", one)
    return _judge("unrelated", one)


def hold_against_log(
    acceptance: SignedAcceptance | str | bytes,
    trust: Trust,
    checkpoint: str,
    descriptors: Sequence[str],
    leaves: Mapping[int, Sequence[bytes]],
) -> Judgement:
    """
    Hold an acceptance against the whole log under a checkpoint.

    `descriptors` are all leaves of the log in their order, `leaves` for each batch that could
    hold the record (`candidates`) the leaf hashes of its records: what anybody can fetch. That
    its time is over is shown by the notary's own clock, where its log holds a record that it
    received later. A witness's time doesn't show it: old checkpoints may be cosigned late.

    Raises:
        NotaryError: the acceptance or the checkpoint doesn't hold, or the evidence isn't the
            log's: it says nothing.
    """
    checked = check_acceptance(acceptance, trust)
    promise, signed = checked.promise, check_checkpoint(checkpoint, trust)
    if signed.checkpoint.origin != promise.origin:
        return _judge("unrelated", checked)
    # A thief of the log's key must not be able to accuse it.
    check_good(signed, None, 0, Findings())
    hashes = [descriptor_leaf(text) for text in descriptors]
    if len(hashes) != signed.checkpoint.size:
        raise MalformedProof("The descriptors are not all leaves of the log.")
    _compare(root(hashes), signed.checkpoint.root)
    batches = [parse_descriptor(text) for text in descriptors]
    # By the notary's own clock all from this batch on was sealed when the time was over.
    late = next((at for at, one in enumerate(batches) if one.last > promise.sealed_by), None)
    for index in _candidates(checked, batches):
        batch, found = batches[index], leaves.get(index, ())
        if len(found) != batch.count:
            raise MalformedProof("The leaves of a batch are missing.", index=index)
        _compare(root(found), batch.root)
        if checked.leaf in found:
            in_time = late is None or index < late
            place = list(found).index(checked.leaf)
            return _judge("kept" if in_time else "late", checked, index=index, place=place)
    if late is None:
        return _judge("not-due", checked)
    shown = format_time(batches[late].last)
    return _judge("missing", checked, shown=shown, index=late, size=signed.checkpoint.size)


def candidates(
    acceptance: SignedAcceptance | str | bytes, trust: Trust, descriptors: Sequence[str]
) -> list[int]:
    """
    The indexes of the batches that could hold the record: its dataset's, around its time.

    Raises:
        NotaryError: the acceptance doesn't hold, or a text is no descriptor.
    """
    checked = check_acceptance(acceptance, trust)
    return _candidates(checked, [parse_descriptor(text) for text in descriptors])


def _candidates(checked: Checked, batches: Sequence[Descriptor]) -> list[int]:
    statement = checked.statement
    return [
        index
        for index, batch in enumerate(batches)
        if batch.kind == "records"
        and batch.dataset == statement.dataset
        and batch.first <= statement.received <= batch.last
    ]


def _place(checked: Checked) -> tuple[str, str, str, int]:
    statement = checked.statement
    return checked.promise.origin, statement.dataset, statement.source, statement.chain


def _judge(kind: Kind, checked: Checked, **facts: object) -> Judgement:
    statement = checked.statement
    return Judgement(
        kind,
        {
            "dataset": statement.dataset,
            "source": statement.source,
            "chain": statement.chain,
            "n": statement.n,
            "leaf": checked.leaf.hex(),
            "sealed_by": format_time(checked.promise.sealed_by),
            **facts,
        },
    )


def _compare(got: bytes, want: bytes) -> None:
    if got != want:
        raise RootMismatch(got=got.hex(), want=want.hex())
