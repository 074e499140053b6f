# SPDX-License-Identifier: Apache-2.0
"""A whole notary of real processes, whose parts and links can be broken under load."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from notary.local.broker import Broker
from notary.local.postgres import Postgres
from tests.acceptance.bad_link import Link
from tests.acceptance.gateways import Gateways
from tests.acceptance.judge import Key, Told, judge
from tests.acceptance.sealers import SealerProcess, now, settled
from tests.conftest import ACL, new_database
from tests.iot_ingest.support import Ingest, count_records, records, wait_for
from tests.usecases.world import World

DATASET = "air"
LATEST_SECONDS = 180
"""By then a reading that the broker had acknowledged is a record."""


@dataclass
class Stage:
    """All parts, at work; gateways send until the fault is over."""

    folder: Path
    world: World
    server: Postgres
    broker: Broker
    to_gateways: Link
    to_ingest: Link
    ingest: Ingest
    sealer: SealerProcess
    keepers: Gateways
    trusters: Gateways

    def flows(self, count: int = 200) -> None:
        """Wait until so many more readings are records: load is on, and all is well."""
        goal = self.records() + count
        wait_for(lambda: self.records() >= goal)

    def records(self) -> int:
        """How many records there are, once the database tells."""
        told: list[int] = []
        wait_for(lambda: told.append(count_records(self.world, DATASET)) is None)
        return told[0]

    def known(self) -> set[Key]:
        """Of which readings there is a record."""
        return {(row[0], row[5]) for row in records(self.world, DATASET)}

    def is_noticed(self, problem: str) -> None:
        """Wait until ingest says what holds it up: the fault is real."""
        wait_for(lambda: problem in self.ingest.said())

    def settle(self, broker_was_killed: bool = False) -> None:
        """After the last fault: more comes in, then all comes to its end, and is judged."""
        self.flows()
        # A slow machine may have let none of theirs through between two faults.
        wait_for(self.trusters.were_answered)
        self.trusters.stop()
        self.keepers.stop()
        self.keepers.go_on()
        self.keepers.finish()
        told = Told()
        self.keepers.add_to(told)
        self.trusters.add_to(told)
        if not broker_was_killed:
            # Where they never come, the judge tells which.
            with suppress(AssertionError):
                wait_for(lambda: not told.puback - self.known(), LATEST_SECONDS)
        assert self.ingest.stop() == 0
        wait_for(lambda: settled(self.world))
        assert self.sealer.stop() == 0
        judge(self.world, DATASET, told, broker_was_killed)
        assert told.refused == []
        assert len(told.puback) > 0
        said = (self.folder / "ingest.log").read_text()
        assert "Traceback" not in said
        assert '"unforeseen"' not in said
        assert [line for line in self.sealer.said() if line["event"] == "stopped"] == []
        ((repeats,),) = self.world.rows("SELECT coalesce(sum(count), 0)::bigint FROM repeats")
        print(
            f"{len(told.sent)} readings sent, {len(told.accepted)} of them accepted, "
            f"{len(told.puback)} acknowledged by the broker alone; {self.records()} records, "
            f"{repeats} came again"
        )


@contextmanager
def stage(server: Postgres, folder: Path, rate: float) -> Iterator[Stage]:
    """A new database on the server, a new broker, and all processes."""
    world = World.make(folder / "notary", new_database(server, "template1"))
    world.now = now()
    world.dataset(DATASET, lane_count=4)
    with ExitStack() as parts:
        parts.callback(world.close)
        users = {"notary": "n", "gateway": "g"}
        broker = parts.enter_context(Broker.open(folder / "broker", users=users, acl=ACL))
        to_gateways, to_ingest = (parts.enter_context(Link(broker.port)) for _ in range(2))
        sealer = parts.enter_context(SealerProcess(world.env, folder / "sealer.log"))
        ingest = parts.enter_context(Ingest(world, to_ingest.leads(broker.url), folder))
        ingest.start()
        url = to_gateways.leads(broker.url_of("gateway"))
        keepers, trusters = (
            parts.enter_context(Gateways(url, DATASET, folder, rate / 2, trusting))
            for trusting in (False, True)
        )
        yield Stage(
            folder, world, server, broker, to_gateways, to_ingest, ingest, sealer, keepers, trusters
        )
