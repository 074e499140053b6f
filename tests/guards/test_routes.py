# SPDX-License-Identifier: Apache-2.0
"""Every route states who may use it, and a change of that is seen in this list."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.routing import Rule

from notary.api.auth import parse_right, right
from notary.wsgi import create_app
from tests.api.city import City, app_over, problem_of
from tests.api.test_rights import READS
from tests.usecases.world import World

EXPECTED = {
    "GET /": "public",
    "GET /batches/<n:index>": "public",
    "GET /checkpoints/<n:size>": "public",
    "GET /datasets/<id:dataset>": "public",
    "GET /datasets/<id:dataset>/sources/<id:source>": "public",
    "GET /datasets/<id:dataset>/sources/<id:source>/records/<n:n>": "public",
    "GET /datasets/<id:dataset>/sources/<id:source>/records/<n:n>/certificate": "public",
    "GET /datasets/<id:dataset>/sources/<id:source>/records/<n:n>/payload": "public",
    "GET /datasets/<id:dataset>/sources/<id:source>/records/<n:n>/receipt": "public",
    "GET /datasets/<id:dataset>/sources/<id:source>/window": "public",
    "GET /datasets/<id:dataset>/sources/<id:source>/window/payloads": "public",
    "GET /datasets/<id:dataset>/versions/<n:version>": "public",
    "GET /datasets/<id:dataset>/versions/<n:version>/certificate": "public",
    "GET /datasets/<id:dataset>/versions/<n:version>/changes": "public",
    "GET /datasets/<id:dataset>/versions/<n:version>/file": "public",
    "GET /datasets/<id:dataset>/versions/<n:version>/receipt": "public",
    "GET /datasets/<id:dataset>/versions/<n:version>/rows/<n:row>/receipt": "public",
    "GET /docs": "public",
    "GET /docs/<name>": "public",
    "GET /favicon.ico": "public",
    "GET /find": "public",
    "GET /livez": "public",
    "GET /log/checkpoint": "public",
    "GET /log/tile/<path:place>": "public",
    "GET /log/tile/entries/<path:place>": "public",
    "GET /metrics": "public",
    "GET /openapi.json": "public",
    "GET /problems/<code>": "public",
    "GET /publish": "public",
    "GET /publish/<id:dataset>/<n:version>": "public",
    "GET /publish/<id:dataset>/<n:version>/receipt": "public",
    "GET /readyz": "public",
    "GET /static/<name>": "public",
    "GET /statusz": "public",
    "GET /trust.json": "public",
    "GET /verify": "public",
    "GET /verify.html": "public",
    "GET /verify.pyz": "public",
    "GET /v1/anchors": "public",
    "GET /v1/anchors/<id:ledger>/<n:size>": "public",
    "GET /v1/batches/<n:index>": "public",
    "GET /v1/batches/<n:index>/leaves": "public",
    "GET /v1/batches/<n:index>/runs": "public",
    "GET /v1/datasets": "anyone:read",
    "GET /v1/datasets/<id:dataset>": "party:read",
    "GET /v1/datasets/<id:dataset>/erasures": "owner:erase|read",
    "GET /v1/datasets/<id:dataset>/grants": "party:read|share",
    "GET /v1/datasets/<id:dataset>/handovers": "owner:share",
    "GET /v1/datasets/<id:dataset>/sources": "reader:read",
    "GET /v1/datasets/<id:dataset>/sources/<id:source>": "reader:read",
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/gaps": "reader:read",
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/window": "reader:read",
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/window/payloads": "reader:read",
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/keys": "reader:read",
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/records": "reader:read",
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/records/<n:n>": "reader:read",
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/records/<n:n>/payload": "reader:read",
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/records/<n:n>/receipt": "reader:read",
    "GET /v1/datasets/<id:dataset>/versions": "reader:read",
    "GET /v1/datasets/<id:dataset>/versions/<n:version>": "reader:read",
    "GET /v1/datasets/<id:dataset>/versions/<n:version>/changes": "reader:read",
    "GET /v1/datasets/<id:dataset>/versions/<n:version>/file": "reader:read",
    "GET /v1/datasets/<id:dataset>/versions/<n:version>/receipt": "reader:read",
    "GET /v1/datasets/<id:dataset>/versions/<n:version>/rows/<n:row>": "reader:read",
    "GET /v1/datasets/<id:dataset>/versions/<n:version>/rows/<n:row>/receipt": "reader:read",
    "GET /v1/departments": "key:admin",
    "GET /v1/digests/<hash:digest>": "public",
    "GET /v1/grants/<id:grant>/records": "key:read|share",
    "GET /v1/grants/<id:grant>/records/<n:number>/receipt": "key:read|share",
    "GET /v1/keys": "key:manage|admin",
    "GET /v1/log/consistency": "public",
    "GET /v1/publishing": "key:write",
    "DELETE /v1/datasets/<id:dataset>/sources/<id:source>/keys/<id:key>": "owner:manage",
    "DELETE /v1/datasets/<id:dataset>/grants/<id:grant>": "owner:share",
    "DELETE /v1/departments/<id:department>": "key:admin",
    "DELETE /v1/keys/<id:key>": "key:manage|admin",
    "PATCH /v1/datasets/<id:dataset>": "owner:manage",
    "POST /publish": "public",
    "POST /publish/leave": "public",
    "POST /publish/session": "public",
    "POST /v1/datasets": "key:manage",
    "POST /v1/datasets/<id:dataset>/sources": "owner:manage",
    "POST /v1/datasets/<id:dataset>/sources/<id:source>/keys": "owner:manage",
    "POST /v1/datasets/<id:dataset>/records": "owner:write",
    "POST /v1/datasets/<id:dataset>/erasures": "owner:erase",
    "POST /v1/datasets/<id:dataset>/grants": "owner:share",
    "POST /v1/datasets/<id:dataset>/packages": "owner:write",
    "POST /v1/datasets/<id:dataset>/versions": "owner:write",
    "POST /v1/departments": "key:admin",
    "POST /v1/keys": "key:manage|admin",
    "POST /v1/keys/<id:key>/rotation": "key:manage|admin",
}


def routes(app: Flask) -> Iterator[tuple[str, Rule]]:
    """Every method and rule of the app."""
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield f"{method} {rule.rule}", rule


def test_every_route_has_the_right_that_is_written_here(shared: City) -> None:
    """A route that is new, gone, or open to others is a change of this file too."""
    views = shared.app.view_functions
    found = {
        name: getattr(views[rule.endpoint], "right", None) for name, rule in routes(shared.app)
    }
    assert found == EXPECTED
    assert all(parse_right(stated) is not None for stated in found.values())


def test_every_reading_route_is_attacked_as_a_stranger() -> None:
    """The tests of isolation know every route that only readers may use."""
    readers = {
        name.removeprefix("GET ")
        for name, right in EXPECTED.items()
        if right in ("reader:read", "party:read")
    }
    attacked = {
        path.partition("?")[0]
        .replace("{d}", "<id:dataset>")
        .replace("/desk", "/<id:source>")
        .replace("/records/0", "/records/<n:n>")
        .replace("/versions/1", "/versions/<n:version>")
        .replace("/rows/0", "/rows/<n:row>")
        for path in READS
    }
    assert attacked == readers


def test_rights_of_a_dataset_are_asked_only_where_the_path_names_one(shared: City) -> None:
    """A reader's or owner's route has the dataset in its path."""
    for name, stated in EXPECTED.items():
        if stated.startswith(("reader:", "party:", "owner:")):
            assert "<id:dataset>" in name


NONE = [
    *(None, "", "Public", "admin", "owner", "owner:", "reader", "key", "public:read"),
    *("owner:all", "owner:read,write", "reader:write", "anyone:", ":read", "OWNER:read"),
]


@pytest.mark.parametrize("stated", NONE)
def test_a_text_that_is_no_right_can_not_be_stated(stated: str | None) -> None:
    """A word alone, an unknown scope, or a reader that writes is refused when it is written."""
    with pytest.raises(ValueError, match="no right"):
        right(stated)  # type: ignore[arg-type]


def test_a_route_without_a_right_lets_nobody_in(city: City) -> None:
    """Forgetting the right closes the route; the view isn't even called."""
    called: list[bool] = []
    city.app = create_app(city.world.parts, log_line=lambda _: None)
    city.client = city.app.test_client()
    for number, stated in enumerate(NONE):

        def view() -> str:
            called.append(True)
            return "secret"

        if stated is not None:
            view.right = stated  # type: ignore[attr-defined]
        city.app.add_url_rule(f"/forgotten-{number}", f"forgotten-{number}", view)
    for number in range(len(NONE)):
        for key in (None, city.key):
            problem_of(city.ask(f"/forgotten-{number}", key=key), 500, "internal-error")
    assert called == []


def test_the_applications_of_tests_are_like_one_that_was_built(world: World) -> None:
    """A copy over other parts has the routes, hooks and settings that `create_app` gives it."""
    parts = replace(world.parts, settings=replace(world.parts.settings, max_body_bytes=77_777))
    app = app_over(parts, lambda: world.now, lambda _: None)
    built = create_app(parts, lambda: world.now, lambda _: None)
    assert app.config == built.config
    assert app.extensions.keys() == built.extensions.keys()
    assert app.extensions["city-notary-openapi"] == built.extensions["city-notary-openapi"]
    assert app.extensions["city-notary"].pool is parts.pool
    for one in (app, built):
        assert one.config["MAX_CONTENT_LENGTH"] == 77_777
    assert [*map(repr, app.url_map.iter_rules())] == [*map(repr, built.url_map.iter_rules())]
    assert app.view_functions.keys() == built.view_functions.keys()
    assert app.before_request_funcs == built.before_request_funcs
    assert app.after_request_funcs == built.after_request_funcs
    assert handlers(app) == handlers(built)
    assert app.jinja_env.filters.keys() == built.jinja_env.filters.keys()


def handlers(app: Flask) -> dict[object, object]:
    """What handles which error, without the empty places that each look into them leaves."""
    return {
        (name, code): dict(by_error)
        for name, by_code in app.error_handler_spec.items()
        for code, by_error in by_code.items()
        if by_error
    }


def test_nothing_is_answered_before_the_right_was_asked(city: City) -> None:
    """The question comes before any other hook could answer."""
    hooks = [hook.__name__ for hook in city.app.before_request_funcs[None]]
    assert hooks == ["begin", "authorise"]


def test_every_route_survives_a_key_of_nobody(shared: City) -> None:
    """Whatever stands in Authorization, no route ends in a fault of ours."""
    for name, rule in routes(shared.app):
        method, path = name.split(" ", 1)
        path = re.sub(r"<id:\w+>", "weather", path)
        path = re.sub(r"<n:\w+>", "0", path)
        path = re.sub(r"<hash:\w+>", "0" * 64, path)
        path = re.sub(r"<(path:)?\w+>", "x", path)
        for header in ("", "Bearer", "Bearer \x7f", "Bearer ntr_", "Digest x"):
            answer = shared.ask(path, method=method, headers={"Authorization": header})
            assert answer.status_code < 500, (rule, header)
