# SPDX-License-Identifier: Apache-2.0
"""Versions: handed in."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from flask import Response, request, stream_with_context
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from notary.api.answers import answer
from notary.api.auth import dataset, known_caller
from notary.api.bodies import read_idempotency_key
from notary.api.errors import detail_of
from notary.api.routes import Routes
from notary.api.services import services
from notary.api.versions import BYTES, DATASET, VERSIONS, shown
from notary.usecases.packages import Unpacking, check_package, unpack
from notary.usecases.version_look import show_version
from notary.usecases.versions import NewVersion, VersionOnce, accept_version
from schemas.faults import Fault, UnreadableBody
from schemas.version import NewVersionQuery, VersionAnswer

PIECE_BYTES: Final = 1 << 16
NDJSON: Final = "application/x-ndjson"
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
    done = accept_version(parts.pool, parts.gate, what, pieces, parts.clock, limit, once)
    row = show_version(parts.pool, parts.ledgers, dataset(), done.version)
    told = {**shown(row), "duplicate": not done.is_new}
    response = answer(_VERSION.dump(told), 202 if done.is_new else 200)
    response.headers["Location"] = told["links"]["self"]
    return response


@routes.post(
    f"{DATASET}/packages",
    right="owner:write",
    answers={202: NDJSON},
    body={"application/zip": "a Frictionless Data Package: datapackage.json and its files"},
)
def publish_package(**path: str) -> Response:
    """
    Hand in a Data Package: a version without rows itself, and each of its resources the next
    version of a dataset of its own, `<dataset>.<name>`, made where there is none yet (for
    that the key needs the scope manage).

    Answered line by line, each once it is durable: the package's version, then for each
    resource its dataset and version, and what became of its declared hash and size. A
    table that can't be cut is a version without rows (`rows_refused`); a resource that
    isn't one file inside the package is `refused`. Nothing is fetched from anywhere.
    """
    if request.mimetype != "application/zip":
        raise UnsupportedMediaType()
    parts, who, facts = services(), known_caller(), dataset()
    request.max_content_length = parts.max_version_bytes + 1
    what = NewVersion(dataset=facts, type="application/zip", by_word=f"api:{who.key_id}")
    clock, limit = parts.clock, parts.max_version_bytes
    done = accept_version(
        parts.pool,
        parts.gate,
        what,
        _pieces(),
        clock,
        limit,
        look=partial(check_package, parts.pool),
    )
    row = show_version(parts.pool, parts.ledgers, facts, done.version)
    whole = {**shown(row), "duplicate": not done.is_new}
    unpacking = Unpacking(parts.pool, parts.gate, facts, who, clock, limit)
    steps = unpack(unpacking, done.version)

    def lines() -> Iterator[bytes]:
        yield _line(_VERSION.dump(whole))
        for step in steps:
            yield _line(resource_told(step))

    response = Response(stream_with_context(lines()), 202, mimetype=NDJSON)
    response.headers["Location"] = whole["links"]["self"]
    return response


def _line(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"


def resource_told(step: Mapping[str, Any]) -> dict[str, Any]:
    """What became of a resource, in the caller's language."""
    told = dict(step)
    error, rows_error = told.pop("error", None), told.pop("rows_error", None)
    if error is not None:
        told |= {"refused": error.code, "detail": detail_of(error.code, error.facts)}
    if rows_error is not None:
        told["rows_refused"] = detail_of(rows_error.code, rows_error.facts)
    if "version" in told:
        told["rows"] = told.pop("count")
        told["duplicate"] = not told.pop("is_new")
        where = f"/v1/datasets/{told['dataset']}/versions/{told['version']}"
        told["links"] = {"self": where, "file": f"{where}/file", "receipt": f"{where}/receipt"}
    return told


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
