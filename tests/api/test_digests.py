# SPDX-License-Identifier: Apache-2.0
"""Versions by the digest of their file: found where anybody may read them, nowhere else."""

from hashlib import sha256
from typing import Any

import pytest

from notary.usecases.erase import VersionPlace
from tests.api.city import City

FILE = b"a,b\n1,2\n"
DIGEST = sha256(FILE).hexdigest()


def found(city: City, digest: str = DIGEST, query: str = "", key: str | None = None) -> list[Any]:
    """The versions that are answered."""
    answer = city.ask(f"/v1/digests/{digest}{query}", key=key)
    assert answer.status_code == 200
    versions = answer.get_json()["versions"]
    assert isinstance(versions, list)
    return versions


def test_a_version_of_an_open_dataset_is_found_by_its_file(city: City) -> None:
    """The newest first, with the way to it and to its receipt."""
    city.open_dataset()
    city.publish("weather")
    city.publish("weather", b"a,b\n1,3\n")
    path = "/v1/datasets/weather/versions/1"
    assert found(city) == [
        {
            "dataset": "weather",
            "version": 1,
            "links": {"self": path, "receipt": f"{path}/receipt"},
        }
    ]
    city.open_dataset("other")
    city.publish("other")
    assert [(row["dataset"], row["version"]) for row in found(city)] == [
        ("other", 1),
        ("weather", 1),
    ]


def test_what_was_not_searched_is_named(city: City) -> None:
    """Open datasets with records and no index: not found there doesn't mean that it isn't there."""
    city.open_dataset()
    city.record("weather")
    city.record(city.closed_dataset())
    city.open_dataset("empty")
    city.world.dataset("indexed", digest_index=True)
    city.record("indexed")
    answer = city.ask(f"/v1/digests/{DIGEST}").get_json()
    assert [row["dataset"] for row in answer["not_searched"]] == ["weather"]
    assert answer["items"] == answer["versions"] == []


@pytest.mark.parametrize("is_owner", [False, True])
def test_a_version_of_a_closed_dataset_is_never_found(city: City, is_owner: bool) -> None:
    """Not even by its owner: who guesses a content learns nothing from here."""
    city.publish(city.closed_dataset())
    assert found(city, key=city.key if is_owner else None) == []


def test_an_erased_version_is_not_found(city: City) -> None:
    """The log keeps its digest, and this look-up helps nobody to it."""
    city.open_dataset()
    city.publish("weather")
    city.world.settle()
    city.world.erase("weather", VersionPlace(1))
    assert found(city) == []


@pytest.mark.parametrize("digest", ["0" * 64, sha256(FILE + b"\n").hexdigest()])
def test_another_digest_finds_nothing(city: City, digest: str) -> None:
    """Neither zeros nor a neighbour."""
    city.open_dataset()
    city.publish("weather")
    assert found(city, digest) == []
