# SPDX-License-Identifier: Apache-2.0
"""The witness over HTTP (WSGI): two addresses, bounded bodies, one line a request."""

import json
import re
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Protocol

from notary.core.add_checkpoint import MAX_REQUEST_BYTES
from notary.core.words import format_time
from notary.witness.errors import WitnessRefused
from notary.witness.judge import Answer, Witness

ADD: Final = "/add-checkpoint"

_CHECKPOINT: Final = re.compile(r"/([0-9a-f]{64})/checkpoint")
_PIECE_BYTES: Final = 1 << 14

Environ = dict[str, Any]


class StartResponse(Protocol):
    """WSGI's own."""

    def __call__(self, status: str, headers: list[tuple[str, str]], /) -> object:
        """Begin the answer."""


class App:
    """What gunicorn calls. `clock` gives the time, UTC; `log_line` writes one line of facts."""

    def __init__(
        self,
        witness: Witness,
        clock: Callable[[], datetime],
        log_line: Callable[[dict[str, object]], None] | None = None,
    ) -> None:
        self._witness = witness
        self._clock = clock
        self._log_line = log_line or _print_line

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        now = self._clock()
        try:
            answer, more = self._answer(environ, now)
        except WitnessRefused as refused:
            print(f"notary witness: {refused.detail}", file=sys.stderr, flush=True)
            answer = Answer(503, "The witness can't store anything just now: ask again.\n")
            more = [("Retry-After", "10")]
        body = answer.body.encode()
        start_response(
            f"{answer.status} {HTTPStatus(answer.status).phrase}",
            [
                ("Content-Type", answer.type),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
                *more,
            ],
        )
        self._tell(environ, answer, now)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: Environ, now: datetime) -> tuple[Answer, list[tuple[str, str]]]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        allowed = ("POST",) if path == ADD else ("GET", "HEAD")
        found = _CHECKPOINT.fullmatch(path)
        if path != ADD and found is None:
            return Answer(404, "Here are /add-checkpoint and /<hex>/checkpoint.\n"), []
        if method not in allowed:
            return Answer(405, "Not so.\n"), [("Allow", ", ".join(allowed))]
        if found is not None:
            return self._witness.checkpoint(found[1]), []
        body = _read_body(environ)
        if body is None:
            return Answer(413, f"A request has at most {MAX_REQUEST_BYTES} bytes.\n"), []
        return self._witness.add_checkpoint(body, int(now.timestamp())), []

    def _tell(self, environ: Environ, answer: Answer, now: datetime) -> None:
        """Never a body, nor an address as it was sent."""
        what = "add-checkpoint" if environ.get("PATH_INFO") == ADD else "read"
        facts: dict[str, object] = {
            "process": "witness",
            "time": format_time(now),
            "what": what,
            "status": answer.status,
            "log": answer.log,
            "size": answer.size,
        }
        self._log_line(facts)


def _read_body(environ: Environ) -> bytes | None:
    """The body; None where it is too large. No more of it than that is ever in memory."""
    length = environ.get("CONTENT_LENGTH") or ""
    # Without a length it comes in chunks, and the server knows where it ends.
    left = int(length) if length.isdecimal() else MAX_REQUEST_BYTES + 1
    if length.isdecimal() and left > MAX_REQUEST_BYTES:
        return None
    pieces = []
    while left:
        piece = environ["wsgi.input"].read(min(left, _PIECE_BYTES))
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    body = b"".join(pieces)
    return body if len(body) <= MAX_REQUEST_BYTES else None


def _print_line(facts: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
