# SPDX-License-Identifier: Apache-2.0
"""
One department can't read, write, enumerate, guess or time what is another's: every route.

Each route that isn't public has a case here. In a case's path `{x}` is the name that is
attacked: there for its owner, and for everybody else as if it weren't.
"""

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from notary.api.auth import parse_right
from notary.local.postgres import Postgres
from notary.store import pool as store
from notary.usecases import api_keys, departments
from notary.usecases.api_keys import NewKey
from notary.usecases.rights import SCOPES
from tests.api.city import City, problem_of
from tests.api.conftest import standing_city
from tests.guards.test_routes import EXPECTED
from tests.usecases.world import new_department

LABEL, TEXT, SOURCE = "Secret wages", "a secret of the water works", "mrs-smith"
CSV = f"name,wage\n{SOURCE},{TEXT}\n".encode()
EVERYTHING = [scope for scope in SCOPES if scope != "admin"]


@dataclass
class Stage:
    """A department with a closed dataset, and whoever wants to know of it."""

    city: City
    closed: str
    key_id: str
    grant: str
    attackers: Mapping[str, str | None]

    def key(self, *scopes: str, department: str = "water-works", **more: Any) -> str:
        """A key with these scopes."""
        world = self.city.world
        made = api_keys.add_key(
            world.pool, NewKey(department, scopes, days=1_096, **more), world.now
        )
        # Its first use is written, which would be one query more for whoever comes first.
        api_keys.find_caller(world.pool, made, world.now)
        return made


@dataclass(frozen=True)
class Case:
    """
    A request that its owner may make: the name in it, and one that doesn't exist. `{grant}` in
    the path is one that was made.
    """

    path: str
    there: Callable[[Stage], str] = lambda stage: stage.closed
    missing: str = "d." + "0" * 32
    body: object = None
    type: str = "application/json"


def key_id(stage: Stage) -> str:
    """The id of one of the victim's keys."""
    return stage.key_id


def grant_id(stage: Stage) -> str:
    """The id of a grant that the victim made to a third department."""
    return stage.grant


def package() -> bytes:
    """A Data Package with one table in it."""
    described = {"resources": [{"name": "forged", "path": "forged.csv"}]}
    with zipfile.ZipFile(file := BytesIO(), "w") as archive:
        archive.writestr("datapackage.json", json.dumps(described))
        archive.writestr("forged.csv", "a,b\n1,2\n")
    return file.getvalue()


D = "/v1/datasets/{x}"
V = f"{D}/versions/1"
NO_GRANT = "g." + "0" * 24
S = f"{D}/sources/{SOURCE}"
CASES = {
    "GET /v1/datasets": Case("/v1/datasets"),
    "GET /v1/datasets/<id:dataset>": Case(D),
    "GET /v1/datasets/<id:dataset>/sources": Case(f"{D}/sources"),
    "GET /v1/datasets/<id:dataset>/sources/<id:source>": Case(S),
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/gaps": Case(f"{S}/gaps"),
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/keys": Case(f"{S}/keys"),
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/records": Case(f"{S}/records"),
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/records/<n:n>": Case(f"{S}/records/0"),
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/records/<n:n>/payload": Case(
        f"{S}/records/0/payload"
    ),
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/records/<n:n>/receipt": Case(
        f"{S}/records/0/receipt"
    ),
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/window": Case(
        f"{S}/window?by=n&from=0&to=1"
    ),
    "GET /v1/datasets/<id:dataset>/sources/<id:source>/window/payloads": Case(
        f"{S}/window/payloads?first=0&last=0"
    ),
    "GET /v1/datasets/<id:dataset>/versions": Case(f"{D}/versions"),
    "GET /v1/datasets/<id:dataset>/versions/<n:version>": Case(V),
    "GET /v1/datasets/<id:dataset>/versions/<n:version>/changes": Case(f"{V}/changes"),
    "GET /v1/datasets/<id:dataset>/versions/<n:version>/file": Case(f"{V}/file"),
    "GET /v1/datasets/<id:dataset>/versions/<n:version>/receipt": Case(f"{V}/receipt"),
    "GET /v1/datasets/<id:dataset>/versions/<n:version>/rows/<n:row>": Case(f"{V}/rows/0"),
    "GET /v1/datasets/<id:dataset>/versions/<n:version>/rows/<n:row>/receipt": Case(
        f"{V}/rows/0/receipt"
    ),
    "POST /v1/datasets/<id:dataset>/versions": Case(
        f"{D}/versions", body=b"a,b\n1,2\n", type="text/csv"
    ),
    "POST /v1/datasets/<id:dataset>/packages": Case(
        f"{D}/packages", body=package(), type="application/zip"
    ),
    "GET /v1/datasets/<id:dataset>/erasures": Case(f"{D}/erasures"),
    "POST /v1/datasets/<id:dataset>/erasures": Case(
        f"{D}/erasures", body={"source": SOURCE, "n": 0, "order": "x", "ground": "x", "by": "x"}
    ),
    "GET /v1/datasets/<id:dataset>/grants": Case(f"{D}/grants"),
    "GET /v1/datasets/<id:dataset>/handovers": Case(f"{D}/handovers"),
    "GET /v1/grants/<id:grant>/records": Case("/v1/grants/{x}/records", grant_id, NO_GRANT),
    "GET /v1/grants/<id:grant>/records/<n:number>/receipt": Case(
        "/v1/grants/{x}/records/0/receipt", grant_id, NO_GRANT
    ),
    "DELETE /v1/datasets/<id:dataset>/grants/<id:grant>": Case(f"{D}/grants/{{grant}}"),
    "POST /v1/datasets/<id:dataset>/grants": Case(
        f"{D}/grants", body={"to": "parks", "purpose": "x", "approval": "1"}
    ),
    "GET /v1/departments": Case("/v1/departments"),
    "GET /v1/keys": Case("/v1/keys"),
    "GET /v1/publishing": Case("/v1/publishing"),
    "DELETE /v1/datasets/<id:dataset>/sources/<id:source>/keys/<id:key>": Case(f"{S}/keys/k1"),
    "DELETE /v1/departments/<id:department>": Case(
        "/v1/departments/{x}", lambda stage: "water-works", "nobody"
    ),
    "DELETE /v1/keys/<id:key>": Case("/v1/keys/{x}", key_id, "0" * 12),
    "PATCH /v1/datasets/<id:dataset>": Case(D, body={"label": "Mine"}),
    "POST /v1/datasets": Case("/v1/datasets", body={"label": "New"}),
    "POST /v1/datasets/<id:dataset>/records": Case(
        f"{D}/records", body={"source": SOURCE, "payload_text": "forged"}
    ),
    "POST /v1/datasets/<id:dataset>/sources": Case(f"{D}/sources", body={"id": "forged"}),
    "POST /v1/datasets/<id:dataset>/sources/<id:source>/keys": Case(
        f"{S}/keys", body={"id": "k2", "algorithm": "hmac-sha256"}
    ),
    "POST /v1/departments": Case("/v1/departments", body={"id": "new", "name": "New"}),
    "POST /v1/keys": Case("/v1/keys", body={"scopes": ["read"]}),
    "POST /v1/keys/<id:key>/rotation": Case("/v1/keys/{x}/rotation", key_id, "0" * 12, body={}),
}
KEYED = {name: stated for name, stated in EXPECTED.items() if stated != "public"}
NAMED = [name for name, case in CASES.items() if "{x}" in case.path]
SEEN_BY_ALL = ("/v1/batches/", "/batches/", "/log/")
"""What the public log shows: of a closed dataset its random id, and docs/ says so."""


@pytest.fixture
def stage(city: City) -> Stage:
    """A stage of the test's own, which it may change."""
    return make_stage(city)


@pytest.fixture(scope="module")
def standing(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage for attacks, which change nothing."""
    with standing_city(postgres, tmp_path_factory) as city:
        yield make_stage(city)


def make_stage(city: City) -> Stage:
    """The victim's dataset, and six who have no business with it."""
    world = city.world
    body = {"label": LABEL, "sharing": "conditional"}
    closed = city.post("/v1/datasets", body, key=city.key).get_json()["id"]
    source = {"id": SOURCE, "keys": [{"id": "k1", "algorithm": "hmac-sha256"}]}
    assert city.post(f"/v1/datasets/{closed}/sources", source, key=city.key).status_code == 201
    city.record(closed, source=SOURCE, text=TEXT)
    other = city.closed_dataset()
    table = city.post(f"/v1/datasets/{closed}/versions", CSV, type="text/csv", key=city.key)
    assert table.status_code == 202
    departments.add_department(world.pool, "parks", "Parks", world.now)
    asked = {"to": "parks", "purpose": "Trees", "approval": "1"}
    grant = city.post(f"/v1/datasets/{closed}/grants", asked, key=city.key).get_json()["id"]
    world.settle()
    made = Stage(city, closed, "", grant, {})
    made.key_id = made.key("read").split("_")[1]
    for name in ("fire-brigade", "closed-office"):
        departments.add_department(world.pool, name, name, world.now)
    keys = {
        "nobody": None,
        "another department": made.key(*EVERYTHING, department="fire-brigade"),
        "a key for another dataset": made.key(*EVERYTHING, datasets=[other]),
        "a revoked key": made.key(*EVERYTHING),
        "an expired key": made.key(*EVERYTHING),
        "a closed department": made.key(*EVERYTHING, department="closed-office"),
    }
    departments.close_department(world.pool, "closed-office", world.now)
    api_keys.revoke_key(world.pool, str(keys["a revoked key"]).split("_")[1], world.now)
    world.change(
        "UPDATE api_keys SET expires_at = %s WHERE id = %s",
        world.now,
        str(keys["an expired key"]).split("_")[1],
    )
    made.attackers = keys
    return made


def test_every_route_is_attacked() -> None:
    """A new route without a case here is a fault."""
    assert CASES.keys() == KEYED.keys()


def send(stage: Stage, name: str, x: str, key: str | None) -> TestResponse:
    """The request of a case about one name."""
    method, case = name.split(" ", 1)[0], CASES[name]
    path = case.path.replace("{x}", x).replace("{grant}", stage.grant)
    headers = {} if case.body is None else {"Content-Type": case.type}
    data = case.body if isinstance(case.body, bytes) else json.dumps(case.body)
    data = None if case.body is None else data
    return stage.city.ask(path, key=key, method=method, headers=headers, data=data)


def told(answer: TestResponse, x: str) -> object:
    """Status, headers and body, without what differs from request to request."""
    body = answer.data.replace(x.encode(), b"NAME").replace(
        answer.headers["X-Request-ID"].encode(), b"ID"
    )
    # The request's id has one length always, the names needn't.
    unlike = ("X-Request-ID", "Content-Length")
    headers = {name: value for name, value in answer.headers.items() if name not in unlike}
    return answer.status_code, headers, body


def state(stage: Stage) -> object:
    """Every row of every table that a request could change."""
    tables = stage.city.world.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    return {
        table: stage.city.world.rows(f"SELECT t::text FROM {table} t ORDER BY 1")
        for (table,) in tables
    }


@pytest.mark.parametrize("name", NAMED)
def test_what_is_anothers_is_as_if_it_were_not_there(
    standing: Stage, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whoever asks: the same status, words, headers and queries as for a name that doesn't exist;
    and nothing is changed by it.
    """
    stage, asked = standing, list[str]()

    def counted(query: str) -> str:
        asked.append(query)
        return real(query)

    real = store.query
    monkeypatch.setattr(store, "query", counted)
    case, before = CASES[name], state(stage)
    there = case.there(stage)
    for who, key in stage.attackers.items():
        if who.startswith("a key for") and "/v1/keys" in case.path:
            continue  # its own department's keys: told openly that it handles none
        answers, work = [], []
        for x in (there, case.missing):
            asked.clear()
            answers.append(told(send(stage, name, x, key), x))
            work.append(list(asked))
        assert answers[0] == answers[1], who
        assert work[0] == work[1], who
        wanted = (401, 403, 404) if KEYED[name].startswith("key:") else (401, 404)
        assert answers[0][0] in wanted, who  # type: ignore[index]
    assert state(stage) == before


@pytest.mark.parametrize("name", sorted(CASES))
def test_no_answer_tells_of_anothers(standing: Stage, name: str) -> None:
    """Neither list nor refusal holds an id, a label, a source, a payload or a department."""
    stage, case = standing, CASES[name]
    for who, key in stage.attackers.items():
        if who.startswith("a key for") and "/v1/keys" in case.path:
            continue
        answer = send(stage, name, case.there(stage), key)
        shown = answer.get_data(as_text=True)
        asked_for = f"{case.path} {case.body}".replace("{x}", case.there(stage))
        asked_for = asked_for.replace("{grant}", stage.grant)
        own = {"water-works"} if who.startswith("a key for") else set()
        secrets = {stage.closed, LABEL, SOURCE, TEXT, stage.key_id, stage.grant}
        for secret in (secrets | {"water-works", "parks"}) - own:
            if secret not in asked_for:
                assert secret not in shown, who


def test_no_public_address_tells_of_a_closed_dataset(standing: Stage) -> None:
    """Of the closed dataset only its random id is seen, and only where the log shows it."""
    stage = standing
    paths = [rule.split(" ", 1)[1] for rule, stated in EXPECTED.items() if stated == "public"]
    values = {
        "<id:dataset>": stage.closed,
        "<id:source>": SOURCE,
        "<id:ledger>": "file",
        "<n:n>": "0",
        "<n:index>": "0",
        "<n:size>": "1",
        "<n:version>": "1",
        "<n:row>": "0",
        "<hash:digest>": "0" * 64,
        "<code>": "not-found",
        "<name>": "style.css",
        "<path:place>": "0/000.p/1",
    }
    for path in paths:
        asked = path
        for place, value in values.items():
            asked = asked.replace(place, value)
        for key in (None, stage.attackers["another department"]):
            assert "<" not in asked
            shown = stage.city.ask(asked, key=key).data.decode("utf-8", "replace")
            hidden = [LABEL, TEXT, stage.key_id, "water-works", stage.grant, "parks"]
            hidden += [] if SOURCE in asked else [SOURCE]
            hidden += (
                [] if asked.startswith(SEEN_BY_ALL) or stage.closed in asked else [stage.closed]
            )
            for secret in hidden:
                assert secret not in shown, asked


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_key_needs_the_scope_that_a_route_states(stage: Stage, name: str) -> None:
    """
    With every scope but that one the department's own key is refused by name (403), in the
    header too; with that one alone it does what it asks for.
    """
    stated = parse_right(KEYED[name])
    assert stated is not None
    x = CASES[name].there(stage)
    before = state(stage)
    others = [scope for scope in SCOPES if scope not in stated.scopes]
    refused = send(stage, name, x, stage.key(*others))
    problem = problem_of(refused, 403, "scope-missing")
    assert f'"{stated.scopes[0]}"' in problem["detail"]
    assert f'scope="{stated.scopes[0]}"' in refused.headers["WWW-Authenticate"]
    after = state(stage)
    for table in before.keys() - {"api_keys"}:  # type: ignore[attr-defined]
        assert before[table] == after[table], table  # type: ignore[index]
    more = [] if name != "POST /v1/keys" else ["read"]
    if "rotation" in name:
        more = ["read"]
    for scope in reversed(stated.scopes):
        answer = send(stage, name, x, stage.key(scope, *more))
        assert answer.status_code < 300, answer.data
        if name.startswith("DELETE"):
            break


def test_an_open_dataset_is_read_with_any_valid_key(city: City) -> None:
    """What anybody may read isn't refused to a key that may only write."""
    city.open_dataset()
    world = city.world
    key = api_keys.add_key(world.pool, NewKey("water-works", ["write"], days=1_096), world.now)
    assert city.ask("/v1/datasets/weather", key=key).status_code == 200


def test_a_restricted_key_does_its_work(stage: Stage) -> None:
    """It reads and writes the datasets that it is for, and lists these and the open ones."""
    stage.city.open_dataset()
    key = stage.key("read", "write", "manage", datasets=[stage.closed])
    listed = stage.city.ask("/v1/datasets", key=key).get_json()["items"]
    assert {item["id"] for item in listed} == {stage.closed, "weather"}
    item = {"source": "x", "payload_text": "y"}
    path = f"/v1/datasets/{stage.closed}"
    assert stage.city.post(f"{path}/records", item, key=key).status_code == 202
    assert stage.city.ask(f"{path}/sources/{SOURCE}/records/0", key=key).status_code == 200
    for path, body in (("/v1/datasets", {"label": "New"}), ("/v1/keys", {"scopes": ["read"]})):
        problem_of(stage.city.post(path, body, key=key), 403, "key-restricted")


def test_a_department_handles_its_keys_over_http(stage: Stage) -> None:
    """Made, listed without secret, rotated, revoked: each step seen in what the keys open."""
    city = stage.city
    made = city.post("/v1/keys", {"scopes": ["read"], "days": 30}, key=city.key).get_json()
    path = f"/v1/datasets/{stage.closed}"
    assert city.ask(path, key=made["key"]).status_code == 200
    listed = city.ask("/v1/keys", key=city.key)
    (shown,) = [item for item in listed.get_json()["items"] if item["id"] == made["id"]]
    assert shown["scopes"] == ["read"]
    assert "used" in shown
    assert made["key"].split("_")[2] not in listed.get_data(as_text=True)
    rotation = city.post(f"/v1/keys/{made['id']}/rotation", {"overlap_hours": 1}, key=city.key)
    new = rotation.get_json()
    assert rotation.status_code == 201
    assert rotation.headers["Cache-Control"] == "no-store"
    for key in (made["key"], new["key"]):
        assert city.ask(path, key=key).status_code == 200
    city.world.pass_by(3_600)
    problem_of(city.ask(path, key=made["key"]), 401, "api-key-unknown")
    assert city.ask(f"/v1/keys/{new['id']}", method="DELETE", key=city.key).status_code == 204
    problem_of(city.ask(path, key=new["key"]), 401, "api-key-unknown")


def test_the_operator_handles_departments_over_http(city: City) -> None:
    """A department gets a first key from the operator's, and is closed by it."""
    world = city.world
    operator = new_department(world.pool, "operator", world.now, scopes=["admin"])
    body = {"id": "parks", "name": "Parks and gardens"}
    assert city.post("/v1/departments", body, key=operator).status_code == 201
    problem_of(city.post("/v1/departments", body, key=operator), 409, "name-taken")
    asked = {"department": "parks", "scopes": ["read", "manage"]}
    key = city.post("/v1/keys", asked, key=operator).get_json()["key"]
    assert city.post("/v1/datasets", {"label": "Trees"}, key=key).status_code == 201
    listed = city.ask("/v1/departments?limit=1&cursor=", key=operator)
    assert listed.status_code == 400
    names = [item["id"] for item in city.ask("/v1/departments", key=operator).get_json()["items"]]
    assert names == ["operator", "parks", "tax-office", "water-works"]
    assert city.ask("/v1/departments/parks", method="DELETE", key=operator).status_code == 204
    problem_of(city.ask("/v1/datasets", key=key), 401, "api-key-unknown")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/scopes", "missing"),
        ({"scopes": []}, "/scopes", "scopes"),
        ({"scopes": ["root"]}, "/scopes/0", "scope"),
        ({"scopes": "read"}, "/scopes", "invalid"),
        ({"scopes": ["read"] * 7}, "/scopes", "scopes"),
        ({"scopes": ["read"], "days": 0}, "/days", "range"),
        ({"scopes": ["read"], "days": 1097}, "/days", "range"),
        ({"scopes": ["read"], "days": "1"}, "/days", "integer"),
        ({"scopes": ["read"], "datasets": []}, "/datasets", "too-many-datasets"),
        ({"scopes": ["read"], "datasets": ["a/b"]}, "/datasets/0", "id"),
        ({"scopes": ["read"], "department": "a b"}, "/department", "id"),
        ({"scopes": ["read"], "secret": "0"}, "/secret", "unknown"),
    ],
)
def test_an_unusable_key_is_refused(shared: City, body: object, pointer: str, code: str) -> None:
    """Each fault by its place; nothing is made."""
    problem = problem_of(shared.post("/v1/keys", body, key=shared.key), 422, "malformed-request")
    assert (pointer, code) in [(fault["pointer"], fault["code"]) for fault in problem["errors"]]
