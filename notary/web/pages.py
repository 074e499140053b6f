# SPDX-License-Identifier: Apache-2.0
"""The first page, a record's page, and the page of each problem."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from notary.api.auth import caller, parts, right
from notary.api.language import language
from notary.core.errors import NotaryError
from notary.core.note import parse_vkey
from notary.core.words import check_id, format_time
from notary.texts import LANGUAGES, catalogue, text
from notary.usecases import look
from notary.usecases.registers import NotFound, get_dataset, list_datasets

blueprint = Blueprint("pages", __name__)
SHOWN_DATASETS, SHOWN_ANCHORS = 50, 5


@blueprint.get("/")
@right("public")
def first() -> str:
    """What this notary holds, its newest checkpoint and anchors, and a search."""
    pool = parts().pool
    return _render(
        "first.html",
        totals=look.totals(pool),
        datasets=list_datasets(pool, None, "", SHOWN_DATASETS),
        checkpoint=look.newest_checkpoint(pool),
        fingerprint=parse_vkey(parts().gate.open().vkey).fingerprint,
        anchors=look.list_anchors(pool, parts().ledgers, 2**62, SHOWN_ANCHORS),
    )


@blueprint.get("/find")
@right("public")
def find() -> Response | tuple[str, int]:
    """From the search form to the record's page."""
    values = {name: request.args.get(name, "").strip() for name in ("dataset", "source", "n")}
    n = values["n"]
    try:
        check_id(values["dataset"], "dataset")
        check_id(values["source"], "source")
        if not (n.isascii() and n.isdigit() and len(n) <= 15):
            raise NotFound()
    except NotaryError:
        return _missing(values)
    return redirect(
        url_for(
            "pages.record",
            lang=request.args.get("lang"),
            dataset=values["dataset"],
            source=values["source"],
            n=int(n),
        )
    )


@blueprint.get("/datasets/<dataset>/sources/<source>/records/<int:n>")
@right("public")
def record(dataset: str, source: str, n: int) -> str | tuple[str, int]:
    """A record with its states, and its receipt to download."""
    where = {"dataset": dataset, "source": source, "n": str(n)}
    try:
        facts = get_dataset(parts().pool, dataset, caller())
        row = look.get_record(parts().pool, parts().ledgers, facts, source, min(n, 2**53 - 1))
    except NotFound:
        return _missing(where)
    return _render("record.html", row=row, label=facts.label, preview=_preview(row["payload"]))


@blueprint.get("/problems/<code>")
@right("public")
def problem(code: str) -> str | tuple[str, int]:
    """What a problem's type means, and what to do."""
    for key in (f"error.{code}", f"problem.{code}"):
        if key in catalogue("en"):
            return _render("problem.html", code=code, sentence=text(language(), key))
    return _missing({})


def _missing(values: Mapping[str, str]) -> tuple[str, int]:
    return _render("missing.html", values=values), 404


def _preview(payload: bytes | None) -> str | None:
    """The payload as text where it is some, at most a screenful."""
    if payload is None:
        return None
    try:
        shown = payload[:2000].decode()
    except UnicodeDecodeError:
        return payload[:200].hex(" ")
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in shown)


def _render(template: str, **values: Any) -> str:
    lang = language()
    zone = parts().settings.timezone

    def t(code: str, **facts: object) -> str:
        return text(lang, code, **facts)

    def when(time: datetime) -> str:
        local = time.astimezone(zone)
        return f"{local.isoformat(sep=' ', timespec='seconds')} ({format_time(time)})"

    def here(to: str) -> str:
        return f"{request.path}?lang={to}"

    return render_template(
        template,
        t=t,
        when=when,
        here=here,
        lang=lang,
        languages=LANGUAGES,
        name=parts().settings.name,
        **values,
    )
