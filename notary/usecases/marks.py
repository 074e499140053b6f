# SPDX-License-Identifier: Apache-2.0
"""
The high-water mark: what the notary knows of its log outside the database.

A small file beside the log key (mode 0600) holds the largest checkpoint that was about
to be signed, and which incarnation of the database it was read from. The mark only rises.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from notary.core.errors import MalformedText, NotaryError
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
    The largest checkpoint of `origin` (root in hex), the public key that the log has, and
    the database that held it.
    """

    origin: str
    vkey: str
    size: int
    root: str
    incarnation: Incarnation


def _later(known: Mark, mark: Mark) -> bool:
    """Whether the known mark of the same checkpoint was read later from the same life."""
    before, now = known.incarnation, mark.incarnation
    return known.size == mark.size and before.same_life(now) and before.written > now.written


class MarkFile:
    """The file that holds the mark: written whole, fsynced, renamed; never lowered."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Mark | None:
        """
        The mark, or None where there is no file.

        Raises:
            StateRefused: the file isn't a mark.
        """
        try:
            members = json.loads(self.path.read_text(encoding="utf-8"))
            return Mark(
                origin=str(members["origin"]),
                vkey=str(members["vkey"]),
                size=check_count(members["size"], "size"),
                root=parse_hash(members["root"], "root").hex(),
                incarnation=Incarnation(**members["incarnation"]),
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, MalformedText):
            raise StateRefused(
                f"The high-water mark {self.path} can't be read: restore it from a backup.",
                reason="mark-broken",
            ) from None

    def raise_to(self, mark: Mark) -> None:
        """
        Write the mark unless the file holds a larger one.

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
            self._write(mark)

    def replace(self, mark: Mark) -> None:
        """Write the mark whatever the file holds: for `notary adopt` only."""
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
        text = json.dumps({"v": "mark/1", **asdict(mark)}, indent=1) + "\n"
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(file, text.encode())
            os.fsync(file)
        finally:
            os.close(file)
        os.replace(new, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
