# SPDX-License-Identifier: Apache-2.0
"""For gunicorn: `gunicorn 'notary.wsgi:make()'`. The environment is read here, once."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from flask import Flask

from notary.api import make_app
from notary.api.services import Services
from notary.config import Settings
from notary.core.words import format_time
from notary.usecases.prove import Prover
from notary.usecases.sharing import Sharer
from notary.web import add_pages
from notary.wiring import Parts, clock, connect

POOL_SIZE = 4


def make() -> Flask:
    """The application for the settings of the environment."""
    return create_app(connect(Settings.from_env(os.environ), pool_size=POOL_SIZE))


def create_app(
    parts: Parts,
    clock: Callable[[], datetime] = clock,
    log_line: Callable[[Mapping[str, object]], None] | None = None,
) -> Flask:
    """The API and the pages over some parts."""
    app = make_app(make_services(parts, clock, log_line or _log_line))
    add_pages(app)
    return app


def make_services(
    parts: Parts,
    clock: Callable[[], datetime],
    log_line: Callable[[Mapping[str, object]], None],
) -> Services:
    """What views ask, over some parts."""
    settings = parts.settings
    services = Services(
        name=settings.name,
        version=_version(),
        pool=parts.pool,
        gate=parts.gate,
        ledgers=parts.ledgers,
        prover=Prover(parts.pool, parts.ledgers, parts.log_keys),
        acceptor=cache(parts.acceptor),
        promiser=cache(parts.promiser) if settings.acceptance_key.exists() else None,
        receipt_signer=cache(parts.receipt_signer) if settings.receipt_key.exists() else None,
        trust=parts.trust,
        log_keys=parts.log_keys,
        clock=clock,
        log_line=log_line,
        timezone=settings.timezone,
        max_body_bytes=settings.max_body_bytes,
        max_version_bytes=settings.max_version_bytes,
        public_url=settings.public_url,
        second_root=settings.second_root,
        instance_secret=parts.instance_secret,
        tokens=parts.tokens(),
        sharer=cache(lambda: Sharer(parts.pool, services.acceptor())),
        eraser=cache(lambda: parts.eraser(services.acceptor())),
    )
    return services


def _log_line(facts: Mapping[str, object]) -> None:
    """One JSON line on standard output, for whoever collects the logs."""
    line = {"process": "web", "time": format_time(clock()), **facts}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _version() -> str:
    try:
        return version("city-notary")
    except PackageNotFoundError:
        return "0+unknown"
