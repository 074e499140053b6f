# SPDX-License-Identifier: Apache-2.0
"""The HTTP API: thin views. A view reads its input, calls one use case, writes the answer."""

from uuid import uuid4

from flask import Flask, Response, g, request
from flask_smorest import Api
from flask_swagger_ui import get_swaggerui_blueprint

from notary.api import batches, datasets, errors, health, log, records
from notary.usecases.prove import Prover
from notary.web import pages
from notary.wiring import Parts

CSP = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"
DOCS_CSP = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self'"
)


def create_app(parts: Parts) -> Flask:
    """The application over some parts; nothing is read or connected before the first request."""
    app = Flask("notary.web", static_folder="static", template_folder="templates")
    app.config.update(
        API_TITLE="City Notary",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={"info": {"license": {"name": "Apache-2.0"}}},
        MAX_CONTENT_LENGTH=parts.settings.max_body_bytes,
        MAX_FORM_MEMORY_SIZE=65_536,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["notary"] = parts
    app.extensions["prover"] = Prover(parts.pool, parts.ledgers)
    api = Api(app)
    for module in (datasets, records, batches, log, health):
        api.register_blueprint(module.blueprint)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(get_swaggerui_blueprint("/docs", "/openapi.json"))
    errors.register(app)
    app.before_request(_number)
    app.after_request(_headers)
    return app


def _number() -> None:
    """Each request has an id, the caller's or a new one, that comes back in the answer."""
    given = request.headers.get("X-Request-Id", "")
    g.request_id = (
        given if given.isascii() and given.isalnum() and len(given) <= 64 else uuid4().hex
    )


def _headers(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    docs = request.path.startswith("/docs")
    response.headers["Content-Security-Policy"] = DOCS_CSP if docs else CSP
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response
