# SPDX-License-Identifier: Apache-2.0
"""Creating and listing datasets and sources."""

import re

import pytest

from tests.api.city import City, problem_of


def test_a_dataset_is_closed_unless_created_open(city: City) -> None:
    """Without a word it is closed, and its public id is random."""
    answer = city.post("/v1/datasets", {"label": "Wages"}, key=city.key)
    assert answer.status_code == 201
    made = answer.get_json()
    assert made["open"] is False
    assert re.fullmatch(r"d\.[0-9a-f]{32}", made["id"])
    assert answer.headers["Location"] == f"/v1/datasets/{made['id']}"


def test_what_was_asked_for_is_shown(city: City) -> None:
    """An open dataset has the id, label and switches that its owner gave it."""
    body = {"id": "noise", "label": "L\u00e4rm", "open": True, "digest_index": True, "lanes": 4}
    made = city.post("/v1/datasets", body, key=city.key).get_json()
    assert made == city.ask("/v1/datasets/noise", key=city.key).get_json()
    assert {name: made[name] for name in body} == body
    assert made["owner"] == "water-works"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/label", "missing"),
        ({"label": ""}, "/label", "text"),
        ({"label": "x" * 201}, "/label", "text"),
        ({"label": "a\nb"}, "/label", "text"),
        ({"label": 5}, "/label", "string"),
        ({"label": "x", "open": 1}, "/open", "boolean"),
        ({"label": "x", "open": "true"}, "/open", "boolean"),
        ({"label": "x", "open": True}, "/id", "missing"),
        ({"label": "x", "open": True, "id": "a/b"}, "/id", "id"),
        ({"label": "x", "open": True, "id": "\u00e9"}, "/id", "id"),
        ({"label": "x", "open": True, "id": "x" * 129}, "/id", "id"),
        (
            {"label": "x", "open": True, "id": "a", "random_sources": True},
            "/random_sources",
            "only-closed",
        ),
        ({"label": "x", "id": "a"}, "/id", "only-open"),
        ({"label": "x", "digest_index": True}, "/digest_index", "only-open"),
        ({"label": "x", "lanes": 0}, "/lanes", "range"),
        ({"label": "x", "lanes": 65}, "/lanes", "range"),
        ({"label": "x", "lanes": 1.5}, "/lanes", "integer"),
        ({"label": "x", "lanes": "2"}, "/lanes", "integer"),
        ({"label": "x", "lanes": True}, "/lanes", "integer"),
        ({"label": "x", "lanes": -1}, "/lanes", "integer"),
        ({"label": "x", "owner": "tax office"}, "/owner", "unknown"),
        ([], "", "object"),
    ],
)
def test_an_unusable_dataset_is_refused(
    shared: City, body: object, pointer: str, code: str
) -> None:
    """Each fault is named by its place, and nothing is created."""
    answer = shared.post("/v1/datasets", body, key=shared.key)
    problem = problem_of(answer, 422, "malformed-request")
    assert (pointer, code) in [(fault["pointer"], fault["code"]) for fault in problem["errors"]]
    assert shared.world.rows("SELECT count(*) FROM datasets") == [(1,)]


@pytest.mark.parametrize("owner", ["same", "another"])
def test_an_id_is_taken_once(city: City, owner: str) -> None:
    """A second dataset of the same id is refused, whoever asks."""
    city.open_dataset()
    key = city.key if owner == "same" else city.other_key
    body = {"id": "weather", "label": "Mine", "open": True}
    problem_of(city.post("/v1/datasets", body, key=key), 409, "name-taken")


def test_pages_of_datasets_are_whole_and_without_doubles(city: City) -> None:
    """Following `next` and Link visits each dataset once, in order."""
    names = [f"d{number:02}" for number in range(7)]
    for name in reversed(names):
        city.open_dataset(name)
    seen, path = [], "/v1/datasets?limit=3"
    while path:
        answer = city.ask(path)
        page = answer.get_json()
        seen.append([item["id"] for item in page["items"]])
        link = re.match(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
        assert (link is None) == (page["next"] is None)
        path = link[1] if link else ""
    assert seen == [names[:3], names[3:6], names[6:]]


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("limit=0", "limit", "range"),
        ("limit=1001", "limit", "range"),
        ("limit=" + "9" * 5000, "limit", "range"),
        ("limit=-1", "limit", "integer"),
        ("limit=1e3", "limit", "integer"),
        ("limit=\u0663", "limit", "integer"),
        ("cursor=", "cursor", "cursor"),
        ("cursor=!!!", "cursor", "cursor"),
        ("cursor=%00", "cursor", "cursor"),
        ("cursor=AAAA", "cursor", "cursor"),
        ("cursor=" + "A" * 401, "cursor", "cursor"),
        ("cursor=\u00e9", "cursor", "cursor"),
        ("lang=fr", "lang", "language"),
        ("Limit=3", "Limit", "unknown"),
    ],
)
def test_a_query_is_read_strictly(shared: City, query: str, parameter: str, code: str) -> None:
    """A wrong or unknown parameter is a 400 that names it, never a page of something else."""
    answer = shared.ask(f"/v1/datasets?{query}")
    (fault,) = problem_of(answer, 400, "malformed-request")["errors"]
    assert (fault["parameter"], fault["code"]) == (parameter, code)


def test_sources_say_where_a_gateway_goes_on(city: City) -> None:
    """A source shows n, key and time of its last record."""
    city.open_dataset()
    city.record("weather", source="b", key="k0")
    last = city.record("weather", source="b", key="k1", text="2", observed="noon")
    city.record("weather", source="a")
    found = city.ask("/v1/datasets/weather/sources/b").get_json()
    assert (found["n"], found["key"], found["observed"]) == (1, "k1", "noon")
    assert (found["received"], found["leaf"]) == (last["received"], last["leaf"])
    listed = city.ask("/v1/datasets/weather/sources").get_json()["items"]
    assert [item["source"] for item in listed] == ["a", "b"]
    assert "id" not in listed[0]
    assert "lane" not in listed[0]


@pytest.mark.parametrize("path", ["/v1/datasets/none", "/v1/datasets/weather/sources/none"])
def test_what_is_not_there_is_not_found(shared: City, path: str) -> None:
    """404, in the caller's language."""
    problem = problem_of(shared.ask(path, headers={"Accept-Language": "zh-CN"}), 404, "not-found")
    assert "\u8fd9\u91cc" in problem["detail"]
