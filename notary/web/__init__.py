# SPDX-License-Identifier: Apache-2.0
"""The people's pages: rendered here, useful without JavaScript, nothing from outside."""

from flask import Flask

from notary.api.errors import PAGE_EXTENSION
from notary.web import pages


def add_pages(app: Flask) -> None:
    """Add the pages to the API's application."""
    app.register_blueprint(pages.blueprint)
    app.extensions[PAGE_EXTENSION] = pages.problem_page
