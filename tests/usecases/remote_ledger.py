# SPDX-License-Identifier: Apache-2.0
"""A ledger of others beside the file ledger, of which each answer can be made another one."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from notary.keys import make_key
from notary.ledgers.file import FileLedger
from notary.ledgers.port import (
    Anchorable,
    AnchorState,
    Ledger,
    LedgerRefused,
    LedgerUnavailable,
)
from notary.usecases.anchor import Anchored, anchor
from notary.usecases.anchor_look import ledger_status
from tests.usecases.world import World

HOUR = timedelta(hours=1)
AWAY = LedgerUnavailable("The network is down.")
FORK = LedgerRefused("Another root is noted.")


class Remote:
    """A ledger of others: a real file ledger, of which each answer can be made another one."""

    kind = "file"
    own_word = False
    remembers = True
    required = False

    def __init__(self, ledger: FileLedger, name: str = "far") -> None:
        self.ledger, self.name = ledger, name
        self.interval: timedelta | None = None
        self.instead: dict[str, Any] = {}
        self.references: list[str | None] = []
        self.asked: list[str] = []
        self.holds: tuple[int, bytes] | None = None

    def _do(self, name: str, real: Callable[[], Any]) -> Any:
        self.asked.append(name)
        answer = self.instead.get(name)
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else None
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return real() if answer is None else answer

    def submit(self, checkpoint: Anchorable, reference: str | None, now: datetime) -> str:
        self.references.append(reference)
        return str(self._do("submit", lambda: self.ledger.submit(checkpoint, reference, now)))

    def confirm(self, checkpoint: Anchorable, reference: str | None) -> AnchorState:
        state: AnchorState = self._do("confirm", lambda: self.ledger.confirm(checkpoint, reference))
        return state

    def evidence(self, checkpoint: Anchorable, reference: str | None) -> Mapping[str, object]:
        found: Mapping[str, object] = self._do(
            "evidence", lambda: self.ledger.evidence(checkpoint, reference)
        )
        return found

    def newest(self, origin: str) -> tuple[int, bytes] | None:
        return self.holds

    def trust(self) -> Mapping[str, object]:
        return self.ledger.trust()

    def probe(self) -> Mapping[str, object]:
        return self.ledger.probe()


@pytest.fixture
def grown(world: World) -> World:
    """A notary with a signed checkpoint of size 1, not anchored."""
    world.add(world.dataset("weather"), 5)
    world.seal()
    world.sign()
    return world


@pytest.fixture
def far(grown: World, tmp_path: Path) -> Remote:
    """A second ledger, of others."""
    signer = make_key("far.example/ledger", tmp_path / "far.key")
    ledger = Remote(FileLedger(tmp_path / "far.ndjson", signer.vkey, signer))
    grown.parts.ledgers.append(ledger)
    return ledger


def grow(world: World) -> None:
    """One more batch, signed."""
    world.add("weather", 3, seed=world.size() + 1)
    world.seal()
    world.sign()


def step(world: World, ledger: Ledger, seconds: float = 0, **more: Any) -> list[Anchored]:
    """What the sealer does on one ledger so many seconds later."""
    world.pass_by(seconds)
    return anchor(world.pool, world.gate, ledger, HOUR, lambda: world.now, **more)


def states(world: World, ledger: str = "far") -> list[tuple[object, ...]]:
    """(size, state) of a ledger's anchors."""
    return world.rows("SELECT size, state FROM anchors WHERE ledger = %s ORDER BY size", ledger)


def status(world: World, name: str) -> dict[str, Any]:
    """How a ledger stands."""
    rows = ledger_status(world.pool, world.parts.ledgers, world.now)
    return next(row for row in rows if row["name"] == name)


def record(world: World) -> tuple[str, str, int]:
    """A record that is there."""
    return "weather", str(world.rows("SELECT min(name) FROM sources")[0][0]), 0
