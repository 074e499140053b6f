# SPDX-License-Identifier: Apache-2.0
"""Is it alive, is it ready, how does it stand: for load balancers, people and Prometheus."""

from collections.abc import Iterator
from datetime import UTC, datetime

from flask import Response
from flask_smorest import Blueprint
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from notary.api.auth import parts, right
from notary.api.writing import answer
from notary.core.errors import NotaryError
from notary.usecases import look
from notary.usecases.quarantine import count_quarantine
from notary.wiring import Parts, clock

blueprint = Blueprint("health", __name__)
STALE_SECONDS = 15


@blueprint.get("/livez")
@right("public")
def livez() -> Response:
    """The process answers."""
    return answer({"live": True})


@blueprint.get("/readyz")
@right("public")
def readyz() -> Response:
    """The database is there, at its newest shape, and the gate is open."""
    try:
        parts().gate.open()
    except NotaryError as error:
        return answer({"ready": False, "problem": error.code, "detail": error.detail}, 503)
    return answer({"ready": True})


@blueprint.get("/statusz")
@right("public")
def statusz() -> Response:
    """How each process stands, and what waits."""
    pool, now = parts().pool, clock()
    processes = look.heartbeats(pool)
    for process in processes.values():
        age = (now - process["seen_at"]).total_seconds()
        process.update(age_seconds=round(age, 1), stale=age > STALE_SECONDS)
    return answer(
        {
            "name": parts().settings.name,
            "time": now,
            "second_root": "on" if parts().settings.second_root else "off",
            "totals": look.totals(pool),
            "quarantine": count_quarantine(pool),
            "processes": processes,
        }
    )


@blueprint.get("/metrics")
@right("public")
def metrics() -> Response:
    """The same for Prometheus, read from the database: right under any number of workers."""
    registry = CollectorRegistry()
    registry.register(_FromDatabase(parts(), clock()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _FromDatabase(Collector):
    def __init__(self, parts: Parts, now: datetime) -> None:
        self._parts = parts
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One gauge for each count, and those that processes said of themselves."""
        totals = look.totals(self._parts.pool)
        oldest = totals.pop("oldest_waiting")
        waits = (self._now - oldest).total_seconds() if oldest else 0.0
        for name, value in {**totals, "oldest_waiting_seconds": waits}.items():
            yield GaugeMetricFamily(f"notary_{name}", name.replace("_", " "), value=value or 0)
        quarantine = GaugeMetricFamily(
            "notary_quarantine_messages", "not accepted, by reason", labels=["reason"]
        )
        for row in count_quarantine(self._parts.pool):
            quarantine.add_metric([row["reason"]], row["kept"] + row["only_counted"])
        yield quarantine
        yield from self._processes()

    def _processes(self) -> Iterator[GaugeMetricFamily]:
        seen = GaugeMetricFamily(
            "notary_process_seen_timestamp_seconds", "last sign of life", labels=["process"]
        )
        facts = GaugeMetricFamily(
            "notary_process", "what a process counts", labels=["process", "fact"]
        )
        for name, process in look.heartbeats(self._parts.pool).items():
            seen.add_metric([name], process["seen_at"].astimezone(UTC).timestamp())
            for fact, value in process["facts"].items():
                if isinstance(value, bool | int | float):
                    facts.add_metric([name, fact], float(value))
        yield seen
        yield facts
