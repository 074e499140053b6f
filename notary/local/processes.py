# SPDX-License-Identifier: Apache-2.0
"""
Start child processes with a log file and a health check, and leave none behind.

A child runs in a session of its own (Ctrl-C reaches the parent alone, which stops its
children in order), writes to a file (an inherited pipe would hang the caller's caller),
and is tied to its parent: see tether.py.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Self

from notary.local.errors import PartMissing, StartFailed
from notary.local.place import Account
from notary.local.proctable import kill_tree

_TETHER = Path(__file__).with_name("tether.py")
_LOG_LIMIT_BYTES = 20_000_000


@dataclass
class Child:
    """
    One started program.

    `said_from` is where in the log file this start's own output begins.
    """

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    said_from: int
    stop_signal: int = signal.SIGTERM

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        account: Account | None = None,
        stop_signal: int = signal.SIGTERM,
    ) -> Self:
        """
        Start a program; it gets `stop_signal` too when this process ends without a word.

        Call it from the main thread. `environment` replaces ours, `account` is the user
        that it runs as when we are root. It may not be ready yet: see `wait_until`.

        Raises:
            PartMissing: there is no such program.
        """
        program = Path(command[0])
        if not (program.is_absolute() and program.exists()):
            raise PartMissing(f"{name}: {program} is not on this machine.")
        _put_aside_when_large(log)
        uid, gid = (account.uid, account.gid) if account else (-1, -1)
        tether = [sys.executable, "-I", "-S", _TETHER, os.getpid(), int(stop_signal), uid, gid]
        with log.open("ab") as output:
            said_from = output.tell()
            process = subprocess.Popen(
                [str(part) for part in (*tether, *command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                start_new_session=True,
            )
        return cls(name, process, log, said_from, stop_signal)

    @property
    def alive(self) -> bool:
        """Tell whether it runs."""
        return self.process.poll() is None

    def said(self) -> str:
        """Read what it wrote since its start."""
        with self.log.open("rb") as log:
            log.seek(self.said_from)
            return log.read().decode("utf-8", "replace")

    def wait_until(self, healthy: Callable[[], bool], timeout_seconds: float = 30) -> None:
        """
        Wait until the program answers; one that doesn't is stopped.

        Raises:
            StartFailed: it ended, or was not ready in time; with its last lines.
        """
        deadline = time.monotonic() + timeout_seconds
        while self.alive:
            if healthy():
                return
            if time.monotonic() > deadline:
                self.stop()
                raise StartFailed(self._told(f"was not ready after {timeout_seconds:g} s"))
            time.sleep(0.02)
        raise StartFailed(self._told(f"ended with code {self.process.returncode}"))

    def stop(self, timeout_seconds: float = 30) -> None:
        """Ask it to stop, wait, and in the end kill it with all that it started."""
        if self.alive:
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill it and all its descendants at once, as a power cut would (kill -9)."""
        if self.alive:
            kill_tree(self.process.pid)
        self.process.wait()

    def _told(self, what: str) -> str:
        last = self.said().strip().splitlines()[-12:]
        return "\n  ".join([f"{self.name} {what}; its log {self.log} says:", *last])


class Children:
    """
    The children of one run: started in order, stopped in reverse order.

    with Children() as children:
        children.add(Child.start(...))
        ...

    SIGTERM and SIGHUP end the block as Ctrl-C does, so all are stopped however it ends.
    """

    def __init__(self) -> None:
        self._stops: list[tuple[str, Callable[[], None]]] = []
        self._children: list[Child] = []

    def add(self, child: Child) -> Child:
        """Take a child on."""
        self._children.append(child)
        self._stops.append((child.name, child.stop))
        return child

    def at_end(self, name: str, stop: Callable[[], None]) -> None:
        """Take on anything else that must be stopped, such as a server of ours."""
        self._stops.append((name, stop))

    def ended(self) -> list[Child]:
        """List the children that run no more."""
        return [child for child in self._children if not child.alive]

    def stop(self) -> None:
        """Stop all, the last one first; one that fails doesn't keep the others."""
        failures: list[Exception] = []
        while self._stops:
            _, stop = self._stops.pop()
            try:
                stop()
            except Exception as error:
                failures.append(error)
        self._children.clear()
        if failures:
            raise ExceptionGroup("not everything could be stopped", failures)

    def __enter__(self) -> Self:
        self._signals = ending_signals()
        self._signals.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        # A second Ctrl-C must not cut the stopping short.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self.stop()
        finally:
            signal.signal(signal.SIGINT, before)
            self._signals.__exit__(None, None, None)


@contextmanager
def ending_signals() -> Iterator[None]:
    """
    Let SIGTERM and SIGHUP end the block by an exception, so that `finally` is reached.

    And SIGINT as Ctrl-C does, also where a shell without job control started us in its
    background and had us ignore it.
    """

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _put_aside_when_large(log: Path) -> None:
    """Keep one older log beside the current one, so that logs don't fill the disk."""
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_name(log.name + ".old"))
