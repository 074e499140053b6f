# SPDX-License-Identifier: Apache-2.0
"""What pages, the API, /statusz and /metrics show of witnesses. Decides nothing."""

from typing import Any

from notary.core.note import parse_note, parse_vkey
from notary.core.words import format_time
from notary.store.pool import Pool, Transaction
from notary.usecases.witness_rule import current_rule


def find_witnessed(tx: Transaction, batch: int) -> dict[str, Any] | None:
    """Under which checkpoint a batch has its quorum of witnesses, since when, and whose."""
    row = tx.row("witnessed_batch", index=batch)
    if row is None:
        return None
    return {"size": row[0], "at": format_time(row[1]), "witnesses": cosigner_names(row[2])}


def cosigner_names(note: str) -> list[str]:
    """Who cosigned a checkpoint as it is stored; each line was checked before it was kept."""
    parsed = parse_note(note)
    origin = parsed.text.split("\n", 1)[0]
    return sorted({line.name for line in parsed.unverified} - {origin})


def witness_status(pool: Pool) -> dict[str, Any]:
    """
    The rule in force (`none`: no witness is asked), the newest checkpoint that has its quorum,
    and how each witness stands.
    """
    with pool.transaction(read_only=True) as tx:
        rule = current_rule(tx)
        newest = tx.row("newest_witnessed_size")
        rows = tx.maps("list_witnesses")
    status = "none"
    if rule is not None:
        status = "open" if rule.fails_open else "closed"
    return {
        "fail": status,
        "witnessed_size": 0 if newest is None else newest[0] or 0,
        "alarm": any(map(_is_alarm, rows)),
        "items": [_shown(row) for row in rows],
    }


def _is_alarm(row: dict[str, Any]) -> bool:
    return bool(row["evidence"] is not None or row["claims_fork"])


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    at = row["cosigned_at"]
    return {
        "name": parse_vkey(row["vkey"]).name,
        "asked": row["is_asked"],
        "size": row["cosigned_size"],
        "cosigned": None if at is None else format_time(at),
        "failures": row["failures"],
        "problem": row["problem"],
        "alarm": _is_alarm(row),
    }
