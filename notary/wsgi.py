# SPDX-License-Identifier: Apache-2.0
"""For gunicorn: `gunicorn 'notary.wsgi:make()'`. The environment is read here, once."""

import os

from flask import Flask

from notary.api import create_app
from notary.config import Settings
from notary.wiring import connect


def make() -> Flask:
    """The application for the settings of the environment."""
    return create_app(connect(Settings.from_env(os.environ), pool_size=4))
