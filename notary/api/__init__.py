# SPDX-License-Identifier: Apache-2.0
"""
The HTTP API: thin views on Flask. A view parses, calls one use case and dumps.

`errors` maps exceptions to problems (RFC 9457), `auth` lets in only who has the right that
a view states, `routes` is how a view states it. The parts come from outside (`services`).
"""

from flask import Flask

from notary.api import (
    batches,
    changes,
    consistency,
    datasets,
    docs,
    erasing,
    errors,
    gaps,
    health,
    log,
    posting,
    publishing,
    publishing_places,
    records,
    requests,
    rights,
    sharing,
    sources,
    versions,
    windows,
)
from notary.api.routes import NotaryApi, add_converters
from notary.api.services import EXTENSION, Services

DESCRIPTION = """
A notary for shared data: what is handed in becomes durable, is sealed into batches, and gets
receipts that anyone can check without asking us.

Open datasets are read without a key. An API key goes into `Authorization: Bearer ntr_…`; what
isn't yours is answered as if it weren't there. Every error is a problem (RFC 9457) whose `type`
leads to a page that says what to do. Lists come in parts: go on with `next` as `cursor`. Times
are UTC, hashes are hexadecimal. `?lang=` or Accept-Language chooses the language of sentences.
"""
MODULES = (
    datasets,
    sources,
    posting,
    records,
    publishing,
    publishing_places,
    versions,
    changes,
    windows,
    gaps,
    batches,
    log,
    consistency,
    rights,
    sharing,
    erasing,
    health,
)


def make_app(services: Services) -> Flask:
    """The application over some parts. Nothing is read or connected before a request."""
    app = Flask("notary.web", static_folder=None, template_folder="templates")
    app.config.update(
        MAX_CONTENT_LENGTH=services.max_body_bytes,
        MAX_FORM_MEMORY_SIZE=65_536,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    app.url_map.merge_slashes = False
    app.extensions[EXTENSION] = services
    add_converters(app)
    errors.register(app)
    requests.watch(app)
    api = NotaryApi(
        app,
        spec_kwargs={
            "title": "City Notary",
            "version": services.version,
            "openapi_version": "3.1.0",
            "info": {"license": {"name": "Apache-2.0"}, "description": DESCRIPTION},
        },
    )
    api.describe_converters()
    for module in MODULES:
        api.register_blueprint(module.routes.blueprint)
    docs.describe(app, api)
    return app
