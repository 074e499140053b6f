# SPDX-License-Identifier: Apache-2.0
"""
What a monitor remembers, in one folder: a SQLite file, and a lock, so that only one follows.

Nothing counts before it is committed, and a commit holds or fails as a whole: a monitor that is
killed anywhere goes on from its last commit.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from pkgutil import get_data
from typing import Any, Final, Self

from notary.core.errors import MalformedTile
from notary.core.hashing import HASH_BYTES, RootHash, leaf_hash
from notary.core.tiles import TILE_WIDTH, root_from_tiles
from notary.core.tree import root
from notary.monitor.errors import MonitorRefused

FILE: Final = "monitor.sqlite"
LOCK: Final = "lock"
VERSION: Final = 1
BUSY_SECONDS: Final = 5.0


class State:
    """
    An open state. Reading and writing is done inside `with state:`, which commits at its end.

    Raises:
        MonitorRefused: state-busy, state-unusable.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unusable(folder, error.strerror) from None
        if not _locked(self._lock):
            os.close(self._lock)
            raise MonitorRefused("state-busy", path=str(folder))
        try:
            self.db = _open(folder / FILE)
        except MonitorRefused:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """Let go of the folder; what isn't committed is gone."""
        self.db.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        self.db.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.db.execute("COMMIT" if kind is None else "ROLLBACK")

    def checkpoint(self) -> None:
        """Commit what was done so far, and go on."""
        self.db.execute("COMMIT")
        self.db.execute("BEGIN IMMEDIATE")

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """A part of a transaction that leaves nothing when it fails."""
        self.db.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK TO part")
            raise
        finally:
            self.db.execute("RELEASE part")

    def rows(self, sql: str, *values: object) -> list[Any]:
        """What a query finds."""
        return self.db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> Any:
        """The first row that a query finds, or None."""
        return self.db.execute(sql, values).fetchone()

    def do(self, sql: str, *values: object) -> None:
        """Change something."""
        self.db.execute(sql, values)

    def get(self, name: str) -> str | None:
        """A single value, or None."""
        found = self.row("SELECT value FROM facts WHERE name = ?", name)
        return None if found is None else str(found[0])

    def number(self, name: str) -> int:
        """A single number; 0 unless it was set."""
        return int(self.get(name) or 0)

    def set(self, **values: str | int) -> None:
        """Keep single values."""
        self.db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", list(values.items()))

    # -- the log's tree

    def fetched(self) -> int:
        """How many entries are here, under a checkpoint or not yet."""
        return int(self.row("SELECT coalesce(max(idx) + 1, 0) FROM entries")[0])

    def entry(self, index: int) -> bytes:
        """An entry as it was hashed."""
        return bytes(self.row("SELECT data FROM entries WHERE idx = ?", index)[0])

    def entries(self, size: int) -> Iterator[bytes]:
        """The first `size` entries in order."""
        found = self.db.execute("SELECT data FROM entries WHERE idx < ? ORDER BY idx", (size,))
        return (bytes(data) for (data,) in found)

    def append(self, index: int, entry: bytes) -> None:
        """
        Add the next entry, with the roots of the subtrees that it completes.

        Requires `index` to be `fetched()`.
        """
        self.do("INSERT INTO entries VALUES (?, ?)", index, entry)
        level, hash_ = 0, bytes(leaf_hash(entry))
        while True:
            self.do("INSERT INTO hashes VALUES (?, ?, ?)", level, index, hash_)
            if (index + 1) % TILE_WIDTH:
                return
            index //= TILE_WIDTH
            tile = self.tile(level, index, TILE_WIDTH)
            hash_ = root([tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)])
            level += 1

    def cut(self, size: int) -> None:
        """Forget the entries from `size` on: they turned out to be none of the log's."""
        self.do("DELETE FROM entries WHERE idx >= ?", size)
        for (level,) in self.rows("SELECT DISTINCT level FROM hashes"):
            complete = size // TILE_WIDTH**level
            self.do("DELETE FROM hashes WHERE level = ? AND idx >= ?", level, complete)

    def tile(self, level: int, index: int, width: int) -> bytes:
        """A tile of the tree as it was computed here: a `core.tiles.TileReader`."""
        start = index * TILE_WIDTH
        found = self.rows(
            "SELECT hash FROM hashes WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx",
            level,
            start,
            start + width,
        )
        if len(found) != width:
            raise MalformedTile("Hashes are missing here.", level=level, index=index, width=width)
        return b"".join(hash_ for (hash_,) in found)

    def root(self, size: int) -> RootHash:
        """The root over the first `size` entries. Requires them to be here."""
        return root_from_tiles(self.tile, size)


def _locked(file: int) -> bool:
    """Wait for the lock of a file, some seconds."""
    for pause in (*[BUSY_SECONDS / 50] * 50, None):
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if pause is not None:
            time.sleep(pause)
    return False


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.touch(mode=0o600)
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("PRAGMA synchronous = FULL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            _create(db)
        elif version != VERSION:
            raise _unusable(path, f"it has version {version}")
        return db
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, getattr(error, "strerror", None) or str(error)) from None


def _create(db: sqlite3.Connection) -> None:
    schema = get_data("notary.monitor", "state.sql")
    assert schema is not None
    db.executescript(f"BEGIN;\n{schema.decode()}\nCOMMIT;")


def _unusable(path: Path, why: str | None) -> MonitorRefused:
    return MonitorRefused("state-unusable", path=str(path), why=why or "-")
