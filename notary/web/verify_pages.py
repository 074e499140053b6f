# SPDX-License-Identifier: Apache-2.0
"""`/verify`: a citizen checks in the browser; and the files by which they do it without us."""

from collections.abc import Callable
from functools import cache
from typing import Final

from flask import Blueprint, Response, request

from notary import __version__
from notary.api.answers import fixed
from notary.api.auth import right
from notary.api.language import language
from notary.api.requests import PAGE, POLICY
from notary.api.services import services
from notary.core.errors import NotaryError
from notary.core.trust import parse_trust
from notary.offline import page_texts, verify_pyz
from notary.offline_page import verify_html
from notary.web.render import render

blueprint = Blueprint("verify_pages", __name__)
POLICY_WITH_SCRIPT: Final = f"{PAGE}; script-src 'self'; connect-src 'self'"
BRIEFLY: Final = "public, max-age=300"


@blueprint.get("/verify")
@right("public")
def verify() -> Response:
    """The page; without JavaScript it says how to check by a file that is taken along."""
    lang, trust = language(), _trust()
    data = {
        "lang": lang,
        "texts": {lang: page_texts(lang)},
        "trust": trust,
        "online": True,
        "timezone": str(services().timezone),
        "version": __version__,
        "origins": _origins(),
    }
    parsed = None if trust is None else parse_trust(trust)
    response = render("verify.html", trust=parsed, data=data)
    response.headers[POLICY] = POLICY_WITH_SCRIPT
    return response


@blueprint.get("/verify.html")
@right("public")
def page_to_keep() -> Response:
    """The same page as one file, which works from a disk and without a network."""
    return _to_keep("verify.html", verify_html, "text/html")


@blueprint.get("/verify.pyz")
@right("public")
def program_to_keep() -> Response:
    """The verifier as one file for Python."""
    return _to_keep("verify.pyz", verify_pyz, "application/octet-stream")


def _trust() -> str | None:
    """The trust file of this notary; None while it is closed, when a reader's own still serves."""
    try:
        return services().trust()
    except NotaryError:
        return None


def _origins() -> list[str]:
    """Where links of this notary lead: the address that was asked, and the public one."""
    public = services().public_url
    return [request.host_url.rstrip("/"), *([] if public is None else [public])]


def _to_keep(name: str, build: Callable[[], bytes], mimetype: str) -> Response:
    """To be kept and never opened on the spot: what runs at our address doesn't do without us."""
    response = fixed(_built(build), mimetype, BRIEFLY)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@cache
def _built(build: Callable[[], bytes]) -> bytes:
    return build()
