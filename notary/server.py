# SPDX-License-Identifier: Apache-2.0
"""gunicorn's worker, whose own errors are problems (RFC 9457) too."""

import json
import re
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from notary.texts import text

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ([^\r]*)\r\n")


class Worker(ThreadWorker):  # type: ignore[misc]
    """
    Answers by a problem what gunicorn refuses before the application sees it: a request
    line that is too long, a header with a control character, a broken chunk.
    """

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """gunicorn chooses the status and writes; on the way it becomes a problem."""
        super().handle_error(req, _Rewriting(client), addr, exc)


class _Rewriting:
    """A connection on which gunicorn's page about an error is sent as a problem."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def sendall(self, data: bytes) -> None:
        """Send the problem instead; what is no error goes through."""
        self._client.sendall(as_problem(data))


def as_problem(page: bytes) -> bytes:
    """gunicorn's whole answer about an error as a problem of the same status."""
    found = _STATUS.match(page)
    if found is None:
        return page
    status = int(found[1])
    code = "malformed-request" if status < 500 else "internal-error"
    body = json.dumps(
        {
            "type": f"/problems/{code}",
            "title": found[2].decode("latin-1"),
            "status": status,
            "detail": text("en", "problem.unreadable-request.detail")
            if status < 500
            else text("en", f"error.{code}"),
        }
    ).encode()
    head = (
        f"Connection: close\r\nContent-Type: application/problem+json\r\n"
        f"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return found[0] + head.encode() + body
