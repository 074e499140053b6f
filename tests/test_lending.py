# SPDX-License-Identifier: Apache-2.0
"""A database that another test used is as good as a new one, or it isn't lent again."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from notary.local.postgres import Postgres
from notary.store.errors import StoreUnavailable
from notary.store.pool import Pool
from notary.store.snapshot import snapshot
from notary.usecases.marks import StateRefused
from tests.conftest import new_database
from tests.lending import Lender
from tests.usecases.set_back import on
from tests.usecases.world import World

VALUES = {
    "bigint": "7", "integer": "7", "smallint": "7", "text": "'seven'", "boolean": "true",
    "integer[]": "'{7}'", "text[]": "'{seven}'", "timestamp with time zone": "'2031-03-05Z'",
    # Too long for its row: it goes into the table beside it.
    "bytea": "(SELECT string_agg(sha256(n::text::bytea), '') FROM generate_series(1, 66) n)",
}  # fmt: skip
DEMANDED = {
    "anchors.state": "'built'", "api_keys.scopes": "'{read}'",
    "datasets.sharing": "'unconditional'",
    "erasures.version": "7", "grant_records.kind": "'grant'", "source_keys.algorithm": "'es256'",
    "versions.profile": "'none'",
}  # fmt: skip
"""What constraints demand; a new constraint may need its line here."""

COLUMNS = """
SELECT attrelid::regclass::text, attname, format_type(atttypid, -1),
       attnotnull AND NOT (atthasdef AND atttypid = 'boolean'::regtype)
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
WHERE relkind = 'r' AND c.oid >= 16384 AND attnum > 0 AND NOT attisdropped ORDER BY 1, attnum"""
SEEN = (
    "SELECT name, setting FROM pg_settings ORDER BY name",
    "SELECT datconnlimit, datallowconn, datistemplate, datacl FROM pg_database"
    " WHERE datname = current_database()",
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()",
    # An index made anew by TRUNCATE has other estimates; those of its table count.
    "SELECT oid, relname, relkind, relkind <> 'i' AND (relpages, reltuples) <> (0, -1), relacl,"
    " reloptions,"
    " pg_relation_size(oid), pg_relation_size(oid, 'fsm'), pg_relation_size(oid, 'vm')"
    " FROM pg_class WHERE oid >= 16384 ORDER BY oid",
)
RELATIONS = "SELECT oid::regclass::text, relkind, oid >= 16384 FROM pg_class WHERE NOT relisshared"


@pytest.fixture(scope="module")
def template(postgres: Postgres) -> str:
    """A database with the newest tables."""
    return new_database(postgres).rpartition("/")[2]


@pytest.fixture
def lender(postgres: Postgres, template: str) -> Iterator[Lender]:
    """One that has lent nothing yet."""
    with closing(Lender(postgres, template)) as made:
        yield made


def do(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Do something in a database, each statement by itself; what the last one finds."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def number_of(url: str) -> object:
    """Which database it is, whatever its name."""
    return do(url, "SELECT oid FROM pg_database WHERE datname = current_database()")


def dump(url: str) -> list[str]:
    """All that is to be seen of a database, but its name and what counts the server's life."""
    pool = Pool(url, size=1)
    with pool.transaction() as tx:
        tx.cursor.execute(RELATIONS)
        asked = list(SEEN)
        for name, kind, is_ours in sorted(tx.cursor.fetchall()):
            if kind == "S":
                asked.append(f"SELECT * FROM {name}")
            elif kind == "r" and is_ours:
                asked.append(f"SELECT ctid, t::text FROM {name} t ORDER BY ctid")
            elif kind == "r":
                asked.append(f"SELECT count(*) FROM {name}")
        lines = [snapshot(tx)]
        for one in asked:
            tx.cursor.execute(one)
            lines.append(f"{one}: {tx.cursor.fetchall()}")
    pool.close()
    return lines


def fill(url: str) -> None:
    """A row of a test's in each table, none of those before, and each sequence further on."""
    tables: dict[str, dict[str, str]] = {}
    for table, column, type_, is_needed in do(url, COLUMNS):
        place = f"{table}.{column}"
        values = tables.setdefault(str(table), {})
        if is_needed or place in DEMANDED:
            values[f'"{column}"'] = DEMANDED.get(place) or VALUES[str(type_)]
    statements = ["SET session_replication_role = replica"]
    for table, values in tables.items():
        statements += [
            f"DELETE FROM {table}",
            f"INSERT INTO {table} ({', '.join(values)}) OVERRIDING SYSTEM VALUE"
            f" VALUES ({', '.join(values.values())})",
        ]
    do(url, *statements, "SELECT nextval(oid), nextval(oid) FROM pg_class WHERE relkind = 'S'")
    counts = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables)
    assert do(url, counts) == [(table, 1) for table in tables]


def used_again(lender: Lender) -> tuple[list[str], list[str]]:
    """What is to be seen of a new copy, and of the same one after it was filled and came back."""
    with lender.lent() as url:
        first, new = number_of(url), dump(url)
        fill(url)
    with lender.lent() as url:
        assert number_of(url) == first
        return new, dump(url)


def test_a_filled_database_comes_back_as_a_new_one(lender: Lender) -> None:
    """Rows and their places, sequences, sizes of files, statistics, settings: all is as new."""
    new, again = used_again(lender)
    assert len(new) > 100
    assert again == new


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("tables", "records"), ("tables", "migrations"), ("tables", "recoveries"),
        ("sequences", "segment_numbers"), ("sequences", "outbox_id_seq"),
        ("seeds", "source_changes"), ("seeds", "migrations"),
    ],
)  # fmt: skip
def test_what_emptying_forgets_is_seen(lender: Lender, what: str, name: str) -> None:
    """The comparison above can fail: by one table, sequence or first row that is left out."""
    if what == "tables":
        lender.tables.remove(name)
    elif what == "sequences":
        lender.sequences.pop(name)
    else:
        assert lender.seeds[name]
        lender.seeds[name] = ""
    new, again = used_again(lender)
    assert again != new


CHANGES = {
    "a table more": "CREATE TABLE more ()",
    "a table less": "DROP TABLE heartbeats",
    "another name of a table": "ALTER TABLE heartbeats RENAME TO beats",
    "tables exchanged": "ALTER TABLE heartbeats RENAME TO old;"
    " CREATE TABLE heartbeats (LIKE old INCLUDING ALL); DROP TABLE old CASCADE",
    "a column more": "ALTER TABLE heartbeats ADD more integer",
    "another type": "ALTER TABLE heartbeats ALTER facts TYPE varchar",
    "a default": "ALTER TABLE lanes ALTER version SET DEFAULT 1",
    "no identity": "ALTER TABLE lanes ALTER id DROP IDENTITY",
    "no constraint": "ALTER TABLE checkpoints DROP CONSTRAINT checkpoints_size_check",
    "no index": "DROP INDEX segments_waiting",
    "another way to store": "ALTER TABLE records ALTER payload SET STORAGE PLAIN",
    "a parameter of a table": "ALTER TABLE records SET (fillfactor = 50)",
    "a table that is not logged": "ALTER TABLE heartbeats SET UNLOGGED",
    "a function": "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "a trigger": "CREATE TRIGGER t BEFORE UPDATE ON log FOR EACH ROW"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "a rule": "CREATE RULE r AS ON UPDATE TO log DO INSTEAD NOTHING",
    "a view": "CREATE VIEW v AS SELECT 1",
    "rows kept from some": "ALTER TABLE log ENABLE ROW LEVEL SECURITY",
    "a sequence's end": "ALTER SEQUENCE segment_numbers MAXVALUE 1000",
    "a large object": "SELECT lo_create(0)",
    "statistics": "ANALYZE migrations",
    "a right": "GRANT SELECT ON log TO PUBLIC",
    "a comment": "COMMENT ON TABLE log IS 'x'",
    "a schema": "CREATE SCHEMA s",
}


def test_whatever_is_changed_in_a_catalogue_is_seen(lender: Lender) -> None:
    """What was made, changed or dropped; each change by itself."""
    with lender.lent() as url, closing(psycopg2.connect(url)) as connection:
        cursor = connection.cursor()
        for what, change in CHANGES.items():
            assert lender.has_its_shape(cursor), what
            cursor.execute(change)
            assert not lender.has_its_shape(cursor), what
            connection.rollback()


@pytest.mark.parametrize(
    "change",
    [
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "ALTER DATABASE {name} SET timezone = 'Asia/Shanghai'",
        "ALTER DATABASE {name} CONNECTION LIMIT 3",
    ],
)
def test_a_database_that_was_changed_is_not_lent_again(
    lender: Lender, postgres: Postgres, change: str
) -> None:
    """Nor one whose settings were."""
    with lender.lent() as url:
        first, name = number_of(url), url.rpartition("/")[2]
        do(postgres.url_of("postgres") if "DATABASE" in change else url, change.format(name=name))
    with lender.lent() as url:
        assert number_of(url) != first


@pytest.mark.parametrize("exchange", [False, True], ids=["renamed", "exchanged"])
def test_a_database_that_went_is_not_lent_again(
    lender: Lender, postgres: Postgres, exchange: bool
) -> None:
    """Nor is what stands in its place, under its name."""
    with lender.lent() as url:
        name = url.rpartition("/")[2]
        do(postgres.url_of("postgres"), f"ALTER DATABASE {name} RENAME TO {name}_old")
        if exchange:
            do(postgres.url_of("postgres"), f"CREATE DATABASE {name}")
            other = number_of(url)
    with lender.lent() as url:
        assert do(url, "SELECT count(*) FROM records") == [(0,)]
        assert not exchange or number_of(url) != other


def test_whoever_still_knows_it_is_kept_out(lender: Lender) -> None:
    """A thread of the test before loses its connection, and gets no other one."""
    with lender.lent() as url:
        pool = Pool(url, size=1)
        with pool.transaction() as tx:
            tx.do("add_log", origin="before", vkey="before", now="2031-03-05Z")
    with lender.lent() as again:
        for _ in range(2):
            with pytest.raises(StoreUnavailable), pool.transaction() as tx:
                tx.do("add_log", origin="before", vkey="before", now="2031-03-05Z")
        assert again != url
        assert do(again, "SELECT count(*) FROM log") == [(0,)]
    pool.close()


def test_two_at_once_are_two_databases(lender: Lender) -> None:
    """What is lent is not lent to a second one."""
    with lender.lent() as one, lender.lent() as other:
        assert number_of(one) != number_of(other)


def test_the_notary_of_before_does_not_open_on_it(lender: Lender, tmp_path: Path) -> None:
    """It is the same database by its number, and yet another log: the gate stays closed."""
    with lender.lent() as url:
        before = World.make(tmp_path / "before", url)
        before.add(before.dataset("weather"), 5)
        before.settle()
        before.close()
    with lender.lent() as url:
        after = World.make(tmp_path / "after", url)
        after.gate.open()
        assert after.size() == 0
        old = on(before, url)
        with pytest.raises(StateRefused) as refused:
            old.gate.open()
        assert refused.value.facts["reason"] == "other-key"
        old.close()
        after.close()
