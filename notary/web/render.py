# SPDX-License-Identifier: Apache-2.0
"""A template with what all of them use: texts, times, links that keep the language."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, render_template, request, url_for
from markupsafe import Markup

from notary.api.language import language
from notary.api.requests import PAGE, POLICY
from notary.api.services import services
from notary.core.words import format_time, parse_time
from notary.texts import LANGUAGES, text
from notary.usecases.erased import erased_of


def render(template: str, status: int = 200, **values: Any) -> Response:
    """A page in the language of the request; not cached, since what it shows moves on."""
    lang = language()
    page = render_template(
        template,
        t=lambda code, **facts: text(lang, code, **facts),
        when=when,
        number=number,
        grouped=grouped,
        to=lambda endpoint, **more: url_for(endpoint, lang=_asked(), **more),
        here=here,
        lang=lang,
        languages=LANGUAGES,
        name=services().name,
        **values,
    )
    headers = {
        "Content-Language": lang,
        "Vary": "Accept-Language",
        POLICY: PAGE,
        "Cache-Control": "no-store" if g.get("is_private") else "no-cache",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
    return Response(page, status, headers)


def words_of_erasure(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a certificate says of content that was erased: labels of texts, and values."""
    erased = erased_of(row)
    if erased is None:
        return []
    return [(f"page.erased-{name}", str(said)) for name, said in erased.items()]


def when(time: datetime | str) -> Markup:
    """A time where the city is, to the second and with its offset; exact in the markup."""
    moment = parse_time(time) if isinstance(time, str) else time
    local = moment.astimezone(services().timezone)
    text = local.isoformat(sep=" ", timespec="seconds")
    clock, offset = text[:19], text[19:].replace("+00:00", "")
    return Markup('<time datetime="{}">{} (UTC{})</time>').format(
        format_time(moment), clock, offset
    )


def grouped(digits: str | None) -> str:
    """A fingerprint as people compare it: in groups of eight digits."""
    return " ".join((digits or "")[at : at + 8] for at in range(0, len(digits or ""), 8))


def number(value: int) -> str:
    """A whole number as it is read in both languages: 26,115."""
    return f"{value:,}"


def here(other: str, path: str | None = None) -> str:
    """This page (or, with the same query, that of `path`) in another language."""
    kept = {name: value for name, value in request.args.items() if name != "lang"}
    return f"{path or request.path}?{urlencode({**kept, 'lang': other})}"


def _asked() -> str | None:
    """The language of the link, where one was asked for; else the browser's stays in charge."""
    asked = request.args.get("lang")
    return asked if asked in LANGUAGES else None
