# SPDX-License-Identifier: Apache-2.0
"""The database restarted under load, or set back to an older state."""

import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from notary.local.place import servant
from notary.local.postgres import Postgres
from notary.local.programs import postgres_programs
from notary.store.errors import StoreUnavailable
from notary.usecases import registers
from notary.usecases.accept import Acceptor
from notary.usecases.marks import StateRefused
from tests.acceptance.sealers import Load, SealerProcess, now, random_pause, settled, wait_for
from tests.usecases.servers import new_database, passing_server
from tests.usecases.world import World, fresh_seed, some_readings


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server that these tests may restart, kill and set back."""
    with passing_server(tmp_path_factory.mktemp("own")) as server:
        yield server


@pytest.fixture
def world(tmp_path: Path, own: Postgres) -> Iterator[World]:
    """A notary on it, on the real clock, with a batch that is anchored."""
    made = World.make(tmp_path / "notary", new_database(own, "template1"))
    made.now = now()
    made.dataset("weather", digest_index=True, lane_count=2)
    made.add("weather", 20, seed=1_000_000)
    made.settle()
    yield made
    made.close()


def test_postgresql_restarted_under_load(
    world: World, own: Postgres, tmp_path: Path, long: bool
) -> None:
    """In order and by kill -9, in turn: nothing is lost, nothing doubled, all goes on."""
    seed = fresh_seed()
    print(f"NOTARY_TEST_SEED={seed}")
    dice = random.Random(seed)
    with SealerProcess(world.env, tmp_path / "sealer.log") as sealer:
        with Load(world, "weather") as load:
            for turn in range(20 if long else 3):
                size = world.size()
                wait_for("batches are sealed", lambda size=size: world.size() > size)  # type: ignore[misc]
                random_pause(dice, 0.0, 0.3)
                port = own.port
                if turn % 2:
                    own.restart()
                else:
                    own.kill()
                    own.start()
                assert own.port == port
                world.close()
        wait_for("all is anchored", lambda: settled(world))
        assert sealer.stop() == 0
    assert load.failures >= 1
    stored = world.rows("SELECT count(*), count(DISTINCT (source, n)) FROM records")
    assert stored == [(len(load.accepted) + 20,) * 2]
    keys = world.rows("SELECT key FROM records WHERE key NOT LIKE '1000000-%%'")
    assert sorted(str(key) for (key,) in keys) == sorted(str(r.key) for r in load.handed_in)
    assert [line for line in sealer.said() if line["event"] == "stopped"] == []
    assert world.audit().findings == ()


# -- set back to an older state


def state(world: World) -> list[object]:
    """All that going on would change, read past the gate."""
    found: list[object] = []
    with closing(psycopg2.connect(world.env["NOTARY_DATABASE_URL"])) as connection:
        for table in ("records", "segments", "batches", "checkpoints", "anchors"):
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT t::text FROM {table} t ORDER BY 1")
                found.append(cursor.fetchall())
    settings = world.parts.settings
    return [*found, settings.mark_file.read_bytes(), settings.ledger_file.read_bytes()]


def refuses_from(acceptor: Acceptor) -> None:
    """A process that ran all the while is refused too: its next connection is looked at."""
    readings = some_readings("weather", 3, seed=72)
    with pytest.raises((StateRefused, StoreUnavailable)):
        # Its old connection is broken; that may be all that it knows yet.
        acceptor.accept(readings, now())
    with pytest.raises(StateRefused):
        acceptor.accept(readings, now())


def refuses_to_go_on(world: World, tmp_path: Path) -> None:
    """Nothing is accepted or signed, the sealer says so, and the message says what to do."""
    before = state(world)
    for verb in (
        lambda other: other.accept(some_readings("weather", 3, seed=77)),
        lambda other: other.seal(),
        lambda other: other.sign(),
        lambda other: other.anchor(),
    ):
        other = world.again()
        with pytest.raises(StateRefused) as refused:
            verb(other)
        other.close()
        assert "Nothing is accepted" in refused.value.detail
        assert "Restore the newest state" in refused.value.detail
        assert "notary adopt" in refused.value.detail
    log = tmp_path / "refused.log"
    log.unlink(missing_ok=True)
    with SealerProcess(world.env, log) as sealer:
        wait_for("it says that it stopped", lambda: bool(sealer.said()))
        time.sleep(0.5)
        assert [line["event"] for line in sealer.said()] == ["stopped"]
        assert sealer.said()[0]["problem"] == "state-refused"
        assert sealer.stop() == 0
    assert state(world) == before


def adopt_refuses(world: World) -> None:
    """Behind the mark, not even a person may vouch for it."""
    before, other = world.marks.path.read_bytes(), world.again()
    with pytest.raises(StateRefused) as refused:
        registers.adopt(other.pool, other.marks)
    other.close()
    assert refused.value.facts["reason"] == "older"
    assert "restore a newer state" in refused.value.detail
    assert world.marks.path.read_bytes() == before


def program(name: str) -> str:
    """One of PostgreSQL's programs, of the server's own version."""
    return str(postgres_programs(servant()) / name)


def dump(world: World, file: Path) -> None:
    """What an operator does each night."""
    url = world.env["NOTARY_DATABASE_URL"]
    subprocess.run([program("pg_dump"), "-Fc", "-f", file, url], check=True)


def restore(world: World, own: Postgres, file: Path) -> None:
    """A new database in the old one's place, filled from the dump."""
    world.close()
    url = world.env["NOTARY_DATABASE_URL"]
    name = url.rsplit("/", 1)[1]
    connection = psycopg2.connect(own.url_of("postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
    connection.close()
    subprocess.run([program("pg_restore"), "--no-owner", "-d", url, file], check=True)


def go_on(world: World, seed: int) -> None:
    """Another batch, up to its anchor."""
    world.add("weather", 20, seed=seed)
    world.settle()


def test_a_database_restored_from_an_older_dump_stays_closed(
    world: World, own: Postgres, tmp_path: Path
) -> None:
    """Checkpoints were signed since: accepting would begin a second history."""
    running = world.again().acceptor()
    running.accept(some_readings("weather", 3, seed=70), now())
    dump(world, tmp_path / "older.dump")
    go_on(world, 71)
    restore(world, own, tmp_path / "older.dump")
    refuses_from(running)
    refuses_to_go_on(world, tmp_path)
    adopt_refuses(world)
    refuses_to_go_on(world, tmp_path)


def test_a_database_restored_whole_goes_on_once_it_is_adopted(
    world: World, own: Postgres, tmp_path: Path
) -> None:
    """A move to another server: closed until a person vouches for it, then it goes on."""
    go_on(world, 71)
    dump(world, tmp_path / "newest.dump")
    restore(world, own, tmp_path / "newest.dump")
    refuses_to_go_on(world, tmp_path)
    moved = world.again()
    registers.adopt(moved.pool, moved.marks)
    go_on(moved, 72)
    assert settled(moved)
    assert moved.audit().findings == ()
    moved.close()


def test_an_older_copy_of_the_data_folder_stays_closed(
    world: World, own: Postgres, tmp_path: Path
) -> None:
    """Same server, same tables, same numbers; only the mark knows better."""
    running = world.again().acceptor()
    running.accept(some_readings("weather", 3, seed=70), now())
    world.close()
    own.stop()
    older = tmp_path / "older"
    subprocess.run(["cp", "-a", own.data, older], check=True)
    own.start()
    go_on(world, 71)
    world.close()
    port = own.port
    own.stop()
    shutil.rmtree(own.data)
    subprocess.run(["cp", "-a", older, own.data], check=True)
    own.start()
    assert own.port == port
    refuses_from(running)
    refuses_to_go_on(world, tmp_path)
    adopt_refuses(world)
