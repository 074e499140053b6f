# SPDX-License-Identifier: Apache-2.0
"""The first page, the way from the form to a record, and the page of each problem."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from notary.api.answers import fixed
from notary.api.auth import right
from notary.api.errors import detail_of, template_of
from notary.api.language import has_text
from notary.api.services import services
from notary.core.errors import NotaryError
from notary.core.words import check_id
from notary.usecases import look
from notary.usecases.anchor_look import list_anchors
from notary.usecases.datasets import list_datasets
from notary.usecases.rights import NotFound
from notary.web.log_key import fingerprint
from notary.web.missing import missing, open_datasets
from notary.web.render import render

blueprint = Blueprint("pages", __name__)
SHOWN_DATASETS, SHOWN_ANCHORS = 50, 5
STATIC: Final = {
    "docs.js": "text/javascript",
    "publish.js": "text/javascript",
    "seal.svg": "image/svg+xml",
    "style.css": "text/css",
    "verify.js": "text/javascript",
    "verify_ask.js": "text/javascript",
    "verify_content.js": "text/javascript",
    "verify_desk.js": "text/javascript",
    "verify_guess.js": "text/javascript",
    "verify_judge.js": "text/javascript",
    "verify_page.js": "text/javascript",
    "verify_show.js": "text/javascript",
    "verify_title.js": "text/javascript",
    "verify_way.js": "text/javascript",
    "verify_words.js": "text/javascript",
}


@blueprint.get("/")
@right("public")
def first() -> Response:
    """What this notary holds, its newest checkpoint and anchors, and a search."""
    parts = services()
    log = look.log_facts(parts.pool)
    newest = look.newest_checkpoint(parts.pool)
    datasets = list_datasets(parts.pool, None, "", SHOWN_DATASETS + 1)
    return render(
        "first.html",
        totals=look.totals(parts.pool, parts.ledgers),
        datasets=datasets[:SHOWN_DATASETS],
        more=len(datasets) > SHOWN_DATASETS,
        counts=look.count_records(parts.pool, datasets),
        choices=open_datasets(),
        checkpoint=newest,
        log=log,
        fingerprint=fingerprint(log, newest),
        anchors=list_anchors(parts.pool, parts.ledgers, None, SHOWN_ANCHORS),
    )


@blueprint.get("/find")
@right("public")
def find() -> Response:
    """From the search form to the record's page; to the source's or dataset's where that is all."""
    values = {name: request.args.get(name, "").strip() for name in ("dataset", "source", "n")}
    n = values["n"]
    try:
        check_id(values["dataset"], "dataset")
        if values["source"] or n:
            check_id(values["source"], "source")
        if n and not (n.isascii() and n.isdigit() and len(n) <= 15):
            raise NotFound()
    except NotaryError:
        return missing(values)
    place = ["datasets", values["dataset"]]
    place += ["sources", values["source"]] if values["source"] else []
    place += ["records", str(int(n))] if n else []
    asked = request.args.get("lang")
    address = f"/{'/'.join(place)}" + (f"?{urlencode({'lang': asked})}" if asked else "")
    return Response(status=303, headers={"Location": address})


@blueprint.get("/problems/<code>")
@right("public")
def problem(code: str) -> Response:
    """What a problem's type means, and what to do."""
    if not has_text(f"problem.{code}.title"):
        return missing({})
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


@cache
def _read(name: str) -> bytes:
    return (files("notary.web") / "static" / name).read_bytes()
