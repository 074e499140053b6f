# SPDX-License-Identifier: Apache-2.0
"""
Numbered migrations: forward only, each in its own transaction, its checksum kept.

A file that was applied never changes: a database that was brought forward by another
text is refused. An advisory lock lets one process migrate while others wait.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.resources import files

from notary.store.errors import StoreRefused
from notary.store.pool import Pool, Transaction

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of this folder; `number` counts from 1 without a gap."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file's text in hex."""
        return sha256(self.text.encode()).hexdigest()


def all_migrations() -> list[Migration]:
    """The migrations in their order. Raises ValueError for a gap in the numbers."""
    found = []
    for file in files("notary.store.migrations").iterdir():
        match = _NAME.fullmatch(file.name)
        if match:
            found.append(Migration(int(match[1]), file.name, file.read_text(encoding="utf-8")))
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError("the migrations are not numbered from 1 without a gap")
    return found


def migrate(pool: Pool, now: datetime) -> list[str]:
    """
    Apply what is missing and name it.

    Raises:
        StoreRefused: the database was brought forward by other texts, or is newer.
    """
    applied = []
    found: set[int] = set()
    for migration in all_migrations():
        if migration.number in found:
            continue
        with pool.transaction() as tx:
            tx.do("prepare_migrations")
            found = _checked(tx)
            if migration.number in found:
                continue
            tx.cursor.execute(migration.text)
            tx.do(
                "add_migration",
                number=migration.number,
                name=migration.name,
                checksum=migration.checksum,
                now=now,
            )
            applied.append(migration.name)
    return applied


def check_at_head(tx: Transaction) -> None:
    """
    Demand that exactly our migrations were applied.

    Raises:
        StoreRefused: some are missing or differ; the text says what to do.
    """
    if tx.row("has_migrations") != (True,) or len(_checked(tx)) != len(all_migrations()):
        raise StoreRefused(
            "The database has not the shape that this version needs: run `notary migrate`.",
            reason="migrations",
        )


def _checked(tx: Transaction) -> set[int]:
    known = {migration.number: migration for migration in all_migrations()}
    numbers = set()
    for number, name, checksum in tx.rows("list_migrations"):
        if number not in known or known[number].checksum != checksum:
            raise StoreRefused(
                f"The database was brought forward by another text of {name}: use the "
                "version of City Notary that wrote it, or a newer one.",
                reason="migrations",
            )
        numbers.add(number)
    if numbers != set(range(1, len(numbers) + 1)):
        raise StoreRefused(
            "The database's list of migrations has a gap: restore it, or ask who changed it.",
            reason="migrations",
        )
    return numbers
