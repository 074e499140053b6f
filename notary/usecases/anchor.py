# SPDX-License-Identifier: Apache-2.0
"""
Anchor: hand the newest checkpoint to a ledger, and keep what comes back.

Each ledger has at most one anchor under way. Each step's state is committed before the next:

1. `built`: the intention. A crash after it: the next call goes on here.
2. the attempt is counted, before anything is handed over. A crash after it: nobody knows whether
   the ledger has it; it is handed over again, after a pause, and the ledger takes it once.
3. `submitted`, with the reference by which the ledger finds it again.
4. `committed`, `verified` with its evidence, as read back from the ledger and checked.

A ledger that is down costs only its anchors: what is under way stays so, and once that is
verified the newest checkpoint covers all that came in between. A time-out is `unknown`, never
`failed`. What a ledger refuses is `failed`, and it gets nothing more until a person has looked.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from notary.core.errors import NotaryError
from notary.ledgers.port import (
    AnchorState,
    Ledger,
    LedgerRefused,
    LedgerUnavailable,
    anchorable,
)
from notary.store.pool import Pool, Transaction
from notary.usecases.anchor_check import check_kept
from notary.usecases.anchor_work import UnderWay, Work, read_work
from notary.usecases.closed_logs import Origins, read_origins
from notary.usecases.gate import Gate

Clock = Callable[[], datetime]
MAX_ERROR_CHARACTERS: Final = 2_000
OVERTAKEN: Final = "It will never be there; a larger size covers it."


@dataclass(frozen=True, slots=True)
class Anchored:
    """Where an anchor stands after a step; `error` says what a person should know."""

    ledger: str
    size: int
    state: AnchorState
    error: str | None = None


def anchor(
    pool: Pool,
    gate: Gate,
    ledger: Ledger,
    interval: timedelta,
    clock: Clock,
    *,
    at_once: bool = False,
) -> list[Anchored]:
    """
    Move on the anchor that is under way, and begin one where the interval is over.

    `interval` is used for a ledger that has none of its own; `at_once`: whatever interval and
    pauses. Returns where each anchor that was touched stands, and always the one that was
    refused.

    Raises:
        StateRefused: the gate is closed.
        StoreUnavailable: the database went away; the next call goes on.
    """
    gate.open()
    moved: list[Anchored] = []
    while (step := _step(pool, ledger, interval, clock, at_once)) is not None:
        moved.append(step)
        if step.state != "verified":
            break
    return moved


def look_back(pool: Pool, ledger: Ledger, clock: Clock) -> Anchored | None:
    """
    See whether a ledger still holds what was last read back from it, and note what else it holds.

    Where nothing was read back yet it is asked about the newest checkpoint: this may be an older
    database than the one that was anchored. None: it does, or there is nothing to ask it about.
    """
    with pool.transaction(read_only=True) as tx:
        origins, work = read_origins(tx), read_work(tx, [ledger.name])[0]
        newest = None if work.newest is None else tx.row("get_checkpoint", size=work.newest)
    if work.kind not in (None, ledger.kind):
        return None
    if work.verified is not None:
        return _look(pool, ledger, origins, work.verified, clock)
    if newest is None or not ledger.remembers:
        return None
    return _look(pool, ledger, origins, (newest[0], newest[1], None), clock, is_new=True)


def evidence_text(evidence: Mapping[str, object]) -> str:
    """A ledger's evidence as it is stored: always the same text for the same evidence."""
    return json.dumps(evidence, sort_keys=True)


def _step(
    pool: Pool, ledger: Ledger, interval: timedelta, clock: Clock, at_once: bool
) -> Anchored | None:
    with pool.transaction(read_only=True) as tx:
        origins, work = read_origins(tx), read_work(tx, [ledger.name])[0]
    stopped = work.stopped(ledger)
    if stopped is not None:
        return Anchored(ledger.name, stopped[0], "failed", stopped[1])
    if not work.is_due(ledger, interval, clock(), at_once=at_once):
        return None
    if work.under_way is None:
        trouble = _begin(pool, ledger, origins, work, clock)
        if trouble is not None:
            return trouble
        with pool.transaction(read_only=True) as tx:
            work = read_work(tx, [ledger.name])[0]
    if work.under_way is None:
        return None  # somebody else was faster
    return _Move(pool, ledger, origins, work.under_way, clock).go()


def _begin(
    pool: Pool, ledger: Ledger, origins: Origins, work: Work, clock: Clock
) -> Anchored | None:
    """Commit the intention to anchor the newest checkpoint; or say why the ledger is left."""
    if work.verified is not None:
        trouble = _look(pool, ledger, origins, work.verified, clock)
        # Where others stand behind the ledger it isn't ours to restore: the newest checkpoint is
        # handed to it all the same. What it lost, it lost.
        if trouble is not None and (ledger.own_word or trouble.state == "failed"):
            return trouble
    with pool.transaction() as tx:
        tx.do("note_ledger", ledger=ledger.name, kind=ledger.kind, own_word=ledger.own_word)
        tx.do("add_anchor", ledger=ledger.name, size=work.newest, now=clock())
    # 1 is durable.
    return None


def _look(
    pool: Pool,
    ledger: Ledger,
    origins: Origins,
    verified: tuple[int, bytes, str | None],
    clock: Clock,
    *,
    is_new: bool = False,
) -> Anchored | None:
    """
    A ledger that was lost or set back must not be written on as if it were whole. `is_new`: it
    need not hold the checkpoint.
    """
    size, root, reference = verified
    error: str | None = None
    stopped: AnchorState = "unknown"
    try:
        state = ledger.confirm(anchorable(origins.at(size), size, root), reference)
        if state != "verified" and not is_new:
            error = f"The ledger no longer holds size {size}, which was read back from it" + (
                ": restore it; until then nothing is written to it." if ledger.own_word else "."
            )
    except LedgerRefused as refused:
        stopped, error = "failed", refused.detail
    except LedgerUnavailable as unavailable:
        error = unavailable.detail
    except NotaryError:
        raise
    except Exception as stray:
        error = _stray(stray)
    with pool.transaction() as tx:
        _hear(tx, ledger, origins.origin)
        if error is None:
            tx.do("ledger_works", ledger=ledger.name)
        else:
            error = error[:MAX_ERROR_CHARACTERS]
            tx.do("ledger_failed", ledger=ledger.name, error=error, now=clock())
    return None if error is None else Anchored(ledger.name, size, stopped, error)


def _stray(error: Exception) -> str:
    """Whatever an adapter stumbles over must not cost more than its ledger's anchors."""
    return f"The adapter failed: {type(error).__name__}: {error}"


def _hear(tx: Transaction, ledger: Ledger, origin: str) -> None:
    """Note for all processes how much of the log the ledger holds: the gate compares."""
    if ledger.own_word:
        return  # the gate reads it by itself
    newest = ledger.newest(origin)
    if newest is not None:
        tx.do("note_ledger", ledger=ledger.name, kind=ledger.kind, own_word=False)
        tx.do(
            "heard_of_ledger", ledger=ledger.name, origin=origin, newest=newest[0], root=newest[1]
        )


class _Move:
    """One anchor that is under way, moved as far as it goes now."""

    def __init__(
        self, pool: Pool, ledger: Ledger, origins: Origins, under_way: UnderWay, clock: Clock
    ) -> None:
        self._pool, self._ledger, self._clock = pool, ledger, clock
        self._origin, self._log = origins.origin, origins.at(under_way.size)
        self._what = anchorable(self._log, under_way.size, under_way.root)
        self._state, self._reference = under_way.state, under_way.reference
        self._attempts = under_way.attempts
        self._evidence: str | None = None

    def go(self) -> Anchored | None:
        """Where it stands then; None: another process is at it."""
        error: str | None = None
        is_refused = False
        try:
            if not self._hand_over():
                return None
            self._read_back()
            if self._state == "failed":
                error = OVERTAKEN
        except LedgerUnavailable as unavailable:
            error = unavailable.detail
        except LedgerRefused as refused:
            self._state, error, is_refused = "failed", refused.detail, True
        except NotaryError:
            raise  # ours, not the ledger's: the database is away, say
        except Exception as stray:
            error = _stray(stray)
        if self._state == "built":
            self._state = "unknown"
        error = None if error is None else error[:MAX_ERROR_CHARACTERS]
        with self._pool.transaction() as tx:
            self._do(
                tx,
                "move_anchor",
                state=self._state,
                refused=is_refused,
                evidence=self._evidence,
                error=error,
            )
            _hear(tx, self._ledger, self._origin)
        # 4 is durable.
        return Anchored(self._ledger.name, self._what.size, self._state, error)

    def _hand_over(self) -> bool:
        """Idempotent: what a crash or a time-out left unknown is handed over again."""
        if self._state not in ("built", "unknown"):
            return True
        with self._pool.transaction() as tx:
            if not self._do(tx, "try_anchor", attempts=self._attempts):
                return False
        # 2 is durable.
        self._reference = self._ledger.submit(self._what, self._reference, self._clock())
        with self._pool.transaction() as tx:
            self._do(tx, "anchor_submitted", reference=self._reference)
        # 3 is durable.
        self._state = "submitted"
        return True

    def _read_back(self) -> None:
        state = self._ledger.confirm(self._what, self._reference)
        if state == "verified":
            evidence = evidence_text(self._ledger.evidence(self._what, self._reference))
            self._check(evidence)
            self._evidence = evidence
        self._state = state

    def _check(self, evidence: str) -> None:
        """What a stranger would refuse is never kept: it would stand in receipts for good."""
        what, kind = self._what, self._ledger.kind
        row = {"kind": kind, "size": what.size, "root": what.root, "evidence": evidence}
        check = check_kept(row, self._ledger, self._log)
        if check.outcome == "differs":
            raise LedgerUnavailable(f"The evidence that came back does not hold: {check.why}")

    def _do(self, tx: Transaction, name: str, /, **values: object) -> int:
        what = {"ledger": self._ledger.name, "size": self._what.size, "now": self._clock()}
        return tx.do(name, **what, **values)
