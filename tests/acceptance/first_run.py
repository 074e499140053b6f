# SPDX-License-Identifier: Apache-2.0
"""`make run` as a newcomer starts it: one run for all tests that need a whole notary."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from notary.local.ports import free_port

ROOT = Path(__file__).parents[2]
PATH = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin"


@dataclass
class FirstRun:
    """A run that serves: its folder, its port, what it printed."""

    folder: Path
    port: int
    printed: str
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

    def end(self) -> int:
        """Ctrl-C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(180)


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    """What a new user has: a home, a path, and what pip needs on this machine."""
    kept = ("PIP_", "NOTARY_OUTSIDE")
    pip = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    home = {"HOME": os.environ.get("HOME", "/"), "PATH": PATH, "NOTARY_VAR": str(folder)}
    return {**pip, **home, "NOTARY_PORT": str(port), "PYTHONUNBUFFERED": "1", **more}


def start(folder: Path) -> Iterator[FirstRun]:
    """Run until it serves, and end it at last."""
    port = free_port()
    log = folder.parent / "run.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "notary.local.run"],
            cwd=ROOT,
            env=environment(folder, port),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    run = FirstRun(folder, port, "", process)
    try:
        deadline = time.monotonic() + 300
        while "Serving until Ctrl-C" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)
        run.printed = log.read_text()
        yield run
    finally:
        assert run.end() == 0


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstRun]:
    """The newcomer's first run, serving."""
    yield from start(tmp_path_factory.mktemp("first-hour") / "var")
