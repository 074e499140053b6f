# SPDX-License-Identifier: Apache-2.0
"""How a ledger stands by the database, and when something is to be done about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from notary.ledgers.port import AnchorState, Ledger
from notary.store.pool import Pool, Transaction

FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=5)
LONGEST_WAIT: Final = timedelta(minutes=1)
HANDING_OVER: Final = timedelta(seconds=30)
"""So long it is left to whoever began to hand it over; after a crash nobody does."""
MOST_AHEAD: Final = timedelta(minutes=10)
"""A time that lies further ahead was noted by a clock that was wrong: nobody waits for it."""
WAIT_PART: Final = 8
"""Finality is asked for again after this part of the time for which it was waited so far."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The anchor that is under way."""

    size: int
    root: bytes
    state: AnchorState
    reference: str | None
    attempts: int
    submitted_at: datetime | None
    changed_at: datetime

    def not_before(self, *, own_word: bool) -> datetime:
        """
        When it is moved on: pauses grow, from what is committed alone. `own_word`: the ledger is
        the notary's own, where two that hand over at once do no harm.
        """
        if self.state in ("submitted", "committed") and self.submitted_at is not None:
            waited = self.changed_at - self.submitted_at
            pause = min(max(waited / WAIT_PART, FIRST_PAUSE), LONGEST_WAIT)
            # Perhaps it was not asked for yet: a crash after it was handed over.
            return self.changed_at + pause if waited else self.changed_at
        pause = growing_pause(self.attempts)
        if self.state == "unknown":
            return self.changed_at + pause
        # Never tried, or a crash while it was handed over, or another process is at it.
        is_ours = own_word or not self.attempts
        return self.changed_at if is_ours else self.changed_at + max(pause, HANDING_OVER)


@dataclass(frozen=True, slots=True)
class Work:
    """
    One ledger: the newest checkpoint's size, its last anchor (size, when it was begun), the one
    under way, the refused one (size, why), the newest verified one (size, root, reference), the
    kind that the ledger had, and how often in a row, since when and why it could not be asked.
    """

    newest: int | None
    last: tuple[int, datetime] | None
    under_way: UnderWay | None
    refused: tuple[int, str] | None
    verified: tuple[int, bytes, str | None] | None
    kind: str | None
    failures: int
    failed_at: datetime | None

    def stopped(self, ledger: Ledger) -> tuple[int, str] | None:
        """Of which size and why the ledger gets nothing until a person has looked."""
        if self.kind is not None and self.kind != ledger.kind:
            return 0, of_another_kind(ledger.name, self.kind)
        return self.refused

    def is_due(
        self, ledger: Ledger, interval: timedelta, now: datetime, *, at_once: bool = False
    ) -> bool:
        """
        Whether there is something to be done now; `interval` for a ledger without one of its own.
        `at_once`: whatever interval and pauses.
        """
        if self.under_way is not None:
            due_at = self.under_way.not_before(own_word=ledger.own_word)
            return at_once or now >= due_at or _is_ahead(self.under_way.changed_at, now)
        if self.newest is None or (self.last is not None and self.last[0] >= self.newest):
            return False
        if at_once or self.last is None:
            return True
        began_at, failed_at = self.last[1], self.failed_at or self.last[1]
        is_paused = now < failed_at + growing_pause(self.failures)
        if is_paused and not _is_ahead(failed_at, now):
            return False
        return now - began_at >= (ledger.interval or interval) or _is_ahead(began_at, now)


def of_another_kind(ledger: str, kind: str) -> str:
    """Why a ledger whose name stood for another kind gets nothing."""
    return (
        f"The ledger {ledger} was of kind {kind}, and its anchors are: give the new one another "
        "name."
    )


def _is_ahead(noted: datetime, now: datetime) -> bool:
    return noted - now > MOST_AHEAD


def growing_pause(failures: int) -> timedelta:
    """How long to leave a ledger alone after so many failures in a row."""
    if failures == 0:
        return timedelta(0)
    doubled: int = 2 ** min(failures - 1, 16)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)


def read_work(tx: Transaction, ledgers: Sequence[str]) -> list[Work]:
    """How each of the ledgers stands, in their order."""
    return [_work(row) for row in tx.maps("ledger_work", ledgers=list(ledgers))]


def _work(row: dict[str, Any]) -> Work:
    under_way = None
    if row["size"] is not None:
        under_way = UnderWay(
            row["size"],
            row["root"],
            row["state"],
            row["reference"],
            row["attempts"],
            row["submitted_at"],
            row["changed_at"],
        )
    return Work(
        newest=row["newest"],
        last=_pair(row["last_size"], row["last_built_at"]),
        under_way=under_way,
        refused=_pair(row["refused_size"], row["refused_error"] or "The ledger refused it."),
        verified=None
        if row["verified_size"] is None
        else (row["verified_size"], row["verified_root"], row["verified_reference"]),
        kind=row["kind"],
        failures=row["failures"] or 0,
        failed_at=row["failed_at"],
    )


def _pair(size: int | None, more: Any) -> tuple[int, Any] | None:
    return None if size is None else (size, more)


def of_their_kind(pool: Pool, ledgers: Sequence[Ledger]) -> list[Ledger]:
    """Without those whose name stood for another kind when they were first anchored on."""
    with pool.transaction(read_only=True) as tx:
        rows = tx.rows("ledger_kinds", ledgers=[ledger.name for ledger in ledgers])
    kinds = dict(rows)
    return [one for one in ledgers if kinds.get(one.name, one.kind) == one.kind]


def first_anchored(pool: Pool, ledger: str) -> int | None:
    """The smallest size whose anchor on a ledger is verified; None before that."""
    with pool.transaction(read_only=True) as tx:
        row = tx.row("first_verified_anchor", ledger=ledger)
    return None if row is None else int(row[0])
