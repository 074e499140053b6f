# SPDX-License-Identifier: Apache-2.0
"""What changed from one version to another."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from notary.api.answers import answer, number, read_cursor, write_cursor
from notary.api.auth import dataset, grant
from notary.api.handing import handing
from notary.api.routes import Routes
from notary.api.services import services
from notary.api.versions import VERSION
from notary.core.csv_rows import csv_cells
from notary.usecases.compare import Change, compare
from notary.usecases.datasets import no_dataset
from notary.usecases.version_look import list_versions
from schemas.version import ChangesAnswer, ChangesQuery

routes = Routes("changes", "What changed from one version to another.")
_CHANGES = ChangesAnswer()


@routes.get(
    f"{VERSION}/changes", right="reader:read", answers={200: ChangesAnswer}, query=ChangesQuery
)
def changes(query: Mapping[str, Any], version: int, **path: str) -> Response:
    """
    Rows added, removed and changed from this version to another, the newest unless `to` says.

    Rows are compared by what they say, not by where they stand. A row is `changed` where `key`
    names it and it says something else.
    """
    facts = dataset()
    after = query.get("to")
    if after is None:
        newest = list_versions(services().pool, facts, None, 1)
        after = newest[0]["version"] if newest else version
    if grant() is not None and facts.grant_for(after) is None:
        raise no_dataset(facts.name)
    skip = (read_cursor(query.get("cursor"), number) or [0])[0]
    named, limit = query.get("key"), query["limit"]
    key = None if named is None else [name for name in named.split(",") if name]
    found = compare(services().pool, facts, version, after, key, skip, limit)
    handing(kind="changes", version=version, to=after)
    is_last = skip + limit >= found.added + found.removed + found.changed
    told = {
        "dataset": facts.name,
        "before": version,
        "after": after,
        **{name: getattr(found, name) for name in ("profile", "key", "same")},
        **{name: getattr(found, name) for name in ("added", "removed", "changed")},
        "items": [_shown(found.profile, change) for change in found.some],
        "next": None if is_last else write_cursor(skip + limit),
    }
    return answer(_CHANGES.dump(told))


def _shown(profile: str, change: Change) -> dict[str, Any]:
    def said(data: bytes) -> object:
        return csv_cells(data) if profile == "csv-v1" else data.decode()

    told: dict[str, Any] = {"change": change.kind}
    if change.before is not None and change.old is not None:
        told |= {"before_row": change.before, "before": said(change.old)}
    if change.after is not None and change.new is not None:
        told |= {"after_row": change.after, "after": said(change.new)}
    return told
