# SPDX-License-Identifier: Apache-2.0
"""A notary on a real database, with its HTTP API."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from notary.local.postgres import Postgres
from tests.api.city import City
from tests.usecases.servers import new_database, world
from tests.usecases.world import World

__all__ = ["city", "shared", "world"]


@pytest.fixture
def city(world: World) -> City:
    """A notary that was just made, and its API."""
    return City(world)


@contextmanager
def standing_city(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A notary that outlives a test, in a database of its own."""
    made = World.make(tmp_path_factory.mktemp("city"), new_database(postgres))
    yield City(made)
    made.close()


@pytest.fixture(scope="module")
def _standing(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with standing_city(postgres, tmp_path_factory) as city:
        city.open_dataset()
        city.record("weather")
        yield city


@pytest.fixture
def shared(_standing: City) -> City:
    """The same for tests that change nothing: one open dataset, one record, nothing sealed."""
    _standing.lines.clear()
    return _standing
