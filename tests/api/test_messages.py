# SPDX-License-Identifier: Apache-2.0
"""Messages of gateways over HTTP: the codecs that read them from the broker, and one answer."""

from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from iot_ingest.codecs import Decoded, Members, codecs
from notary.core.statement import parse_statement
from tests.api.city import JSON, City, problem_of

SAMPLES = Path("docs/for-gateways/samples")
SENML = b'[{"bn":"a:","bt":300000000,"n":"t","v":10.0},{"n":"h","v":1,"vs":"x"},{"n":"h","v":2}]'


def post(
    city: City,
    body: bytes,
    type: str = JSON,
    *,
    headers: dict[str, str] | None = None,
    **query: str,
) -> TestResponse:
    """Post to the open dataset."""
    path = f"/v1/datasets/weather/records?{urlencode(query)}".rstrip("?")
    return city.post(path, body, key=city.key, type=type, headers=headers)


BY_TYPE = [
    ("senml-json", "senml-json.json", "application/senml+json", {}),
    ("senml-cbor", "senml-cbor.cbor", "application/senml+cbor", {}),
    ("ngsi-ld", "ngsi-ld.json", "application/json; profile=ngsi-ld", {}),
    ("ngsi-ld", "ngsi-ld.json", "application/ld+json; profile=ngsi-ld", {}),
    ("ngsi-ld", "ngsi-ld.json", 'application/json; charset=utf-8; profile="ngsi-ld"', {}),
    ("ngsi-ld", "ngsi-ld.json", JSON, {"codec": "ngsi-ld"}),
    ("ngsi-v2", "ngsi-v2.json", "application/json; charset=utf-8", {"codec": "ngsi-v2"}),
    ("ngsi-v2", "ngsi-v2.json", "application/x-ngsi-v2+json", {}),
    ("sensorthings", "sensorthings.json", "application/json; profile=sensorthings",
     {"source": "7"}),
    ("sensorthings-dataarray", "sensorthings-dataarray.json", JSON,
     {"codec": "sensorthings-dataarray"}),
    ("chirpstack", "chirpstack-up.json", "application/json; profile=chirpstack", {}),
    ("alink", "alink-event.json", "application/x-alink+json", {"source": "pump"}),
    ("iotda", "iotda-device.json", "application/x-iotda+json", {"source": "station"}),
    ("json-array", "json-array.json", JSON,
     {"codec": "json-array", "source": "s", "observed": "ts", "key": "seq"}),
    ("raw", "hj212.txt", "text/plain", {"codec": "raw", "source": "s"}),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "sample", "type", "query"), BY_TYPE)
def test_a_sample_becomes_the_records_that_its_page_shows(
    city: City, codec: str, sample: str, type: str, query: dict[str, str]
) -> None:
    """Chosen by media type, profile or parameter; what is recorded is what the codec found."""
    city.open_dataset()
    body = (SAMPLES / sample).read_bytes()
    members = Members(query.get("observed"), query.get("key"), names_source="source" not in query)
    told = [one for one in codecs()[codec].decode(body, members) if isinstance(one, Decoded)]
    answer = post(city, body, type, **query)
    assert answer.status_code == 202, answer.data
    found = answer.get_json()
    assert (found["accepted"], found["refused"]) == (len(told), 0)
    for item, one in zip(found["items"], told, strict=True):
        record = city.ask(item["links"]["self"]).get_json()
        statement = parse_statement(record["statement"])
        assert b64decode(record["payload_base64"]) == one.payload
        assert statement.source == query.get("source", one.source)
        assert (statement.observed, statement.key) == (one.observed, one.key)
        assert statement.type == codecs()[codec].type
        is_split = one.payload.strip() != body.strip()
        assert statement.message == (sha256(body).digest() if is_split else None)


def test_one_bad_record_of_a_message_costs_only_itself(city: City) -> None:
    """Each is answered in its place, with the reason, and what exactly was found."""
    city.open_dataset()
    answer = post(city, SENML, "application/senml+json")
    found = answer.get_json()
    assert (answer.status_code, found["accepted"], found["refused"]) == (202, 2, 1)
    (fault,) = found["items"][1]["errors"]
    assert (fault["pointer"], fault["code"]) == ("", "bad-value")
    assert fault["found"] == "Record 1 has both v and vs."
    assert fault["detail"]
    chinese = post(city, SENML, "application/senml+json", lang="zh").get_json()
    assert chinese["items"][1]["errors"][0]["detail"] != fault["detail"]
    assert [item.get("duplicate") for item in chinese["items"]] == [True, None, True]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json-not-json"),
        (b"[", "json-not-json"),
        (b"\xff", "json-not-utf-8"),
        (b"[" * 200_000, "json-too-deep"),
        (b"{}", "bad-value"),
        (b"[]", "empty"),
        (b'[{"n":"a","v":1,"x_":1}]', "not-understood"),
        (b'[{"bver":11,"n":"a","v":1}]', "not-understood"),
        (b'[{"n":"a/b","v":1}]', "bad-source"),
        (b'[{"n":"a"}]', "missing"),
        (b'[{"n":"a","v":1e400}]', "bad-value"),
        (b'[{"n":"a","vs":"' + b"x" * 300_000 + b'"}]', "too-large"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_message_without_a_reading_is_a_problem(shared: City, body: bytes, code: str) -> None:
    """422 with the reason; nothing is recorded, and nothing is a traceback."""
    answer = post(shared, body, "application/senml+json")
    (fault,) = problem_of(answer, 422, "items-refused")["errors"]
    assert (fault["pointer"], fault["code"]) == ("/0", code)
    assert not fault["detail"].startswith("field.")
    assert shared.world.rows("SELECT count(*) FROM records") == [(1,)]


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ({"codec": "senml"}, "codec", "codec"),
        ({"codec": ""}, "codec", "codec"),
        ({"codec": "c" * 65}, "codec", "codec"),
        ({"codec": "json"}, "source", "missing"),
        ({"codec": "alink"}, "source", "missing"),
        ({"codec": "json", "source": "a b"}, "source", "id"),
        ({"codec": "json", "source": ""}, "source", "id"),
        ({"codec": "json", "source": "a", "observed": ""}, "observed", "text"),
        ({"codec": "json", "source": "a", "key": "k" * 129}, "key", "text"),
        ({"codec": "senml-json", "key": "n"}, "key", "unknown"),
        ({"codec": "ngsi-v2", "observed": "t"}, "observed", "unknown"),
        ({"source": "a"}, "source", "unknown"),
        ({"observed": "t"}, "observed", "unknown"),
        ({"feed": "own"}, "feed", "unknown"),
    ],
)
def test_a_wrong_parameter_is_named(
    shared: City, query: dict[str, str], parameter: str, code: str
) -> None:
    """400, before the body is read."""
    (fault,) = problem_of(post(shared, b"[]", **query), 400, "malformed-request")["errors"]
    assert (fault["parameter"], fault["code"]) == (parameter, code)
    assert not fault["detail"].startswith("field.")


@pytest.mark.parametrize(
    "type",
    [
        "application/json; profile=nothing",
        "application/ld+json",
        "application/cbor",
        "application/senml+xml",
        "text/plain; profile=raw",
    ],
)
def test_a_type_without_a_codec_is_refused(shared: City, type: str) -> None:
    """415 says what is taken."""
    problem_of(post(shared, b"[]", type), 415, "unsupported-media-type")


def test_a_plain_body_is_still_of_items(city: City) -> None:
    """Without a profile or a parameter nothing has changed."""
    city.open_dataset()
    assert post(city, b'{"source":"a","payload_text":"x"}').status_code == 202


def test_a_message_with_a_password_is_not_for_an_open_dataset(city: City) -> None:
    """Its digest would let the password be guessed; a closed one takes it."""
    city.open_dataset()
    closed = city.closed_dataset()
    body = (SAMPLES / "hj212.txt").read_bytes()
    (fault, *_) = problem_of(post(city, body, "application/x-hj212"), 422, "items-refused")[
        "errors"
    ]
    assert fault["code"] == "needs-closed-dataset"
    path = f"/v1/datasets/{closed}/records"
    answer = city.post(path, body, key=city.key, type="application/x-hj212")
    assert (answer.status_code, answer.get_json()["accepted"]) == (202, 3)
    assert b"PW=" not in answer.data


def test_a_message_that_hides_a_password_is_not_shown_in_a_refusal(city: City) -> None:
    """What was found wrong is told without it."""
    city.open_dataset()
    body = (SAMPLES / "hj212.txt").read_bytes().replace(b"CN=2011", b"CN=9999")
    answer = post(city, body, "application/x-hj212")
    assert answer.status_code == 422
    assert b"PW=" not in answer.data


@pytest.mark.parametrize("changed", ["codec", "source"])
def test_an_idempotency_key_is_for_one_way_of_reading(city: City, changed: str) -> None:
    """The same body under the same key, read otherwise, is refused; read alike, repeated."""
    city.open_dataset()
    headers = {"Idempotency-Key": "1"}
    query = {"codec": "json", "source": "a"}
    body = b'{"a":1}'
    first = post(city, body, headers=headers, **query)
    again = post(city, body, headers=headers, **query)
    assert first.status_code == again.status_code == 202
    assert first.get_json() == again.get_json()
    other = query | ({"codec": "raw"} if changed == "codec" else {"source": "b"})
    problem_of(post(city, body, headers=headers, **other), 409, "idempotency-key-reused")


def test_refusals_are_repeated_with_what_was_found(city: City) -> None:
    """Under an Idempotency-Key the kept answer is whole."""
    city.open_dataset()
    headers = {"Idempotency-Key": "1"}
    first = post(city, SENML, "application/senml+json", headers=headers)
    again = post(city, SENML, "application/senml+json", headers=headers)
    assert first.get_json() == again.get_json()
    assert again.get_json()["items"][1]["errors"][0]["found"]


def test_another_departments_dataset_takes_no_message(city: City) -> None:
    """The right is asked for before anything is read."""
    city.open_dataset()
    path = "/v1/datasets/weather/records?codec=senml-json"
    assert city.post(path, SENML, key=city.other_key).status_code == 404
    assert city.post(path, SENML).status_code == 401


@pytest.mark.parametrize("name", sorted(codecs().keys() - {"raw"}))
def test_every_codec_can_be_asked_for_by_its_name(shared: City, name: str) -> None:
    """An empty message is a fault of the message, in each."""
    answer = post(shared, b"", "application/octet-stream", codec=name, source="s")
    (fault,) = problem_of(answer, 422, "items-refused")["errors"]
    assert not fault["detail"].startswith("field.")
