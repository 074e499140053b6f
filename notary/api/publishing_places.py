# SPDX-License-Identifier: Apache-2.0
"""Where a key may hand in versions: asked before a file of gigabytes is sent."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from notary.api.answers import answer, read_cursor, word, write_cursor
from notary.api.auth import known_caller
from notary.api.datasets import shown
from notary.api.routes import Routes
from notary.api.services import services
from notary.usecases.datasets import list_own_datasets
from schemas.queries import PageQuery
from schemas.version import PublishingAnswer

routes = Routes("publishing_places", "Where versions may be handed in.")
_ANSWER = PublishingAnswer()


@routes.get("/v1/publishing", right="key:write", answers={200: PublishingAnswer}, query=PageQuery)
def places(query: Mapping[str, Any]) -> Response:
    """The datasets that the key may hand in versions to, by id, and how large a file may be."""
    after, limit = read_cursor(query.get("cursor"), word) or [""], query["limit"]
    found = list_own_datasets(services().pool, known_caller(), after[0], limit + 1)
    following = write_cursor(found[limit - 1].name) if len(found) > limit else None
    told = {"items": list(map(shown, found[:limit])), "next": following}
    return answer(_ANSWER.dump({**told, "max_bytes": services().max_version_bytes}))
