# SPDX-License-Identifier: Apache-2.0
"""`notary simulate` as a process of its own, and its list."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from iot_simulator.listing import Sent, read_list

ROOT = Path(__file__).parents[2]


class Simulator:
    """
    The command with these options and `--list`, started at once.

    with Simulator(folder / "sim.ndjson", url, "--dataset", "air", "--count", "9") as simulator:
        assert simulator.wait() == 0
        for sent in simulator.list(): ...
    """

    def __init__(self, list_: Path, url: str, *options: str) -> None:
        self.list_, self._url, self._options = list_, url, options
        self._log = list_.with_suffix(".log")
        self.start()

    def start(self) -> None:
        """Start it, again with the same list too."""
        command = [sys.executable, "-m", "notary.cli", "simulate", *self._options]
        with self._log.open("ab") as output:
            self.process = subprocess.Popen(
                [*command, "--list", str(self.list_)],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "NOTARY_MQTT_URL": self._url},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait(self, seconds: float = 300) -> int:
        """Its exit code."""
        return self.process.wait(seconds)

    def send(self, number: signal.Signals) -> None:
        """A signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait()

    def said(self) -> str:
        """All that it said, of earlier starts too."""
        return self._log.read_text(encoding="utf-8")

    def list(self) -> list[Sent]:
        """What its list has by now."""
        found = read_list(self.list_) if self.list_.exists() else None
        return [] if found is None else [*found.sent.values()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()


def feeds_for(*options: str) -> str:
    """The feeds that the command prints for its options."""
    command = [sys.executable, "-m", "notary.cli", "simulate", *options, "--feeds"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
