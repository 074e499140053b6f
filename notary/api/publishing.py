# SPDX-License-Identifier: Apache-2.0
"""Versions: handed in."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from notary.api.answers import answer
from notary.api.auth import dataset, known_caller
from notary.api.bodies import read_idempotency_key
from notary.api.routes import Routes
from notary.api.services import services
from notary.api.versions import BYTES, VERSIONS, shown
from notary.usecases.version_look import show_version
from notary.usecases.versions import NewVersion, VersionOnce, accept_version
from schemas.faults import Fault, UnreadableBody
from schemas.version import NewVersionQuery, VersionAnswer

PIECE_BYTES: Final = 1 << 16
routes = Routes("publishing", "How versions are handed in.")
_VERSION = VersionAnswer()


@routes.post(
    VERSIONS,
    right="owner:write",
    answers={200: VersionAnswer, 202: VersionAnswer},
    body={
        "text/csv": "a table",
        "application/x-ndjson": "a table, one JSON value a line",
        "application/json": "a table, if it is an array",
        BYTES: "any other file, under its own media type",
    },
    query=NewVersionQuery,
)
def publish(query: Mapping[str, Any], **path: str) -> Response:
    """
    Hand in a file as the dataset's next version; of any size up to the limit.

    It is cut into rows as its media type says: CSV, JSON lines, a JSON array; any other file
    is a version without rows. Nothing of it counts before all of it is durable: 202 with the
    version. The same bytes as the newest version are that version: 200, `duplicate`. Under an
    Idempotency-Key a repeat gets the version of the first time, another file 409.
    """
    parts, who = services(), known_caller()
    request.max_content_length = parts.max_version_bytes + 1
    key = read_idempotency_key()
    what = NewVersion(
        dataset=dataset(),
        type=request.mimetype or BYTES,
        by_word=f"api:{who.key_id}",
        name=query.get("name"),
        corrects=query.get("corrects"),
        reason=query.get("reason"),
    )
    once = None if key is None else VersionOnce(who.key_id, key, parts.instance_secret())
    pieces, limit = _pieces(), parts.max_version_bytes
    done = accept_version(parts.pool, parts.gate, what, pieces, parts.clock(), limit, once)
    row = show_version(parts.pool, parts.ledgers, dataset(), done.version)
    told = {**shown(row), "duplicate": not done.is_new}
    response = answer(_VERSION.dump(told), 202 if done.is_new else 200)
    response.headers["Location"] = told["links"]["self"]
    return response


def _pieces() -> Iterator[bytes]:
    """The body as it comes, which must be there whole."""
    stated, size = request.content_length, 0
    try:
        while piece := request.stream.read(PIECE_BYTES):
            size += len(piece)
            yield piece
    except OSError:
        raise UnreadableBody(Fault("", "cut-short")) from None
    if stated is not None and size != stated:
        raise UnreadableBody(Fault("", "cut-short"))
    if stated is None and size > services().max_version_bytes:
        raise RequestEntityTooLarge
