# SPDX-License-Identifier: Apache-2.0
"""A dataset's page, and that of each of its sources."""

from contextlib import suppress
from typing import Any, Final

from flask import Blueprint, Response, request

from notary.api.auth import caller, right
from notary.api.services import services
from notary.core.errors import MalformedText
from notary.core.words import check_id
from notary.usecases import look
from notary.usecases.departments import name_of_department
from notary.usecases.feed_times import newest_over_time, sealed_over_time
from notary.usecases.rights import NotFound
from notary.usecases.sharing import list_grants
from notary.usecases.version_look import list_versions
from notary.web.access import find_dataset, is_private
from notary.web.missing import not_found
from notary.web.plots import plot_counts, plot_values
from notary.web.render import render
from notary.web.windows import first_span, span_asked

blueprint = Blueprint("dataset_pages", __name__)
blueprint.register_error_handler(NotFound, not_found)
SHOWN_SOURCES: Final = 100
SHOWN_VERSIONS: Final = 20
SHOWN_RECORDS: Final = 20
SHOWN_NEWEST: Final = 5
SHOWN_GRANTS: Final = 100
MAX_PLACE: Final = 15


@blueprint.get("/datasets/<id:dataset>")
@right("public")
def dataset(dataset: str) -> Response:
    """What it is, its versions, its sources and their newest records."""
    pool, facts = services().pool, find_dataset(dataset)
    after, before = _source_place(), place("before")
    sources = look.list_sources(pool, facts, after, SHOWN_SOURCES + 1)
    versions = list_versions(pool, facts, before, SHOWN_VERSIONS + 1)
    shown = sources[:SHOWN_SOURCES]
    is_first = not after and before is None
    over_time = sealed_over_time(pool, facts, services().timezone) if is_first else None
    return render(
        "dataset.html",
        dataset=facts,
        owner=name_of_department(pool, facts.owner),
        records=look.count_records(pool, [facts])[facts.name],
        sources=shown,
        more_sources=shown[-1]["source"] if len(sources) > SHOWN_SOURCES else None,
        newest=[] if after or len(sources) > SHOWN_SOURCES else _newest(shown),
        versions=versions[:SHOWN_VERSIONS],
        more_versions=len(versions) > SHOWN_VERSIONS,
        is_first=is_first,
        series=over_time,
        counts=None if over_time is None else plot_counts(over_time.spans),
        numbers=None,
        grants=list_grants(pool, facts, caller(), "", SHOWN_GRANTS) if is_private() else [],
        now=services().clock(),
        choices=[facts],
        values={"dataset": dataset},
    )


@blueprint.get("/datasets/<id:dataset>/sources/<id:source>")
@right("public")
def source(dataset: str, source: str) -> Response:
    """A source: the end of its chain and its records, the newest first."""
    pool, facts = services().pool, find_dataset(dataset)
    found = look.get_source(pool, facts, source)
    before = place("before")
    end = found["n"] + 1 if before is None else min(before, found["n"] + 1)
    first = max(0, end - SHOWN_RECORDS)
    records = look.list_records(pool, facts, source, None, first - 1, end - first)
    over_time = (
        None if before is not None else newest_over_time(pool, facts, source, services().timezone)
    )
    return render(
        "source.html",
        dataset=facts,
        source=found,
        sources=[found],
        choices=[facts],
        span=span_asked(facts, found),
        asked=first_span(found),
        zone=str(services().timezone),
        shown=SHOWN_RECORDS,
        series=over_time,
        counts=None if over_time is None else plot_counts(over_time.spans),
        numbers=plot_values(over_time.spans) if over_time and over_time.has_values else None,
        records=records[::-1],
        older=first or None,
        values={"dataset": dataset, "source": source},
    )


def place(name: str) -> int | None:
    """A whole number in the query, or None for anything else."""
    text = request.args.get(name, "").strip()
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_PLACE
    return int(text) if is_number else None


def _source_place() -> str:
    """The source after which the list goes on, or the beginning for anything else."""
    with suppress(MalformedText):
        return check_id(request.args.get("after"), "source")
    return ""


def _newest(sources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest of the last records of all sources."""
    return sorted(sources, key=lambda row: row["received"], reverse=True)[:SHOWN_NEWEST]
