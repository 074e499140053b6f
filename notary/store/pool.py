# SPDX-License-Identifier: Apache-2.0
"""
A small blocking pool of connections, and the transaction that callers work in.

It survives a restart of the database: a connection that broke is thrown away, and the
next transaction opens a new one. A fork (gunicorn) starts with an empty pool.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from types import TracebackType
from typing import Any

import psycopg2
import psycopg2.extensions as ext

from notary.store.errors import LaneBusy, NameTaken, StoreRefused, StoreUnavailable
from notary.store.queries import query

SETTINGS = (
    "-c synchronous_commit=on -c timezone=UTC -c lock_timeout=5000"
    " -c idle_in_transaction_session_timeout=30000 -c statement_timeout=600000"
)


def _bytes(value: str | bytes | None, cursor: object) -> bytes | None:
    return None if value is None else bytes.fromhex(str(value)[2:])


BYTEA = ext.new_type((17,), "BYTEA", _bytes)


COPY_BYTES = 1 << 20


class Connection(ext.connection):
    """A connection that knows which queries it has prepared, and how its session is set."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.prepared: set[str] = set()
        self.session: tuple[bool, bool, bool] | None = None


class Transaction:
    """Named queries inside one database transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.cursor = connection.cursor()

    def do(self, name: str, /, **values: object) -> int:
        """Run a named query and say how many rows it touched."""
        self.cursor.execute(query(name), values)
        return int(self.cursor.rowcount)

    def rows(self, name: str, /, **values: object) -> list[tuple[Any, ...]]:
        """All rows of a named query."""
        self.cursor.execute(query(name), values)
        found: list[tuple[Any, ...]] = self.cursor.fetchall()
        return found

    def row(self, name: str, /, **values: object) -> tuple[Any, ...] | None:
        """The first row of a named query, or None."""
        self.cursor.execute(query(name), values)
        found: tuple[Any, ...] | None = self.cursor.fetchone()
        return found

    def maps(self, name: str, /, **values: object) -> list[dict[str, Any]]:
        """All rows of a named query, each by the names of its columns."""
        rows = self.rows(name, **values)
        names = [column.name for column in self.cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def prepared(self, name: str, /, *values: object) -> list[dict[str, Any]]:
        """
        All rows of a named query that is planned once for each connection.

        Its text has $1, $2 … where the values go: for what is asked thousands of times.
        """
        if name not in self.connection.prepared:
            self.cursor.execute(f"PREPARE {name} AS {query(name)}")
            self.connection.prepared.add(name)
        marks = ",".join(["%s"] * len(values))
        self.cursor.execute(f"EXECUTE {name} ({marks})", values)
        names = [column.name for column in self.cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in self.cursor.fetchall()]

    def stream(self, name: str, size: int, /, **values: object) -> Iterator[tuple[Any, ...]]:
        """The rows of a named query through a cursor of the server, `size` at a time."""
        with self.connection.cursor(name=f"stream_{name}") as cursor:
            cursor.itersize = size
            cursor.execute(query(name), values)
            yield from cursor

    def copy(self, name: str, data: bytes) -> None:
        """
        Run a named COPY ... FROM STDIN with the data.

        In large pieces: after each one the driver has to wait for the interpreter again.
        """
        self.cursor.copy_expert(query(name), BytesIO(data), size=COPY_BYTES)


class Pool:
    """
    At most `size` connections; a caller waits up to `wait_seconds` for a free one.

    `on_connect` looks at each new connection and may refuse it by raising.
    """

    def __init__(
        self,
        url: str,
        size: int = 4,
        wait_seconds: float = 10.0,
        on_connect: Callable[[Transaction], None] | None = None,
    ) -> None:
        self._url = url
        self._size = size
        self._wait_seconds = wait_seconds
        self._on_connect = on_connect
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._free: list[tuple[Any, float]] = []
        self._slots = threading.BoundedSemaphore(self._size)

    def on_connect(self, look: Callable[[Transaction], None]) -> None:
        """Set the look that each new connection gets; the ones at hand are closed."""
        self.close()
        self._on_connect = look

    @contextmanager
    def transaction(
        self, *, read_only: bool = False, snapshot: bool = False, each_alone: bool = False
    ) -> Iterator[Transaction]:
        """
        A transaction: committed at the end of the block, rolled back by an error.

        With `snapshot` all statements see one state (REPEATABLE READ). With `each_alone`
        each statement is a transaction of its own, which saves two round trips where
        what is read never changes.

        Raises:
            StoreUnavailable: the database can't be reached, or the connection broke
                (then it is not known whether a commit under way was done).
            LaneBusy: a lock was not to be had in time.
            StoreRefused: the server found its own data damaged.
            NameTaken: a unique name is taken.
        """
        if self._pid != os.getpid():
            self._reset()
        slots = self._slots
        if not slots.acquire(timeout=self._wait_seconds):
            raise StoreUnavailable("All connections to the database are in use.")
        connection = None
        try:
            connection = self._take()
            session = (snapshot, read_only, each_alone)
            if connection.session != session:  # setting it costs a round trip
                level = ext.ISOLATION_LEVEL_REPEATABLE_READ if snapshot else None
                connection.set_session(
                    isolation_level=level or "DEFAULT", readonly=read_only, autocommit=each_alone
                )
                connection.session = session
            transaction = Transaction(connection)
            try:
                yield transaction
                connection.commit()
            except BaseException:
                if not connection.closed:
                    connection.rollback()
                raise
            self._free.append((connection, time.monotonic()))
            connection = None
        except psycopg2.Error as error:
            raise _translate(error) from error
        finally:
            if connection is not None:
                self._give_back(connection)
            slots.release()

    def close(self) -> None:
        """Close the free connections."""
        while (free := self._pop()) is not None:
            free[0].close()

    def _pop(self) -> tuple[Any, float] | None:
        """The free connection that was used last, also where threads ask at once."""
        try:
            return self._free.pop()
        except IndexError:
            return None

    def _take(self) -> Any:
        while (free := self._pop()) is not None:
            connection, since = free
            if time.monotonic() - since < 1.0 or _is_alive(connection):
                return connection
            connection.close()
        return self._open()

    def _open(self) -> Any:
        connection = psycopg2.connect(
            self._url, connection_factory=Connection, connect_timeout=5, options=SETTINGS
        )
        ext.register_type(BYTEA, connection)
        if self._on_connect is not None:
            try:
                self._on_connect(Transaction(connection))
                connection.rollback()
            except BaseException:
                connection.close()
                raise
        return connection

    def _give_back(self, connection: Any) -> None:
        if connection.closed:
            # The server went away: what else is open to it is broken too, or soon checked.
            self.close()
            return
        if connection.info.transaction_status == ext.TRANSACTION_STATUS_IDLE:
            self._free.append((connection, time.monotonic()))
        else:
            connection.close()


def say_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """
    A process's `sys.excepthook`: Python's own, but for what was not uncaught.

    Where the server ends in the middle of a COPY, psycopg2 2.9 prints its error as a
    SystemError of its own (it takes the server's last notice with that error set), and
    raises it all the same.
    """
    if not (issubclass(kind, SystemError) and isinstance(error.__cause__, psycopg2.Error)):
        sys.__excepthook__(kind, error, trace)


def _is_alive(connection: Any) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.rollback()
    except psycopg2.Error:
        return False
    return True


_NAMES = {
    "datasets_name_key": "A dataset of that id exists.",
    "departments_id_key": "A department of that id exists, or existed.",
}


def _translate(error: psycopg2.Error) -> Exception:
    """The domain's error for a database error; a fault of our own stays what it is."""
    if isinstance(error, psycopg2.errors.LockNotAvailable):
        return LaneBusy()
    if isinstance(error, psycopg2.errors.UniqueViolation):
        name = error.diag.constraint_name
        return NameTaken(_NAMES[name]) if name in _NAMES else error
    if isinstance(error, psycopg2.errors.DataCorrupted | psycopg2.errors.IndexCorrupted):
        return StoreRefused(f"The database is damaged: {str(error).strip()}", reason="damaged")
    if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
        # What the server itself answered has a code: its disk is full, say.
        what = "be reached" if error.pgcode is None else "do it just now"
        return StoreUnavailable(f"The database can't {what}: {str(error).strip()}")
    return error
