# SPDX-License-Identifier: Apache-2.0
"""What PostgreSQL and the broker have in common: a folder that is held, a port, one program."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from notary.local.errors import PortTaken, StartFailed
from notary.local.folder import Hold, write_private
from notary.local.ports import free_port, is_free, require_free, taken
from notary.local.processes import Child


class StandingServer(ABC):
    """
    One server in one folder, on 127.0.0.1. Without `port`: the one of the last time, else a
    free one.
    """

    title: ClassVar[str]
    """What people are told when its port is taken."""
    port_refused: ClassVar[str]
    """What it says itself then."""
    start_seconds: ClassVar[float] = 30.0

    def __init__(self, folder: Path, port: int | None) -> None:
        self.folder = folder
        self.port = 0
        self._wanted_port = port
        self._hold = Hold(folder)
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The server's process, while it runs."""
        return self._child.process.pid if self._child and self._child.alive else None

    def start(self) -> None:
        """
        Start it, again after `stop` or `kill` too; returns when it answers.

        Raises:
            FolderInUse, PortTaken, StartFailed: as they say.
        """
        if self.pid is not None:
            return
        self._hold.take()
        try:
            self._prepare()
            self._launch_on_some_port()
        except BaseException:
            self._hold.release()
            raise
        write_private(self.folder / "port", f"{self.port}\n")

    def stop(self) -> None:
        """Stop in order and release the folder."""
        if self._child is not None:
            self._child.stop()
        self._hold.release()

    def restart(self) -> None:
        """Stop in order and start again on the same port."""
        if self._child is not None:
            self._child.stop()
        self._wanted_port = self.port
        self.start()

    def kill(self) -> None:
        """Kill all of it at once (kill -9); the folder stays held for `start`."""
        if self._child is not None:
            self._child.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @abstractmethod
    def _prepare(self) -> None:
        """Look after the folder, which is held by now."""

    @abstractmethod
    def _begin(self) -> Child:
        """Start the program on `self.port`."""

    @abstractmethod
    def _is_ready(self, child: Child) -> bool:
        """Whether it is this program that answers."""

    def _launch_on_some_port(self) -> None:
        for attempts_left in (2, 1, 0):
            self.port = self._choose_port()
            try:
                return self._launch()
            except PortTaken:
                # Somebody was faster; where any port will do, take another.
                if self._wanted_port is not None or not attempts_left:
                    raise

    def _launch(self) -> None:
        child = self._begin()
        try:
            child.wait_until(lambda: self._is_ready(child), timeout_seconds=self.start_seconds)
        except StartFailed:
            if self.port_refused in child.said():
                raise PortTaken(taken(self.port, self.title)) from None
            raise
        self._child = child

    def _choose_port(self) -> int:
        if self._wanted_port is not None:
            return require_free(self._wanted_port, self.title)
        kept = self.folder / "port"
        if kept.exists() and is_free(int(kept.read_text())):
            return int(kept.read_text())
        return free_port()
