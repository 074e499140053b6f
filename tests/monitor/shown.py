# SPDX-License-Identifier: Apache-2.0
"""
A notary under whose key anything can be signed, as outsiders see it over HTTP, and a monitor that
follows it. Whatever a test doesn't change is as an honest notary has it.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from string import Formatter
from typing import Any

from notary.core import canonical
from notary.core.descriptor import format_descriptor, parse_descriptor
from notary.core.hashing import leaf_hash
from notary.core.monitor_report import Alarm, Report, format_report, parse_report
from notary.core.runs import Run, format_run, parse_run, run_leaf
from notary.core.tiles import (
    format_bundle,
    parse_entries_path,
    parse_tile_path,
    tiles_of,
)
from notary.core.trust import Trust, parse_trust
from notary.monitor.alarms import listed
from notary.monitor.look import Plan, look
from notary.monitor.report import report_of
from notary.monitor.state import State
from notary.outside.notary import Notary
from notary.outside.web import Web
from notary.texts import catalogue
from tests.core import reference
from tests.core.maker import City
from tests.core.promises import trusting
from tests.outside.raw import Answer, Raw, ok

DAY = timedelta(days=1)
LOST = ok(b"", status="404 Not Found")


class Shown:
    """What is shown of a city; `instead` has other answers by path, `signing` how it signs."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.size: int | None = None
        self.signing: dict[str, Any] = {}
        self.anchored: list[dict[str, Any]] = []
        self.instead: dict[str, bytes | None] = {}
        self.asked: list[str] = []

    def __call__(self, path: str) -> Answer:
        """The answer to a GET."""
        self.asked.append(path)
        body = self.instead[path] if path in self.instead else self.honest(path)
        return LOST if body is None else ok(body)

    def honest(self, path: str) -> bytes | None:
        """As it is; None: there is no such thing."""
        if path == "/log/checkpoint":
            return self.city.checkpoint(self.size, **self.signing).encode()
        if path.startswith("/v1/anchors?"):
            return json.dumps({"items": self.anchored, "next": None}).encode()
        if path.startswith("/v1/batches/"):
            _, _, _, index, part = path.split("/")
            batch = self.city.batches[int(index)]
            if part == "leaves":
                return b"".join(batch.leaves)
            return "".join(f"{line}\n" for line in batch.runs).encode()
        return self._tile(path.removeprefix("/log/"))

    def _tile(self, path: str) -> bytes | None:
        entries = [batch.descriptor.encode() for batch in self.city.batches[: self.size]]
        if path.startswith("tile/entries/"):
            index, width = parse_entries_path(path)
            found = entries[index * 256 : index * 256 + width]
            return format_bundle(found) if len(found) == width else None
        wanted, index, width = parse_tile_path(path)
        for level, at, hashes in tiles_of([leaf_hash(entry) for entry in entries]):
            if (level, at) == (wanted, index) and len(hashes) >= width * 32:
                return hashes[: width * 32]
        return None

    def anchor(self, size: int | None = None, **more: Any) -> None:
        """Put the state on the file ledger, as the list of anchors tells it."""
        made = self.city.anchor(0, size)
        item = {name: made[name] for name in ("ledger", "size", "root", "evidence")}
        self.anchored.insert(0, {**item, "state": "verified", **more})


class Watch:
    """A monitor in a folder; its clock is the city's unless a test says otherwise."""

    def __init__(self, folder: Path, trust: dict[str, Any] | None = None, **plan: Any) -> None:
        self.folder = folder
        text = canonical.dumps(trusting() if trust is None else trust)
        self.trust: Trust = parse_trust(text)
        self.plan = Plan(trust=self.trust, **plan)
        self.dice = Random(7)
        self.last: Report | None = None

    def look(self, server: Raw | str, now: datetime, web: Callable[..., Web] = Web) -> list[str]:
        """Look once, as a process of its own; the kinds of the alarms that stand."""
        url = server if isinstance(server, str) else server.url
        client = web(url, pauses=())
        state = State(self.folder)
        # No power fails here; the processes' own tests do without this.
        state.db.execute("PRAGMA synchronous = OFF")
        try:
            not_checked = look(state, Notary(client), self.plan, now, self.dice)
            self.last = report_of(state, self.trust, not_checked)
            for alarm in listed(state):
                check_sentence(alarm)
            return [alarm.kind for alarm in listed(state) if alarm.ended is None]
        finally:
            client.close()
            state.close()

    def report(self) -> Report:
        """The last report, as it is read from its text."""
        assert self.last is not None
        return parse_report(format_report(self.last))

    def kinds(self) -> set[str]:
        """Of the alarms that stand, by the last report."""
        return {alarm.kind for alarm in self.report().alarms if alarm.ended is None}


def after(city: City, **more: float) -> datetime:
    """A moment after all that the city did."""
    return city.now + (timedelta(**more) if more else timedelta(seconds=1))


def reseal(city: City, change: Callable[[list[Run]], list[Run | str]], **members: Any) -> None:
    """Put another run list, or another descriptor, in the place of the last batch's."""
    batch = city.batches[-1]
    runs = change([parse_run(line) for line in batch.runs])
    batch.runs = [run if isinstance(run, str) else format_run(run) for run in runs]
    descriptor = replace(
        parse_descriptor(batch.descriptor),
        runs=reference.mth([run_leaf(line) for line in batch.runs]),
    )
    batch.descriptor = format_descriptor(replace(descriptor, **members))


def check_sentence(alarm: Alarm) -> None:
    """Each alarm can be told whole: its facts are all that its sentence names."""
    found = catalogue("en")
    code = f"alarm.{alarm.kind}"
    sentence = found.get(f"{code}.{alarm.facts.get('reason')}", found[code])
    names = {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}
    assert names <= alarm.facts.keys(), (sentence, alarm.facts)
