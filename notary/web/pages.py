# SPDX-License-Identifier: Apache-2.0
"""The first page, a dataset's and a record's page, and the page of each problem."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from flask import Blueprint, Response, request, url_for

from notary.api.answers import fixed
from notary.api.auth import right
from notary.api.errors import detail_of, template_of
from notary.api.language import has_text
from notary.api.services import services
from notary.core.errors import NotaryError
from notary.core.note import parse_vkey
from notary.core.words import check_id
from notary.usecases import look
from notary.usecases.reading import FUTURE_DATED, KEY_REUSED, REPLAYED
from notary.usecases.registers import NotFound, get_dataset, list_datasets
from notary.web.render import render

blueprint = Blueprint("pages", __name__)
SHOWN_DATASETS, SHOWN_SOURCES, SHOWN_ANCHORS = 50, 200, 5
STATIC: Final = {
    "docs.js": "text/javascript",
    "seal.svg": "image/svg+xml",
    "style.css": "text/css",
}


FLAGS = {
    KEY_REUSED: "page.flag-key-reused",
    REPLAYED: "page.flag-replayed",
    FUTURE_DATED: "page.flag-future-dated",
}
"""What a page says of a record's flags."""


@blueprint.get("/")
@right("public")
def first() -> Response:
    """What this notary holds, its newest checkpoint and anchors, and a search."""
    parts = services()
    log = look.log_facts(parts.pool)
    datasets = list_datasets(parts.pool, None, "", SHOWN_DATASETS + 1)
    return render(
        "first.html",
        totals=look.totals(parts.pool),
        datasets=datasets[:SHOWN_DATASETS],
        more=len(datasets) > SHOWN_DATASETS,
        counts=look.count_records(parts.pool, datasets),
        checkpoint=look.newest_checkpoint(parts.pool),
        log=log,
        fingerprint=None if log is None else parse_vkey(log["vkey"]).fingerprint,
        anchors=look.list_anchors(parts.pool, parts.ledgers, None, SHOWN_ANCHORS),
    )


@blueprint.get("/find")
@right("public")
def find() -> Response:
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
    address = url_for(
        "pages.record",
        lang=request.args.get("lang"),
        dataset=values["dataset"],
        source=values["source"],
        n=int(n),
    )
    return Response(status=303, headers={"Location": address})


@blueprint.get("/datasets/<id:dataset>")
@right("public")
def dataset(dataset: str) -> Response:
    """An open dataset with its sources."""
    pool = services().pool
    try:
        facts = get_dataset(pool, dataset, None)
    except NotFound:
        return _missing({"dataset": dataset})
    found = look.list_sources(pool, facts, "", SHOWN_SOURCES + 1)
    return render(
        "dataset.html",
        dataset=facts,
        sources=found[:SHOWN_SOURCES],
        more=len(found) > SHOWN_SOURCES,
        records=look.count_records(pool, [facts])[facts.name],
        values={"dataset": dataset},
    )


@blueprint.get("/datasets/<id:dataset>/sources/<id:source>/records/<n:n>")
@right("public")
def record(dataset: str, source: str, n: int) -> Response:
    """A record of an open dataset with its states, and its receipt to download."""
    parts = services()
    try:
        facts = get_dataset(parts.pool, dataset, None)
        row = look.get_record(parts.pool, parts.ledgers, facts, source, n)
    except NotFound:
        return _missing({"dataset": dataset, "source": source, "n": str(n)})
    values = {"dataset": dataset, "source": source}
    return render(
        "record.html",
        row=row,
        label=facts.label,
        preview=_preview(row["payload"]),
        flags=[text for flag, text in FLAGS.items() if row["flags"] & flag],
        values=values,
        ledgers=parts.ledgers,
    )


@blueprint.get("/problems/<code>")
@right("public")
def problem(code: str) -> Response:
    """What a problem's type means, and what to do."""
    if not has_text(f"problem.{code}.title"):
        return _missing({})
    return problem_page(200, code, {})


def problem_page(status: int, code: str, facts: Mapping[str, object]) -> Response:
    """A problem as a page, for browsers; without facts only a sentence that needs none."""
    sentence: str | None = detail_of(code, facts)
    if not facts and "{" in template_of(code):
        sentence = None
    return render("problem.html", status, code=code, sentence=sentence)


@blueprint.get("/static/<name>")
@right("public")
def static(name: str) -> Response:
    """Style and picture of these pages."""
    if name not in STATIC:
        raise NotFound()
    return fixed(_read(name), STATIC[name], "public, max-age=300")


@blueprint.get("/favicon.ico")
@right("public")
def favicon() -> Response:
    """Where browsers look for it."""
    return fixed(_read("seal.svg"), STATIC["seal.svg"], "public, max-age=300")


def _missing(values: Mapping[str, str]) -> Response:
    return render("missing.html", 404, values=values)


def _preview(payload: bytes | None) -> str | None:
    """The payload as text where it is some, at most a screenful."""
    if payload is None:
        return None
    try:
        shown = payload[:2000].decode()
    except UnicodeDecodeError as error:
        if len(payload) > 2000 and error.start >= 1997:
            shown = payload[: error.start].decode()
        else:
            return payload[:200].hex(" ")
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in shown)


@cache
def _read(name: str) -> bytes:
    return (files("notary.web") / "static" / name).read_bytes()
