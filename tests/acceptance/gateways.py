# SPDX-License-Identifier: Apache-2.0
"""Gateways under load, as processes of `notary simulate`, and what they were told."""

import signal
from pathlib import Path

from tests.acceptance.judge import Told
from tests.iot_simulator.support import Simulator

GATEWAYS = 4
PATIENCE_SECONDS = 300


class Gateways(Simulator):
    """
    Some gateways of the notary's own topics that send `rate` readings a second until `stop`.

    `trusting`: they want no acceptance, and send again only what the broker did not
    acknowledge. Others keep a reading until the notary has accepted it.
    """

    def __init__(self, url: str, dataset: str, folder: Path, rate: float, trusting: bool) -> None:
        name = "trusters" if trusting else "keepers"
        options = ["--dataset", dataset, "--seed", str(1 + trusting), "--seconds", "86400"]
        options += ["--gateways", str(GATEWAYS), "--rate", str(rate / GATEWAYS)]
        options += ["--duplicates", "0.02", "--reorder", "0.05", "--again", "3", "--window", "100"]
        options += ["--acceptances", "off" if trusting else "response"]
        super().__init__(folder / f"{name}.ndjson", url, *options)

    def stop(self) -> None:
        """In order, and in the middle of it all; the list stays."""
        self.send(signal.SIGTERM)
        assert self.wait() in (0, 1), self.said()

    def go_on(self) -> None:
        """Start again with the list: some more readings, and all that is unanswered."""
        self._options += ("--seconds", "0.1")
        self.start()

    def finish(self) -> None:
        """Wait until all is answered, as it should be."""
        assert self.wait(PATIENCE_SECONDS) == 0, self.said()

    def were_answered(self) -> bool:
        """Whether anything was said of any reading yet."""
        return any(sent.answers for sent in self.list())

    def add_to(self, told: Told) -> None:
        """All of the list."""
        for sent in self.list():
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
