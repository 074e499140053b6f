# SPDX-License-Identifier: Apache-2.0
"""
From an exception to a problem (RFC 9457), for every error that leaves the service.

`type` is `/problems/<code>`, an address of this service whose page says what to do;
`detail` is a sentence in the caller's language; `errors` names each place of a fault.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Final

from flask import Flask, Response, g, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from notary.api.language import language, say
from notary.core.errors import (
    MalformedProof,
    MalformedText,
    MalformedTile,
    NotaryError,
    RecordRejected,
)
from notary.keys import KeyRefused
from notary.ledgers.port import LedgerRefused, LedgerUnavailable
from notary.store.errors import LaneBusy, NameTaken, StoreRefused, StoreUnavailable
from notary.usecases.accept import ClockBehind, KeyReused
from notary.usecases.marks import StateRefused
from notary.usecases.prove import NotYet, StoreDamaged
from notary.usecases.registers import KeyUnknown, NotFound

PROBLEM_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = "2"
SECTIONS: Final = ("_schema", "json", "query")


STATUS: Final[Mapping[type[NotaryError], int]] = {
    KeyUnknown: 401,
    NotFound: 404,
    MalformedTile: 404,
    MalformedProof: 404,
    KeyReused: 409,
    NameTaken: 409,
    MalformedText: 422,
    RecordRejected: 422,
    NotYet: 202,
    StoreDamaged: 500,
    StateRefused: 503,
    ClockBehind: 503,
    StoreUnavailable: 503,
    StoreRefused: 503,
    LaneBusy: 503,
    KeyRefused: 503,
    LedgerUnavailable: 503,
    LedgerRefused: 503,
}
"""Whatever is not in here (nor below something in here) is a fault of our own: 500."""

HTTP_CODES: Final[Mapping[int, str]] = {
    400: "malformed-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "unsupported-media-type",
    429: "too-many-requests",
    500: "internal-error",
}

RETRIED: Final = (StoreUnavailable, LaneBusy, LedgerUnavailable)


def register(app: Flask) -> None:
    """Answer every error of the app by a problem."""
    app.register_error_handler(NotaryError, answer_error)
    app.register_error_handler(ValidationError, answer_validation)
    app.register_error_handler(HTTPException, answer_http)
    app.register_error_handler(Exception, answer_fault)


def status_of(error: type[BaseException]) -> int:
    """The HTTP status of an exception's class."""
    for parent in error.__mro__:
        if parent in STATUS:
            return STATUS[parent]
    return 500


def answer_error(error: NotaryError) -> Response:
    """The problem of one of our own exceptions."""
    if isinstance(error, NotYet):
        return not_yet(error)
    status = status_of(type(error))
    if status == 500:
        logging.getLogger("notary").exception("fault")
        return problem(status, "internal-error")
    answer = problem(status, error.code, facts=error.facts)
    if isinstance(error, KeyUnknown):
        answer.headers["WWW-Authenticate"] = 'Bearer realm="City Notary"'
    if isinstance(error, RETRIED):
        answer.headers["Retry-After"] = RETRY_SECONDS
    return answer


def answer_validation(error: ValidationError) -> Response:
    """The problem of a body whose fields can't be used; each of them is named."""
    return problem(422, "malformed-request", errors=pointers(error.messages))


def not_yet(error: NotYet) -> Response:
    """202: the record is there, and what was asked for isn't yet; no problem at all."""
    body = {"state": error.state, "retry_after_seconds": error.retry_after_seconds}
    answer = Response(json.dumps(body), 202, mimetype="application/json")
    answer.headers["Retry-After"] = str(error.retry_after_seconds)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def answer_http(error: HTTPException) -> Response:
    """The problem of an error of HTTP: an unknown address, a body too large …"""
    if error.response is not None or (error.code or 500) < 400:
        response = error.get_response()
        return Response(response.get_data(), response.status_code, dict(response.headers))
    status = error.code or 500
    exception = getattr(error, "exc", None)
    if isinstance(exception, ValidationError):
        return answer_validation(exception)
    code = HTTP_CODES.get(status, HTTP_CODES[400 if status < 500 else 500])
    answer = problem(status, code)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After", "WWW-Authenticate"):
            answer.headers[name] = value
    return answer


def answer_fault(error: Exception) -> Response:
    """A fault of our own: logged, and answered without what it was."""
    logging.getLogger("notary").exception("fault")
    return problem(500, "internal-error")


def problem(
    status: int,
    code: str,
    *,
    facts: Mapping[str, object] | None = None,
    errors: Sequence[Mapping[str, object]] = (),
) -> Response:
    """A problem as an answer."""
    members: dict[str, object] = {
        "type": f"/problems/{code}",
        "title": say(f"problem.{code}.title"),
        "status": status,
        "detail": say(f"error.{code}", **(facts or {})),
        "instance": request.path[:300],
        "request_id": g.get("request_id"),
    }
    if errors:
        members["errors"] = errors
    headers = {"Content-Language": language(), "Vary": "Accept-Language"}
    return Response(json.dumps(members), status, mimetype=PROBLEM_TYPE, headers=headers)


def pointers(messages: object, pointer: str = "") -> list[dict[str, str]]:
    """Marshmallow's nested messages as JSON pointers with a sentence each."""
    if isinstance(messages, dict):
        return [
            fault
            for name, inner in messages.items()
            for fault in pointers(inner, pointer if name in SECTIONS else f"{pointer}/{name}")
        ]
    if isinstance(messages, list):
        return [fault for inner in messages for fault in pointers(inner, pointer)]
    return [{"pointer": pointer, "detail": str(messages)}]
