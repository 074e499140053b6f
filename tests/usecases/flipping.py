# SPDX-License-Identifier: Apache-2.0
"""Flip one bit of one column of one row, as a failing disk or a quiet hand would."""

import random
from dataclasses import dataclass

import psycopg2
import psycopg2.errors

from tests.usecases.world import World

WIDTHS = {"smallint": 16, "integer": 32, "bigint": 64}
STAMP = "timestamp with time zone"
REFUSED = (
    psycopg2.errors.UniqueViolation,
    psycopg2.errors.CharacterNotInRepertoire,
    psycopg2.DataError,
)


@dataclass
class Flipped:
    """What was flipped; `undo` puts it back."""

    world: World
    table: str
    column: str
    place: object
    old: object
    text: str

    def undo(self) -> None:
        """Put the old value back."""
        statement = f"UPDATE {self.table} SET {self.column} = %s WHERE ctid = %s"
        assert self.world.change(statement, self.old, self.place) == 1


def loosen(world: World) -> None:
    """Drop what would refuse a flip: a disk asks no constraint. Keys stay, they are indexes."""
    for table, name in world.rows(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype IN ('f', 'c')"
        " AND connamespace = 'public'::regnamespace"
    ):
        world.change(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for table, name in world.rows(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND is_identity = 'YES'"
    ):
        world.change(f"ALTER TABLE {table} ALTER COLUMN {name} DROP IDENTITY")


def type_of(world: World, table: str, column: str) -> str:
    """The column's type, as PostgreSQL writes it."""
    found = world.rows(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attname = %s",
        table,
        column,
    )
    return str(found[0][0])


def flip(world: World, where: str, dice: random.Random) -> Flipped:
    """Flip a random bit of a random value of `table.column` that isn't null or empty."""
    table, column = where.split(".")
    type_ = type_of(world, table, column)
    stored = f"{column}::text" if type_ == STAMP else column
    # What the record of an erasure said is gone where that record was erased too.
    told = "ordered IS NOT NULL" if where in ("erasures.ground", "erasures.erased_at") else "true"
    rows = world.rows(
        f"SELECT ctid::text, {stored} FROM {table} WHERE {column} IS NOT NULL"
        f" AND {column}::text NOT IN ('', '\\x') AND {told} ORDER BY ctid"
    )
    assert rows, f"no row of this world has a {where}"
    for _ in range(200):
        place, old = dice.choice(rows)
        new, shown = _flipped(type_, old, dice)
        try:
            moved = world.rows(
                f"UPDATE {table} SET {column} = {new} WHERE ctid = %s RETURNING ctid::text",
                shown,
                place,
            )
        except REFUSED:
            continue
        return Flipped(world, table, column, moved[0][0], old, f"{where} at {place}: {old!r}")
    raise AssertionError(f"{where} can't be flipped")


def _flipped(type_: str, old: object, dice: random.Random) -> tuple[str, object]:
    """The SQL of the new value, and its parameter."""
    if isinstance(old, bool):
        return "%s", not old
    if isinstance(old, int):
        return f"%s::{type_}", _flip_int(old, WIDTHS[type_], dice)
    if isinstance(old, list):
        at = dice.randrange(len(old))
        return f"%s::{type_}", [*old[:at], _flip_int(old[at], 32, dice), *old[at + 1 :]]
    if isinstance(old, bytes):
        return "%s", _flip_bytes(old, dice)
    assert isinstance(old, str)
    if type_ == STAMP:
        # Added or taken away, which the bits of a time amount to.
        step = (1 << dice.randrange(62)) * dice.choice((-1, 1))
        return f"'{old}'::timestamptz + %s * interval '1 microsecond'", step
    # What isn't text in UTF-8 can't be stored as text: draw again, as for a taken key.
    data = _flip_bytes(old.encode(), dice)
    return "convert_from(%s, 'UTF8')", data


def _flip_int(value: int, width: int, dice: random.Random) -> int:
    bits = (value & (1 << width) - 1) ^ 1 << dice.randrange(width)
    return bits - (1 << width) if bits >> width - 1 else bits


def _flip_bytes(data: bytes, dice: random.Random) -> bytes:
    flipped = bytearray(data)
    flipped[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(flipped)
