# SPDX-License-Identifier: Apache-2.0
"""
The sources of a dataset: each has one number, one tag and one chain, and each run goes on where
the chain's last one ended. docs/spec/descriptor-v1.md, section Run list, rule 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from notary.core.recovery import Recovery
from notary.core.runs import Run
from notary.core.words import ZERO_HASH
from notary.monitor.alarms import Alarms
from notary.monitor.state import State


@dataclass(slots=True)
class Sources:
    """
    The sources of one dataset while a batch of it, entry `index` of the log, is looked at.
    `numbered`: how many there are; it rises. `recoveries` are those announced for this log.
    """

    state: State
    alarms: Alarms
    index: int
    name: str
    dataset: int
    numbered: int
    recoveries: Sequence[Recovery]

    def go_on(self, run: Run) -> None:
        """Hold a run against the end of its source's chain, and move the end."""
        last = self.state.row(
            "SELECT chain, tag FROM ends WHERE dataset = ? AND number = ?"
            " ORDER BY chain DESC LIMIT 1",
            *(self.dataset, run.number),
        )
        if last is None:
            self._begin(run)
        elif bytes(last[1]) != run.tag:
            self._bad("tag", run)
        before = None if last is None else int(last[0])
        if run.chain != (before or 0) and not self._is_announced(run.chain, before):
            facts = {"chain": run.chain, "before": before or 0, **self._facts(run)}
            self.alarms.sound("second-chain", f"{self.dataset}/{run.number}", **facts)
        self._continue(run)

    def _begin(self, run: Run) -> None:
        """A source that is new: it has the next number, and a tag of its own."""
        is_after = any(self.index >= one.kept for one in self.recoveries)
        if run.number != self.numbered and not is_after:
            self._bad("number", run)
        self.numbered = max(self.numbered, run.number + 1)
        other = self.state.row(
            "SELECT number FROM ends WHERE dataset = ? AND tag = ?", self.dataset, run.tag
        )
        if other is not None and not (is_after and run.chain > 0):
            self._bad("tag", run)

    def _is_announced(self, chain: int, before: int | None) -> bool:
        """Whether a recovery from which on this chain is written was announced for this place."""
        return (before is None or chain > before) and any(
            one.chain == chain and self.index >= one.kept for one in self.recoveries
        )

    def _continue(self, run: Run) -> None:
        """The run begins where the chain ended."""
        key = (self.dataset, run.number, run.chain)
        end = self.state.row(
            "SELECT next, last FROM ends WHERE dataset = ? AND number = ? AND chain = ?", *key
        )
        expected = (0, ZERO_HASH) if end is None else (int(end[0]), bytes(end[1]))
        if (run.first, run.prev) != expected:
            facts = {"first": run.first, "expected": expected[0], "chain": run.chain}
            matter = f"{self.dataset}/{run.number}/{self.index}"
            self.alarms.sound("broken-chain", matter, **facts, **self._facts(run))
        self.state.do(
            "INSERT OR REPLACE INTO ends VALUES (?, ?, ?, ?, ?, ?)",
            *(*key, run.tag, run.first + run.count, run.last),
        )

    def _bad(self, what: str, run: Run) -> None:
        matter = f"{self.index}/{what}"
        self.alarms.sound("bad-runs", matter, what=what, **self._facts(run))

    def _facts(self, run: Run) -> dict[str, object]:
        return {"index": self.index, "dataset": self.name, "number": run.number}
