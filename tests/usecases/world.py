# SPDX-License-Identifier: Apache-2.0
"""A whole notary in a folder and a database, put together as its processes do it."""

import json
import os
import random
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from notary.config import Settings
from notary.core.checkpoint import Checkpoint
from notary.core.policy import SealingPolicy
from notary.keys import KeyRing, Signer, load_key
from notary.ledgers.file import FileLedger
from notary.store.errors import NameTaken
from notary.store.pool import Pool
from notary.usecases import api_keys, datasets, departments
from notary.usecases.accept import Acceptor
from notary.usecases.anchor import Anchored, anchor
from notary.usecases.audit import Report, audit
from notary.usecases.datasets import DatasetFacts
from notary.usecases.erase import Order, RecordPlace, VersionPlace
from notary.usecases.gate import Gate
from notary.usecases.marks import MarkFile
from notary.usecases.prove import Prover
from notary.usecases.reading import Acceptance, Outcome, Reading
from notary.usecases.rights import Caller
from notary.usecases.seal import Sealed, Sealer
from notary.usecases.second_root import SecondRoot, load_second_root
from notary.usecases.sign import sign_newest
from notary.wiring import Parts, connect, initialise

ORIGIN = "notary.example/log"
OWNERS_SCOPES = ("read", "write", "manage", "share", "erase")
ORDER = Order("Letter 2031-9 of the data protection office", "PIPL, article 47", "Ms Li")
BEGIN = datetime(2031, 3, 5, 6, 7, 8, 123456, tzinfo=UTC)


def settings_env(folder: Path, database_url: str) -> dict[str, str]:
    """The environment of a notary's processes, with short intervals."""
    return {
        "NOTARY_DATABASE_URL": database_url,
        "NOTARY_STATE": str(folder / "state"),
        "NOTARY_LEDGER_DIR": str(folder / "ledger"),
        "NOTARY_SEAL_SECONDS": "0.05",
        "NOTARY_SIGN_SECONDS": "0.05",
        "NOTARY_ANCHOR_SECONDS": "0.05",
    }


@dataclass
class World:
    """One notary; `now` is its clock, which stands still until it is told otherwise."""

    parts: Parts
    env: dict[str, str]
    caller: Caller
    api_key: str
    now: datetime = BEGIN
    datasets: dict[str, DatasetFacts] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, database_url: str) -> "World":
        """Make keys, secret, log and one API key, and put the parts together."""
        env = settings_env(folder, database_url)
        settings = Settings.from_env(env)
        initialise(settings, ORIGIN)
        parts = connect(settings, writes_ledger=True)
        key = new_department(parts.pool, "water-works", BEGIN, scopes=OWNERS_SCOPES)
        return cls(parts, env, api_keys.find_caller(parts.pool, key, BEGIN), key)

    def again(self) -> "World":
        """The same notary as another process sees it."""
        parts = connect(self.parts.settings, writes_ledger=True)
        return World(parts, self.env, self.caller, self.api_key, self.now, self.datasets)

    def close(self) -> None:
        """Close the connections."""
        self.pool.close()

    @property
    def pool(self) -> Pool:
        """The pool of connections."""
        return self.parts.pool

    @property
    def gate(self) -> Gate:
        """The gate."""
        return self.parts.gate

    @property
    def marks(self) -> MarkFile:
        """The mark beside the log key."""
        return self.parts.marks

    @property
    def ledger(self) -> FileLedger:
        """The file ledger."""
        ledger = self.parts.ledgers[0]
        assert isinstance(ledger, FileLedger)
        return ledger

    @property
    def signer(self) -> Signer:
        """The log key."""
        return load_key(self.parts.settings.log_key)

    def acceptor(self) -> Acceptor:
        """A new accepting side: one process's."""
        return self.parts.acceptor()

    def pass_by(self, seconds: float = 1.0) -> datetime:
        """Move the clock on."""
        self.now += timedelta(seconds=seconds)
        return self.now

    def dataset(
        self,
        name: str | None,
        *,
        random_sources: bool = False,
        digest_index: bool = False,
        lane_count: int = 1,
    ) -> str:
        """A new dataset, open under `name`, closed without one. Returns its id."""
        facts = datasets.add_dataset(
            self.pool,
            self.caller,
            self.now,
            name=name,
            label=name or "Wage slips",
            is_open=name is not None,
            random_sources=random_sources,
            digest_index=digest_index,
            lane_count=lane_count,
        )
        self.datasets[facts.name] = facts
        return facts.name

    def accept(self, readings: Iterable[Reading]) -> list[Acceptance]:
        """Have readings accepted, all of them."""
        return accepted(self.acceptor().accept(list(readings), self.now))

    def add(self, dataset: str, count: int, sources: int = 3, seed: int = 0) -> list[Acceptance]:
        """Have some made-up readings accepted."""
        return self.accept(some_readings(dataset, count, sources, seed))

    def erase(
        self, dataset: str, what: RecordPlace | VersionPlace, order: Order = ORDER
    ) -> dict[str, Any]:
        """Erase a record or a version, as its owner does."""
        eraser = self.parts.eraser(self.acceptor())
        facts = datasets.get_dataset(self.pool, dataset, self.caller)
        return eraser.erase(facts, what, order, self.caller, self.now)

    def sealer(
        self, max_count: int = 65_536, second: SecondRoot | None = None, age_seconds: float = 5
    ) -> Sealer:
        """A sealer; with merkletools for the second root unless another is given."""
        policy = SealingPolicy(max_count, timedelta(seconds=age_seconds))
        return Sealer(self.pool, self.gate, policy, second or load_second_root())

    def seal(self) -> list[Sealed]:
        """Seal whatever waits."""
        return self.sealer().seal_due(self.now, at_once=True)

    def sign(self) -> Checkpoint | None:
        """Sign the log as it stands."""
        ring = KeyRing(self.parts.settings.state)
        return sign_newest(self.pool, self.gate, self.marks, ring, self.now)

    def anchor(self) -> list[Anchored]:
        """Anchor the newest checkpoint, whatever the interval."""
        hour = timedelta(hours=1)
        return [
            moved
            for ledger in self.parts.ledgers
            for moved in anchor(self.pool, self.gate, ledger, hour, lambda: self.now, at_once=True)
        ]

    def settle(self) -> None:
        """Seal, sign and anchor."""
        self.seal()
        self.sign()
        self.anchor()

    def prover(self) -> Prover:
        """A prover without anything in mind yet."""
        return Prover(self.pool, self.parts.ledgers, self.parts.log_keys)

    def audit(self) -> Report:
        """Recompute everything."""
        return audit(self.pool, self.marks, self.parts.ledgers)

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """What a query of the test's own finds."""
        with self.pool.transaction() as tx:
            tx.cursor.execute(sql, values)
            return tx.cursor.fetchall()

    def change(self, sql: str, *values: object) -> int:
        """Change the database behind the notary's back; how many rows it touched."""
        with self.pool.transaction() as tx:
            tx.cursor.execute(sql, values)
            return tx.cursor.rowcount

    def size(self) -> int:
        """The size of the log."""
        size = self.rows("SELECT size FROM log")[0][0]
        assert isinstance(size, int)
        return size

    def checkpoints(self) -> list[tuple[object, ...]]:
        """(size, root, note) of all checkpoints, in order."""
        return self.rows("SELECT size, root, note FROM checkpoints ORDER BY size")


def new_department(
    pool: Pool, name: str, now: datetime, scopes: Sequence[str] = api_keys.DAILY_SCOPES
) -> str:
    """Make a department known, unless it is, and a key of it, which is returned."""
    with suppress(NameTaken):
        departments.add_department(pool, name, name.replace("-", " ").title(), now)
    return api_keys.add_key(pool, api_keys.NewKey(name, scopes, days=1_096), now)


def accepted(outcomes: Iterable[Outcome]) -> list[Acceptance]:
    """The outcomes, all of which must be acceptances."""
    found = []
    for outcome in outcomes:
        assert isinstance(outcome, Acceptance), outcome
        found.append(outcome)
    return found


def some_readings(dataset: str, count: int, sources: int = 3, seed: int = 0) -> list[Reading]:
    """Made-up readings with keys of their own, spread over sources s0, s1, …"""
    dice = random.Random(seed)
    return [
        Reading(
            dataset,
            f"s{dice.randrange(sources)}",
            json.dumps({"seed": seed, "i": i, "t": dice.randrange(400) / 10}).encode(),
            "application/json",
            "acl",
            observed=f"2031-03-05T06:{i // 60 % 60:02d}:{i % 60:02d}Z",
            key=f"{seed}-{i}",
        )
        for i in range(count)
    ]


def fresh_seed() -> int:
    """A seed to be printed, so that what a random test found can be found again."""
    return int(os.environ.get("NOTARY_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
