# SPDX-License-Identifier: Apache-2.0
"""
From an exception to a problem (RFC 9457), for every error that leaves the service.

`type` is `/problems/<code>`, an address of this service whose page says what to do;
`detail` is a sentence in the caller's language; `errors` names each place of a fault.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from notary.api.auth import NoRight
from notary.api.language import has_text, language, say
from notary.api.receipt_formats import NotAcceptable
from notary.api.requests import log_fault
from notary.core.errors import (
    MalformedProof,
    MalformedText,
    MalformedTile,
    NotaryError,
    ReceiptTooLarge,
    RecordRejected,
)
from notary.keys import KeyRefused
from notary.ledgers.port import LedgerRefused, LedgerUnavailable
from notary.store.errors import LaneBusy, NameTaken, StoreRefused, StoreUnavailable
from notary.texts import catalogue
from notary.usecases.accept import ClockBehind, KeyReused
from notary.usecases.compare import CompareRefused
from notary.usecases.erased import ContentDropped, ContentErased
from notary.usecases.marks import StateRefused
from notary.usecases.package_file import PackageRefused, ResourceRefused
from notary.usecases.prove import NotYet, NoWitnesses, StoreDamaged
from notary.usecases.prove_window import WindowTooLong
from notary.usecases.rights import (
    IssuerUnavailable,
    KeptByNotary,
    KeyRestricted,
    KeyUnknown,
    NotFound,
    ScopeMissing,
    TooManyKeys,
)
from notary.usecases.sharing import GrantRefused
from notary.usecases.sources import SourcesRefused
from notary.usecases.version_upload import FileTooLarge, UploadLost
from notary.usecases.versions import CorrectionRefused
from notary.usecases.witness_rule import PolicyNotFlat
from schemas.faults import Fault, MalformedQuery, MalformedRequest, UnreadableBody

PROBLEM_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = "2"

STATUS: Final[Mapping[type[NotaryError], int]] = {
    UnreadableBody: 400,
    MalformedQuery: 400,
    KeyUnknown: 401,
    ScopeMissing: 403,
    KeyRestricted: 403,
    NotFound: 404,
    MalformedTile: 404,
    MalformedProof: 404,
    NotAcceptable: 406,
    ReceiptTooLarge: 406,
    KeyReused: 409,
    NameTaken: 409,
    SourcesRefused: 409,
    CorrectionRefused: 409,
    ContentErased: 410,
    ContentDropped: 410,
    CompareRefused: 409,
    FileTooLarge: 413,
    KeptByNotary: 409,
    GrantRefused: 409,
    TooManyKeys: 409,
    NoWitnesses: 409,
    PolicyNotFlat: 409,
    MalformedRequest: 422,
    MalformedText: 422,
    PackageRefused: 422,
    ResourceRefused: 422,
    WindowTooLong: 422,
    RecordRejected: 422,
    NotYet: 202,
    NoRight: 500,
    StoreDamaged: 500,
    StateRefused: 503,
    ClockBehind: 503,
    StoreUnavailable: 503,
    StoreRefused: 503,
    LaneBusy: 503,
    UploadLost: 503,
    KeyRefused: 503,
    LedgerUnavailable: 503,
    IssuerUnavailable: 503,
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
PAGE_EXTENSION: Final = "city-notary-problem-page"
"""Where the pages leave the function that shows a problem to a browser."""
FOR_PROGRAMS: Final = ("/v1/", "/log/")
KEPT_HEADERS: Final = ("Allow", "Content-Range", "Retry-After", "WWW-Authenticate")
RETRIED: Final = (StoreUnavailable, LaneBusy, LedgerUnavailable, IssuerUnavailable)


def register(app: Flask) -> None:
    """Answer every error of the app by a problem."""
    app.register_error_handler(NotaryError, answer_error)
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
    if status >= 500:
        log_fault(error)
    if status == 500:
        code = error.code if type(error) in STATUS else "internal-error"
        return problem(status, code)
    faults = error.faults if isinstance(error, MalformedRequest) else ()
    answer = problem(
        status, error.code, error.facts, faults, in_query=isinstance(error, MalformedQuery)
    )
    if isinstance(error, KeyUnknown):
        answer.headers["WWW-Authenticate"] = 'Bearer realm="City Notary"'
    if isinstance(error, ScopeMissing):  # RFC 6750 section 3.1
        named = f'error="insufficient_scope", scope="{error.facts["scope"]}"'
        answer.headers["WWW-Authenticate"] = f'Bearer realm="City Notary", {named}'
    if isinstance(error, RETRIED):
        answer.headers["Retry-After"] = RETRY_SECONDS
    return answer


def not_yet(error: NotYet) -> Response:
    """202: the record is there, and what was asked for isn't yet; no problem at all."""
    body = {
        "state": error.state,
        "retry_after_seconds": error.retry_after_seconds,
        "detail": say(f"error.{error.code}", **error.facts),
    }
    headers = {**_spoken(), "Retry-After": str(error.retry_after_seconds)}
    return Response(json.dumps(body), 202, headers, mimetype="application/json")


def answer_http(error: HTTPException) -> Response:
    """The problem of an error of HTTP: an unknown address, a body too large …"""
    if error.response is not None or (error.code or 500) < 400:
        response = error.get_response()
        return Response(response.get_data(), response.status_code, dict(response.headers))
    status = error.code or 500
    code = HTTP_CODES.get(status, HTTP_CODES[400 if status < 500 else 500])
    answer = problem(status, code)
    for name, value in error.get_headers():
        if name in KEPT_HEADERS:
            answer.headers[name] = value
    return answer


def answer_fault(error: Exception) -> Response:
    """A fault of our own: logged, and answered without what it was."""
    log_fault(error)
    return problem(500, "internal-error")


def problem(
    status: int,
    code: str,
    facts: Mapping[str, object] | None = None,
    faults: Sequence[Fault] = (),
    *,
    in_query: bool = False,
) -> Response:
    """A problem as an answer: JSON, or a page for a browser that is not on the API's paths."""
    page = current_app.extensions.get(PAGE_EXTENSION)
    if page is not None and _is_browser():
        shown: Response = page(status, code, facts or {})
        return shown
    members: dict[str, object] = {
        "type": f"/problems/{code}",
        "title": say(f"problem.{code}.title"),
        "status": status,
        "detail": detail_of(code, facts or {}),
        "instance": request.path[:300],
        "request_id": g.get("request_id"),
    }
    if faults:
        members["errors"] = [describe(fault, in_query=in_query) for fault in faults]
    return Response(json.dumps(members), status, _spoken(), mimetype=PROBLEM_TYPE)


def detail_of(code: str, facts: Mapping[str, object]) -> str:
    """
    The sentence for a code: the door's own where it has one, else the common one.

    The door has its own where the common one tells what is nobody's business outside.
    """
    return say(_text_of(code), **facts)


def template_of(code: str) -> str:
    """The same sentence with its places for facts still in it."""
    return catalogue(language()).get(_text_of(code), "")


def _text_of(code: str) -> str:
    own = f"problem.{code}.detail"
    return own if has_text(own) else f"error.{code}"


def describe(fault: Fault, *, in_query: bool = False) -> dict[str, str]:
    """One fault in the caller's language."""
    place = {"parameter": fault.pointer[1:]} if in_query else {"pointer": fault.pointer}
    more = {"found": fault.found} if fault.found else {}
    return {**place, "code": fault.code, "detail": say(f"field.{fault.code}"), **more}


def _is_browser() -> bool:
    """Whether the caller asks for HTML by name, outside the paths for programs."""
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith(
        FOR_PROGRAMS
    )


def _spoken() -> dict[str, str]:
    return {"Content-Language": language(), "Vary": "Accept-Language"}
