# SPDX-License-Identifier: Apache-2.0
"""The people's pages: rendered here, useful without JavaScript, nothing from outside."""

from flask import Flask

from notary.api.errors import PAGE_EXTENSION
from notary.web import (
    change_pages,
    dataset_pages,
    downloads,
    log_pages,
    pages,
    publish,
    record_pages,
    verify_pages,
    version_pages,
)

BLUEPRINTS = (
    pages,
    dataset_pages,
    record_pages,
    version_pages,
    change_pages,
    log_pages,
    downloads,
    publish,
    verify_pages,
)


def add_pages(app: Flask) -> None:
    """Add the pages to the API's application."""
    for module in BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    app.extensions[PAGE_EXTENSION] = pages.problem_page
