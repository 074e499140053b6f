# SPDX-License-Identifier: Apache-2.0
"""Handing in records over HTTP."""

import base64
import io
import json
from hashlib import sha256

import pytest

from notary.core.statement import parse_statement, statement_leaf
from tests.api.city import JSON, NDJSON, City, problem_of


def test_one_item_is_answered_by_its_acceptance(city: City) -> None:
    """One object is accepted at once, and the answer says where the record is."""
    city.open_dataset()
    answer = city.post(
        "/v1/datasets/weather/records",
        {"source": "desk", "key": "1", "payload_text": "hello"},
        key=city.key,
    )
    assert answer.status_code == 202
    accepted = answer.get_json()
    where = "/v1/datasets/weather/sources/desk/records/0"
    assert accepted["n"] == 0
    assert accepted["duplicate"] is False
    assert accepted["links"] == {"self": where, "receipt": f"{where}/receipt"}
    assert answer.headers["Location"] == where


def test_the_statement_says_what_was_posted(city: City) -> None:
    """The evidence is the bytes as they came, under the key that handed them in."""
    city.open_dataset()
    accepted = city.record("weather", text="caf\u00e9\n", observed="noon", key="k", type="text/csv")
    record = city.ask(accepted["links"]["self"]).get_json()
    statement = parse_statement(record["statement"])
    assert statement.digest == sha256("caf\u00e9\n".encode()).digest()
    assert (statement.observed, statement.key, statement.type) == ("noon", "k", "text/csv")
    assert statement.by == f"api:{city.key.split('_')[1]}"
    assert statement_leaf(record["statement"]).hex() == accepted["leaf"]
    assert base64.b64decode(record["payload_base64"]) == "caf\u00e9\n".encode()


def test_bytes_come_as_base64(city: City) -> None:
    """Any bytes can be notarised."""
    city.open_dataset()
    blob = bytes(range(256))
    body = {"source": "desk", "payload_base64": base64.b64encode(blob).decode()}
    accepted = city.post("/v1/datasets/weather/records", body, key=city.key).get_json()
    answer = city.ask(f"{accepted['links']['self']}/payload")
    assert answer.data == blob
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("wrapped", [False, True])
def test_one_bad_item_costs_only_itself(city: City, wrapped: bool) -> None:
    """Neighbours of a bad item are accepted, in their order."""
    city.open_dataset()
    items = [
        {"source": "a", "payload_text": "1"},
        {"source": "a b", "payload_text": "2"},
        {"source": "a", "payload_text": "3"},
    ]
    body = {"records": items} if wrapped else items
    answer = city.post("/v1/datasets/weather/records", body, key=city.key)
    assert answer.status_code == 202
    found = answer.get_json()
    assert (found["accepted"], found["refused"]) == (2, 1)
    assert [item.get("n") for item in found["items"]] == [0, None, 1]
    (fault,) = found["items"][1]["errors"]
    assert (fault["pointer"], fault["code"]) == ("/source", "id")


LINES = [
    b'{"source":"a","payload_text":"good"}',
    b"{not json",
    b'{"source":"a","payload_text":"\\ud800"}',
    b'{"source":"a\\u0000","payload_text":"x"}',
    b'{"source":"a","payload_text":"\xff"}',
    b"[" * 200_000,
    b'{"source":"a","payload_text":"x","n":' + b"7" * 5_000 + b"}",
    b'{"source":"a","payload_text":"x","n":1e400}',
    b'{"source":"a","source":"b","payload_text":"x"}',
    b'{"source":"a","payload_text":"also good"}',
]


def test_hostile_lines_leave_their_neighbours_alone(city: City) -> None:
    """Lone surrogates, NUL, 5,000 digits, 200,000 brackets and 1e400 cost only themselves."""
    city.open_dataset()
    body = b"\n".join(LINES) + b"\n"
    answer = city.post("/v1/datasets/weather/records", body, key=city.key, type=NDJSON)
    assert answer.status_code == 202
    found = answer.get_json()
    assert [("n" in item) for item in found["items"]] == [True] + [False] * 8 + [True]
    assert all(item["errors"][0]["detail"] for item in found["items"][1:-1])
    assert city.ask("/v1/datasets/weather/sources/a").get_json()["n"] == 1


@pytest.mark.parametrize("line", LINES[1:-1])
def test_a_hostile_body_is_a_problem(shared: City, line: bytes) -> None:
    """The same alone is answered by a problem, not by a traceback."""
    answer = shared.post("/v1/datasets/weather/records", line, key=shared.key)
    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["errors"]
    assert [entry for entry in shared.lines if entry["event"] == "fault"] == []


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"source": "a"}, "/payload_text", "one-payload"),
        (
            {"source": "a", "payload_text": "x", "payload_base64": ""},
            "/payload_base64",
            "one-payload",
        ),
        ({"payload_text": "x"}, "/source", "missing"),
        ({"source": "", "payload_text": "x"}, "/source", "id"),
        ({"source": "..", "payload_text": "x"}, "/source", "id"),
        ({"source": 5, "payload_text": "x"}, "/source", "string"),
        ({"source": "a", "payload_text": 5}, "/payload_text", "string"),
        ({"source": "a", "payload_text": None}, "/payload_text", "null"),
        ({"source": "a", "payload_text": {"t": 1}}, "/payload_text", "string"),
        ({"source": "a", "payload_base64": "aGk"}, "/payload_base64", "base64"),
        ({"source": "a", "payload_base64": "aGl="}, "/payload_base64", "base64"),
        ({"source": "a", "payload_base64": "aGk=\n"}, "/payload_base64", "base64"),
        ({"source": "a", "payload_base64": "\u00e9"}, "/payload_base64", "base64"),
        ({"source": "a", "payload_text": "x", "dataset": "other"}, "/dataset", "unknown"),
        ({"source": "a", "payload_text": "x", "a/b~c": 1}, "/a~1b~0c", "unknown"),
        ({"source": "a", "payload_text": "x", "key": ""}, "/key", "text"),
        ({"source": "a", "payload_text": "x", "key": "k" * 129}, "/key", "text"),
        ({"source": "a", "payload_text": "x", "key": "a\tb"}, "/key", "text"),
        ({"source": "a", "payload_text": "x", "observed": "o" * 65}, "/observed", "text"),
        ({"source": "a", "payload_text": "x", "type": "Text/CSV"}, "/type", "media-type"),
        ({"source": "a", "payload_text": "x", "type": "text/csv; x=1"}, "/type", "media-type"),
        ({"source": "a", "payload_text": "x" * 300_000}, "/payload_text", "too-large"),
        ([{"source": "a"}], "/0/payload_text", "one-payload"),
        ([5], "/0", "object"),
        ([], "", "empty"),
        ({"records": []}, "", "empty"),
        ({"records": {}}, "/records", "list-alone"),
        ({"records": [], "more": 1}, "/records", "list-alone"),
        (5, "", "object"),
        (None, "", "object"),
        ("text", "", "object"),
    ],
)
def test_each_fault_is_named_by_its_place(
    shared: City, body: object, pointer: str, code: str
) -> None:
    """A refusal points at the member and says what is wrong there; nothing is accepted."""
    answer = shared.post("/v1/datasets/weather/records", body, key=shared.key)
    assert answer.status_code == 422
    (fault,) = answer.get_json()["errors"]
    assert (fault["pointer"], fault["code"]) == (pointer, code)
    assert not fault["detail"].startswith("field.")
    assert shared.world.rows("SELECT count(*) FROM records") == [(1,)]


def test_more_than_ten_thousand_items_are_refused(city: City) -> None:
    """A body has a bounded number of items."""
    city.open_dataset()
    body = b'{"source":"a","payload_text":"x"}\n' * 10_001
    answer = city.post("/v1/datasets/weather/records", body, key=city.key, type=NDJSON)
    assert answer.get_json()["errors"][0]["code"] == "too-many"


def test_a_body_beyond_the_limit_is_refused_unread(city: City) -> None:
    """413 says that the body is too large."""
    city.open_dataset()
    body = b"x" * (city.app.config["MAX_CONTENT_LENGTH"] + 1)
    answer = city.post("/v1/datasets/weather/records", body, key=city.key)
    problem_of(answer, 413, "body-too-large")


@pytest.mark.parametrize("type", ["text/csv", "application/xml", "", "multipart/form-data"])
def test_other_media_types_are_refused(shared: City, type: str) -> None:
    """415 says which types are taken."""
    answer = shared.post("/v1/datasets/weather/records", b"a,b", key=shared.key, type=type)
    problem_of(answer, 415, "unsupported-media-type")


def test_a_repeat_under_an_idempotency_key_changes_nothing(city: City) -> None:
    """The first answer comes again, and nothing is accepted twice."""
    city.open_dataset()
    send = {
        "path": "/v1/datasets/weather/records",
        "body": [{"source": "a", "payload_text": "x"}, {"source": ""}],
        "key": city.key,
        "headers": {"Idempotency-Key": "order-1"},
    }
    first, second = city.post(**send), city.post(**send)
    assert first.status_code == second.status_code == 202
    assert first.get_json() == second.get_json()
    assert city.world.rows("SELECT count(*) FROM records") == [(1,)]


@pytest.mark.parametrize("changed", ["body", "type", "dataset"])
def test_an_idempotency_key_is_for_one_request(city: City, changed: str) -> None:
    """Another body, type or dataset under the same key is refused by 409."""
    city.open_dataset()
    city.open_dataset("noise")
    line = b'{"source":"a","payload_text":"x"}'
    headers = {"Idempotency-Key": "order-1"}
    path = "/v1/datasets/weather/records"
    assert city.post(path, line, key=city.key, headers=headers).status_code == 202
    answer = city.post(
        "/v1/datasets/noise/records" if changed == "dataset" else path,
        line + b" " if changed == "body" else line,
        key=city.key,
        type=NDJSON if changed == "type" else JSON,
        headers=headers,
    )
    problem_of(answer, 409, "idempotency-key-reused")
    assert city.world.rows("SELECT count(*) FROM records") == [(1,)]


def test_idempotency_keys_of_two_owners_are_two(city: City) -> None:
    """What one department uses as a key tells another nothing."""
    city.open_dataset()
    mine = city.closed_dataset()
    body = {"id": "tax", "label": "Tax", "open": True}
    assert city.post("/v1/datasets", body, key=city.other_key).status_code == 201
    headers = {"Idempotency-Key": "1"}
    item = {"source": "a", "payload_text": "x"}
    assert city.post(f"/v1/datasets/{mine}/records", item, key=city.key, headers=headers)
    answer = city.post("/v1/datasets/tax/records", item, key=city.other_key, headers=headers)
    assert answer.status_code == 202


@pytest.mark.parametrize("text", ["", "k" * 129, "caf\u00e9\x7f"])
def test_an_unusable_idempotency_key_is_refused(shared: City, text: str) -> None:
    """A key is 1 to 128 characters without control characters."""
    item = {"source": "a", "payload_text": "x"}
    answer = shared.post(
        "/v1/datasets/weather/records", item, key=shared.key, headers={"Idempotency-Key": text}
    )
    assert problem_of(answer, 422, "malformed-request")["errors"][0]["code"] == "idempotency-key"


def test_a_known_key_with_the_same_bytes_is_a_duplicate(city: City) -> None:
    """The same item again is told as such; other bytes under its key are flagged."""
    city.open_dataset()
    first = city.record("weather", key="7")
    again = city.record("weather", key="7")
    other = city.record("weather", key="7", text="changed")
    assert (again["n"], again["duplicate"], again["leaf"]) == (0, True, first["leaf"])
    assert (other["n"], other["duplicate"], other["key_reused"]) == (1, False, True)


def test_nothing_of_a_payload_or_key_is_logged(city: City) -> None:
    """Log lines tell the request and the id of the API key, never its secret or the content."""
    city.open_dataset()
    city.record("weather", text="secret payload", key="secret key")
    text = json.dumps(city.lines)
    assert "secret" not in text
    assert city.key.split("_")[2] not in text
    assert city.lines[-1]["api_key"] == city.key.split("_")[1]
    assert city.lines[-1]["path"] == "/v1/datasets/weather/records"


@pytest.mark.parametrize("stated", [None, 90, 10_000])
def test_a_body_that_is_not_whole_is_refused(city: City, stated: int | None) -> None:
    """Neither the beginning of a body beyond the limit nor of one that broke off is taken."""
    city.open_dataset()
    line = b'{"source":"a","payload_text":"x"}\n'
    size = city.app.config["MAX_CONTENT_LENGTH"]
    body = line * (size // len(line) + 2) if stated is None else line * 2
    environ = {"wsgi.input_terminated": True, "HTTP_AUTHORIZATION": f"Bearer {city.key}"}
    answer = city.client.post(
        "/v1/datasets/weather/records",
        input_stream=io.BytesIO(body),
        content_type=NDJSON,
        environ_overrides={
            **environ,
            **({} if stated is None else {"CONTENT_LENGTH": str(stated)}),
        },
    )
    if stated is None:
        problem_of(answer, 413, "body-too-large")
    else:
        assert problem_of(answer, 400, "malformed-request")["errors"][0]["code"] == "cut-short"
    assert city.world.rows("SELECT count(*) FROM records") == [(0,)]
