# SPDX-License-Identifier: Apache-2.0
"""The log as static files (C2SP tlog-tiles), and the trust file."""

import gzip

from flask import Response, request

from notary.api.answers import BRIEFLY, fixed
from notary.api.routes import Routes
from notary.api.services import services
from notary.core.tiles import parse_entries_path, parse_tile_path
from notary.usecases import look
from notary.usecases.rights import NotFound
from schemas.answers import TrustAnswer

routes = Routes("log", "The log, as any client of C2SP tlog-tiles reads it.")
BYTES, TEXT, JSON = "application/octet-stream", "text/plain", "application/json"


@routes.get("/log/checkpoint", right="public", answers={200: TEXT})
def checkpoint() -> Response:
    """The newest signed checkpoint, a C2SP signed note."""
    newest = look.newest_checkpoint(services().pool)
    if newest is None:
        raise NotFound("Nothing is signed yet.")
    return fixed(newest["note"], TEXT, BRIEFLY)


@routes.get("/log/tile/entries/<path:place>", right="public", answers={200: BYTES})
def entries(place: str) -> Response:
    """An entry bundle: descriptors, each with its length in two bytes before it."""
    index, width = parse_entries_path(f"tile/entries/{place}")
    return _packed(look.log_bundle(services().pool, index, width))


@routes.get("/log/tile/<path:place>", right="public", answers={200: BYTES})
def tile(place: str) -> Response:
    """A tile of hashes, `<level>/<index>[.p/<width>]`; none beyond the signed size."""
    level, index, width = parse_tile_path(f"tile/{place}")
    return fixed(look.log_tile(services().pool, level, index, width), BYTES)


@routes.get("/trust.json", right="public", answers={200: TrustAnswer})
def trust() -> Response:
    """The notary's own word about its keys: compare it with what the city published."""
    return fixed(services().trust(), JSON, BRIEFLY)


def _packed(data: bytes) -> Response:
    """An entry bundle; compressed for whoever takes gzip, as C2SP tlog-tiles advises."""
    takes_gzip = request.accept_encodings.quality("gzip") > 0
    response = fixed(gzip.compress(data, mtime=0) if takes_gzip else data, BYTES)
    if takes_gzip and response.status_code == 200:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    return response
