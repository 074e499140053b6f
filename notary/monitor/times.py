# SPDX-License-Identifier: Apache-2.0
"""
The notary's clock against others': the witnesses', the monitor's own, and its own earlier word.

A batch that wasn't in a state of the log which was shown, or cosigned, at some time holds no
record that came long before that time: it would have been sealed by then. How long is the
trust file's delay.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from notary.core.descriptor import Descriptor
from notary.core.words import parse_time
from notary.monitor.alarms import Alarms
from notary.monitor.state import State

CLOCKS: Final = timedelta(seconds=60)
"""By so much the clocks of honest parties may differ."""


def look_at_times(
    state: State,
    alarms: Alarms,
    index: int,
    descriptor: Descriptor,
    dataset: Any,
    delay: timedelta,
    now: datetime,
) -> None:
    """
    Hold the times of a batch, whose dataset's row is given as far as there is one, against
    the states of the log without it, against what its dataset held before, and against `now`.
    """
    facts = {"index": index, "dataset": descriptor.dataset, "first": descriptor.first}
    shown = _without(state, index)
    if shown is not None and descriptor.first + delay < shown:
        alarms.sound("backdated", str(index), reason="shown", than=shown, **facts)
    latest = None if dataset is None else parse_time(dataset["latest"])
    if latest is not None and descriptor.first + delay < latest:
        alarms.sound("backdated", str(index), reason="order", than=latest, **facts)
    if descriptor.last > now + CLOCKS:
        facts = {"index": index, "dataset": descriptor.dataset, "last": descriptor.last}
        alarms.sound("future-dated", str(index), than=now, **facts)


def _without(state: State, index: int) -> datetime | None:
    """The latest time at which a state of the log without this entry was shown or cosigned."""
    row = state.row(
        "SELECT until, witnessed FROM seen WHERE size <= ? ORDER BY size DESC LIMIT 1", index
    )
    if row is None:
        return None
    return max(parse_time(time) for time in row if time)


def forget_seen(state: State, sizes: list[int]) -> None:
    """
    Keep of the checkpoints seen the newest, the first beyond each of these sizes, and the last
    one without the next entry to look at; the others have served.
    """
    kept = {state.number("size")}
    for size in sizes:
        kept.add(state.row("SELECT min(size) FROM seen WHERE size > ?", size)[0])
    kept.add(state.row("SELECT max(size) FROM seen WHERE size <= ?", state.number("looked"))[0])
    for (size,) in state.rows("SELECT size FROM seen"):
        if size not in kept:
            state.do("DELETE FROM seen WHERE size = ?", size)


def check_newest(state: State, alarms: Alarms, now: datetime, allowed: float) -> None:
    """An alarm where no new state of the log was shown for longer than is allowed, in seconds."""
    row = state.row("SELECT size, at FROM seen ORDER BY size DESC LIMIT 1")
    if row is None:
        return
    since = parse_time(row[1])
    if (now - since).total_seconds() < allowed:
        alarms.whole("late-checkpoint")
    else:
        alarms.sound("late-checkpoint", size=row[0], since=since)
