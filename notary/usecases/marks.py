# SPDX-License-Identifier: Apache-2.0
"""
The high-water mark: what the notary knows of its log outside the database.

A small file beside the log key (mode 0600) holds the largest checkpoint that was about
to be signed, and which incarnation of the database it was read from. The mark only rises.
Beside it stands what no older database may take back: which keys served which sizes, and
each recovery.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from notary.core.errors import MalformedText, NotaryError
from notary.core.trust import LogKey, parse_log_key
from notary.core.vkey import parse_vkey
from notary.core.words import check_count, parse_hash


class StateRefused(NotaryError):
    """The state of the database is not the one that this notary left; it stays closed."""

    code = "state-refused"


@dataclass(frozen=True, slots=True)
class Incarnation:
    """
    One life of a database: a restored dump, another database, another server has another.

    `written` is the position of its write-ahead log in bytes, which only grows.
    """

    system: str
    database: int
    records: int
    written: int

    def same_life(self, other: "Incarnation") -> bool:
        """Whether both were read from the same tables of the same server."""
        return replace(self, written=0) == replace(other, written=0)


@dataclass(frozen=True, slots=True)
class Mark:
    """
    The largest checkpoint of `origin` (root in hex), the first public key that the log had,
    and the database that held it.

    `keys`, once a key was added: all of them, the oldest first, those of closed logs too.
    `recoveries`: the signed notes of recovery/1, in their order.
    """

    origin: str
    vkey: str
    size: int
    root: str
    incarnation: Incarnation
    keys: tuple[LogKey, ...] = ()
    recoveries: tuple[str, ...] = ()

    @property
    def log_keys(self) -> tuple[LogKey, ...]:
        """Every key of the log with the sizes that it served; the first one has number 1."""
        return self.keys or (LogKey(parse_vkey(self.vkey), 0, None),)

    def serving(self, origin: str, size: int) -> list[LogKey]:
        """The keys that sign a checkpoint of this log and size: two during an overlap."""
        return [key for key in self.log_keys if key.origin == origin and key.served(size)]


def _later(known: Mark, mark: Mark) -> bool:
    """Whether the known mark of the same checkpoint was read later from the same life."""
    before, now = known.incarnation, mark.incarnation
    return known.size == mark.size and before.same_life(now) and before.written > now.written


class MarkFile:
    """The file that holds the mark: written whole, fsynced, renamed; never lowered."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[tuple[int, int, int], Mark] | None = None

    def read(self) -> Mark | None:
        """
        The mark, or None where there is no file.

        Raises:
            StateRefused: the file isn't a mark.
        """
        try:
            return _parse(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, NotaryError):
            raise StateRefused(
                f"The high-water mark {self.path} can't be read: restore it from a backup.",
                reason="mark-broken",
            ) from None

    def log_keys(self) -> tuple[LogKey, ...]:
        """
        The log's keys as the file has them now; it is read only where it changed.

        Raises:
            StateRefused: the file is missing, or isn't a mark.
        """
        try:
            found = self.path.stat()
        except OSError:
            raise StateRefused(
                f"The high-water mark {self.path} is missing.", reason="no-mark"
            ) from None
        state = found.st_ino, found.st_mtime_ns, found.st_size
        seen = self._seen
        if seen is None or seen[0] != state:
            mark = self.read()
            if mark is None:
                raise StateRefused(f"The high-water mark {self.path} is missing.", reason="no-mark")
            self._seen = seen = (state, mark)
        return seen[1].log_keys

    def raise_to(self, mark: Mark) -> None:
        """
        Write the mark unless the file holds a larger one. Keys and recoveries stay.

        Durable when this returns. Two processes may call it at once.

        Raises:
            StateRefused: the file holds another root for this size, or another log.
        """
        with self._locked():
            known = self.read()
            if known is not None:
                if known.origin != mark.origin:
                    raise StateRefused(
                        f"The mark is that of the log {known.origin}.", reason="other-log"
                    )
                if known.vkey != mark.vkey:
                    raise StateRefused("The mark knows another key of the log.", reason="other-key")
                if known.size == mark.size and known.root != mark.root:
                    raise StateRefused(
                        f"Two roots for size {mark.size}: this would fork the log.",
                        reason="fork",
                    )
                if known.size > mark.size or _later(known, mark):
                    return
                mark = replace(mark, keys=known.keys, recoveries=known.recoveries)
            self._write(mark)

    def change(self, change: Callable[[Mark], Mark]) -> Mark:
        """
        Write what becomes of the mark, durably, while nobody else writes it.

        Raises:
            StateRefused: there is no mark; also what `change` raises, and then nothing changes.
        """
        with self._locked():
            known = self.read()
            if known is None:
                raise StateRefused(f"The high-water mark {self.path} is missing.", reason="no-mark")
            mark = change(known)
            if mark != known:
                self._write(mark)
            return mark

    def replace(self, mark: Mark) -> None:
        """Write the mark whatever the file holds: for `notary adopt` and `recover` only."""
        with self._locked():
            self._write(mark)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _write(self, mark: Mark) -> None:
        new = self.path.with_name(self.path.name + ".new")
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(file, _format(mark).encode())
            os.fsync(file)
        finally:
            os.close(file)
        os.replace(new, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _parse(text: str) -> Mark:
    members: dict[str, Any] = dict(json.loads(text))
    recoveries = members.get("recoveries", [])
    if not all(isinstance(note, str) for note in recoveries):
        raise MalformedText("A recovery must be text.")
    return Mark(
        origin=str(members["origin"]),
        vkey=str(members["vkey"]),
        size=check_count(members["size"], "size"),
        root=parse_hash(members["root"], "root").hex(),
        incarnation=Incarnation(**members["incarnation"]),
        keys=tuple(parse_log_key(item) for item in members.get("keys", [])),
        recoveries=tuple(recoveries),
    )


def _format(mark: Mark) -> str:
    members: dict[str, object] = {
        "v": "mark/1",
        "origin": mark.origin,
        "vkey": mark.vkey,
        "size": mark.size,
        "root": mark.root,
        "incarnation": asdict(mark.incarnation),
    }
    if mark.keys:
        members["keys"] = [key.members for key in mark.keys]
    if mark.recoveries:
        members["recoveries"] = list(mark.recoveries)
    return json.dumps(members, indent=1) + "\n"
