# SPDX-License-Identifier: Apache-2.0
"""Two versions beside each other: which rows were added, removed, changed."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from flask import Blueprint, Response, request

from notary.api.auth import right
from notary.api.errors import detail_of
from notary.api.services import services
from notary.core.csv_rows import csv_cells
from notary.usecases.compare import Change, CompareRefused, compare
from notary.usecases.datasets import DatasetFacts
from notary.usecases.rights import NotFound
from notary.usecases.version_look import get_row, list_versions, show_version
from notary.usecases.versions import no_version
from notary.web.access import find_dataset
from notary.web.dataset_pages import place
from notary.web.missing import not_found
from notary.web.record_pages import preview
from notary.web.render import render
from notary.web.version_pages import SHOWN_CELLS, SHOWN_CHARACTERS

blueprint = Blueprint("change_pages", __name__)
blueprint.register_error_handler(NotFound, not_found)
SHOWN_CHANGES: Final = 50
COMPARED_BYTES: Final = 64 << 20
"""So much of both files together is compared for a page; more is for programs."""
KEY_CHARACTERS: Final = 500


@blueprint.get("/datasets/<id:dataset>/versions/<n:version>/changes")
@right("public")
def changes(dataset: str, version: int) -> Response:
    """From this version to another (`to`, else the newest); `key`: columns that name a row."""
    parts, facts = services(), find_dataset(dataset)
    to, skip = _other(facts), place("skip") or 0
    rows = [show_version(parts.pool, (), facts, number) for number in (version, to)]
    asked = request.args.get("key", "").strip()[:KEY_CHARACTERS]
    key = [name.strip() for name in asked.replace("，", ",").split(",") if name.strip()] or None
    is_large = sum(row["size_bytes"] or 0 for row in rows) > COMPARED_BYTES
    found, refused = None, None
    try:
        if not is_large:
            found = compare(parts.pool, facts, version, to, key, skip, SHOWN_CHANGES)
    except CompareRefused as error:
        refused = detail_of(error.code, error.facts)
    shown = [] if found is None else _shown(facts, rows[1], found.profile, found.some)
    return render(
        "changes.html",
        dataset=facts,
        before=version,
        after=to,
        asked=asked,
        found=found,
        refused=refused,
        is_large=is_large,
        changes=shown,
        skip=skip,
        rest=0 if found is None else found.added + found.removed + found.changed - skip,
        shown=SHOWN_CHANGES,
        path=f"/v1/datasets/{facts.name}/versions/{version}/changes?to={to}",
        values={"dataset": dataset},
    )


def _other(facts: DatasetFacts) -> int:
    """The version that is asked for: the newest unless it is said. Raises NotFound."""
    newest = list_versions(services().pool, facts, None, 1)
    to = place("to") if request.args.get("to") else newest[0]["version"] if newest else None
    if to is None:
        raise no_version(facts, 0)
    return int(to)


def _shown(
    facts: DatasetFacts, after: Mapping[str, Any], profile: str, some: Sequence[Change]
) -> list[dict[str, Any]]:
    """Each change with what was and what is, cell by cell where there are cells."""
    header: list[str] = []
    if profile == "csv-v1" and some and after["count"]:
        header = csv_cells(get_row(services().pool, facts, after["version"], 0)[1])
    return [_change(header, profile, change) for change in some]


def _change(header: Sequence[str], profile: str, change: Change) -> dict[str, Any]:
    told = {"kind": change.kind, "before": change.before, "after": change.after}
    old, new = (_cells(profile, data) for data in (change.old, change.new))
    cells = zip_longest(header[: max(len(old), len(new))], old, new)
    parts = [
        {"column": column, "old": was, "new": now}
        for column, was, now in cells
        if change.kind != "changed" or was != now
    ]
    return {**told, "cells": parts}


def _cells(profile: str, data: bytes | None) -> list[str]:
    if data is None:
        return []
    if profile != "csv-v1":
        return [preview(data) or ""]
    return [cell[:SHOWN_CHARACTERS] for cell in csv_cells(data)[:SHOWN_CELLS]]
