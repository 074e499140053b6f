# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL for these tests, and a fresh database in it for each."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from notary.local.postgres import Postgres
from tests.usecases.world import World


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One server for the whole run."""
    with Postgres.open(tmp_path_factory.mktemp("postgres")) as server:
        yield server
        # An end in order would write all those databases to the disk once more.
        server.kill()


@pytest.fixture
def database_url(postgres: Postgres) -> str:
    """A new, empty database."""
    return new_database(postgres)


def new_database(postgres: Postgres) -> str:
    """Make one more empty database and tell its address."""
    name = f"test_{secrets.token_hex(6)}"
    connection = psycopg2.connect(postgres.url_of("postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    connection.close()
    return postgres.url_of(name)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """A notary that was just made."""
    made = World.make(tmp_path, database_url)
    yield made
    made.close()
