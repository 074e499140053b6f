# SPDX-License-Identifier: Apache-2.0
"""
Whatever breaks between a sensor and the log: no reading is lost whose acceptance its gateway has.

Gateways under load, a real broker, a real PostgreSQL, `notary ingest` and the sealer as
processes; each fault strikes while readings are on their way. Once all is back, what gateways
were told is held against what the notary has.
"""

import os
import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from notary.local.postgres import Postgres
from tests.acceptance.fault_stage import Stage, stage
from tests.acceptance.small_disk import SmallDisk
from tests.iot_ingest.support import wait_for
from tests.usecases.servers import passing_server
from tests.usecases.world import fresh_seed

pytestmark = pytest.mark.needs("mosquitto")
RATE, LONG_RATE = 400.0, 1500.0
"""Readings a second, of all gateways together."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server that these tests may stop."""
    with passing_server(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.fixture
def dice() -> random.Random:
    """Chance, whose seed is told."""
    seed = fresh_seed()
    print(f"NOTARY_TEST_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def at_work(server: Postgres, tmp_path: Path, long: bool) -> Iterator[Stage]:
    """All parts, under load."""
    with stage(server, tmp_path, LONG_RATE if long else RATE) as made:
        yield made


def test_ingest_killed_again_and_again(at_work: Stage, dice: random.Random, long: bool) -> None:
    """Kill -9 at random moments, at its start too."""
    for turn in range(50 if long else 3):
        if turn % 3 != 1:
            at_work.flows(dice.randrange(1, 400))
        else:
            time.sleep(dice.uniform(0.0, 1.5))
        at_work.ingest.kill()
        at_work.ingest.start(wait=False)
    at_work.settle()


def test_broker_restarted(at_work: Stage, dice: random.Random, long: bool) -> None:
    """In order, so that it keeps what it acknowledged: not one of those may be lost."""
    for _ in range(10 if long else 2):
        at_work.flows(dice.randrange(1, 400))
        at_work.broker.stop()
        time.sleep(dice.uniform(0.0, 0.5))
        at_work.broker.start()
    at_work.settle()


def test_broker_killed(at_work: Stage, dice: random.Random, long: bool) -> None:
    """kill -9: it loses what it had acknowledged, and gateways send it again."""
    for _ in range(10 if long else 2):
        at_work.flows(dice.randrange(1, 400))
        at_work.broker.kill()
        time.sleep(dice.uniform(0.0, 0.5))
        at_work.broker.start()
    at_work.settle(broker_was_killed=True)


def test_database_stopped(at_work: Stage, long: bool) -> None:
    """Nothing is acknowledged meanwhile, and nothing is lost."""
    at_work.flows()
    port = at_work.server.port
    at_work.server.stop()
    time.sleep(60 if long else 3)
    at_work.is_noticed("store-unavailable")
    at_work.server.start()
    assert at_work.server.port == port
    at_work.settle()


def test_links_cut_and_slow(at_work: Stage, dice: random.Random, long: bool) -> None:
    """Each link, then both: cut in the middle of messages, a trickle, standing still, away."""
    one, other = at_work.to_ingest, at_work.to_gateways
    for turn in range(30 if long else 3):
        links = ((one,), (other,), (one, other))[turn % 3]
        at_work.flows(dice.randrange(1, 200))
        for link in links:
            link.cut()
        at_work.flows(dice.randrange(1, 200))
        for link in links:
            link.slow(20_000)
        time.sleep(dice.uniform(0.2, 0.6))
        for link in links:
            link.stall()
        time.sleep(dice.uniform(0.2, 0.6))
        if turn % 3 == 2:
            for link in links:
                link.away()
            time.sleep(dice.uniform(0.1, 0.5))
        for link in links:
            link.heal()
    if long:
        # Longer than any keepalive: both ends give the connection up, and find no other.
        for link in (one, other):
            link.stall()
        time.sleep(130)
        for link in (one, other):
            link.heal()
    assert min(one.cuts, other.cuts) >= 2
    at_work.settle()


def test_one_fault_upon_another(at_work: Stage, dice: random.Random, long: bool) -> None:
    """Three at once, in any order: nothing has come back when the next one strikes."""

    def kill_ingest() -> None:
        at_work.ingest.kill()
        at_work.ingest.start(wait=False)

    def kill_broker() -> None:
        at_work.broker.kill()
        at_work.broker.start()

    def kill_database() -> None:
        at_work.server.kill()
        at_work.server.start()

    faults = [
        kill_ingest,
        kill_broker,
        kill_database,
        at_work.server.restart,
        at_work.broker.restart,
        at_work.to_ingest.cut,
        at_work.to_gateways.cut,
    ]
    for _ in range(15 if long else 1):
        at_work.flows(dice.randrange(1, 200))
        for fault in dice.sample(faults, 3):
            time.sleep(dice.uniform(0.0, 0.3))
            fault()
    at_work.settle(broker_was_killed=True)


@pytest.mark.needs("the right to mount")
def test_disk_full_under_the_database(tmp_path: Path, dice: random.Random, long: bool) -> None:
    """It can write no table, then not its own log, and may even end; with room it goes on."""
    settings = {"max_wal_size": "64MB", "min_wal_size": "32MB"}
    with (
        SmallDisk(Path(os.environ["NOTARY_OUTSIDE"]), 300) as disk,
        passing_server(disk.folder / "postgres", settings) as server,
        stage(server, tmp_path, LONG_RATE if long else RATE) as at_work,
    ):
        for turn in range(6 if long else 1):
            at_work.flows()
            with closing(psycopg2.connect(server.url)) as connection:
                disk.fill()
                at_work.is_noticed("store-unavailable")
                if turn % 2 == 0:
                    use_up_its_log(connection, disk)
            time.sleep(dice.uniform(0.2, 1.0))
            print(f"PostgreSQL {'ended' if server.pid is None else 'went on'}")
            disk.free()
            wait_for(lambda: comes_back(server))
        at_work.settle()


def comes_back(server: Postgres) -> bool:
    """Whether it answers. One that can't go on ends some time after: it is started then."""
    server.start()
    try:
        psycopg2.connect(server.url).close()
    except psycopg2.OperationalError:
        return False
    return True


def use_up_its_log(connection: psycopg2.extensions.connection, disk: SmallDisk) -> None:
    """Have it begin segment after segment of its log, until there is none: PostgreSQL panics."""

    def begin_segments() -> None:
        with connection.cursor() as cursor:
            for _ in range(20):
                disk.fill()
                cursor.execute("SELECT pg_create_restore_point('full'), pg_switch_wal()")

    with pytest.raises(psycopg2.OperationalError) as ended:
        begin_segments()
    # It did not answer that it can't: it was gone.
    assert ended.value.pgcode is None, ended.value
