# SPDX-License-Identifier: Apache-2.0
"""
Anchor: hand the newest checkpoint to each ledger, and keep what comes back.

Each step's state is committed before the next: a crash anywhere leaves an anchor that
the next call takes up where it stands. A ledger that is down costs only its anchors and
catches up with one. A time-out is `unknown`, never `failed`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from notary.ledgers.port import (
    Anchorable,
    AnchorState,
    Ledger,
    LedgerRefused,
    LedgerUnavailable,
    anchorable,
)
from notary.store.pool import Pool
from notary.usecases.closed_logs import Origins, read_origins
from notary.usecases.gate import Gate


@dataclass(frozen=True, slots=True)
class Anchored:
    """Where an anchor stands after a step; `error` says what a person should know."""

    ledger: str
    size: int
    state: AnchorState
    error: str | None = None


def anchor_due(
    pool: Pool,
    gate: Gate,
    ledgers: list[Ledger],
    interval: timedelta,
    now: datetime,
    *,
    at_once: bool = False,
) -> list[Anchored]:
    """
    Begin an anchor on each ledger whose interval is over, and move all on that are open.

    A ledger that no longer holds what it was once read back from gets nothing more.

    Raises:
        StateRefused: the gate is closed.
    """
    gate.open()
    with pool.transaction(read_only=True) as tx:
        origins = read_origins(tx)
    moved = []
    for ledger in ledgers:
        stopped = _begin(pool, ledger, origins, interval, now, at_once)
        if stopped is not None:
            moved.append(stopped)
            continue
        with pool.transaction(read_only=True) as tx:
            open_ones = tx.rows("list_anchors_under_way", ledger=ledger.name)
            roots = {size: tx.rows("get_checkpoint", size=size)[0][1] for size, *_ in open_ones}
        for size, state, reference in open_ones:
            what = anchorable(origins.at(size), size, roots[size])
            moved.append(_move(pool, ledger, what, state, reference, now))
    return moved


def evidence_text(evidence: Mapping[str, object]) -> str:
    """A ledger's evidence as it is stored: always the same text for the same evidence."""
    return json.dumps(evidence, sort_keys=True)


def _begin(
    pool: Pool, ledger: Ledger, origins: Origins, interval: timedelta, now: datetime, at_once: bool
) -> Anchored | None:
    """Commit the intention to anchor the newest checkpoint; or say why the ledger is left."""
    with pool.transaction() as tx:
        newest = tx.row("newest_checkpoint")
        last = tx.row("newest_anchor", ledger=ledger.name)
        if newest is None or newest[0] == 0 or (last is not None and last[0] >= newest[0]):
            return None
        if not (at_once or last is None or now - last[2] >= interval):
            return None
        verified = tx.row("newest_verified_anchor", ledger=ledger.name)
    if verified is not None:
        what = anchorable(origins.at(verified[0]), verified[0], verified[1])
        stopped = _went_back(ledger, what, verified[2])
        if stopped is not None:
            return stopped
    with pool.transaction() as tx:
        tx.do("add_anchor", ledger=ledger.name, size=newest[0], now=now)
    return None


def _went_back(ledger: Ledger, verified: Anchorable, reference: str | None) -> Anchored | None:
    """A ledger that was lost or set back must not be written on as if it were whole."""
    try:
        if ledger.confirm(verified, reference) == "verified":
            return None
        error = (
            f"The ledger no longer holds size {verified.size}, which was read back from it: "
            "restore it; until then nothing is written to it."
        )
    except LedgerUnavailable as unavailable:
        error = unavailable.detail
    except LedgerRefused as refused:
        return Anchored(ledger.name, verified.size, "failed", refused.detail)
    return Anchored(ledger.name, verified.size, "unknown", error)


def _move(
    pool: Pool,
    ledger: Ledger,
    what: Anchorable,
    state: AnchorState,
    reference: str | None,
    now: datetime,
) -> Anchored:
    evidence: str | None = None
    error: str | None = None
    attempt = 1 if state in ("built", "unknown") else 0
    try:
        if attempt:
            # Idempotent: what a crash or a time-out left unknown is handed over again.
            reference = ledger.submit(what, reference, now)
            state = "submitted"
        state = ledger.confirm(what, reference)
        if state == "verified":
            evidence = evidence_text(ledger.evidence(what, reference))
    except LedgerUnavailable as unavailable:
        state, error = "unknown", unavailable.detail
    except LedgerRefused as refused:
        state, error = "failed", refused.detail
    with pool.transaction() as tx:
        tx.do(
            "move_anchor",
            ledger=ledger.name,
            size=what.size,
            state=state,
            reference=reference,
            evidence=evidence,
            error=error,
            attempt=attempt,
            now=now,
        )
    return Anchored(ledger.name, what.size, state, error)
