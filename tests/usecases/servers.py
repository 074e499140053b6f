# SPDX-License-Identifier: Apache-2.0
"""A notary in the real PostgreSQL of the tests, for every folder of tests that wants one."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from notary.local.postgres import Postgres
from tests.conftest import new_database
from tests.lending import Lender
from tests.usecases.world import World

__all__ = ["new_database", "passing_server", "world"]


@contextmanager
def passing_server(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Postgres]:
    """
    A server of a test's own, to be restarted, killed and set back; nothing of it stays.

    Run by root its files lie outside the test's folder, where nobody else would remove them.
    """
    server = Postgres.open(folder, settings=settings)
    try:
        yield server
    finally:
        # An end in order would only write to the disk what is removed then.
        server.kill()
        server.stop()
        shutil.rmtree(server.data.parent, ignore_errors=True)


@pytest.fixture
def world(tmp_path: Path, lender: Lender) -> Iterator[World]:
    """A notary that was just made."""
    with lender.lent() as url:
        made = World.make(tmp_path, url)
        yield made
        made.close()
