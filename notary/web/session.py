# SPDX-License-Identifier: Apache-2.0
"""
Who is signed in at /publish: a signed cookie that names an API key by its id, never the key.

    1.<key id, or - for nobody>.<end, seconds since 1970>.<nonce>.<HMAC-SHA256 of all that>

It ends after four hours, with its key, or when the instance secret changes. Whether the key
still holds, and what it may do, is looked up at each request. A form carries a token that
belongs to the session's nonce. The form to sign in hangs on a cookie of its own, of nobody's: a
visit that another site brought about comes without the session, and must not end it.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

from flask import Response, g, request

from notary.api.services import services
from notary.usecases.api_keys import find_caller_by_id
from notary.usecases.rights import Caller, KeyUnknown

COOKIE: Final = "notary_session"
VISITOR_COOKIE: Final = "notary_visitor"
PATH: Final = "/"
SECONDS: Final = 4 * 3600
NOBODY: Final = "-"
_COOKIE: Final = re.compile(
    r"(1\.([0-9a-f]{12}|-)\.([0-9]{1,12})\.([0-9a-f]{32}))\.([0-9a-f]{64})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Session:
    """Whose key it is (an id, or NOBODY), when it ends, and what its forms hang on."""

    key_id: str
    end: int
    nonce: str

    @property
    def token(self) -> str:
        """What each form of this session carries."""
        return _sign(f"form.{self.key_id}.{self.nonce}")


def read_session() -> Session | None:
    """Whoever is signed in, unless the cookie is missing, forged or over."""
    session = _read(COOKIE)
    return None if session is None or session.key_id == NOBODY else session


def read_visitor() -> Session | None:
    """Whoever sees the form to sign in."""
    session = _read(VISITOR_COOKIE)
    return session if session is not None and session.key_id == NOBODY else None


def _read(name: str) -> Session | None:
    match = _COOKIE.fullmatch(request.cookies.get(name, ""))
    if match is None or not hmac.compare_digest(_sign(match[1]), match[5]):
        return None
    session = Session(match[2], int(match[3]), match[4])
    return session if session.end > services().clock().timestamp() else None


def new_session(key_id: str) -> Session:
    """A session that begins now, with a nonce that nobody has seen."""
    now = int(services().clock().timestamp())
    return Session(key_id, now + SECONDS, secrets.token_hex(16))


def caller_of(session: Session | None) -> Caller | None:
    """Who is signed in, as far as the key still holds."""
    if session is None:
        return None
    parts = services()
    try:
        g.caller = find_caller_by_id(parts.pool, session.key_id, parts.clock())
    except KeyUnknown:
        return None
    found: Caller = g.caller
    return found


def keep(response: Response, session: Session) -> Response:
    """Hand the session to the browser."""
    text = f"1.{session.key_id}.{session.end}.{session.nonce}"
    response.set_cookie(
        VISITOR_COOKIE if session.key_id == NOBODY else COOKIE,
        f"{text}.{_sign(text)}",
        max_age=SECONDS,
        path=PATH,
        secure=_is_secure(),
        httponly=True,
        samesite="Strict",
    )
    return response


def drop(response: Response) -> Response:
    """Take it back."""
    response.delete_cookie(COOKIE, path=PATH, secure=_is_secure(), httponly=True, samesite="Strict")
    return response


def is_own_form(session: Session | None, token: str | None) -> bool:
    """Whether a form was made by us for this session; asked before anything is done."""
    # Where a browser says that another site sent it, nothing else counts.
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    return session is not None and hmac.compare_digest(
        session.token.encode(), (token or "").encode("utf-8", "replace")
    )


def _is_secure() -> bool:
    """Plain http only where people are not told an https address: on this very machine."""
    return request.is_secure or (services().public_url or "").startswith("https:")


def _sign(text: str) -> str:
    key = hmac.digest(services().instance_secret(), b"session/1", "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
