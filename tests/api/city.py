# SPDX-License-Identifier: Apache-2.0
"""A notary with its HTTP API, and people who ask it."""

import json
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from notary.api.services import EXTENSION
from notary.wiring import Parts
from notary.wsgi import create_app, make_services
from tests.usecases.world import World, new_department

JSON = "application/json"
NDJSON = "application/x-ndjson"


BUILT: list[Flask] = []


def app_over(
    parts: Parts, clock: Callable[[], datetime], log_line: Callable[[Mapping[str, object]], None]
) -> Flask:
    """
    The application over some parts: a copy of the one that was built first.

    To build one takes longer than most tests: routes, description and templates, all of which
    are the same over any parts.
    """
    if not BUILT:
        BUILT.append(create_app(parts, clock, log_line))
        assert BUILT[0].jinja_env
    app, services = copy(BUILT[0]), make_services(parts, clock, log_line)
    app.extensions = {**app.extensions, EXTENSION: services}
    app.config = copy(app.config)
    app.config["MAX_CONTENT_LENGTH"] = services.max_body_bytes
    return app


@dataclass
class City:
    """The world behind the API; `lines` is what the web process logged."""

    world: World
    lines: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app = app_over(self.world.parts, lambda: self.world.now, self._log)
        self.client: FlaskClient = self.app.test_client()
        self.key = self.world.api_key
        self.other_key = new_department(self.world.pool, "tax-office", self.world.now)

    def _log(self, facts: Mapping[str, object]) -> None:
        self.lines.append(dict(facts))

    def ask(
        self,
        path: str,
        *,
        key: str | None = None,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        data: bytes | str | None = None,
    ) -> TestResponse:
        """One request, with a key or without."""
        sent = dict(headers or {})
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        return self.client.open(path, method=method, headers=sent, data=data)

    def post(
        self,
        path: str,
        body: object,
        *,
        key: str | None = None,
        type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Post a body: bytes as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": type, **(headers or {})}
        return self.ask(path, key=key, method="POST", headers=sent, data=data)

    def open_dataset(self, name: str = "weather", **more: Any) -> str:
        """Create an open dataset over HTTP."""
        body = {"id": name, "label": name.title(), "open": True, **more}
        assert self.post("/v1/datasets", body, key=self.key).status_code == 201
        return name

    def closed_dataset(self, **more: Any) -> str:
        """Create a closed dataset over HTTP; its random id."""
        answer = self.post("/v1/datasets", {"label": "Wages", **more}, key=self.key)
        assert answer.status_code == 201
        found = answer.get_json()["id"]
        assert isinstance(found, str)
        return found

    def record(self, dataset: str, source: str = "desk", text: str = "hello", **more: Any) -> Any:
        """Post one record; its acceptance."""
        body = {"source": source, "payload_text": text, **more}
        answer = self.post(f"/v1/datasets/{dataset}/records", body, key=self.key)
        assert answer.status_code == 202, answer.data
        return answer.get_json()

    def publish(
        self, dataset: str, file: bytes = b"a,b\n1,2\n", query: str = "", type: str = "text/csv"
    ) -> Any:
        """Hand in a version; what is answered."""
        path = f"/v1/datasets/{dataset}/versions{query}"
        answer = self.post(path, file, key=self.key, type=type)
        assert answer.status_code in (200, 202), answer.data
        return answer.get_json()


def problem_of(answer: TestResponse, status: int, code: str) -> Any:
    """The problem in an answer, which must be that one and whole."""
    assert answer.status_code == status, answer.data
    assert answer.mimetype == "application/problem+json"
    problem = answer.get_json()
    assert problem["type"] == f"/problems/{code}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    return problem
