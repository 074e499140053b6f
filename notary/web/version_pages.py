# SPDX-License-Identifier: Apache-2.0
"""A version's page: its file, its rows, what it corrects, and how far it is."""

from typing import Any, Final

from flask import Blueprint, Response, request

from notary.api.auth import right
from notary.api.language import say
from notary.api.receipt_formats import other_formats
from notary.api.services import services
from notary.core.csv_rows import csv_cells
from notary.usecases.datasets import DatasetFacts
from notary.usecases.departments import name_of_department
from notary.usecases.rights import NotFound
from notary.usecases.version_look import get_row, list_versions, show_version
from notary.web.access import find_dataset
from notary.web.certificate import certificate
from notary.web.dataset_pages import place
from notary.web.missing import not_found
from notary.web.record_pages import preview
from notary.web.render import number, render, words_of_erasure
from notary.web.way import steps

blueprint = Blueprint("version_pages", __name__)
blueprint.register_error_handler(NotFound, not_found)
SHOWN_CELLS: Final = 100
SHOWN_CHARACTERS: Final = 500
CORRECTED: Final = "page.corrected-by"


@blueprint.get("/datasets/<id:dataset>/versions/<n:version>")
@right("public")
def version(dataset: str, version: int) -> Response:
    """A version with its states; with `row` that row of it."""
    return render("version.html", **_facts(dataset, version))


@blueprint.get("/datasets/<id:dataset>/versions/<n:version>/certificate")
@right("public")
def version_certificate(dataset: str, version: int) -> Response:
    """A version's certificate to print."""
    facts = _facts(dataset, version)
    row, about = facts["row"], facts["dataset"]
    says = [("page.media-type", row["type"])]
    if row["name"] is not None:
        says.append(("page.file-name", row["name"]))
    if row["size_bytes"] is not None:
        says.append(("page.size", f"{number(row['size_bytes'])} {say('page.bytes')}"))
    says.append(("page.rows", say(f"page.profile-{row['profile']}", count=number(row["count"]))))
    for other, text in ((row["corrects"], "page.corrects"), (row["corrected_by"], CORRECTED)):
        if other is not None:
            says.append(("page.correction", say(text, version=other)))
    says += words_of_erasure(row)
    return certificate(
        f"/datasets/{about.name}/versions/{version}",
        subject=say("verify.file", dataset=about.name, version=version),
        dataset=about,
        owner=name_of_department(services().pool, about.owner),
        received=row["received"],
        says=says,
        hash_label="page.file-digest" if about.is_open else "page.commitment",
        hash=row["hash"].hex(),
        is_signed=row["states"]["signed"] is not None,
        steps=facts["steps"],
    )


def _facts(dataset: str, version: int) -> dict[str, Any]:
    parts, facts = services(), find_dataset(dataset)
    row = show_version(parts.pool, parts.ledgers, facts, version)
    newest = list_versions(parts.pool, facts, None, 1)
    return {
        "row": row,
        "dataset": facts,
        "steps": steps(row["states"], parts.ledgers),
        "formats": other_formats(),
        "newest": newest[0]["version"],
        "asked": request.args.get("row", "").strip()[:20],
        "found": _row(facts, row, place("row")),
        "path": f"/datasets/{facts.name}/versions/{version}",
        "values": {"dataset": dataset},
    }


def _row(facts: DatasetFacts, row: dict[str, Any], number: int | None) -> dict[str, Any] | None:
    """One row as it is shown: beside the header where it is a table's."""
    if number is None or number >= row["count"] or row["file_digest"] is None or row["is_dropped"]:
        return None
    pool = services().pool
    profile, data = get_row(pool, facts, row["version"], number)
    if profile != "csv-v1":
        return {"number": number, "text": preview(data)}
    header = csv_cells(get_row(pool, facts, row["version"], 0)[1]) if number else []
    cells = [cell[:SHOWN_CHARACTERS] for cell in csv_cells(data)[:SHOWN_CELLS]]
    header += [""] * (len(cells) - len(header))
    return {"number": number, "cells": list(zip(header, cells, strict=False))}
