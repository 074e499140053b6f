# SPDX-License-Identifier: Apache-2.0
"""Routes that can't be written without their right, and what OpenAPI says of them."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, TypeVar

from flask import Flask, request
from flask_smorest import Api, Blueprint
from marshmallow import Schema, ValidationError
from werkzeug.routing import BaseConverter
from werkzeug.routing import ValidationError as NoMatch

from notary.api.auth import parse_right
from notary.api.auth import right as state_right
from notary.api.handing import noted
from notary.core.canonical import MAX_INTEGER
from schemas.answers import Problem
from schemas.faults import MalformedQuery, faults_of

PROBLEM_TYPE: Final = "application/problem+json"
_View = TypeVar("_View", bound=Callable[..., Any])
What = type[Schema] | str
Answers = Mapping[int, What | tuple[What, ...]]
"""By status: the schema of a JSON answer, or the media type of any other; or several."""


class IdConverter(BaseConverter):
    """An id in a path; anything else is an address that doesn't exist."""

    regex = r"[A-Za-z0-9._:-]{1,128}"


class WholeConverter(BaseConverter):
    """A whole number up to 2^53 - 1 in its one decimal spelling."""

    regex = r"(?:0|[1-9][0-9]{0,15})"

    def to_python(self, value: str) -> int:
        """The number; NoMatch beyond 2^53 - 1."""
        if int(value) > MAX_INTEGER:
            raise NoMatch()
        return int(value)


class HashConverter(BaseConverter):
    """32 bytes in lower-case hexadecimal digits."""

    regex = r"[0-9a-f]{64}"

    def to_python(self, value: str) -> bytes:
        """The bytes."""
        return bytes.fromhex(value)


CONVERTERS: Final = {"id": IdConverter, "n": WholeConverter, "hash": HashConverter}


class NotaryApi(Api):  # type: ignore[misc]
    """OpenAPI with our problems in it, and with our own handlers of errors only."""

    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        """`errors.register` does it."""

    def _register_doc_blueprint(self) -> None:
        """`docs` does it."""

    def _register_responses(self) -> None:
        content = {PROBLEM_TYPE: {"schema": Problem}}
        response = {"description": "A problem (RFC 9457)", "content": content}
        self.spec.components.response("DEFAULT_ERROR", response, lazy=True)

    def describe_converters(self) -> None:
        """What OpenAPI says of the converters."""
        self.register_converter(IdConverter, lambda _: _string(f"^{IdConverter.regex}$"))
        self.register_converter(HashConverter, lambda _: _string(f"^{HashConverter.regex}$"))
        self.register_converter(
            WholeConverter, lambda _: {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
        )


def _string(pattern: str) -> dict[str, str]:
    return {"type": "string", "pattern": pattern}


def add_converters(app: Flask) -> None:
    """Make the converters known; before any route is added."""
    app.url_map.converters.update(CONVERTERS)


class Routes:
    """The routes of one part of the API."""

    def __init__(self, name: str, description: str) -> None:
        self.blueprint = Blueprint(name, f"notary.api.{name}", description=description)

    def get(
        self, rule: str, *, right: str, answers: Answers, query: type[Schema] | None = None
    ) -> Callable[[_View], _View]:
        """A GET (and HEAD) route; with `query` the view gets its values as the first argument."""
        return self._add("GET", rule, right, answers, query, {})

    def post(
        self,
        rule: str,
        *,
        right: str,
        answers: Answers,
        body: Mapping[str, type[Schema] | str],
        query: type[Schema] | None = None,
    ) -> Callable[[_View], _View]:
        """A POST route; `body` by media type. The view reads it itself."""
        return self._add("POST", rule, right, answers, query, body)

    def patch(
        self,
        rule: str,
        *,
        right: str,
        answers: Answers,
        body: Mapping[str, type[Schema] | str],
    ) -> Callable[[_View], _View]:
        """A PATCH route; `body` by media type. The view reads it itself."""
        return self._add("PATCH", rule, right, answers, None, body)

    def delete(self, rule: str, *, right: str) -> Callable[[_View], _View]:
        """A DELETE route, answered by 204."""
        return self._add("DELETE", rule, right, {}, None, {})

    def _add(
        self,
        method: str,
        rule: str,
        right: str,
        answers: Answers,
        query: type[Schema] | None,
        body: Mapping[str, type[Schema] | str],
    ) -> Callable[[_View], _View]:
        def decorate(view: _View) -> _View:
            route: Any = noted(view) if right.startswith("reader:") else view
            route = _with_query(route, query()) if query else route
            for status, what in answers.items():
                for one in what if isinstance(what, tuple) else (what,):
                    route = self._documented(route, status, one)
            route = self.blueprint.doc(**_manual(right, query, body))(route)
            self.blueprint.route(rule, methods=[method])(state_right(right)(route))
            return view

        return decorate

    def _documented(self, route: Any, status: int, what: What) -> Any:
        if isinstance(what, str):
            is_binary = what.endswith(("octet-stream", "+cose"))
            schema = {"type": "string"} | ({"format": "binary"} if is_binary else {})
            return self.blueprint.alt_response(
                status, schema=schema, content_type=what, success=True
            )(route)
        return self.blueprint.alt_response(status, schema=what, success=True)(route)


def _with_query(view: Callable[..., Any], schema: Schema) -> Callable[..., Any]:
    must_ask = any(field.required for field in schema.fields.values())
    defaults = None if must_ask else schema.load({})

    @wraps(view)
    def wrapper(**path: Any) -> Any:
        if defaults is not None and not request.query_string:
            return view(defaults, **path)
        try:
            values = schema.load(request.args.to_dict())
        except ValidationError as error:
            raise MalformedQuery(*faults_of(error.messages)) from None
        return view(values, **path)

    return wrapper


def _manual(
    right: str, query: type[Schema] | None, body: Mapping[str, type[Schema] | str]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    stated = parse_right(right)
    if stated is not None and stated.who != "public":
        keys: list[dict[str, list[str]]] = [{"key": [scope]} for scope in stated.scopes]
        found["security"] = keys if stated.who in ("key", "owner") else [{}, *keys]
    if query is not None:
        found["parameters"] = [{"in": "query", "schema": query}]
    if body:
        content = {
            name: {"schema": {"type": "string"} if isinstance(what, str) else what}
            for name, what in body.items()
        }
        found["requestBody"] = {"required": True, "content": content}
    return found
