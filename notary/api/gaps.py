# SPDX-License-Identifier: Apache-2.0
"""What a source didn't send."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from flask import Response, request

from notary.api.answers import answer, number, read_cursor, write_cursor
from notary.api.auth import dataset
from notary.api.routes import Routes
from notary.api.services import services
from notary.usecases.gaps import Gap, report
from schemas.answers import GapsAnswer
from schemas.queries import GapsQuery

routes = Routes("gaps", "What sources didn't send: missing numbers and silence.")
MOST_RECORDS: Final = 100_000
"""As many are looked at for one answer."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
_GAPS = GapsAnswer()


@routes.get(
    "/v1/datasets/<id:dataset>/sources/<id:source>/gaps",
    right="reader:read",
    answers={200: GapsAnswer},
    query=GapsQuery,
)
def index(query: Mapping[str, Any], source: str, **path: str) -> Response:
    """
    Numbers missing among the source's keys, where those are whole numbers; silence beyond
    `interval_seconds`; restarts of its counter. The notary's own chain never has a gap.
    """
    cursor = read_cursor(query.get("cursor"), number)
    since = query.get("since") if cursor is None else _EPOCH + cursor[0] * _TICK
    seconds = query.get("interval_seconds")
    interval = None if seconds is None else timedelta(seconds=seconds)
    found = report(
        services().pool,
        dataset(),
        source,
        interval,
        since,
        services().clock(),
        MOST_RECORDS,
        query["limit"],
    )
    following = None
    if found.go_on is not None:
        following = write_cursor((found.go_on - _EPOCH) // _TICK)
    shown = {
        "dataset": dataset().name,
        "source": found.source,
        "chain": found.chain,
        "looked": found.looked,
        "duplicates": found.duplicates,
        "items": [_shown(gap) for gap in found.gaps],
        "next": following,
    }
    response = answer(_GAPS.dump(shown))
    if following is not None:
        more = urlencode({**request.args.to_dict(), "cursor": following})
        response.headers["Link"] = f'<{request.path}?{more}>; rel="next"'
    return response


def _shown(gap: Gap) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "kind": gap.kind,
        "size": gap.size,
        "after_n": gap.before.n,
        "after_received": gap.before.received,
        "before_n": None if gap.after is None else gap.after.n,
        "before_received": None if gap.after is None else gap.after.received,
    }
    if gap.first is not None:
        shown |= {"first": str(gap.first), "last": str(gap.last)}
    return shown
