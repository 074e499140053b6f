# SPDX-License-Identifier: Apache-2.0
"""A template with what all of them use: texts, times, links that keep the language."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, render_template, request, url_for
from markupsafe import Markup

from notary.api.language import language
from notary.api.requests import PAGE, POLICY
from notary.api.services import services
from notary.core.words import format_time, parse_time
from notary.texts import LANGUAGES, text


def render(template: str, status: int = 200, **values: Any) -> Response:
    """A page in the language of the request; not cached, since what it shows moves on."""
    lang = language()
    page = render_template(
        template,
        t=lambda code, **facts: text(lang, code, **facts),
        when=when,
        to=lambda endpoint, **more: url_for(endpoint, lang=_asked(), **more),
        here=lambda other: here(other),
        lang=lang,
        languages=LANGUAGES,
        name=services().name,
        **values,
    )
    headers = {
        "Content-Language": lang,
        "Vary": "Accept-Language",
        POLICY: PAGE,
        "Cache-Control": "no-cache",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
    return Response(page, status, headers)


def when(time: datetime | str) -> Markup:
    """A time where the city is, with its offset, and in UTC."""
    moment = parse_time(time) if isinstance(time, str) else time
    local = moment.astimezone(services().timezone)
    utc = format_time(moment)
    return Markup('<time datetime="{}">{} <small>({})</small></time>').format(
        utc, local.isoformat(sep=" ", timespec="seconds"), utc
    )


def here(other: str) -> str:
    """This page in another language."""
    kept = {name: value for name, value in request.args.items() if name != "lang"}
    return f"{request.path}?{urlencode({**kept, 'lang': other})}"


def _asked() -> str | None:
    """The language of the link, where one was asked for; else the browser's stays in charge."""
    asked = request.args.get("lang")
    return asked if asked in LANGUAGES else None
