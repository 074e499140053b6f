# SPDX-License-Identifier: Apache-2.0
"""
Verifying a receipt's anchors: the log's state lies on a ledger of the trust file.
docs/spec/receipt-v1.md, step 10.

What a kind of evidence shows is for its checker to say. The file ledger's is here; those of
other kinds are handed in by whoever has them (notary/evidence/).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from notary.core.errors import NotaryError, ReceiptRefused
from notary.core.hashing import LeafHash, RootHash, digest
from notary.core.ledger_entry import parse_entry
from notary.core.note import open_note
from notary.core.proof import verify_inclusion
from notary.core.receipt_parts import Anchor
from notary.core.receipt_signers import Signed
from notary.core.trust import LedgerTrust, Trust
from notary.core.verdict import Findings, Status
from notary.core.words import format_time


@dataclass(frozen=True, slots=True)
class Found:
    """
    What evidence shows: `held`, the `own-word` of the notary, or `not-checked` for the `reason`
    in the facts. Facts are strings and integers, and go into the verdict.
    """

    status: Status
    facts: Mapping[str, object]


Checker = Callable[[Anchor, LedgerTrust, str], Found]
"""
Checks an anchor's evidence by what the trust file says of the ledger, for the log of an origin.

Raises ReceiptRefused, `ledger-evidence` where it is malformed or doesn't hold, `ledger-other`
where it is another checkpoint's; MalformedTrust where the trust file's members are of no use.
"""


def check_file_ledger(anchor: Anchor, ledger: LedgerTrust, origin: str) -> Found:
    """
    The file ledger's signed entry names this origin, size and root: the notary's own word.

    Raises:
        ReceiptRefused: it is no such entry, or another checkpoint's.
    """
    # receipt-v1.md, step 10.
    note = anchor.evidence.get("note")
    if anchor.evidence.keys() != {"note"} or not isinstance(note, str):
        raise ReceiptRefused("The evidence is not one signed note.", reason="ledger-evidence")
    try:
        entry = parse_entry(open_note(note, [str(ledger.members["key"])]).text)
    except NotaryError as error:
        raise ReceiptRefused(
            f"The file ledger's entry: {error.detail}", reason="ledger-evidence"
        ) from None
    wanted = (digest(origin.encode()), anchor.size, anchor.root)
    if (entry.origin_hash, entry.size, entry.root) != wanted:
        raise ReceiptRefused("The entry is another checkpoint's.", reason="ledger-other")
    return Found("own-word", {"time": format_time(entry.time)})


FILE_ALONE: Final[Mapping[str, Checker]] = {"file": check_file_ledger}
"""The checkers by kind that need nothing but the core."""


MAX_CHECKED: Final = 20
"""So many anchors' evidence is read: nobody has more ledgers, and each may cost half a second."""


def check_anchors(
    anchors: Iterable[Anchor],
    index: int,
    leaf: LeafHash,
    signed: Signed,
    trust: Trust,
    checkers: Mapping[str, Checker],
    findings: Findings,
) -> None:
    """
    The descriptor is under each anchored root, and the ledgers hold these roots.

    Raises:
        RootMismatch, MalformedProof: the path doesn't lead to the anchored root.
        ReceiptRefused: the evidence isn't this ledger's or this checkpoint's, or the log
            was forked.
        MalformedTrust: what the trust file says of the ledger is of no use.
    """
    checked = 0
    for anchor in anchors:
        # receipt-v1.md, step 10.
        verify_inclusion(leaf, index, anchor.size, anchor.path, RootHash(anchor.root))
        if _check_anchor(anchor, signed, trust, checkers, findings, is_full=checked == MAX_CHECKED):
            checked += 1


def _check_anchor(
    anchor: Anchor,
    signed: Signed,
    trust: Trust,
    checkers: Mapping[str, Checker],
    findings: Findings,
    *,
    is_full: bool,
) -> bool:
    """Whether the evidence was read. Raises as `check_anchors`."""
    checkpoint = signed.checkpoint
    if anchor.size == checkpoint.size and anchor.root != checkpoint.root:
        raise ReceiptRefused("Two roots are given for one size of the log.", reason="fork")
    ledger = trust.ledger(anchor.ledger)
    facts = {"ledger": anchor.ledger, "kind": anchor.kind, "size": anchor.size}
    if ledger is None:
        findings.not_checked("anchor", reason="not-in-trust-file", **facts)
        return False
    if ledger.kind != anchor.kind:
        raise ReceiptRefused("The ledger is of another kind.", reason="ledger-kind")
    if anchor.kind not in checkers:
        findings.not_checked("anchor", reason="needs-package", **facts)
        return False
    if is_full:
        findings.not_checked("anchor", reason="too-many", **facts)
        return False
    found = checkers[anchor.kind](anchor, ledger, checkpoint.origin)
    if found.status == "held":
        findings.held("anchor", **facts, **found.facts)
    elif found.status == "own-word":
        findings.own_word("anchor", **facts, **found.facts)
    else:
        findings.not_checked("anchor", **facts, **found.facts)
    return True
