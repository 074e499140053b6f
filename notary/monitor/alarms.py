# SPDX-License-Identifier: Apache-2.0
"""
Alarms: one for each matter, until the matter is whole again; proof of a lie never ends.

Kinds and their meaning: docs/spec/monitor-v1.md, section Alarms.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from notary.core.monitor_report import MAX_FACT_CHARACTERS, MAX_LISTED, Alarm, Facts
from notary.core.words import format_time, parse_time
from notary.monitor.state import State
from notary.texts import printable

PROOFS: Final = frozenset(
    {"fork", "bad-entry", "broken-dataset", "bad-runs", "broken-chain", "second-chain"}
    | {"bad-version", "backdated", "future-dated", "other-anchor", "broken-promise"}
)
"""What the log's own signature, or a ledger's, stands under."""

CONDITIONS: Final = frozenset(
    {"went-back", "bad-checkpoint", "unwitnessed", "withheld", "rewritten", "late-checkpoint"}
    | {"late-anchor", "hidden", "overdue"}
)
"""What ends once the monitor looks again and finds it whole."""

KINDS: Final = PROOFS | CONDITIONS
MAX_KEPT: Final = 10_000
"""So many alarms say enough: of a log that breaks every rule the rest isn't kept."""


class Alarms:
    """The alarms of one state; everything happens at `now`. Inside `with state:`."""

    def __init__(self, state: State, now: datetime) -> None:
        self._state = state
        self._now = format_time(now)

    def sound(self, kind: str, matter: str = "", **facts: object) -> None:
        """Raise an alarm on a matter; where one stands, it stays as it is."""
        assert kind in KINDS
        state, told = self._state, json.dumps(_facts(facts), sort_keys=True)
        known = state.row("SELECT ended FROM alarms WHERE kind = ? AND matter = ?", kind, matter)
        if known is None:
            if state.row("SELECT count(*) FROM alarms")[0] < MAX_KEPT:
                state.do(
                    "INSERT INTO alarms (kind, matter, at, facts, told) VALUES (?, ?, ?, ?, 0)",
                    *(kind, matter, self._now, told),
                )
        elif known[0] is not None:
            state.do(
                "UPDATE alarms SET at = ?, ended = NULL, facts = ?, told = 0"
                " WHERE kind = ? AND matter = ?",
                *(self._now, told, kind, matter),
            )

    def whole(self, kind: str, matter: str = "") -> None:
        """End the alarm on a matter, if one stands: it was looked at, and nothing is wrong."""
        assert kind in CONDITIONS
        self._state.do(
            "UPDATE alarms SET ended = max(?, at), told = 0"
            " WHERE kind = ? AND matter = ? AND ended IS NULL",
            *(self._now, kind, matter),
        )


def standing(state: State) -> int:
    """How many alarms stand."""
    return int(state.row("SELECT count(*) FROM alarms WHERE ended IS NULL")[0])


def count_by_kind(state: State) -> dict[str, int]:
    """How many stand of each kind, 0 included."""
    found = dict(state.rows("SELECT kind, count(*) FROM alarms WHERE ended IS NULL GROUP BY kind"))
    return {kind: int(found.get(kind, 0)) for kind in sorted(KINDS)}


def standing_matters(state: State, kind: str) -> list[str]:
    """The matters of the standing alarms of a kind."""
    found = state.rows("SELECT matter FROM alarms WHERE kind = ? AND ended IS NULL", kind)
    return [str(matter) for (matter,) in found]


def listed(state: State) -> tuple[Alarm, ...]:
    """The alarms for a report: those that stand first, the newest first among equals."""
    found = state.rows(
        "SELECT kind, at, ended, facts FROM alarms"
        " ORDER BY ended IS NOT NULL, at DESC, id DESC LIMIT ?",
        MAX_LISTED,
    )
    return tuple(_alarm(*row) for row in found)


def changed(state: State, now: datetime) -> list[Alarm]:
    """What was raised or ended at `now`."""
    time = format_time(now)
    found = state.rows(
        "SELECT kind, at, ended, facts FROM alarms WHERE ended = ? OR at = ? ORDER BY id",
        *(time, time),
    )
    return [_alarm(*row) for row in found]


def untold(state: State) -> Iterator[tuple[int, Alarm]]:
    """The alarms whose raising or end the webhook wasn't told, the oldest first, with ids."""
    found = state.rows("SELECT id, kind, at, ended, facts FROM alarms WHERE told = 0 ORDER BY id")
    return ((number, _alarm(*row)) for number, *row in found)


def mark_told(state: State, ids: list[int]) -> None:
    """The webhook has them."""
    state.db.executemany("UPDATE alarms SET told = 1 WHERE id = ?", [(one,) for one in ids])


def _alarm(kind: str, at: str, ended: str | None, facts: str) -> Alarm:
    end = None if ended is None else parse_time(ended)
    return Alarm(kind, parse_time(at), end, json.loads(facts))


def _facts(facts: dict[str, object]) -> Facts:
    """As the report has them: integers, and texts without what a terminal could heed."""
    return {
        name: value if isinstance(value, int) else _shown(value)
        for name, value in facts.items()
        if value is not None
    }


def _shown(value: object) -> str:
    text = format_time(value) if isinstance(value, datetime) else str(value)
    return printable(text)[:MAX_FACT_CHARACTERS] or "-"
