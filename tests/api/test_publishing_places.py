# SPDX-License-Identifier: Apache-2.0
"""Where a key may hand in versions, and the links that are offered."""

from dataclasses import replace

import pytest

from notary.config import Settings, SettingsRefused
from notary.usecases import api_keys
from notary.usecases.api_keys import NewKey
from tests.api.city import City, problem_of
from tests.usecases.world import new_department


def names(city: City, key: str, query: str = "") -> list[str]:
    """What the key is told, by id."""
    answer = city.ask(f"/v1/publishing{query}", key=key).get_json()
    return [item["id"] for item in answer["items"]]


def test_a_key_is_told_its_departments_own_datasets(city: City) -> None:
    """Neither another's open ones nor what the notary keeps itself; and the limit of a file."""
    city.open_dataset()
    closed = city.closed_dataset(sharing="conditional")
    new_department(city.world.pool, "parks", city.world.now)
    asked = {"to": "parks", "purpose": "Trees", "approval": "1"}
    assert city.post(f"/v1/datasets/{closed}/grants", asked, key=city.key).status_code == 201
    assert names(city, city.key) == sorted([closed, "weather"])
    assert names(city, city.other_key) == []
    told = city.ask("/v1/publishing", key=city.key).get_json()
    assert told["max_bytes"] == city.world.parts.settings.max_version_bytes


def test_the_list_goes_on(city: City) -> None:
    """Part by part, each once."""
    for n in range(5):
        city.open_dataset(f"d{n}")
    part = city.ask("/v1/publishing?limit=2", key=city.key).get_json()
    found = part["items"]
    while part["next"]:
        path = f"/v1/publishing?limit=2&cursor={part['next']}"
        part = city.ask(path, key=city.key).get_json()
        found += part["items"]
    assert [item["id"] for item in found] == [f"d{n}" for n in range(5)]


def test_a_key_for_certain_datasets_is_told_these_alone(city: City) -> None:
    """And one without the scope is refused by name."""
    city.open_dataset()
    city.open_dataset("air")
    world = city.world
    only = NewKey("water-works", ["write"], ["air"], 1_096)
    assert names(city, api_keys.add_key(world.pool, only, world.now)) == ["air"]
    reader = api_keys.add_key(world.pool, NewKey("water-works", ["read"], days=1_096), world.now)
    problem_of(city.ask("/v1/publishing", key=reader), 403, "scope-missing")


DATABASE = {"NOTARY_DATABASE_URL": "postgresql://x"}


@pytest.mark.parametrize(
    "url",
    [
        *("notary.city.example", "ftp://notary.city.example", "https://", "https://x.example/a"),
        *("https://u:p@x.example", "https://x.example?a", "https://x.example#a"),
        *("https://x.example:0", "https://x.example:x", "javascript:alert(1)", "https://x\n"),
    ],
)
def test_an_address_that_is_no_site_is_refused(url: str) -> None:
    """Links and QR codes would lead nowhere, or elsewhere."""
    with pytest.raises(SettingsRefused, match="NOTARY_PUBLIC_URL"):
        Settings.from_env({**DATABASE, "NOTARY_PUBLIC_URL": url})


def test_links_are_offered_only_with_a_public_address(city: City) -> None:
    """To the page of an open dataset's version; a closed one has no page for all."""
    city.open_dataset()
    closed = city.closed_dataset()
    assert "page" not in city.publish("weather")["links"]
    env = {**DATABASE, "NOTARY_PUBLIC_URL": "https://notary.city.example/"}
    public = Settings.from_env(env).public_url
    city.app.extensions["city-notary"] = replace(
        city.app.extensions["city-notary"], public_url=public
    )
    page = city.publish("weather")["links"]["page"]
    assert page == "https://notary.city.example/datasets/weather/versions/1"
    assert "page" not in city.publish(closed)["links"]
