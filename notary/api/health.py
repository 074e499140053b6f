# SPDX-License-Identifier: Apache-2.0
"""Is it alive, is it ready, how does it stand."""

from datetime import datetime
from typing import Any

from flask import Response

from notary.api.answers import answer
from notary.api.metrics import write_metrics
from notary.api.routes import Routes
from notary.api.services import services
from notary.core.errors import NotaryError
from notary.store.migrations import check_at_head
from notary.usecases import look
from notary.usecases.anchor_look import ledger_status
from notary.usecases.quarantine import count_quarantine
from notary.usecases.witness_look import witness_status
from schemas.answers import ReadyAnswer, StatusAnswer

routes = Routes("health", "For load balancers, operators and Prometheus.")
STALE_SECONDS = 15
_STATUS = StatusAnswer()


@routes.get("/livez", right="public", answers={200: ReadyAnswer})
def livez() -> Response:
    """The process answers."""
    return answer({"live": True})


@routes.get("/readyz", right="public", answers={200: ReadyAnswer})
def readyz() -> Response:
    """The database answers and has the newest shape. Reading needs nothing else."""
    with services().pool.transaction(read_only=True) as tx:
        check_at_head(tx)
    return answer({"ready": True})


@routes.get("/statusz", right="public", answers={200: StatusAnswer})
def statusz() -> Response:
    """How the log, each process and the gate stand, and what waits."""
    parts, now = services(), services().clock()
    status = {
        "name": parts.name,
        "version": parts.version,
        "time": now,
        "gate": _gate(),
        "second_root": "on" if parts.second_root else "off",
        "totals": _totals(now),
        "quarantine": count_quarantine(parts.pool),
        "processes": _processes(now),
        "witnesses": witness_status(parts.pool),
        "ledgers": _ledgers(now),
    }
    return answer(_STATUS.dump(status))


@routes.get("/metrics", right="public", answers={200: "text/plain"})
def metrics() -> Response:
    """For Prometheus; read from the database, so right under any number of workers."""
    text, content_type = write_metrics(services().pool, services().ledgers, services().clock())
    return Response(text, content_type=content_type)


def _gate() -> dict[str, object]:
    """Whether accepting is open; why not, as a word: the sentence is for the operator's log."""
    try:
        services().gate.open()
    except NotaryError as error:
        return {"open": False, "problem": error.code, "reason": error.facts.get("reason")}
    return {"open": True}


def _totals(now: datetime) -> dict[str, Any]:
    totals = look.totals(services().pool, services().ledgers)
    for name in ("oldest_waiting", "oldest_unanchored"):
        since = totals.pop(name)
        totals[f"{name}_seconds"] = None if since is None else _age(since, now)
    return totals


def _processes(now: datetime) -> dict[str, dict[str, Any]]:
    processes = look.heartbeats(services().pool)
    for process in processes.values():
        age = _age(process["seen_at"], now)
        process.update(
            seen_at=process["seen_at"].isoformat(), age_seconds=age, stale=age > STALE_SECONDS
        )
        process["facts"].pop("detail", None)
    return processes


def _ledgers(now: datetime) -> list[dict[str, Any]]:
    """How each ledger stands; what it said is for the operator's log."""
    status = ledger_status(services().pool, services().ledgers, now)
    return [{name: one[name] for name in one if name != "error"} for one in status]


def _age(since: datetime, now: datetime) -> float:
    return round((now - since).total_seconds(), 1)
