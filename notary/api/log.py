# SPDX-License-Identifier: Apache-2.0
"""The log as static files (C2SP tlog-tiles), and the trust file."""

from flask import Response
from flask_smorest import Blueprint

from notary.api.auth import parts, right
from notary.api.writing import BRIEFLY, fixed
from notary.core.tiles import parse_entries_path, parse_tile_path
from notary.usecases import look
from notary.usecases.registers import NotFound

blueprint = Blueprint("log", __name__)


@blueprint.get("/log/checkpoint")
@right("public")
def checkpoint() -> Response:
    """The newest signed checkpoint."""
    newest = look.newest_checkpoint(parts().pool)
    if newest is None:
        raise NotFound("Nothing is signed yet.")
    response = Response(newest["note"], mimetype="text/plain")
    response.headers["Cache-Control"] = BRIEFLY
    return response


@blueprint.get("/log/tile/entries/<path:place>")
@right("public")
def entries(place: str) -> Response:
    """An entry bundle: descriptors, each with its length before it."""
    index, width = parse_entries_path(f"tile/entries/{place}")
    return fixed(look.log_bundle(parts().pool, index, width), "application/octet-stream")


@blueprint.get("/log/tile/<path:place>")
@right("public")
def tile(place: str) -> Response:
    """A tile of hashes."""
    level, index, width = parse_tile_path(f"tile/{place}")
    return fixed(look.log_tile(parts().pool, level, index, width), "application/octet-stream")


@blueprint.get("/trust.json")
@right("public")
def trust() -> Response:
    """The notary's own word about its keys: compare it with what the city published."""
    response = Response(parts().trust(), mimetype="application/json")
    response.headers["Cache-Control"] = BRIEFLY
    return response
