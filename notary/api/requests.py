# SPDX-License-Identifier: Apache-2.0
"""What happens around every request: its id, the headers of safety, one line in the log."""

import re
import secrets
import time
import traceback
from typing import Final

from flask import Flask, Response, g, request

from notary.api.auth import authorise
from notary.api.services import services

REQUEST_ID: Final = "X-Request-ID"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

POLICY: Final = "Content-Security-Policy"
NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGE: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)


def watch(app: Flask) -> None:
    """Begin and end every request of the app."""
    app.before_request(begin)
    app.before_request(authorise)
    app.after_request(end)


def begin() -> None:
    """Give the request an id (the caller's, where it is one) and look at the stopwatch."""
    given = request.headers.get(REQUEST_ID, "")
    g.request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
    g.began = time.perf_counter()


def end(response: Response) -> Response:
    """Add the headers and write the line: never a query, a payload or a key."""
    headers = response.headers
    more = [*HEADERS, (REQUEST_ID, g.request_id)]
    if POLICY not in headers:
        more.append((POLICY, NOTHING))
    if "Cache-Control" not in headers:
        more.append(("Cache-Control", "no-store"))
    headers.extend(more)
    line: dict[str, object] = {
        "event": "request",
        "request_id": g.request_id,
        "method": request.method,
        "path": request.path[:300],
        "status": response.status_code,
        "ms": round((time.perf_counter() - g.began) * 1000, 2),
    }
    who = g.get("caller")
    if who is not None:
        line["api_key"] = who.key_id
    services().log_line(line)
    return response


def log_fault(error: BaseException) -> None:
    """Write a fault of our own: where it happened, not the values that it happened with."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    services().log_line(
        {
            "event": "fault",
            "request_id": g.get("request_id"),
            "error": type(error).__name__,
            "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        }
    )
