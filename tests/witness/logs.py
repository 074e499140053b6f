# SPDX-License-Identifier: Apache-2.0
"""Small logs, honest and forked, as a witness gets to see them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from notary.core import tree
from notary.core.add_checkpoint import format_request
from notary.core.checkpoint import Checkpoint, format_checkpoint
from notary.core.hashing import leaf_hash
from notary.core.note import format_note
from notary.core.trust import LogKey
from notary.witness.app import App
from notary.witness.command import add_keys
from notary.witness.judge import Witness
from notary.witness.state import State
from tests.core.signing import Signer

NAME = "witness.example/w1"
ORIGIN = "city.example/log"
TIME = 1_900_000_000


class SmallLog:
    """A log of made-up entries, one after another; from entry `turned` on it is another one."""

    def __init__(self, origin: str = ORIGIN, seed: int = 1, turned: int | None = None) -> None:
        self.signer = Signer(origin, seed=seed)
        self._turned = turned

    @property
    def key(self) -> LogKey:
        """Its key, for any size."""
        return LogKey(self.signer.verifier, 0, None)

    def leaves(self, size: int) -> list[bytes]:
        """Its first leaves."""
        turned = size if self._turned is None else self._turned
        return [leaf_hash(b"%d%s" % (i, b"" if i < turned else b" lie")) for i in range(size)]

    def text(self, size: int) -> str:
        """The text of its checkpoint."""
        root = tree.root(self.leaves(size))
        return format_checkpoint(Checkpoint(self.signer.verifier.name, size, root))

    def note(self, size: int, *more: Signer) -> str:
        """Its checkpoint, signed by itself and perhaps by others."""
        text = self.text(size)
        return format_note(text, [signer.sign(text) for signer in (self.signer, *more)])

    def path(self, old: int, size: int) -> Sequence[bytes]:
        """The consistency path; none from nothing."""
        return tree.consistency_path(self.leaves(size), old) if 0 < old < size else []

    def request(self, old: int, size: int) -> bytes:
        """The body with which it asks for a cosignature."""
        return format_request(old, self.path(old, size), self.note(size))


def make_state(folder: Path, *logs: SmallLog) -> State:
    """A new witness that knows these logs."""
    state = State.make(folder, NAME)
    for log in logs:
        add_keys(state, [log.key])
    return state


class Door:
    """A witness's application, asked as gunicorn asks it."""

    def __init__(self, state: State, clock: Callable[[], datetime] | None = None) -> None:
        self.lines: list[dict[str, object]] = []
        clock = clock or (lambda: datetime.fromtimestamp(TIME, UTC))
        self._app = App(Witness(state), clock, self.lines.append)

    def ask(
        self, method: str, path: str, body: Any = None, length: str | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer; `body` is a file."""
        got: list[Any] = []
        environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": body}
        if length is not None:
            environ["CONTENT_LENGTH"] = length
        answer = self._app(environ, lambda status, headers: got.extend((status, headers)))
        return int(got[0].split(" ", 1)[0]), dict(got[1]), b"".join(answer)
