# SPDX-License-Identifier: Apache-2.0
"""`notary simulate` as a process: gateways under load, and their list of what they were told."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from iot_simulator.listing import read_list
from tests.acceptance.judge import Told
from tests.acceptance.sealers import ROOT

GATEWAYS = 4
PATIENCE_SECONDS = 120


class Gateways:
    """
    Some gateways of the notary's own topics that send until `stop`.

    `trusting`: they want no acceptance, and send again only what the broker did not
    acknowledge. Others keep a reading until the notary has accepted it.
    """

    def __init__(self, url: str, dataset: str, folder: Path, rate: float, trusting: bool) -> None:
        self._list = folder / f"simulated-{trusting}.ndjson"
        self._log = folder / f"simulated-{trusting}.log"
        self._env = {**os.environ, "NOTARY_MQTT_URL": url}
        self._command = [sys.executable, "-m", "notary.cli", "simulate", "--list", str(self._list)]
        self._command += ["--dataset", dataset, "--seed", str(1 + trusting)]
        self._command += ["--gateways", str(GATEWAYS), "--rate", str(rate / GATEWAYS)]
        self._command += ["--duplicates", "0.02", "--reorder", "0.05", "--again", "3"]
        self._command += ["--acceptances", "off" if trusting else "response"]
        self._trusting = trusting

    def stop(self) -> None:
        """In order, and in the middle of it all; the list stays."""
        self._process.terminate()
        assert self._process.wait(30) in (0, 1)

    def go_on(self) -> None:
        """Start again with the list: some more readings, and all that is unanswered."""
        self._start("0.1")

    def finish(self) -> None:
        """Wait until all is answered, as it should be."""
        assert self._process.wait(PATIENCE_SECONDS) == 0, self.said()

    def said(self) -> str:
        """What the simulator wrote."""
        return self._log.read_text()

    def add_to(self, told: Told) -> None:
        """All of the list."""
        found = read_list(self._list)
        for sent in found.sent.values() if found else ():
            for place, reading in enumerate(sent.message.readings):
                key = (reading.source, str(reading.key))
                told.sent[key] = reading.payload
                for one in sent.answers.get(place, ()):
                    if one["state"] == "acknowledged":
                        told.puback.add(key)
                    elif one["state"] == "refused":
                        told.refused.append(one)
                    else:
                        where = (one["chain"], one["n"], one["leaf"])
                        told.accepted.setdefault(key, set()).add(where)

    def _start(self, seconds: str) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, "--seconds", seconds],
                env=self._env,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        self._start("86400")
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
