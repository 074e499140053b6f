# SPDX-License-Identifier: Apache-2.0
"""A notary on a real database, with its HTTP API."""

import pytest

from tests.api.city import City
from tests.usecases.servers import world
from tests.usecases.world import World

__all__ = ["city", "world"]


@pytest.fixture
def city(world: World) -> City:
    """A notary that was just made, and its API."""
    return City(world)
