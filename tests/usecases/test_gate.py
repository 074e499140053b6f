# SPDX-License-Identifier: Apache-2.0
"""Invariant 2: nothing is done until all marks agree with this incarnation of the database."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from notary.config import Settings
from notary.ledgers.port import LedgerRefused, LedgerUnavailable, anchorable
from notary.local.postgres import Postgres
from notary.store.errors import StoreRefused
from notary.store.pool import Pool
from notary.usecases.gate import Gate
from notary.usecases.marks import MarkFile, StateRefused
from notary.wiring import connect
from tests.usecases.servers import new_database, passing_server
from tests.usecases.world import World, settings_env, some_readings


@pytest.fixture
def grown(world: World) -> World:
    """A notary with an anchored checkpoint and one that isn't anchored."""
    dataset = world.dataset("weather")
    world.add(dataset, 10, seed=1)
    world.settle()
    world.add(dataset, 10, seed=2)
    world.seal()
    world.sign()
    return world


def refused_everywhere(world: World, reason: str) -> None:
    """Another process of this notary accepts, seals, signs and anchors nothing."""
    before = state_of(world)
    verbs: list[Callable[[World], object]] = [
        lambda other: other.gate.open(),
        lambda other: other.accept(some_readings("weather", 3, seed=9)),
        lambda other: other.seal(),
        lambda other: other.sign(),
        lambda other: other.anchor(),
    ]
    for verb in verbs:
        with pytest.raises(StateRefused) as refused:
            verb(world.again())
        assert refused.value.facts["reason"] == reason
    assert state_of(world) == before


def state_of(world: World) -> list[object]:
    """All that a verb could have changed."""
    tables = ("records", "segments", "batches", "checkpoints", "anchors", "lanes", "sources")
    found: list[object] = [world.rows(f"SELECT {name}::text FROM {name}") for name in tables]
    mark = world.marks.path
    ledger = world.parts.settings.ledger_file
    return [*found, mark.exists() and mark.read_bytes(), ledger.exists() and ledger.read_bytes()]


def change_mark(world: World, **members: object) -> None:
    """Write another mark, behind the notary's back."""
    mark = world.marks.read()
    assert mark is not None
    world.marks.replace(replace(mark, **members))  # type: ignore[arg-type]


def change_life(world: World, **members: object) -> None:
    """Write a mark of another incarnation."""
    mark = world.marks.read()
    assert mark is not None
    life = replace(mark.incarnation, **members)  # type: ignore[arg-type]
    world.marks.replace(replace(mark, incarnation=life))


def test_the_gate_opens_where_all_agree(grown: World) -> None:
    """The way it should be: another process goes on."""
    assert grown.again().gate.open().origin == "notary.example/log"
    assert len(grown.again().add("weather", 3, seed=3)) == 3


def test_a_missing_mark_closes_the_gate(grown: World) -> None:
    """Without the mark nothing says that this is the newest state."""
    grown.marks.path.unlink()
    refused_everywhere(grown, "no-mark")


def test_a_broken_mark_closes_the_gate(grown: World) -> None:
    """A mark that can't be read isn't taken for none."""
    grown.marks.path.write_text("{")
    refused_everywhere(grown, "mark-broken")


def test_a_larger_mark_closes_the_gate(grown: World) -> None:
    """A checkpoint was signed that this database doesn't know: it is older."""
    change_mark(grown, size=3, root="ab" * 32)
    refused_everywhere(grown, "older")


def test_another_root_in_the_mark_closes_the_gate(grown: World) -> None:
    """Same size, other root: a fork."""
    change_mark(grown, root="ab" * 32)
    refused_everywhere(grown, "fork")


def test_another_logs_mark_closes_the_gate(grown: World) -> None:
    """The mark of one log doesn't open another's database."""
    change_mark(grown, origin="other.example/log")
    refused_everywhere(grown, "other-log")


def test_another_key_in_the_database_closes_the_gate(grown: World) -> None:
    """Whoever can write to the database can't put a log key of his own in it."""
    other = connect(grown.parts.settings).ledgers[0].trust()["key"]
    grown.change("UPDATE log SET vkey = %s", other)
    refused_everywhere(grown, "other-key")


@pytest.mark.parametrize("life", [{"system": "1"}, {"database": 1}, {"records": 1}])
def test_another_incarnation_closes_the_gate(grown: World, life: dict[str, object]) -> None:
    """Another server, another database, other tables: a restored dump has each of these."""
    change_life(grown, **life)
    refused_everywhere(grown, "other-incarnation")


def test_a_position_that_went_back_closes_the_gate(grown: World) -> None:
    """An older copy of the whole data folder is known by its write-ahead log."""
    change_life(grown, written=1 << 60)
    refused_everywhere(grown, "older")


def test_a_checkpoint_that_only_the_ledger_knows_closes_the_gate(grown: World) -> None:
    """The mark was set back with the database; the file ledger wasn't."""
    grown.ledger.submit(anchorable("notary.example/log", 3, bytes(32)), None, grown.now)
    refused_everywhere(grown, "older")


def test_another_root_in_the_ledger_closes_the_gate(grown: World) -> None:
    """The ledger noted another root for the newest size: a fork."""
    grown.ledger.submit(anchorable("notary.example/log", 2, bytes(32)), None, grown.now)
    refused_everywhere(grown, "fork")


def test_another_logs_entries_in_the_ledger_do_not_matter(grown: World) -> None:
    """A ledger may serve several logs; each looks for its own origin."""
    grown.ledger.submit(anchorable("other.example/log", 99, bytes(32)), None, grown.now)
    grown.again().gate.open()


def test_a_damaged_ledger_closes_the_gate(grown: World) -> None:
    """A ledger that can't be trusted says nothing about the newest state."""
    file = grown.parts.settings.ledger_file
    file.write_bytes(file.read_bytes().replace(b"note", b"nota", 1))
    with pytest.raises(LedgerRefused):
        grown.again().gate.open()


def test_a_lost_ledger_file_closes_the_gate_for_readers(grown: World) -> None:
    """A process that only reads doesn't take a missing ledger for an empty one."""
    grown.parts.settings.ledger_file.unlink()
    with pytest.raises(LedgerUnavailable):
        connect(grown.parts.settings).gate.open()


# -- databases that are not a notary's


def test_an_empty_database_is_refused_with_what_to_do(tmp_path: Path, database_url: str) -> None:
    """No tables: the message names the command that makes them."""
    pool = Pool(database_url)
    with pytest.raises(StoreRefused, match="notary migrate"):
        Gate(pool, MarkFile(tmp_path / "mark.json"), []).open()
    pool.close()


def test_a_database_without_a_log_is_refused_with_what_to_do(world: World, tmp_path: Path) -> None:
    """Tables but no log, and no mark: this may be a new one, and only on purpose."""
    world.change("DELETE FROM log")
    world.marks.path.unlink()
    with pytest.raises(StateRefused, match="notary init"):
        world.again().gate.open()


def test_an_empty_database_beside_a_mark_is_refused(grown: World, postgres: Postgres) -> None:
    """Emptied or exchanged: the message doesn't suggest to begin a new log."""
    grown.change("DELETE FROM log")
    with pytest.raises(StateRefused) as refused:
        grown.again().gate.open()
    assert "notary init" not in refused.value.detail
    assert "size 2" in refused.value.detail


def test_a_dump_into_another_database_is_refused(
    world: World, postgres: Postgres, tmp_path: Path
) -> None:
    """A second notary made beside it doesn't open with the first one's mark."""
    other = World.make(tmp_path / "other", new_database(postgres))
    settings = {**settings_env(tmp_path / "other", ""), "NOTARY_STATE": world.env["NOTARY_STATE"]}
    settings["NOTARY_DATABASE_URL"] = other.env["NOTARY_DATABASE_URL"]
    with pytest.raises(StateRefused):
        connect(Settings.from_env(settings)).gate.open()
    other.close()


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_forgets_is_refused(tmp_path: Path, setting: str) -> None:
    """With fsync or full_page_writes off a power cut loses what was accepted."""
    with (
        passing_server(tmp_path / "pg", {setting: "off"}) as server,
        pytest.raises(StateRefused) as refused,
    ):
        World.make(tmp_path, server.url)
    assert refused.value.facts["reason"] == "fsync"
    assert setting in refused.value.detail


# -- exchanged under a running service


def test_tables_exchanged_under_a_running_service_are_noticed(grown: World) -> None:
    """An acceptor that is open already compares the tables with each commit."""
    acceptor = grown.acceptor()
    acceptor.accept(some_readings("weather", 2, seed=3), grown.now)
    grown.change("ALTER TABLE records RENAME TO old; CREATE TABLE records (LIKE old INCLUDING ALL)")
    with pytest.raises(StateRefused) as refused:
        acceptor.accept(some_readings("weather", 2, seed=4), grown.now)
    assert refused.value.facts["reason"] == "exchanged"
    assert grown.rows("SELECT count(*) FROM records") == [(0,)]
    with pytest.raises(StateRefused):
        grown.seal()


def test_a_database_exchanged_under_a_running_service_is_noticed(
    grown: World, postgres: Postgres
) -> None:
    """Renamed away, an older copy in its place: the next connection is refused."""
    name = grown.env["NOTARY_DATABASE_URL"].rsplit("/", 1)[1]
    grown.gate.open()
    grown.close()
    admin = Pool(postgres.url_of("postgres"))
    with admin.transaction(each_alone=True) as tx:
        tx.cursor.execute(f"CREATE DATABASE {name}_copy TEMPLATE {name}")
        tx.cursor.execute(f"ALTER DATABASE {name} RENAME TO {name}_old")
        tx.cursor.execute(f"ALTER DATABASE {name}_copy RENAME TO {name}")
    admin.close()
    with pytest.raises(StateRefused) as refused:
        grown.seal()
    assert refused.value.facts["reason"] == "exchanged"
    with pytest.raises(StateRefused) as again:
        grown.sign()
    assert again.value.facts["reason"] == "other-incarnation"
