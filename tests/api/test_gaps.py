# SPDX-License-Identifier: Apache-2.0
"""What a source didn't send, over HTTP."""

import pytest

from tests.api.city import City, problem_of

PATH = "/v1/datasets/weather/sources/desk/gaps"


def send(city: City, *keys: int, seconds: float = 60) -> None:
    """Records with these keys, one a minute."""
    for key in keys:
        city.record("weather", text=f"reading {key}", key=str(key))
        city.world.pass_by(seconds)


def test_missing_numbers_silence_and_duplicates_are_told(city: City) -> None:
    """Where they lie, and how many; the last silence still lasts."""
    city.open_dataset()
    send(city, 1, 2, 5)
    city.record("weather", text="reading 5", key="5")
    city.world.pass_by(540)
    told = city.ask(f"{PATH}?interval_seconds=120").get_json()
    assert {name: told[name] for name in ("dataset", "source", "chain", "looked")} == {
        "dataset": "weather", "source": "desk", "chain": 0, "looked": 3,
    }  # fmt: skip
    assert (told["duplicates"], told["next"]) == (1, None)
    missing, silence = told["items"]
    assert (missing["kind"], missing["size"]) == ("missing", 2)
    assert (missing["first"], missing["last"]) == ("3", "4")
    assert (missing["after_n"], missing["before_n"]) == (1, 2)
    assert missing["after_received"] < missing["before_received"]
    assert (silence["kind"], silence["size"]) == ("silence", 600)
    assert (silence["after_n"], silence["before_n"], silence["before_received"]) == (2, None, None)
    assert city.ask(PATH).get_json()["items"] == [missing]


def test_parts_of_a_long_report_go_on_to_the_end(city: City) -> None:
    """By the cursor, or by the Link header."""
    city.open_dataset()
    send(city, *range(0, 100, 2))
    found, where = [], f"{PATH}?limit=7"
    while where:
        answer = city.ask(where)
        found += [item["first"] for item in answer.get_json()["items"]]
        link = answer.headers.get("Link", "")
        assert bool(link) is (answer.get_json()["next"] is not None)
        where = link.partition(">")[0].lstrip("<")
    assert found == [str(number) for number in range(1, 99, 2)]


def test_only_what_came_since_is_looked_at(city: City) -> None:
    """A time with its zone."""
    city.open_dataset()
    send(city, 1, 3)
    since = city.world.now.isoformat().replace("+00:00", "Z")
    send(city, 5, 8)
    told = city.ask(f"{PATH}?since={since}").get_json()
    assert [item["first"] for item in told["items"]] == ["6"]
    assert told["looked"] == 2


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("since=yesterday", "since", "moment"),
        ("since=2031-01-01T00:00:00", "since", "moment"),
        ("since=0001-01-01T00:00:00%2B14:00", "since", "moment"),
        ("since=" + "2" * 50, "since", "moment"),
        ("since=", "since", "moment"),
        ("interval_seconds=0", "interval_seconds", "range"),
        ("interval_seconds=1.5", "interval_seconds", "integer"),
        ("interval_seconds=99999999999", "interval_seconds", "range"),
        ("limit=0", "limit", "range"),
        ("cursor=x", "cursor", "cursor"),
        ("chain=0", "chain", "unknown"),
    ],
)
def test_a_fault_in_the_query_is_named(city: City, query: str, parameter: str, code: str) -> None:
    """Nothing is guessed."""
    city.open_dataset()
    send(city, 1)
    problem = city.ask(f"{PATH}?{query}").get_json()
    assert problem["status"] == 400
    assert (problem["errors"][0]["parameter"], problem["errors"][0]["code"]) == (parameter, code)


def test_a_source_without_records_is_not_found(city: City) -> None:
    """As everywhere."""
    city.open_dataset()
    problem_of(city.ask(PATH), 404, "not-found")
