# SPDX-License-Identifier: Apache-2.0
"""
Logs that were closed after a recovery: the log that goes on begins with their leaves, under
another name. Which checkpoints are whose follows from their sizes.
"""

from dataclasses import dataclass

from notary.store.pool import Transaction


@dataclass(frozen=True, slots=True)
class Origins:
    """The log's origin, and before it closed ones, each with its last size here."""

    origin: str
    closed: tuple[tuple[str, int], ...] = ()

    def at(self, size: int) -> str:
        """Under which name the checkpoint of that size was signed, or would be."""
        return next((name for name, last in self.closed if size <= last), self.origin)

    def sizes(self, origin: str) -> tuple[int, int | None]:
        """The first size that a checkpoint of that origin can have here, and the last."""
        first = 0
        for name, last in self.closed:
            if name == origin:
                return first, last
            first = last + 1
        return first, None


def read_origins(tx: Transaction) -> Origins:
    """The names of the log in this database, the closed ones in their order."""
    closed = tuple((row[0], row[1]) for row in tx.rows("closed_logs"))
    return Origins(tx.rows("get_log")[0][0], closed)
