# SPDX-License-Identifier: Apache-2.0
"""
Windows: reading and writing is window_format.py's matter; `verify_window` checks them.

The statements are a chain: each holds the hash of the one before, and the last one's
receipt proves it. So whatever is left out, altered, reordered or doubled changes the last
statement. See docs/spec/window-v1.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from notary.core.errors import MalformedWindow, PayloadMismatch
from notary.core.hashing import SALT_BYTES, commitment, digest
from notary.core.receipt import verify_receipt
from notary.core.receipt_ledgers import FILE_ALONE, Checker
from notary.core.receipt_parts import RecordPart
from notary.core.statement import Statement, format_statement, statement_leaf
from notary.core.trust import Trust, parse_trust
from notary.core.verdict import Check, Findings, Verdict
from notary.core.window_format import (
    MAX_WINDOW_BYTES,
    Asked,
    Window,
    format_window,
    parse_window,
)
from notary.core.words import format_time

__all__ = [
    "MAX_WINDOW_BYTES",
    "Asked",
    "Opened",
    "Window",
    "WindowVerdict",
    "format_window",
    "parse_window",
    "verify_window",
]

Opened = tuple[bytes | None, bytes] | None
"""A record's salt (None in an open dataset) and payload; None where it isn't given."""


@dataclass(frozen=True, slots=True)
class WindowVerdict:
    """
    A window that holds: records first..last of the chain are all there, `count` of them.

    Those that were asked for are asked_first..asked_last (None: there are none); asked by
    the sender's time they are `asked_count` among them. `open_end`: nothing shows that
    the span that was asked for ends with the last record carried.
    """

    dataset: str
    source: str
    chain: int
    first: int
    last: int
    asked_first: int | None
    asked_last: int | None
    asked_count: int
    open_end: bool
    payloads_checked: int
    checks: tuple[Check, ...]
    receipt: Verdict


def verify_window(
    window: Window | str,
    trust: Trust | str,
    payloads: Iterable[Opened] | None = None,
    checkers: Mapping[str, Checker] = FILE_ALONE,
) -> WindowVerdict:
    """
    Check that nothing is missing between the first and the last record carried, nor at
    the beginning of the span that was asked for.

    `payloads`: (salt or None, payload) of each record carried, in order; None for a
    record of which they aren't given. `checkers`: as of `verify_receipt`.

    Raises:
        MalformedText: the window or a text in it is malformed.
        MalformedWindow: records are missing, or the chain doesn't lead to the receipt.
        PayloadMismatch: a payload is another one, or they are too few or too many.
        ReceiptRefused, RootMismatch and what else `verify_receipt` raises: the last record
            isn't proved, so none is.
    """
    # window-v1.md, step 1: trust file and window are of their formats; reading the window links
    # each statement to the one before.
    if isinstance(trust, str):
        trust = parse_trust(trust)
    if isinstance(window, str):
        window = parse_window(window)
    else:
        _check_chain(window.statements)
    head, last = window.statements[0], window.statements[-1]
    # window-v1.md, step 2: the chain leads to the statement that the receipt proves.
    proved = window.receipt.subject
    if not isinstance(proved, RecordPart) or proved.statement != format_statement(last):
        raise MalformedWindow("The chain doesn't lead to the receipt.", reason="broken-chain")
    # window-v1.md, step 3: the receipt holds.
    receipt = verify_receipt(window.receipt, trust, checkers=checkers)
    # window-v1.md, step 4: the span that was asked for begins inside.
    if not _begins(window.asked, head):
        raise MalformedWindow("Records before the first may be asked for.", reason="no-start")
    # window-v1.md, step 5: the payloads, where they are given.
    checked = _check_payloads(window.statements, payloads) if payloads is not None else 0
    inside = [statement.n for statement in window.statements if _is_asked(window.asked, statement)]
    open_end = not _ends(window.asked, last)
    return WindowVerdict(
        dataset=head.dataset,
        source=head.source,
        chain=head.chain,
        first=head.n,
        last=last.n,
        asked_first=inside[0] if inside else None,
        asked_last=inside[-1] if inside else None,
        asked_count=len(inside),
        open_end=open_end,
        payloads_checked=checked,
        checks=_found(window, inside, open_end, checked),
        receipt=receipt,
    )


def _check_chain(statements: Sequence[Statement]) -> None:
    """For a window that wasn't read from text: each statement follows the one before."""
    if not statements:
        raise MalformedWindow("A window carries at least one record.")
    for before, statement in pairwise(statements):
        same = (before.dataset, before.source, before.chain, before.n + 1)
        if (
            (statement.dataset, statement.source, statement.chain, statement.n) != same
            or statement.prev != statement_leaf(format_statement(before))
            or statement.received < before.received
        ):
            raise MalformedWindow("A statement doesn't follow.", reason="broken-chain")


def _begins(asked: Asked, head: Statement) -> bool:
    """Whether no record before the head can lie in the span: received times never fall."""
    if asked.by == "observed" or head.n == 0:
        return True
    if asked.by == "n":
        return isinstance(asked.start, int) and head.n <= asked.start
    return format_time(head.received) < str(asked.start)


def _ends(asked: Asked, last: Statement) -> bool:
    """Whether no record after the last can lie in the span."""
    if asked.by == "n":
        return isinstance(asked.stop, int) and last.n >= asked.stop - 1
    return asked.by == "received" and format_time(last.received) >= str(asked.stop)


def _is_asked(asked: Asked, statement: Statement) -> bool:
    if asked.by == "n":
        value: int | str | None = statement.n
    elif asked.by == "received":
        value = format_time(statement.received)
    else:
        value = statement.observed
    # Both ends are of one type, integers or text, as the format demands.
    return value is not None and asked.start <= value < asked.stop  # type: ignore[operator]


def _check_payloads(statements: Sequence[Statement], payloads: Iterable[Opened]) -> int:
    checked, given = 0, iter(payloads)
    for statement in statements:
        try:
            opened = next(given)
        except StopIteration:
            raise PayloadMismatch("Fewer payloads than records.", reason="too-few") from None
        if opened is not None:
            _check_payload(statement, *opened)
            checked += 1
    if next(given, given) is not given:
        raise PayloadMismatch("More payloads than records.", reason="too-many")
    return checked


def _check_payload(statement: Statement, salt: bytes | None, payload: bytes) -> None:
    """Open: SHA-256(payload), no salt. Any other: SHA-256(salt || payload), of 32 bytes."""
    if statement.digest is not None:
        matches = salt is None and digest(payload) == statement.digest
    else:
        fits = salt is not None and len(salt) == SALT_BYTES
        matches = fits and commitment(salt or b"", payload) == statement.commitment
    if not matches:
        raise PayloadMismatch(n=statement.n)


def _found(
    window: Window, inside: Sequence[int], open_end: bool, checked: int
) -> tuple[Check, ...]:
    head, last, findings = window.statements[0], window.statements[-1], Findings()
    findings.held(
        "window",
        dataset=head.dataset,
        source=head.source,
        chain=head.chain,
        first=head.n,
        last=last.n,
        count=len(window.statements),
    )
    asked = {"from": window.asked.start, "to": window.asked.stop, "count": len(inside)}
    if window.asked.by == "observed":
        span = {"first": inside[0], "last": inside[-1]} if inside else {}
        findings.own_word("asked", reason="observed", **span, **asked)
    elif inside:
        findings.held("asked", reason=window.asked.by, first=inside[0], last=inside[-1], **asked)
    else:
        findings.held("asked", reason="none", **asked)
    if open_end and window.asked.by != "observed":
        findings.not_checked("window-end", last=last.n)
    if checked:
        findings.held("payloads", count=checked, of=len(window.statements))
    else:
        findings.not_checked("payloads", reason="none")
    for n, erased in sorted(window.erased.items()):
        findings.own_word(
            "erased", at=format_time(erased.at), ground=erased.ground, record=erased.record, n=n
        )
    return tuple(findings.checks)
