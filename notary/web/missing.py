# SPDX-License-Identifier: Apache-2.0
"""The page of what isn't there: what of it there is, and where to look again."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, request

from notary.api.services import services
from notary.core.errors import NotaryError
from notary.core.words import check_id
from notary.usecases import look
from notary.usecases.datasets import list_datasets
from notary.usecases.rights import NotFound
from notary.web.access import find_dataset
from notary.web.render import render

MOST_CHOICES: Final = 50
"""So many datasets or sources can be chosen from; of more, one names them."""


def missing(values: Mapping[str, str]) -> Response:
    """The page, with the form to look again; `values`: what was looked for."""
    known = _known(values)
    sources = known.pop("sources", [])
    return render(
        "missing.html",
        404,
        values=values,
        known=known,
        sources=sources,
        choices=None if known else open_datasets(),
    )


def not_found(_: NotFound) -> Response:
    """For blueprints: the same from the parts of the address."""
    return missing({name: str(value) for name, value in (request.view_args or {}).items()})


def open_datasets() -> list[Any]:
    """The open datasets to choose from; none where they are too many."""
    found = list_datasets(services().pool, None, "", MOST_CHOICES + 1)
    return found if len(found) <= MOST_CHOICES else []


def _known(values: Mapping[str, str]) -> dict[str, Any]:
    """What there is of it for who asks: the dataset, its sources, the source's last record."""
    pool = services().pool
    try:
        facts = find_dataset(check_id(values.get("dataset"), "dataset"))
    except NotaryError:
        return {}
    known: dict[str, Any] = {"dataset": facts.name, "label": facts.label}
    sources = look.list_sources(pool, facts, "", MOST_CHOICES + 1)
    known["sources"] = sources if len(sources) <= MOST_CHOICES else []
    try:
        source = look.get_source(pool, facts, check_id(values.get("source"), "source"))
    except NotaryError:
        return known
    return {**known, "source": source["source"], "last": source["n"]}
