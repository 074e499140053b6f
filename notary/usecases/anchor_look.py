# SPDX-License-Identifier: Apache-2.0
"""What pages, the API, commands, /statusz and /metrics show of anchors. Decides nothing."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from notary.ledgers.port import Ledger
from notary.store.pool import Pool
from notary.usecases.anchor_work import of_another_kind
from notary.usecases.rights import NotFound

MOST_BYTES: Final = 4 << 20
"""A block of another's chain may be large: so much evidence is in one answer at most."""


def list_anchors(
    pool: Pool, ledgers: Sequence[Ledger], after: Sequence[Any] | None, limit: int
) -> list[dict[str, Any]]:
    """
    Anchors without their evidence, the newest first; each says whether it is the notary's own
    word, and whether its ledger is required today.

    `after` is the size and the ledger of the last one seen.
    """
    return _listed(pool, ledgers, after, limit, None)


def list_evidence(
    pool: Pool, ledgers: Sequence[Ledger], after: Sequence[Any] | None, limit: int
) -> tuple[list[dict[str, Any]], int]:
    """
    The same with their evidence, one more than `limit` where there is one; and how many of them
    make a page: it ends where its evidence has MOST_BYTES, but for its first anchor.
    """
    rows = _listed(pool, ledgers, after, limit + 1, MOST_BYTES)
    fitting = [row for row in rows if row["bytes"] is None or row["bytes"] <= MOST_BYTES]
    return rows, min(max(len(fitting), 1), limit)


def _listed(
    pool: Pool,
    ledgers: Sequence[Ledger],
    after: Sequence[Any] | None,
    limit: int,
    most_bytes: int | None,
) -> list[dict[str, Any]]:
    size, ledger = after or (None, "")
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("list_anchors", size=size, ledger=ledger, limit=limit, most_bytes=most_bytes)
    return [_shown(row, ledgers) for row in rows]


def get_anchor(pool: Pool, ledgers: Sequence[Ledger], ledger: str, size: int) -> dict[str, Any]:
    """The anchor of a size on a ledger. Raises NotFound."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("get_anchor", ledger=ledger, size=size)
    if not rows:
        raise NotFound(f"There is no anchor of size {size} on {ledger}.")
    return _shown(rows[0], ledgers)


def _shown(row: dict[str, Any], ledgers: Sequence[Ledger]) -> dict[str, Any]:
    evidence = None if row["evidence"] is None else json.loads(row["evidence"])
    required = any(ledger.name == row["ledger"] and ledger.required for ledger in ledgers)
    return {**row, "evidence": evidence, "required": required}


def ledger_status(pool: Pool, ledgers: Sequence[Ledger], now: datetime) -> list[dict[str, Any]]:
    """
    How each ledger stands: those of the settings in their order, then those taken out.

    `size` is the largest that was read back from it, 0 before that; `anchor_seconds`, how long
    that anchor took; `stopped`, whether it gets nothing until a person has looked;
    `unanchored_seconds`, the age of the oldest batch that it doesn't hold, if there is one.
    `error` is for the operator alone.
    """
    with pool.transaction(read_only=True) as tx:
        rows = {row["name"]: row for row in tx.maps("list_ledgers")}
        first = tx.row("oldest_batch")
    since = None if first is None else first[0]
    known = [_status(ledger, rows.pop(ledger.name, None), since, now) for ledger in ledgers]
    return known + [_status(None, row, since, now) for row in rows.values()]


def _status(
    ledger: Ledger | None, row: dict[str, Any] | None, first: datetime | None, now: datetime
) -> dict[str, Any]:
    found: dict[str, Any] = row or {}
    kind = found.get("kind", ledger.kind if ledger else None)
    changed = ledger is not None and kind != ledger.kind
    error = found.get("refused_error") or found.get("open_error") or found.get("error")
    since = found["unanchored_since"] if row else first
    took = None
    if found.get("size") is not None:
        took = (found["changed_at"] - found["built_at"]).total_seconds()
    return {
        "name": ledger.name if ledger else found["name"],
        "kind": kind,
        "own_word": found.get("own_word", ledger.own_word if ledger else True),
        "configured": ledger is not None,
        "required": ledger is not None and ledger.required,
        "size": found.get("size") or 0,
        "anchor_seconds": took,
        "under_way": found.get("open_size"),
        "state": found.get("open_state"),
        "attempts": found.get("attempts") or 0,
        "failures": found.get("failures") or 0,
        "stopped": changed or found.get("refused_size") is not None,
        "unanchored_seconds": None if since is None else max((now - since).total_seconds(), 0.0),
        "error": of_another_kind(ledger.name, str(kind)) if ledger and changed else error,
    }


def retry_ledger(pool: Pool, ledger: str, now: datetime) -> int:
    """
    A person has looked: what the ledger refused is handed to it again, as is at once what waits
    after a failure, and what it was heard to hold is forgotten. How many anchors that are.
    Raises NotFound where it never had one.
    """
    with pool.transaction() as tx:
        if not tx.do("forget_ledger", ledger=ledger):
            raise NotFound(f"Nothing was ever anchored on a ledger {ledger}.")
        return tx.do("retry_anchors", ledger=ledger, now=now)
