# SPDX-License-Identifier: Apache-2.0
"""
What a witness knows: the logs' keys, and of each log the checkpoint that it cosigned last.

One SQLite file. A turn is one transaction that holds the write lock from its first look to its
commit, so check-and-store is one step for all threads and processes; it is on the disk
(journal, file and folder fsynced) before the turn is over. Nothing is ever turned back.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from notary.core.note import parse_vkey
from notary.core.trust import LogKey
from notary.cosigning import Cosigner, load_cosigner, make_cosigner
from notary.witness.errors import WitnessRefused

MAX_EVIDENCE: Final = 100
"""So many proofs are kept of each log; one is enough."""
MAX_KEYS: Final = 64
"""So many keys are known of each log."""

_VERSION: Final = 1
_BUSY_SECONDS: Final = 10.0
_SCHEMA: Final = f"""
CREATE TABLE keys (
    vkey TEXT PRIMARY KEY, origin TEXT NOT NULL, first_size INTEGER NOT NULL, last_size INTEGER
) STRICT;
CREATE TABLE heads (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, time INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE TABLE evidence (
    id INTEGER PRIMARY KEY, origin TEXT NOT NULL, fork TEXT NOT NULL, time INTEGER NOT NULL,
    UNIQUE (origin, fork)
) STRICT;
PRAGMA user_version = {_VERSION};
"""


@dataclass(frozen=True, slots=True)
class Head:
    """The checkpoint that was cosigned last: its note, and when (POSIX seconds)."""

    size: int
    root: bytes
    time: int
    note: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A proof that a log was forked (fork/1), and when it was seen (POSIX seconds)."""

    id: int
    fork: str
    time: int


class Turn:
    """What can be read and written in one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def origins(self) -> list[str]:
        """The logs that are known, by name."""
        found = self._connection.execute("SELECT DISTINCT origin FROM keys ORDER BY origin")
        return [str(row[0]) for row in found]

    def keys(self, origin: str) -> list[LogKey]:
        """The keys of a log; none where it isn't known."""
        found = self._connection.execute(
            "SELECT vkey, first_size, last_size FROM keys WHERE origin = ? ORDER BY rowid",
            (origin,),
        )
        return [LogKey(parse_vkey(vkey), first, last) for vkey, first, last in found]

    def put_key(self, key: LogKey) -> None:
        """Know a key of a log, or know it with other sizes."""
        self._connection.execute(
            "INSERT INTO keys (vkey, origin, first_size, last_size) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (vkey) DO UPDATE SET first_size = excluded.first_size,"
            " last_size = excluded.last_size",
            (key.verifier.vkey, key.verifier.name, key.first_size, key.last_size),
        )

    def head(self, origin: str) -> Head | None:
        """The checkpoint that was cosigned last."""
        row = self._connection.execute(
            "SELECT size, root, time, note FROM heads WHERE origin = ?", (origin,)
        ).fetchone()
        return None if row is None else Head(*row)

    def put_head(self, origin: str, head: Head) -> None:
        """Put the next one in its place."""
        self._connection.execute(
            "INSERT INTO heads (origin, size, root, time, note) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root,"
            " time = excluded.time, note = excluded.note",
            (origin, head.size, head.root, head.time, head.note),
        )

    def evidence(self, origin: str) -> list[Evidence]:
        """The proofs of forks, the first one first."""
        found = self._connection.execute(
            "SELECT id, fork, time FROM evidence WHERE origin = ? ORDER BY id", (origin,)
        )
        return [Evidence(*row) for row in found]

    def put_evidence(self, origin: str, fork: str, time: int) -> None:
        """Keep a proof, once, and not more than MAX_EVIDENCE of a log."""
        self._connection.execute(
            "INSERT OR IGNORE INTO evidence (origin, fork, time) SELECT ?, ?, ?"
            " WHERE (SELECT count(*) FROM evidence WHERE origin = ?) < ?",
            (origin, fork, time, origin, MAX_EVIDENCE),
        )


class State:
    """A witness's folder. `cosigner` is its key."""

    def __init__(self, folder: Path, cosigner: Cosigner) -> None:
        self.folder = folder
        self.cosigner = cosigner

    @classmethod
    def make(cls, folder: Path, name: str) -> "State":
        """
        Make a new witness: folder (0700), state and key (0600).

        Raises:
            WitnessRefused: there is one already.
            KeyRefused, MalformedNote: there is a key already; the name is not one.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        file = folder / "witness.db"
        if file.exists():
            raise WitnessRefused(f"There is a witness in {folder} already.")
        cosigner = make_cosigner(name, folder / "witness.key")
        file.touch(mode=0o600)
        with closing(_connect(file)) as connection:
            connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        return cls(folder, cosigner)

    @classmethod
    def open(cls, folder: Path) -> "State":
        """
        Open a witness's folder.

        Raises:
            WitnessRefused: there is no state in it, or one of another version.
            KeyRefused: there is no key, or others may read it.
        """
        file = folder / "witness.db"
        if not file.exists():
            raise WitnessRefused(
                f"There is no witness in {folder}: make one with `notary witness init`. A lost "
                "state is never replaced under the same key: make a new key."
            )
        state = cls(folder, load_cosigner(folder / "witness.key"))
        with state._connected() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != _VERSION:
            raise WitnessRefused(f"The state in {folder} is not one of this program's.")
        return state

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """
        One transaction: durable at the end of the block, undone by an error.

        Raises:
            WitnessRefused: the file is missing, damaged, full, or busy for too long.
        """
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Turn(connection)
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def look(self) -> Iterator[Turn]:
        """A transaction that only reads. Raises WitnessRefused as `turn`."""
        with self._connected() as connection:
            connection.execute("BEGIN")
            yield Turn(connection)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(_connect(self.folder / "witness.db")) as connection:
                yield connection
        except sqlite3.Error as error:
            raise WitnessRefused(f"The state in {self.folder} can't be used: {error}.") from None


def _connect(file: Path) -> sqlite3.Connection:
    """A connection to a file that is there: an empty one is never made in its place."""
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
    )
    connection.execute("PRAGMA synchronous = EXTRA")
    return connection
