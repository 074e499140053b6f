# SPDX-License-Identifier: Apache-2.0
"""A progress bar of one line; on something that is no terminal, a line now and then."""

import sys
import time


class Progress:
    """Shows how much of `total` is done."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._terminal = sys.stdout.isatty()
        self._shown = 0.0

    def __call__(self, done: int) -> None:
        """Show `done`, ten times a second at most on a terminal, else each five seconds."""
        now = time.monotonic()
        pause = 0.1 if self._terminal else 5.0
        if done < self._total and now - self._shown < pause:
            return
        self._shown = now
        filled = 30 * done // max(self._total, 1)
        bar = "#" * filled + "." * (30 - filled)
        line = f"  {self._what} [{bar}] {done:,} of {self._total:,}"
        if self._terminal:
            print(f"\r{line}", end="\n" if done >= self._total else "", flush=True)
        else:
            print(line, flush=True)
