# SPDX-License-Identifier: Apache-2.0
"""Migrations: numbered, forward only, never changed once applied; together they are schema.sql."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from threading import Barrier

import psycopg2
import pytest

from notary.store.errors import StoreRefused
from notary.store.migrations import all_migrations, check_at_head, migrate
from notary.store.pool import Pool
from notary.store.snapshot import snapshot

NOW = datetime(2031, 3, 5, tzinfo=UTC)


@pytest.fixture
def pool(database_url: str) -> Iterator[Pool]:
    """An empty database."""
    made = Pool(database_url)
    yield made
    made.close()


@pytest.fixture
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three small migrations, put in the place of ours."""
    for number, name in enumerate("abc", start=1):
        (tmp_path / f"000{number}_{name}.sql").write_text(f"CREATE TABLE {name} (x integer);")
    monkeypatch.setattr("notary.store.migrations.files", lambda package: tmp_path)
    return tmp_path


def shape(pool: Pool) -> str:
    """The whole shape of a database."""
    with pool.transaction() as tx:
        return snapshot(tx)


def at_head(pool: Pool) -> None:
    """What every process demands when it starts."""
    with pool.transaction() as tx:
        check_at_head(tx)


def forget(pool: Pool, where: str) -> None:
    """Take rows out of the list of what was applied."""
    with pool.transaction() as tx:
        tx.cursor.execute(f"DELETE FROM migrations WHERE {where}")


def test_all_migrations_together_are_schema_sql(pool: Pool) -> None:
    """What a review reads is what a database gets."""
    migrate(pool, NOW)
    text = (files("notary.store") / "schema.sql").read_text(encoding="utf-8")
    assert shape(pool) == text, "write schema.sql anew: see notary/store/snapshot.py"


def test_a_changed_column_changes_the_snapshot(pool: Pool) -> None:
    """The comparison above can fail: each part of the shape is in it."""
    migrate(pool, NOW)
    before = shape(pool)
    for change in (
        "ALTER TABLE records ALTER COLUMN n TYPE integer",
        "ALTER TABLE records ALTER COLUMN salt SET NOT NULL",
        "ALTER TABLE lanes ALTER COLUMN version SET DEFAULT 1",
        "ALTER TABLE batch_tiles ALTER COLUMN data SET STORAGE PLAIN",
        "ALTER TABLE checkpoints DROP CONSTRAINT checkpoints_size_check",
        "DROP INDEX segments_waiting",
        "CREATE SEQUENCE other",
        "DROP TABLE heartbeats",
    ):
        with pool.transaction() as tx:
            tx.cursor.execute(change)
            assert snapshot(tx) != before, change
            tx.connection.rollback()
    assert shape(pool) == before


def test_migrating_twice_does_no_harm(pool: Pool) -> None:
    """The second time nothing is applied and nothing changes."""
    assert migrate(pool, NOW) == [migration.name for migration in all_migrations()]
    before = shape(pool)
    assert migrate(pool, NOW) == []
    assert shape(pool) == before
    at_head(pool)


def test_processes_that_migrate_at_once_apply_each_once(pool: Pool, three: Path) -> None:
    """One does it, the others wait for it and find nothing to do."""
    ready = Barrier(4)

    def race(_: int) -> list[str]:
        ready.wait()
        return migrate(pool, NOW)

    with ThreadPoolExecutor(4) as threads:
        applied = [name for names in threads.map(race, range(4)) for name in names]
    assert sorted(applied) == ["0001_a.sql", "0002_b.sql", "0003_c.sql"]


def test_a_new_migration_is_applied_to_an_old_database(pool: Pool, three: Path) -> None:
    """A database of yesterday is brought forward; until then processes don't start."""
    migrate(pool, NOW)
    (three / "0004_d.sql").write_text("CREATE TABLE d (x integer);")
    with pytest.raises(StoreRefused, match="notary migrate"):
        at_head(pool)
    assert migrate(pool, NOW) == ["0004_d.sql"]
    at_head(pool)


def test_a_migration_that_fails_leaves_nothing_of_itself(pool: Pool, three: Path) -> None:
    """Those before it stay; mended, it goes on there."""
    (three / "0003_c.sql").write_text("CREATE TABLE c (x integer); SELECT 1 / 0;")
    with pytest.raises(psycopg2.errors.DivisionByZero):
        migrate(pool, NOW)
    assert "CREATE TABLE b " in shape(pool)
    assert "CREATE TABLE c " not in shape(pool)
    (three / "0003_c.sql").write_text("CREATE TABLE c (x integer);")
    assert migrate(pool, NOW) == ["0003_c.sql"]


def refused(pool: Pool) -> None:
    """Neither a process starts, nor does migrate go on, and the database stays as it is."""
    before = shape(pool)
    with pytest.raises(StoreRefused) as at_start:
        at_head(pool)
    with pytest.raises(StoreRefused):
        migrate(pool, NOW)
    assert at_start.value.facts["reason"] == "migrations"
    assert shape(pool) == before


def test_a_file_that_was_changed_after_it_was_applied_is_refused(pool: Pool, three: Path) -> None:
    """Even by a blank."""
    migrate(pool, NOW)
    file = three / "0002_b.sql"
    file.write_text(file.read_text() + " ")
    refused(pool)


def test_a_database_that_is_newer_is_refused(pool: Pool, three: Path) -> None:
    """An older version doesn't work on what it doesn't know."""
    migrate(pool, NOW)
    (three / "0003_c.sql").unlink()
    refused(pool)


def test_a_gap_in_the_files_is_refused(pool: Pool, three: Path) -> None:
    """A forgotten file is a fault of the build."""
    (three / "0002_b.sql").unlink()
    with pytest.raises(ValueError, match="without a gap"):
        migrate(pool, NOW)


def test_a_doubled_number_is_refused(pool: Pool, three: Path) -> None:
    """Two branches that were merged both had the next number."""
    (three / "0003_d.sql").write_text("CREATE TABLE d (x integer);")
    with pytest.raises(ValueError, match="without a gap"):
        migrate(pool, NOW)


def test_a_gap_in_the_database_is_refused(pool: Pool, three: Path) -> None:
    """Nothing is applied behind what came after it."""
    migrate(pool, NOW)
    forget(pool, "number = 2")
    refused(pool)


def test_an_emptied_list_does_not_apply_all_over_again(pool: Pool, three: Path) -> None:
    """The tables are there already: the first statement fails, and nothing changes."""
    migrate(pool, NOW)
    forget(pool, "true")
    before = shape(pool)
    with pytest.raises(psycopg2.errors.DuplicateTable):
        migrate(pool, NOW)
    assert shape(pool) == before


def test_an_empty_database_is_not_at_head(pool: Pool) -> None:
    """A process that starts on one says what to run."""
    with pytest.raises(StoreRefused, match="notary migrate"):
        at_head(pool)


def test_each_of_our_files_is_a_migration() -> None:
    """A file with a wrong name would silently never be applied."""
    folder = files("notary.store.migrations")
    names = {file.name for file in folder.iterdir() if file.name.endswith(".sql")}
    assert names == {migration.name for migration in all_migrations()}
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", name) for name in names)


def test_owners_of_before_become_departments(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys go on with what they could do; two owners never become one department."""
    before = all_migrations()[:4]
    monkeypatch.setattr("notary.store.migrations.all_migrations", lambda: before)
    migrate(pool, NOW)
    owners = ["weather-office", "water works", "water-works", "\u6c34\u52a1\u5c40", "x" * 128]
    for number, owner in enumerate(owners):
        with pool.transaction() as tx:
            tx.cursor.execute(
                "INSERT INTO api_keys (id, owner, secret_hash, created_at) VALUES (%s, %s, '', %s)",
                (str(number), owner, NOW),
            )
            tx.cursor.execute(
                "INSERT INTO datasets (name, label, owner, is_open, random_sources, digest_index,"
                " lane_count, last_descriptor, created_at)"
                " VALUES (%s, 'L', %s, %s, false, false, 1, '', %s)",
                (f"d{number}", owner, number == 0, NOW),
            )
    monkeypatch.undo()
    migrate(pool, NOW)
    with pool.transaction() as tx:
        tx.cursor.execute(
            "SELECT p.id, p.name, k.scopes, d.sharing FROM api_keys k"
            " JOIN departments p ON p.id = k.department"
            " JOIN datasets d ON d.owner = p.id AND d.name = 'd' || k.id ORDER BY k.id"
        )
        found = tx.cursor.fetchall()
    assert [row[1] for row in found] == owners
    assert len({row[0] for row in found}) == len(owners)
    assert [found[0][0], found[2][0]] == ["weather-office", "water-works"]
    assert all(re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", row[0]) for row in found)
    assert {tuple(row[2]) for row in found} == {("read", "write", "manage", "share")}
    assert [row[3] for row in found] == ["unconditional", *["not-shared"] * 4]
