# SPDX-License-Identifier: Apache-2.0
"""Departments and API keys: the operator's business, and each department's with its own keys."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Response

from notary.api.answers import answer, page, read_cursor, word
from notary.api.auth import known_caller
from notary.api.bodies import read_json
from notary.api.routes import Routes
from notary.api.services import services
from notary.usecases import api_keys, departments
from notary.usecases.api_keys import NewKey
from schemas.answers import page_of
from schemas.bodies import JSON_TYPE
from schemas.queries import PageQuery
from schemas.rights import (
    ApiKeyAnswer,
    DepartmentAnswer,
    MadeKeyAnswer,
    NewApiKey,
    NewDepartment,
    Rotation,
)

routes = Routes("rights", "Departments, and what the API keys of each may do.")
KEYS = "/v1/keys"
DEPARTMENTS = "/v1/departments"
_KEY, _MADE, _DEPARTMENT = ApiKeyAnswer(), MadeKeyAnswer(), DepartmentAnswer()


@routes.post(
    DEPARTMENTS, right="key:admin", answers={201: DepartmentAnswer}, body={JSON_TYPE: NewDepartment}
)
def add_department() -> Response:
    """Make a department known."""
    asked, now = read_json(NewDepartment()), services().clock()
    departments.add_department(services().pool, asked["id"], asked["name"], now)
    return answer(_DEPARTMENT.dump({**asked, "created_at": now}), 201)


@routes.get(
    DEPARTMENTS, right="key:admin", answers={200: page_of(DepartmentAnswer)}, query=PageQuery
)
def list_departments(query: Mapping[str, Any]) -> Response:
    """All departments by id, the closed ones too."""
    after = read_cursor(query.get("cursor"), word) or [""]
    found = departments.list_departments(services().pool, after[0], query["limit"] + 1)
    return page(found, query["limit"], _DEPARTMENT, lambda row: (row["id"],), _named)


@routes.delete(f"{DEPARTMENTS}/<id:department>", right="key:admin")
def close_department(department: str) -> Response:
    """End a department's keys, for good. Its datasets stay, readable as before."""
    departments.close_department(services().pool, department, services().clock())
    return Response(status=204)


@routes.post(
    KEYS, right="key:manage|admin", answers={201: MadeKeyAnswer}, body={JSON_TYPE: NewApiKey}
)
def add_key() -> Response:
    """Make an API key. It is shown in this answer and never again."""
    asked, who = read_json(NewApiKey()), known_caller()
    new = NewKey(
        asked.get("department", who.department),
        asked["scopes"],
        asked.get("datasets", ()),
        asked["days"],
    )
    return _made(api_keys.add_key(services().pool, new, services().clock(), who))


@routes.get(KEYS, right="key:manage|admin", answers={200: page_of(ApiKeyAnswer)}, query=PageQuery)
def list_keys(query: Mapping[str, Any]) -> Response:
    """The department's keys by id, those that ended too; for the operator everybody's."""
    after = read_cursor(query.get("cursor"), word) or [""]
    found = api_keys.list_keys(services().pool, after[0], query["limit"] + 1, known_caller())
    return page(found, query["limit"], _KEY, lambda row: (row["id"],), _named)


@routes.post(
    f"{KEYS}/<id:key>/rotation",
    right="key:manage|admin",
    answers={201: MadeKeyAnswer},
    body={JSON_TYPE: Rotation},
)
def rotate_key(key: str) -> Response:
    """Make a key's successor, which may do the same; the old one ends after the overlap."""
    overlap = timedelta(hours=read_json(Rotation())["overlap_hours"])
    parts = services()
    return _made(api_keys.rotate_key(parts.pool, key, overlap, parts.clock(), known_caller()))


@routes.delete(f"{KEYS}/<id:key>", right="key:manage|admin")
def revoke_key(key: str) -> Response:
    """End a key at once, for good."""
    api_keys.revoke_key(services().pool, key, services().clock(), known_caller())
    return Response(status=204)


def _made(key: str) -> Response:
    return answer(_MADE.dump({"id": key.split("_")[1], "key": key}), 201)


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of it: what isn't is left out."""
    return {name: value for name, value in row.items() if value is not None}
