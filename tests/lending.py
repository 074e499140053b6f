# SPDX-License-Identifier: Apache-2.0
"""
Databases that tests use one after the other, each as good as a new copy of the template.

To copy a database takes PostgreSQL longer than most tests need. One that comes back is emptied
and gets another name, so that whoever still knows the old one (a thread or a process that
outlived its test) is kept out. One whose catalogue is not the template's any more is not lent
again, nor one that was dropped, renamed or exchanged.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import StringIO
from typing import Any

import psycopg2

from notary.local.postgres import Postgres

CATALOGUES = """
SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace
AND relkind = 'r' AND NOT relisshared AND relname <> 'pg_class' ORDER BY relname"""

# Of a relation's entry all but what emptying gives it anew.
ENTRY = """
SELECT string_agg(quote_ident(attname), ',') FROM pg_attribute
WHERE attrelid = 'pg_class'::regclass AND attnum > 0 AND attname NOT IN ('relfilenode',
'relpages', 'reltuples', 'relallvisible', 'relallfrozen', 'relfrozenxid', 'relminmxid')"""

DATABASE = """
SELECT 'database', 0, (to_jsonb(d) - '{oid,datname,datfrozenxid,datminmxid}'::text[])::text
|| (SELECT count(*) FROM pg_db_role_setting WHERE setdatabase = d.oid)
FROM pg_database d WHERE datname = current_database()"""

# PostgreSQL's own objects have smaller numbers.
RELATIONS = """
SELECT oid::regclass::text FROM pg_class WHERE relkind = %s AND oid >= 16384 ORDER BY oid"""

REFERENCES = """
SELECT confrelid::regclass::text, conrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"""


class Lender:
    """Lends copies of one template, which nobody changes any more, and takes them back."""

    def __init__(self, server: Postgres, template: str) -> None:
        self._server, self._template = server, template
        self._home = psycopg2.connect(server.url_of("postgres"))
        self._home.autocommit = True
        self._free: list[tuple[str, int]] = []
        with closing(psycopg2.connect(server.url_of(template))) as made, made.cursor() as cursor:
            self._catalogue = _catalogue(cursor)
            self._fresh = _found(cursor, self._catalogue)
            self.tables = [name for (name,) in _found(cursor, RELATIONS, "r")]
            self.seeds = {table: _copied(cursor, table) for table in self.tables}
            self.sequences = {
                name: _found(cursor, f"SELECT last_value, is_called FROM {name}")[0]
                for (name,) in _found(cursor, RELATIONS, "S")
            }
            self._references = _found(cursor, REFERENCES)

    def close(self) -> None:
        """Lend no more."""
        self._home.close()

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The address of a database as good as new; at the end it comes back."""
        name, number = self._free.pop() if self._free else self._copy()
        try:
            yield self._server.url_of(name)
        finally:
            self._take_back(name, number)

    def _copy(self) -> tuple[str, int]:
        name = _new_name()
        self._do(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return name, self._number_of(name)

    def _take_back(self, name: str, number: int) -> None:
        if self._number_of(name) != number:
            return
        self._send_away(name)
        new = _new_name()
        try:
            self._do(f"ALTER DATABASE {name} RENAME TO {new}")
        except psycopg2.errors.ObjectInUse:
            return  # somebody connects to it again and again
        with (
            closing(psycopg2.connect(self._server.url_of(new))) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            if not self.has_its_shape(cursor):
                return
            self._empty(cursor)
        self._free.append((new, number))

    def has_its_shape(self, cursor: Any) -> bool:
        """Whether nothing was made, changed or dropped in a database since it was copied."""
        return _found(cursor, self._catalogue) == self._fresh

    def _empty(self, cursor: Any) -> None:
        """
        Make a table that was written to a new one, its files and statistics too.

        TRUNCATE wants to be told all tables that refer to one of them.
        """
        written = self._written(cursor)
        while more := {by for to, by in self._references if to in written} - written:
            written |= more
        if written:
            cursor.execute(f"TRUNCATE {', '.join(sorted(written))}")
        for table in sorted(written):
            if self.seeds[table]:
                cursor.copy_expert(f"COPY {table} FROM STDIN", StringIO(self.seeds[table]))
        places = ", ".join(
            f"setval('{name}', {last}, {is_called})"
            for name, (last, is_called) in self.sequences.items()
        )
        cursor.execute(f"SELECT {places}")

    def _written(self, cursor: Any) -> set[str]:
        """The tables that are not as they were: no file is empty that a row was ever put in."""
        asked = ", ".join(f"pg_relation_size('{table}')" for table in self.tables)
        (sizes,) = _found(cursor, f"SELECT {asked}")
        used = {table for table, size in zip(self.tables, sizes, strict=True) if size}
        return {
            table
            for table in used
            if not self.seeds[table] or _copied(cursor, table) != self.seeds[table]
        }

    def _send_away(self, name: str) -> None:
        """End whatever is still connected to a database."""
        ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
        while self._do(ended, name) != [(0,)]:
            time.sleep(0.002)

    def _number_of(self, name: str) -> int:
        """Its oid; 0 where there is none of that name."""
        found = self._do("SELECT oid::bigint FROM pg_database WHERE datname = %s", name)
        return int(found[0][0]) if found else 0

    def _do(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._home.cursor() as cursor:
            return _found(cursor, sql, *values)


def _new_name() -> str:
    return f"test_{secrets.token_hex(6)}"


def _catalogue(cursor: Any) -> str:
    """
    A query whose answer changes with any catalogue, whatever is made, changed or dropped.

    It counts the rows of each, and those that came later than now. Where emptying writes
    (pg_class), the rows themselves are compared.
    """
    ((now,),) = _found(cursor, "SELECT pg_current_xact_id()::text")
    ((entry,),) = _found(cursor, ENTRY)
    counts = [
        f"SELECT '{name}', count(*),"
        f" (count(*) FILTER (WHERE age(xmin) < age('{now}'::xid)))::text FROM {name}"
        for (name,) in _found(cursor, CATALOGUES)
    ]
    rows = f"md5(string_agg(ROW({entry})::text, ';' ORDER BY oid))"
    return " UNION ALL ".join(
        [*counts, f"SELECT 'pg_class', count(*), {rows} FROM pg_class", DATABASE]
    )


def _found(cursor: Any, sql: str, *values: object) -> list[tuple[Any, ...]]:
    cursor.execute(sql, values or None)
    return cursor.fetchall() if cursor.description else []


def _copied(cursor: Any, table: str) -> str:
    """The rows of a table as COPY writes them."""
    rows = StringIO()
    cursor.copy_expert(f"COPY {table} TO STDOUT", rows)
    return rows.getvalue()
