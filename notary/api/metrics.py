# SPDX-License-Identifier: Apache-2.0
"""Prometheus metrics, made from what the database holds when they are asked for."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from notary.ledgers.port import Ledger
from notary.store.pool import Pool
from notary.usecases import look
from notary.usecases.anchor_look import ledger_status
from notary.usecases.quarantine import count_quarantine
from notary.usecases.witness_look import witness_status

GAUGES: Final = {
    "open_datasets": ("notary_open_datasets", "open datasets"),
    "sealed_records": ("notary_sealed_records", "records in batches"),
    "waiting_records": ("notary_waiting_records", "accepted records that no batch holds yet"),
    "batches": ("notary_log_size", "batches in the log"),
    "signed_size": ("notary_signed_size", "size of the newest signed checkpoint"),
    "anchored_size": ("notary_anchored_size", "up to which size each required ledger has the log"),
    "anchors_open": ("notary_anchor_pending", "anchors that are under way or failed"),
}
AGES: Final = {
    "oldest_waiting": ("notary_oldest_unsealed_seconds", "age of the oldest unsealed segment"),
    "oldest_unanchored": (
        "notary_oldest_unanchored_seconds",
        "age of the oldest batch that a required ledger does not hold",
    ),
}
INGEST: Final = "ingest/"
"""Before a client id, the name of its process."""
OF_INGEST: Final = {
    "queue_depth": ("notary_queue_depth", "readings that wait in ingest"),
    "subscribed": ("notary_ingest_subscribed", "1 while subscribed at all brokers"),
}
OF_WITNESSES: Final = (
    ("notary_witness_size", "size", "size of the newest checkpoint that a witness cosigned"),
    ("notary_witness_failures", "failures", "how often in a row a witness failed"),
    ("notary_witness_alarm", "alarm", "1 while a witness stands against this log: fork"),
)
OF_LEDGERS: Final = (
    (
        "notary_ledger_size",
        "size",
        "size of the newest checkpoint that a ledger was read back with",
    ),
    ("notary_anchor_seconds", "anchor_seconds", "how long a ledger's newest anchor took"),
    ("notary_ledger_failures", "failures", "how often in a row a ledger could not be asked"),
    ("notary_anchor_attempts", "attempts", "how often the anchor under way was handed over"),
    ("notary_ledger_stopped", "stopped", "1 while a ledger gets nothing until a person has looked"),
    (
        "notary_ledger_unanchored_seconds",
        "unanchored_seconds",
        "age of the oldest batch that a ledger does not hold",
    ),
)
OUTCOMES: Final = ("accepted", "duplicates", "quarantined")
ANSWERED: Final = ("answers", "notices", "refused", "dropped", "dropped_notices", "ignored")


def write_metrics(pool: Pool, ledgers: Sequence[Ledger], now: datetime) -> tuple[bytes, str]:
    """All metrics as text, and the content type that it has."""
    registry = CollectorRegistry()
    registry.register(_FromDatabase(pool, ledgers, now))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _FromDatabase(Collector):
    def __init__(self, pool: Pool, ledgers: Sequence[Ledger], now: datetime) -> None:
        self._pool, self._ledgers, self._now = pool, ledgers, now

    def collect(self) -> Iterator[Metric]:
        """Every metric, once."""
        totals = look.totals(self._pool, self._ledgers)
        for member, (name, help_) in GAUGES.items():
            yield GaugeMetricFamily(name, help_, value=float(totals[member] or 0))
        for member, (name, help_) in AGES.items():
            since = totals[member]
            age = (self._now - since).total_seconds() if since else 0.0
            yield GaugeMetricFamily(name, help_, value=max(age, 0.0))
        yield self._quarantine()
        yield from self._processes(look.heartbeats(self._pool))
        yield from _witnesses(witness_status(self._pool))
        yield from _ledgers(ledger_status(self._pool, self._ledgers, self._now))

    def _quarantine(self) -> Metric:
        metric = CounterMetricFamily(
            "notary_quarantined", "what could not become a record", labels=["reason"]
        )
        for row in count_quarantine(self._pool):
            metric.add_metric([row["reason"]], row["kept"] + row["only_counted"])
        return metric

    def _processes(self, processes: Mapping[str, Mapping[str, Any]]) -> Iterator[Metric]:
        seen = GaugeMetricFamily(
            "notary_process_seen_timestamp_seconds", "last sign of life", labels=["process"]
        )
        for name, process in processes.items():
            seen.add_metric([name], process["seen_at"].timestamp())
        yield seen
        ingests = {
            name.removeprefix(INGEST): process["facts"]
            for name, process in processes.items()
            if name.startswith(INGEST)
        }
        messages = CounterMetricFamily(
            "notary_ingest_readings",
            "readings since ingest began",
            labels=["client_id", "outcome"],
        )
        told = CounterMetricFamily(
            "notary_ingest_answers",
            "messages to devices since ingest began",
            labels=["client_id", "outcome"],
        )
        for client_id, facts in ingests.items():
            for outcome in OUTCOMES:
                messages.add_metric([client_id, outcome], _number(facts, outcome))
            for outcome in ANSWERED:
                told.add_metric([client_id, outcome], _number(facts.get("answers", {}), outcome))
        yield messages
        yield told
        for name, (metric, help_) in OF_INGEST.items():
            gauge = GaugeMetricFamily(metric, help_, labels=["client_id"])
            for client_id, facts in ingests.items():
                gauge.add_metric([client_id], _number(facts, name))
            yield gauge
        yield from _brokers_and_feeds(ingests)


def _brokers_and_feeds(ingests: Mapping[str, Mapping[str, Any]]) -> Iterator[Metric]:
    subscribed = GaugeMetricFamily(
        "notary_broker_subscribed",
        "1 while a broker has granted all filters",
        labels=["client_id", "broker"],
    )
    silent = GaugeMetricFamily(
        "notary_feed_silent",
        "1 while a feed says nothing for longer than its interval",
        labels=["client_id", "feed"],
    )
    last = GaugeMetricFamily(
        "notary_feed_last_message_timestamp_seconds",
        "newest message of a feed",
        labels=["client_id", "feed"],
    )
    for client_id, facts in ingests.items():
        for name, broker in facts.get("brokers", {}).items():
            subscribed.add_metric([client_id, name], _number(broker, "subscribed"))
        for name, feed in facts.get("feeds", {}).items():
            silent.add_metric([client_id, name], _number(feed, "silent"))
            when = feed.get("last_message_at")
            if when:
                last.add_metric([client_id, name], datetime.fromisoformat(when).timestamp())
    yield from (subscribed, silent, last)


def _witnesses(status: Mapping[str, Any]) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "notary_witnessed_size",
        "size of the newest checkpoint with its quorum of witnesses",
        value=float(status["witnessed_size"]),
    )
    for name, member, help_ in OF_WITNESSES:
        gauge = GaugeMetricFamily(name, help_, labels=["witness"])
        for witness in status["items"]:
            gauge.add_metric([witness["name"]], _number(witness, member))
        yield gauge


def _ledgers(status: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    for name, member, help_ in OF_LEDGERS:
        gauge = GaugeMetricFamily(name, help_, labels=["ledger"])
        for ledger in status:
            if ledger["configured"]:
                gauge.add_metric([ledger["name"]], _number(ledger, member))
        yield gauge


def _number(facts: Mapping[str, Any], name: str) -> float:
    value = facts.get(name)
    return float(value) if isinstance(value, bool | int | float) else 0.0
