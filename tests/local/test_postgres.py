# SPDX-License-Identifier: Apache-2.0
"""The embedded PostgreSQL keeps what was committed and leaves no process behind."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from notary.local import programs
from notary.local.errors import FolderInUse, PortTaken, StartFailed, WrongVersion
from notary.local.place import servant
from notary.local.postgres import Postgres
from notary.local.proctable import descendants, is_running, kill_tree
from notary.local.programs import postgres_programs
from tests.local.support import as_servant, ask, eventually, listener, parent_of

COUNT = "SELECT count(*) FROM kept"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server of these tests' own with one table of 1,000 committed rows."""
    with Postgres.open(tmp_path_factory.mktemp("own") / "pg") as server:
        ask(server.url, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        yield server


@pytest.fixture
def server(cluster: Postgres) -> Postgres:
    """The same, running, whatever the test before has done to it."""
    cluster.start()
    return cluster


def test_the_settings_that_keep_a_commit_are_on(server: Postgres) -> None:
    """fsync, full page writes, synchronous commit, page checksums, passwords by SCRAM."""
    names = ("fsync", "full_page_writes", "synchronous_commit", "data_checksums")
    query = ", ".join(f"current_setting('{name}')" for name in names)
    assert ask(server.url, f"SELECT {query}") == [("on", "on", "on", "on")]
    assert ask(server.url, "SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid "
                           "WHERE rolname = 'notary'") == [(True,)]  # fmt: skip


def test_it_listens_on_loopback_only(server: Postgres) -> None:
    """Neither another address nor a socket file leads to it."""
    assert ask(server.url, "SELECT current_setting('listen_addresses'), "
                           "current_setting('unix_socket_directories')") == [
        ("127.0.0.1", "")
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["", "notary", "postgres"])
def test_without_the_password_nobody_gets_in(server: Postgres, word: str) -> None:
    """A cluster that trusted local connections would let every user of the machine in."""
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(
            host="127.0.0.1", port=server.port, user="notary", dbname="notary", password=word
        )


def test_password_and_data_are_for_their_owner_alone(server: Postgres) -> None:
    """No other user of the machine can read them."""
    for path in (server.folder / "password", server.data):
        assert path.stat().st_mode & 0o077 == 0


def test_the_password_stands_in_no_command_line_and_no_log(server: Postgres) -> None:
    """Command lines are readable by everybody."""
    word = server.url.split(":")[2].split("@")[0]
    assert server.pid is not None
    command = Path(f"/proc/{server.pid}/cmdline").read_text()
    assert word not in command
    assert word not in server.log.read_text()


def test_a_killed_server_has_all_committed_rows(server: Postgres) -> None:
    """kill -9 of the server and all its processes, in the middle of an open transaction."""
    with closing(psycopg2.connect(server.url)) as connection:
        connection.cursor().execute("INSERT INTO kept VALUES (-1)")
        server.kill()
    server.start()
    assert ask(server.url, COUNT) == [(1000,)]


def test_a_kill_leaves_no_process_of_the_server(server: Postgres) -> None:
    """Each backend is a group of its own: killing the first process's group isn't enough."""
    assert server.pid is not None
    family = [server.pid, *descendants(server.pid)]
    assert len(family) > 3
    server.kill()
    assert eventually(lambda: not any(map(is_running, family)))


def test_ctrl_c_at_the_terminal_reaches_the_parent_alone(server: Postgres) -> None:
    """The server is stopped by its parent, in order, after those that use it."""
    assert server.pid is not None
    assert os.getsid(server.pid) != os.getsid(0)


def test_it_starts_again_on_the_same_port(server: Postgres) -> None:
    """Who wrote the address down yesterday finds the server today."""
    server.stop()
    with Postgres.open(server.folder) as second:
        assert second.url == server.url
        assert ask(second.url, COUNT) == [(1000,)]


def test_a_taken_port_is_named(server: Postgres) -> None:
    """The sentence tells the port and what it was for; the folder is free again after."""
    server.stop()
    with listener() as port:
        with pytest.raises(PortTaken, match=rf"\b{port}\b.*PostgreSQL"):
            Postgres.open(server.folder, port)
        with Postgres.open(server.folder) as second:
            assert second.port != port


def test_the_last_port_is_left_to_who_has_it_now(server: Postgres) -> None:
    """Without a port asked for, a taken one is no obstacle."""
    server.stop()
    with listener() as port:
        (server.folder / "port").write_text(f"{port}\n")
        with Postgres.open(server.folder) as second:
            assert second.port != port
            assert ask(second.url, COUNT) == [(1000,)]


def test_a_port_that_is_taken_in_the_last_moment_is_not_taken_for_ours(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A foreign server would answer, and our readings would go into its database."""
    monkeypatch.setattr("notary.local.standing.require_free", lambda port, part: port)
    with pytest.raises(PortTaken, match=str(server.port)):
        Postgres.open(tmp_path / "other", server.port)


def test_a_second_run_in_the_same_folder_is_refused(server: Postgres) -> None:
    """Else the second would take the first one's server for an orphan and end it."""
    with pytest.raises(FolderInUse, match="in use"):
        Postgres.open(server.folder)
    assert ask(server.url, COUNT) == [(1000,)]


def test_the_pid_file_of_another_living_program_does_not_block_the_start(
    server: Postgres,
) -> None:
    """After a restart of the machine another program may have the old server's number."""
    pid_file = server.data / "postmaster.pid"
    server.kill()
    with subprocess.Popen(["sleep", "600"], **as_servant()) as stranger:
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        server.start()
        assert ask(server.url, COUNT) == [(1000,)]
        assert stranger.poll() is None
        stranger.kill()


def test_the_server_goes_with_a_killed_parent(server: Postgres) -> None:
    """kill -9 of `make run` must not leave a database running."""
    server.stop()
    with parent_of("postgres", "Postgres", server.folder) as (parent, pid, _):
        parent.kill()
        assert eventually(lambda: not is_running(pid))
    server.start()
    assert ask(server.url, COUNT) == [(1000,)]


def test_a_server_left_by_a_killed_parent_is_taken_over(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system can't tie it to its parent, the next run ends it and goes on."""
    server.stop()
    pid_file = server.data / "postmaster.pid"
    program = postgres_programs(servant()) / "postgres"
    command = [program, "-D", server.data, "-p", str(server.port), "-c"]
    with subprocess.Popen(
        [*command, "unix_socket_directories="],
        cwd=server.data,
        stderr=subprocess.DEVNULL,
        **as_servant(),
    ) as orphan:
        try:
            assert eventually(lambda: pid_file.exists() and "ready" in pid_file.read_text())
            # Here we are its parent, and wait for it as process 1 would for an orphan.
            monkeypatch.setattr(
                "notary.local.postgres.wait_for_end", lambda pid, s: orphan.wait(s) == 0
            )
            server.start()
            assert orphan.poll() == 0
            assert ask(server.url, COUNT) == [(1000,)]
        finally:
            if orphan.poll() is None:
                kill_tree(orphan.pid)


def test_the_data_of_another_major_version_are_refused_untouched(server: Postgres) -> None:
    """PostgreSQL can't read them, and what it can't read it must not replace."""
    version = server.data / "PG_VERSION"
    server.stop()
    ours = version.read_text()
    version.write_text("12\n")
    with pytest.raises(WrongVersion, match=r"PostgreSQL 12 .*pg_dump"):
        server.start()
    assert server.pid is None
    version.write_text(ours)
    server.start()
    assert ask(server.url, COUNT) == [(1000,)]


def test_a_lost_password_is_not_replaced_in_silence(server: Postgres) -> None:
    """With another password every process would be refused, one by one, without a reason."""
    server.stop()
    password = server.folder / "password"
    word = password.read_text()
    password.unlink()
    with pytest.raises(StartFailed, match="password"):
        server.start()
    password.write_text(word)
    server.start()
    assert ask(server.url, COUNT) == [(1000,)]


def test_a_server_that_can_not_start_tells_why(server: Postgres) -> None:
    """The log's last lines are in the sentence, and no process is left."""
    server.stop()
    with pytest.raises(StartFailed, match="no_such_setting"):
        Postgres.open(server.folder, settings={"no_such_setting": "1"})
    with Postgres.open(server.folder) as second:
        assert ask(second.url, COUNT) == [(1000,)]


def test_a_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    """A power cut during the first start leaves no folder that looks like a cluster."""
    with Postgres.open(tmp_path / "pg") as server:
        data = server.data
        server.stop()
        data.rename(data.with_name("data.new"))
        (data.with_name("data.new") / "PG_VERSION").unlink()
        server.start()
        assert ask(server.url, "SELECT 1") == [(1,)]


@pytest.mark.skipif(os.geteuid() != 0, reason="a plain user's servers run as that user")
def test_root_runs_it_from_a_closed_home_without_opening_it(tmp_path: Path) -> None:
    """Files lie outside, where nobody gets at them; no folder's permissions are widened."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with Postgres.open(home / "city" / "var" / "pg") as server:
        assert not server.data.is_relative_to(home)
        assert server.pid is not None
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_removed_folder_begins_anew(tmp_path: Path) -> None:
    """Who removes ./var wants an empty notary, wherever the files lay."""
    with Postgres.open(tmp_path / "pg") as server:
        ask(server.url, "CREATE TABLE kept AS SELECT 1 AS n")
        first = server.data
    shutil.rmtree(tmp_path / "pg")
    with Postgres.open(tmp_path / "pg") as server:
        assert ask(server.url, "SELECT to_regclass('kept') IS NULL") == [(True,)]
        assert server.data == first or not first.exists()


def test_the_systems_server_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the wheel can't be had, the same launcher starts Debian's."""
    monkeypatch.setattr(programs, "_from_wheel", lambda account: None)
    if programs._from_debian() is None:
        pytest.skip("no PostgreSQL of the system's is installed here")
    with Postgres.open(tmp_path / "pg") as server:
        assert ask(server.url, "SELECT current_setting('fsync')") == [("on",)]
