# SPDX-License-Identifier: Apache-2.0
"""A notary in the real PostgreSQL of the tests, for every folder of tests that wants one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import new_database
from tests.usecases.world import World

__all__ = ["new_database", "world"]


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """A notary that was just made."""
    made = World.make(tmp_path, database_url)
    yield made
    made.close()
