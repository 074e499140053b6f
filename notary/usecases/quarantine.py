# SPDX-License-Identifier: Apache-2.0
"""
What could not become a record: kept with its reason, so that nothing is dropped silently.

Of each feed, topic and reason the first MAX_KEPT are kept, the others only counted; beyond
MAX_TOPICS different ones, further topics are counted together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notary.store.pool import Pool
from notary.usecases.registers import NotFound

MAX_KEPT = 100
MAX_TOPICS = 10_000
MAX_KEPT_BYTES = 65_536
OTHER_TOPICS = "(other topics)"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message, or a part of one, with the reason why it is no record."""

    feed: str
    topic: str
    dataset: str | None
    reason: str
    detail: str
    payload: bytes


def put_aside(pool: Pool, rejected: Sequence[Rejected], now: datetime) -> None:
    """Keep or count each. Committed when this returns. Raises StoreUnavailable."""
    with pool.transaction() as tx:
        topics = tx.rows("topics_in_quarantine")[0][0]
        for one in rejected:
            topic = _clean(one.topic) if topics < MAX_TOPICS else OTHER_TOPICS
            where = {"feed": _clean(one.feed), "topic": topic, "reason": one.reason}
            kept = tx.rows("count_quarantine", **where)[0][0]
            keep = kept < MAX_KEPT
            tx.do("raise_quarantine", kept=int(keep), counted=int(not keep), **where)
            if keep:
                tx.do(
                    "keep_in_quarantine",
                    now=now,
                    dataset=one.dataset,
                    detail=_clean(one.detail),
                    size_bytes=len(one.payload),
                    payload=one.payload[:MAX_KEPT_BYTES],
                    **where,
                )


def list_quarantine(pool: Pool, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
    """What is kept, by id, without the payloads."""
    with pool.transaction(read_only=True) as tx:
        return tx.maps("list_quarantine", after=after, limit=limit)


def show_quarantined(pool: Pool, id_: int) -> dict[str, Any]:
    """One of them with its payload. Raises NotFound."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.maps("get_quarantined", id=id_)
    if not rows:
        raise NotFound(f"Nothing in quarantine has the id {id_}.")
    return rows[0]


def count_quarantine(pool: Pool) -> list[dict[str, Any]]:
    """By reason: how many are kept, how many only counted."""
    with pool.transaction(read_only=True) as tx:
        return tx.maps("quarantine_totals")


def _clean(text: str) -> str:
    """Text that the database takes: without U+0000 and halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")[:1000]
