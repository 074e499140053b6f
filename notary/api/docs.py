# SPDX-License-Identifier: Apache-2.0
"""The description of the API: OpenAPI, and a page of it that loads nothing from outside."""

import json
from functools import cache
from importlib.resources import files
from typing import Final

from flask import Blueprint, Flask, Response, current_app, render_template

from notary.api.answers import BRIEFLY, FOREVER, fixed
from notary.api.auth import right
from notary.api.requests import POLICY
from notary.api.routes import NotaryApi
from notary.usecases.rights import NotFound

blueprint = Blueprint("docs", __name__)
FILES: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
}
DOCS_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def describe(app: Flask, api: NotaryApi) -> None:
    """Add the description of all routes that `api` knows. The last step of making an app."""
    api.spec.components.security_scheme(
        "key", {"type": "http", "scheme": "bearer", "description": "An API key: ntr_…"}
    )
    app.extensions["city-notary-openapi"] = json.dumps(api.spec.to_dict(), sort_keys=False)
    app.register_blueprint(blueprint)


@blueprint.get("/openapi.json")
@right("public")
def openapi() -> Response:
    """OpenAPI 3.1."""
    return fixed(current_app.extensions["city-notary-openapi"], "application/json", BRIEFLY)


@blueprint.get("/docs")
@right("public")
def page() -> Response:
    """The same for people, by Swagger UI, which comes with the package."""
    response = Response(render_template("docs.html"))
    response.headers[POLICY] = DOCS_POLICY
    return response


@blueprint.get("/docs/<name>")
@right("public")
def file(name: str) -> Response:
    """A file of Swagger UI. Raises NotFound for any that isn't listed here."""
    if name not in FILES:
        raise NotFound()
    return fixed(_read(name), FILES[name], FOREVER.replace("31536000, immutable", "86400"))


@cache
def _read(name: str) -> bytes:
    return (files("flask_swagger_ui") / "dist" / name).read_bytes()
