# SPDX-License-Identifier: Apache-2.0
"""The pool: blocks when it is empty, survives restarts and forks, and loses no connection."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import psycopg2
import pytest

from notary.local.postgres import Postgres
from notary.store.errors import LaneBusy, NameTaken, StoreRefused, StoreUnavailable
from notary.store.pool import Pool, Transaction, say_uncaught
from tests.usecases.servers import passing_server
from tests.usecases.world import World


@pytest.fixture
def pool(database_url: str) -> Iterator[Pool]:
    """A pool of two connections."""
    made = Pool(database_url, size=2, wait_seconds=0.2)
    yield made
    made.close()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server that these tests may restart and kill."""
    with passing_server(tmp_path_factory.mktemp("own")) as server:
        yield server


def ask(pool: Pool, sql: str = "SELECT pg_backend_pid()") -> object:
    """One answer of the database."""
    with pool.transaction() as tx:
        tx.cursor.execute(sql)
        return tx.cursor.fetchone()[0]  # type: ignore[index]


# -- a transaction


def test_a_block_that_ends_is_committed(pool: Pool) -> None:
    """Other connections see it."""
    ask(pool, "CREATE TABLE t (a integer); INSERT INTO t VALUES (7) RETURNING a")
    with pool.transaction(), pool.transaction() as other:
        other.cursor.execute("SELECT a FROM t")
        assert other.cursor.fetchall() == [(7,)]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_block_that_fails_leaves_nothing(pool: Pool, error: type[BaseException]) -> None:
    """Whatever ended it, and the connection can be used again."""
    ask(pool, "CREATE TABLE t (a integer); SELECT 1")

    def fail() -> None:
        with pool.transaction() as tx:
            tx.cursor.execute("INSERT INTO t VALUES (7)")
            raise error

    for _ in range(5):
        with pytest.raises(error):
            fail()
    assert ask(pool, "SELECT count(*) FROM t") == 0


def test_a_failed_statement_does_not_poison_the_connection(pool: Pool) -> None:
    """More failures than there are connections, and the next one works."""
    for _ in range(5):
        with pytest.raises(psycopg2.errors.DivisionByZero):
            ask(pool, "SELECT 1 / 0")
    assert ask(pool, "SELECT 1") == 1


def test_a_read_only_transaction_writes_nothing(pool: Pool) -> None:
    """And the next transaction on the same connection may write again."""
    ask(pool, "CREATE TABLE t (a integer); SELECT 1")

    def write() -> None:
        with pool.transaction(read_only=True) as tx:
            tx.cursor.execute("INSERT INTO t VALUES (7)")

    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        write()
    assert ask(pool, "INSERT INTO t VALUES (7) RETURNING a") == 7


def test_a_snapshot_sees_one_state(pool: Pool) -> None:
    """What others commit meanwhile is not seen; without it, it is."""
    ask(pool, "CREATE TABLE t (a integer); SELECT 1")

    def seen(snapshot: bool) -> list[object]:
        with pool.transaction(read_only=True, snapshot=snapshot) as tx:
            tx.cursor.execute("SELECT count(*) FROM t")
            before = tx.cursor.fetchall()[0][0]
            ask(pool, "INSERT INTO t VALUES (1) RETURNING a")
            tx.cursor.execute("SELECT count(*) FROM t")
            return [before, tx.cursor.fetchall()[0][0]]

    assert seen(snapshot=True) == [0, 0]
    assert seen(snapshot=False) == [1, 2]


def test_each_alone_ends_with_its_block(pool: Pool) -> None:
    """The next transaction on that connection is one again, with all or nothing."""
    with pool.transaction(each_alone=True) as tx:
        tx.cursor.execute("CREATE TABLE t (a integer)")

    def fail() -> None:
        with pool.transaction() as tx:
            tx.cursor.execute("INSERT INTO t VALUES (7)")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert ask(pool, "SELECT count(*) FROM t") == 0


@pytest.mark.parametrize(
    ("setting", "value"),
    [("synchronous_commit", "on"), ("timezone", "UTC"), ("lock_timeout", "5s")],
)
def test_each_connection_has_our_settings(pool: Pool, setting: str, value: str) -> None:
    """Also where the database's owner set others for it."""
    name = ask(pool, "SELECT current_database()")
    with pool.transaction() as tx:
        tx.cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        tx.cursor.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Shanghai'")
    pool.close()
    assert ask(pool, f"SHOW {setting}") == value


# -- errors


def test_a_lock_that_others_hold_is_lane_busy(pool: Pool) -> None:
    """The caller tries again; nothing waits for ever."""
    ask(pool, "CREATE TABLE t (a integer); SELECT 1")

    def wait() -> None:
        with pool.transaction() as tx:
            tx.cursor.execute("SET LOCAL lock_timeout = 20; LOCK TABLE t")

    with pool.transaction() as tx:
        tx.cursor.execute("LOCK TABLE t")
        with pytest.raises(LaneBusy):
            wait()


def test_a_server_that_answers_that_it_can_not_is_not_called_away(pool: Pool) -> None:
    """Whoever reads that its disk is full looks there, not at the network."""
    sort = "SELECT i FROM generate_series(1, 100000) i ORDER BY random()"
    with pytest.raises(StoreUnavailable) as refused:
        ask(pool, f"SET LOCAL work_mem = '64kB'; SET LOCAL temp_file_limit = '64kB'; {sort}")
    assert refused.value.detail.startswith("The database can't do it just now: temporary file")


def test_only_names_of_people_become_name_taken(world: World) -> None:
    """A broken invariant of our own stays what it is: it must not look like a user's fault."""
    world.dataset("weather")
    with pytest.raises(NameTaken):
        world.dataset("weather")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        world.change("INSERT INTO log (origin, vkey, created_at) VALUES ('x', 'x', now())")


# -- waiting


def test_an_empty_pool_blocks_until_one_is_free(database_url: str) -> None:
    """The third caller of two connections gets the first that is given back."""
    pool = Pool(database_url, size=2, wait_seconds=30)
    go = threading.Event()
    with ThreadPoolExecutor(3) as threads:

        def hold() -> None:
            with pool.transaction():
                go.wait()

        held = [threads.submit(hold) for _ in range(2)]
        while pool._slots.acquire(blocking=False):
            pool._slots.release()
        third = threads.submit(ask, pool, "SELECT 3")
        with pytest.raises(TimeoutError):
            third.result(timeout=0.2)
        go.set()
        assert third.result() == 3
        for one in held:
            one.result()
    pool.close()


def test_waiting_has_an_end(pool: Pool) -> None:
    """A pool that stays empty says so, and works again afterwards."""
    with pool.transaction(), pool.transaction(), pytest.raises(StoreUnavailable, match="in use"):
        ask(pool)
    assert ask(pool, "SELECT 1") == 1


def test_there_are_never_more_connections_than_slots(pool: Pool) -> None:
    """Many threads, two connections; each is used again."""
    pool._wait_seconds = 30
    with ThreadPoolExecutor(12) as threads:
        pids = set(threads.map(lambda _: ask(pool), range(300)))
    assert 1 <= len(pids) <= 2


# -- on_connect


def test_each_new_connection_is_looked_at_and_may_be_refused(pool: Pool) -> None:
    """What the look raises reaches the caller; no slot and no connection is lost."""
    ask(pool)
    looks = []

    def look(tx: Transaction) -> None:
        looks.append(tx.row("server"))
        if len(looks) <= 4:
            raise StoreRefused("Not this one.")

    pool.on_connect(look)
    for _ in range(4):
        with pytest.raises(StoreRefused, match="Not this one"):
            ask(pool)
    assert ask(pool, "SELECT 1") == 1
    assert ask(pool, "SELECT 2") == 2
    assert len(looks) == 5
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    deadline = time.monotonic() + 60
    while ask(pool, count) != 1:
        assert time.monotonic() < deadline, "refused connections stayed open"


# -- the server goes away


def until_it_works(pool: Pool) -> int:
    """How many calls failed, each with StoreUnavailable, before one worked."""
    for failures in range(10):
        try:
            assert ask(pool, "SELECT 1") == 1
        except StoreUnavailable:
            continue
        return failures
    raise AssertionError("the pool didn't recover")


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_a_restart_of_the_database_is_survived(own: Postgres, end: str) -> None:
    """At most one call fails, with the error that says: try again."""
    pool = Pool(own.url, size=3)
    with pool.transaction(), pool.transaction(), pool.transaction():
        pass
    if end == "kill":
        own.kill()
        own.start()
    else:
        own.restart()
    pool._url = own.url
    assert until_it_works(pool) <= 1
    assert until_it_works(pool) == 0
    pool.close()


def test_a_server_that_ends_in_the_middle_of_a_copy_is_told_once(
    own: Postgres, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As an error of ours; logs of one JSON object a line get nothing else."""
    monkeypatch.setattr(sys, "excepthook", say_uncaught)
    pool, other = Pool(own.url, size=1), Pool(own.url, size=1)
    until_it_works(pool)

    class Ending(BytesIO):
        """Rows without an end; the server ends the connection after the first."""

        def read(self, size: int | None = -1) -> bytes:
            others = "pid <> pg_backend_pid() AND query LIKE 'COPY%'"
            ask(
                other,
                f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {others}",
            )
            return b"1\n" * 5000

    def copy() -> None:
        with pool.transaction() as tx:
            tx.cursor.execute("CREATE TEMP TABLE t (a integer)")
            tx.cursor.copy_expert("COPY t FROM STDIN", Ending())

    for _ in range(10):
        with pytest.raises(StoreUnavailable):
            copy()
    assert capfd.readouterr().err == ""
    pool.close()
    other.close()


@pytest.mark.parametrize(
    "error", [SystemError("of another kind"), ValueError("a fault of our own")]
)
def test_any_other_error_that_nobody_caught_is_shown(
    error: Exception, capfd: pytest.CaptureFixture[str]
) -> None:
    """Only psycopg2's own slip is passed over."""
    say_uncaught(type(error), error, None)
    assert str(error) in capfd.readouterr().err


def test_a_connection_that_rested_is_checked_before_use(own: Postgres) -> None:
    """After a second of rest not even one call fails."""
    pool = Pool(own.url, size=3)
    with pool.transaction(), pool.transaction(), pool.transaction():
        pass
    pool._free = [(connection, since - 2) for connection, since in pool._free]
    own.restart()
    assert until_it_works(pool) == 0
    pool.close()


def test_a_server_that_is_down_is_unavailable_not_a_traceback(own: Postgres) -> None:
    """Before, during and after a transaction."""
    pool = Pool(own.url, size=2)
    during: list[Callable[[Transaction], object]] = [
        lambda tx: None,
        lambda tx: tx.row("server"),
        lambda tx: tx.stream("server", 1).__next__(),
    ]
    for step in during:
        own.start()
        pool._url = own.url

        def broken(step: Callable[[Transaction], object] = step) -> None:
            with pool.transaction() as tx:
                tx.row("server")
                own.kill()
                step(tx)
                tx.connection.commit()

        until_it_works(pool)
        with pytest.raises(StoreUnavailable):
            broken()
        with pytest.raises(StoreUnavailable):
            ask(pool)
    own.start()
    pool._url = own.url
    until_it_works(pool)
    pool.close()


FORK = """
import os, sys
from notary.store.pool import Pool

def pid(pool):
    with pool.transaction() as tx:
        tx.cursor.execute("SELECT pg_backend_pid()")
        return tx.cursor.fetchone()[0]

pool = Pool(sys.argv[1], size=1, wait_seconds=1)
with pool.transaction():
    pass
parent = pid(pool)
with pool.transaction() as tx:  # also in the middle of a transaction of the parent's
    tx.cursor.execute("CREATE TABLE t (a integer)")
    child = os.fork()
    if child == 0:
        status = 0 if pid(pool) != parent and pid(pool) != parent else 1
        pool.close()
        os._exit(status)
    _, status = os.waitpid(child, 0)
    tx.cursor.execute("INSERT INTO t VALUES (1)")
print(status, pid(pool) == parent)
"""


def test_a_forked_process_has_connections_of_its_own(database_url: str) -> None:
    """The child neither uses nor closes the parent's, even while one is in use."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORK, database_url],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout == "0 True\n", done.stderr


def test_damage_that_the_server_finds_is_told_as_damage(own: Postgres) -> None:
    """A bit that flipped on the disk: not 'try again', not a traceback."""
    pool = Pool(own.url, size=1)
    file = ask(
        pool,
        "CREATE TABLE t AS SELECT * FROM generate_series(1, 1000) AS a;"
        "SELECT pg_relation_filepath('t')",
    )
    pool.close()
    own.stop()
    path = own.data / str(file)
    data = bytearray(path.read_bytes())
    data[8192 + 5000] ^= 1
    path.write_bytes(data)
    own.start()
    pool = Pool(own.url, size=1)
    with pytest.raises(StoreRefused) as refused:
        ask(pool, "SELECT count(*) FROM t")
    assert refused.value.facts["reason"] == "damaged"
    assert str(file) in refused.value.detail
    pool.close()
