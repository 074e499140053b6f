# SPDX-License-Identifier: Apache-2.0
"""
What a monitor writes down after each look: its report (docs/spec/monitor-v1.md), and a file of
Prometheus metrics. Both are whole at any moment.
"""

import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from notary.core.monitor_report import MAX_LISTED, NotChecked, Report, format_report
from notary.core.trust import Trust
from notary.core.words import parse_time
from notary.monitor.alarms import count_by_kind, listed, standing
from notary.monitor.entries import remembered
from notary.monitor.state import State

REPORT: Final = "report.json"
METRICS: Final = "metrics.prom"
MODE: Final = 0o644


def report_of(state: State, trust: Trust, not_checked: Sequence[NotChecked]) -> Report | None:
    """What is known of the log; None: nothing yet. Raises MonitorRefused as `remembered`."""
    signed = remembered(state, trust)
    if signed is None:
        return None
    return Report(
        origin=signed.checkpoint.origin,
        fingerprint=bytes.fromhex(signed.log.verifier.fingerprint),
        checkpoint=state.get("note") or "",
        size=signed.checkpoint.size,
        root=signed.checkpoint.root,
        since=parse_time(state.get("since")),
        followed=parse_time(state.get("followed")),
        batches=state.number("looked"),
        records=state.number("records"),
        rows=state.number("rows"),
        standing=standing(state),
        alarms=listed(state),
        not_checked=tuple(not_checked[:MAX_LISTED]),
    )


def write_report(folder: Path, report: Report) -> Path:
    """Where the report lies. Raises OSError."""
    return _write(folder / REPORT, format_report(report))


def write_metrics(state: State, now: datetime, *, is_reached: bool) -> None:
    """For the text file collector of Prometheus' node exporter. Raises OSError."""
    followed = state.get("followed")
    lines = [
        *_metric("reachable", "Whether the last look got its answers.", int(is_reached)),
        *_metric("looked_seconds", "When it was looked at last.", int(now.timestamp())),
        *_metric(
            "followed_seconds",
            "When a state of the log was followed last.",
            0 if followed is None else int(parse_time(followed).timestamp()),
        ),
        *_metric("size", "Entries of the log that was followed.", state.number("size")),
        *_metric("batches", "Entries that were looked at whole.", state.number("looked")),
        "# HELP notary_monitor_alarms Alarms that stand, by kind.",
        "# TYPE notary_monitor_alarms gauge",
    ]
    for kind, count in count_by_kind(state).items():
        lines.append(f'notary_monitor_alarms{{kind="{kind}"}} {count}')
    _write(state.folder / METRICS, "".join(f"{line}\n" for line in lines))


def _metric(name: str, help_: str, value: int) -> Iterable[str]:
    yield f"# HELP notary_monitor_{name} {help_}"
    yield f"# TYPE notary_monitor_{name} gauge"
    yield f"notary_monitor_{name} {value}"


def _write(path: Path, text: str) -> Path:
    """Write a file in one step: after a crash it holds this, or what it held before."""
    beside = path.with_name(f".{path.name}")
    number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)
    with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    return path
