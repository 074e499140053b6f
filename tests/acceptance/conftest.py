# SPDX-License-Identifier: Apache-2.0
"""A notary in the real database of these tests, and the newcomer's first run."""

from collections.abc import Iterator

import pytest

from notary.local.postgres import Postgres
from tests.acceptance.first_run import first_run
from tests.acceptance.publishers import Office
from tests.conftest import new_database
from tests.usecases.servers import world
from tests.usecases.world import World

__all__ = ["first_run", "office", "world"]


@pytest.fixture(scope="module")
def office(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A notary of processes for all tests of a file; each uses datasets of its own."""
    folder = tmp_path_factory.mktemp("office")
    world = World.make(folder, new_database(postgres))
    made = Office(world, folder)
    try:
        made.open()
        yield made
    finally:
        made.close()
        world.close()
