# SPDX-License-Identifier: Apache-2.0
"""Named queries: each is valid, has one name, and is used."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from notary.local.postgres import Postgres
from notary.store import binary, queries
from notary.store.migrations import migrate
from notary.store.pool import Pool
from notary.store.queries import query
from tests.usecases.servers import new_database

ROOT = Path(__file__).parents[2]
NAMES = sorted(queries._all())
CODE = "\n".join(
    file.read_text(encoding="utf-8")
    for folder in ("notary", "iot_ingest", "schemas", "bench")
    for file in sorted((ROOT / folder).rglob("*.py"))
)


@pytest.fixture(scope="module")
def pool(postgres: Postgres) -> Iterator[Pool]:
    """A migrated database."""
    made = Pool(new_database(postgres))
    migrate(made, datetime(2031, 3, 5, tzinfo=UTC))
    yield made
    made.close()


@pytest.mark.parametrize("name", NAMES)
def test_each_query_fits_the_schema(pool: Pool, name: str) -> None:
    """Tables, columns, types and number of parameters: the database itself looks."""
    text, nothing = query(name), defaultdict[str, object](lambda: None)
    with pool.transaction() as tx:
        if "compared" in text and name != "make_compared":
            tx.do("make_compared")  # tables of the transaction's own
            if "FROM compared_differing" in text:
                tx.do("make_compared_differing")
        if text.startswith("COPY"):
            tx.copy(name, binary.table([]))
        elif "$1" in text:
            tx.cursor.execute(f"PREPARE {name} AS {text}")
        elif ";" in text:
            tx.cursor.execute(text, nothing)
        else:
            tx.cursor.execute(f"EXPLAIN {text}", nothing)
        tx.connection.rollback()


def test_each_query_is_used() -> None:
    """By its whole name, somewhere in the code; what isn't is taken out."""
    named = set(re.findall(r"[\"'](\w+)[\"']", CODE))
    assert set(NAMES) - named == set()


def test_each_name_in_the_code_is_a_query() -> None:
    """A mistyped name fails here and not in the night."""
    asked = re.findall(
        r"\b(?:tx|other)\.(?:do|row|rows|maps|prepared|stream|copy)\(\s*\"(\w+)\"", CODE
    )
    assert len(asked) > 50
    assert set(asked) <= set(NAMES)


def test_an_unknown_name_is_an_error() -> None:
    """Not an empty query."""
    with pytest.raises(KeyError):
        query("drop_everything")


def write(folder: Path, **texts: str) -> None:
    """A folder of `.sql` files."""
    (folder / "sql").mkdir()
    for name, text in texts.items():
        (folder / "sql" / f"{name}.sql").write_text(text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Other queries in the place of ours."""
    monkeypatch.setattr("notary.store.queries.files", lambda package: tmp_path)
    queries._all.cache_clear()
    yield tmp_path
    queries._all.cache_clear()


def test_a_name_that_stands_twice_is_an_error(folder: Path) -> None:
    """In one file or in two."""
    write(folder, a="-- name: one\nSELECT 1", b="-- name: one\nSELECT 2")
    with pytest.raises(ValueError, match="one stands twice"):
        query("one")


def test_comments_are_for_readers(folder: Path) -> None:
    """They don't go to the server; the text between names does, as it stands."""
    write(
        folder, a="-- licence\n\n-- name: one\n-- What for.\nSELECT 1\n\n-- name: two\nSELECT 2\n"
    )
    assert query("one") == "SELECT 1"
    assert query("two") == "SELECT 2"


def test_every_file_is_in_utf_8_and_has_its_licence() -> None:
    """The loader reads them in an image without a locale."""
    for file in (files("notary.store") / "sql").iterdir():
        assert file.read_text(encoding="utf-8").startswith("-- SPDX-License-Identifier"), file
