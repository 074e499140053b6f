# SPDX-License-Identifier: Apache-2.0
"""What is told at the terminal: sentences of the catalogues, and a line that moves."""

import sys
import time
from typing import Final

from notary import texts

_PAUSE_SECONDS: Final = 0.1
_LINE_SECONDS: Final = 10.0


class Voice:
    """Speaks one language: what was done on standard output, all else on standard error."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._is_terminal = sys.stderr.isatty()
        self._shown = time.monotonic()
        self._moving = False

    def text(self, code: str, /, **facts: object) -> str:
        """A sentence with nothing in it that a terminal would take for a command."""
        return texts.printable(texts.text(self.language, code, **facts), also="\n")

    def say(self, code: str, /, **facts: object) -> None:
        """Tell what was done."""
        self._end_line()
        print(self.text(code, **facts), flush=True)

    def warn(self, code: str, /, **facts: object) -> None:
        """Tell what to know or to act on."""
        self._end_line()
        print(self.text(code, **facts), file=sys.stderr, flush=True)

    def progress(self, code: str, done: int, total: int) -> None:
        """How far it is: a line that moves; where there is no terminal, one now and then."""
        now = time.monotonic()
        pause = _PAUSE_SECONDS if self._is_terminal else _LINE_SECONDS
        if now - self._shown < pause and not (self._moving and done >= total):
            return
        self._shown = now
        percent = 100 * done // max(total, 1)
        line = self.text(code, percent=percent, done=f"{done:,}", total=f"{total:,}")
        if not self._is_terminal:
            print(line, file=sys.stderr, flush=True)
            return
        print(f"\r{line}\x1b[K", end="", file=sys.stderr, flush=True)
        self._moving = True
        if done >= total:
            self._end_line()

    def ask(self, code: str, /, **facts: object) -> str:
        """What is typed in answer to a question; empty at the end of the input."""
        print(self.text(code, **facts), end=" ", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip()

    def _end_line(self) -> None:
        if self._moving:
            print(file=sys.stderr, flush=True)
            self._moving = False
