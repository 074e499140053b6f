# SPDX-License-Identifier: Apache-2.0
"""The sealer as a process of its own, to be stopped, woken and killed."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from notary.store.errors import LaneBusy, StoreUnavailable
from notary.usecases.reading import Acceptance, Reading
from tests.usecases.world import World, accepted, some_readings

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 180


def now() -> datetime:
    """The time: these tests run with the real clock, as the processes do."""
    return datetime.now(UTC)


def wait_for(what: str, holds: Callable[[], bool]) -> None:
    """Wait until something holds; fail after three minutes with its name."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for: {what}"
        time.sleep(0.03)


class SealerProcess:
    """`notary sealer`, with an environment of the test's."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "notary.cli", "sealer"],
                env={**os.environ, **env},
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> list[dict[str, object]]:
        """Its lines so far; anything that isn't JSON (a traceback) fails here."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def send(self, number: signal.Signals) -> None:
        """A signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """In order."""
        self.process.terminate()
        return self.process.wait(PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.kill()


class Load:
    """Has readings accepted from a thread until it is told to stop; each has a key."""

    def __init__(self, world: World, dataset: str, pause_seconds: float = 0.01) -> None:
        self.handed_in: list[Reading] = []
        self.accepted: list[Acceptance] = []
        self.failures = 0
        self._world, self._dataset, self._pause = world, dataset, pause_seconds
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        acceptor, turn = self._world.acceptor(), 0
        try:
            while not self._stop.is_set():
                readings = some_readings(self._dataset, 15, sources=7, seed=turn)
                turn += 1
                self.handed_in += readings
                while True:
                    try:
                        self.accepted += accepted(acceptor.accept(readings, now()))
                        break
                    except (StoreUnavailable, LaneBusy):
                        self.failures += 1
                        time.sleep(0.05)
                time.sleep(self._pause)
        except BaseException as error:
            self._error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def check(self) -> None:
        """Everything accepted is there once, where the acceptance says, and nothing else is."""
        stored = self._world.rows(
            "SELECT s.name, r.chain, r.n, r.leaf, r.key, r.payload FROM records r"
            " JOIN sources s ON s.id = r.source JOIN datasets d ON d.id = s.dataset"
            " WHERE d.name = %s",
            self._dataset,
        )
        assert len(self.accepted) == len(self.handed_in)
        wanted = {
            (a.source, a.chain, a.n, a.leaf, reading.key, reading.payload)
            for a, reading in zip(self.accepted, self.handed_in, strict=True)
        }
        assert len(wanted) == len(self.accepted)
        assert set(stored) == wanted
        assert len(stored) == len(wanted)


def settled(world: World) -> bool:
    """Nothing waits, and the newest checkpoint is anchored and covers the log."""
    waiting = world.rows("SELECT count(*) FROM segments WHERE batch IS NULL")
    anchored = world.rows("SELECT coalesce(max(size), 0) FROM anchors WHERE state = 'verified'")
    return waiting == [(0,)] and anchored == [(world.size(),)]


def random_pause(dice: random.Random, low: float, high: float) -> None:
    """Let something happen."""
    time.sleep(dice.uniform(low, high))
