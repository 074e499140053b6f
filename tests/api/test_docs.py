# SPDX-License-Identifier: Apache-2.0
"""The description of the API, and its page."""

import re
from typing import Any

import pytest

from iot_ingest.codecs import codecs
from tests.api.city import City
from tests.usecases.world import new_department


@pytest.fixture
def described(shared: City) -> Any:
    """The OpenAPI document."""
    return shared.ask("/openapi.json").get_json()


def test_the_description_is_openapi_3_1(described: Any) -> None:
    """Version, title, and the scheme of the key."""
    assert described["openapi"] == "3.1.0"
    assert described["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_every_route_for_programs_is_described(shared: City, described: Any) -> None:
    """No route below /v1, /log and the words of health is missing."""
    rules = {
        re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
        for rule in shared.app.url_map.iter_rules()
        if shared.app.view_functions[rule.endpoint].__module__.startswith("notary.api.")
        and not rule.endpoint.startswith("docs.")
    }
    assert rules == set(described["paths"])


def test_every_operation_tells_its_answers(described: Any) -> None:
    """A sentence, a good answer with its content, and problems for the rest."""
    for path, item in described["paths"].items():
        for method in item.keys() & {"get", "post"}:
            operation = item[method]
            assert operation["summary"], path
            assert operation["responses"]["default"]["$ref"].endswith("/DEFAULT_ERROR"), path
            good = [status for status in operation["responses"] if status.startswith("2")]
            assert good, path
            for status in good:
                assert operation["responses"][status]["content"], path


def test_problems_are_described_as_problems(described: Any) -> None:
    """The default answer is application/problem+json."""
    error = described["components"]["responses"]["DEFAULT_ERROR"]
    assert list(error["content"]) == ["application/problem+json"]


def test_keys_are_demanded_where_they_are(described: Any) -> None:
    """Writing asks for a key, reading offers one, the log does without."""
    paths = described["paths"]
    assert paths["/v1/datasets/{dataset}/records"]["post"]["security"] == [{"key": ["write"]}]
    assert paths["/v1/datasets/{dataset}"]["get"]["security"] == [{}, {"key": ["read"]}]
    assert "security" not in paths["/log/checkpoint"]["get"]


def test_parameters_and_bodies_are_described(described: Any) -> None:
    """Queries with their bounds, ids with their pattern, bodies by media type."""
    listed = described["paths"]["/v1/datasets"]["get"]["parameters"]
    by_name = {parameter["name"]: parameter["schema"] for parameter in listed}
    assert (by_name["limit"]["minimum"], by_name["limit"]["maximum"]) == (1, 1000)
    assert by_name["lang"]["enum"] == ["en", "zh"]
    post = described["paths"]["/v1/datasets/{dataset}/records"]
    assert set(post["post"]["requestBody"]["content"]) == {
        "application/json",
        "application/x-ndjson",
        *(one for codec in codecs().values() for one in codec.media_types),
    }
    assert post["parameters"][0]["schema"]["pattern"] == "^[A-Za-z0-9._:-]{1,128}$"


def test_the_page_loads_nothing_from_outside(shared: City) -> None:
    """Every address on the page is our own, and answers."""
    page = shared.ask("/docs").get_data(as_text=True)
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(addresses) >= 4
    for address in addresses:
        assert address.startswith("/")
        assert shared.ask(address).status_code == 200
    assert "<script>" not in page
    script = shared.ask("/static/docs.js").get_data(as_text=True)
    assert "http" not in script


def resolve(described: Any, schema: Any) -> Any:
    """The schema behind a reference."""
    if "$ref" in schema:
        return described["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def check(described: Any, schema: Any, value: Any, place: str) -> None:
    """The value has no member that the schema doesn't tell of, and lists hold what it says."""
    schema = resolve(described, schema)
    if isinstance(value, dict) and "properties" in schema:
        if schema.get("additionalProperties") is False:
            assert value.keys() <= schema["properties"].keys(), place
        for name in value.keys() & schema["properties"].keys():
            check(described, schema["properties"][name], value[name], f"{place}.{name}")
    if isinstance(value, list):
        for item in value:
            check(described, schema["items"], item, f"{place}[]")


def test_answers_are_as_they_are_described(city: City) -> None:
    """Each JSON answer of a notary that holds something has only members that are described."""
    city.open_dataset(digest_index=True)
    city.record("weather", observed="noon", key="k")
    city.publish("weather", b"a,b\n1,2\n", "?name=t.csv")
    city.world.settle()
    operator = new_department(city.world.pool, "operator", city.world.now, scopes=["admin"])
    closed = city.closed_dataset(sharing="conditional")
    asked = {"to": "tax-office", "purpose": "x", "approval": "1"}
    granted = city.post(f"/v1/datasets/{closed}/grants", asked, key=city.key).get_json()
    assert city.ask(f"/v1/datasets/{closed}/sources", key=city.other_key).status_code == 200
    city.world.settle()
    described = city.ask("/openapi.json").get_json()
    record = city.ask("/v1/datasets/weather/sources/desk/records/0").get_json()
    values = {
        "dataset": "weather",
        "source": "desk",
        "ledger": "file",
        "size": str(city.world.size()),
        "n": "0",
        "index": "0",
        "digest": record["digest"],
        "grant": granted["id"],
        "number": "1",
        "version": "1",
        "row": "0",
    }
    size = city.ask("/log/checkpoint").get_data(as_text=True).split("\n")[1]
    queries = {"window": "?by=n&from=0&to=1", "consistency": f"?from={size}"}
    checked = 0
    for path, item in described["paths"].items():
        content = item.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "application/json" not in content:
            continue
        key = operator if path.startswith("/v1/departments") else city.key
        of_closed = {"dataset": closed} if path.endswith(("/grants", "/handovers")) else {}
        query = queries.get(path.rpartition("/")[2], "")
        answer = city.ask(path.format(**{**values, **of_closed}) + query, key=key)
        assert answer.status_code == 200, path
        check(described, content["application/json"]["schema"], answer.get_json(), path)
        checked += 1
    assert checked >= 14


def test_posted_records_are_answered_as_described(city: City) -> None:
    """One item, and several of which one is refused."""
    city.open_dataset()
    described = city.ask("/openapi.json").get_json()
    operation = described["paths"]["/v1/datasets/{dataset}/records"]["post"]
    schema = operation["responses"]["202"]["content"]["application/json"]["schema"]
    good = {"source": "a", "payload_text": "x"}
    for body in (good, [good, {"source": ""}]):
        answer = city.post("/v1/datasets/weather/records", body, key=city.key)
        assert answer.status_code == 202
        check(described, schema, answer.get_json(), "posted")
