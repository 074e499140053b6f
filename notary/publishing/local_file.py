# SPDX-License-Identifier: Apache-2.0
"""
The file that is published: looked through once before anything is sent, and again while it is.

The last piece is held back until all that was read is known to be the file that was looked at,
so a file that changes meanwhile never becomes a version.
"""

import hashlib
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from notary.core.row_profiles import row_cutter
from notary.filetypes import BEGINNING_BYTES, FileType, file_type, without_rows
from notary.publishing.errors import PublishRefused

PIECE_BYTES: Final = 1 << 18
CUT_BYTES: Final = 1 << 16
DESCRIPTOR: Final = "datapackage.json"
MAX_NAME_CHARACTERS: Final = 255
Progress = Callable[[int, int], None]
"""Told the bytes so far, and all of them."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file as it was when it was looked through; `rows` is None where it isn't cut."""

    path: Path
    type: FileType
    size_bytes: int
    digest: bytes
    rows: int | None
    stamp: tuple[int, ...]

    @property
    def name(self) -> str:
        """Its name for people: no folder, and nothing that isn't printable."""
        shown = "".join(c if c.isprintable() else "_" for c in self.path.name)
        return shown.encode("utf-8", "replace").decode()[-MAX_NAME_CHARACTERS:]

    @property
    def is_package(self) -> bool:
        """Whether it is a Data Package in a ZIP file."""
        return self.type.kind == "package"


def size_of(path: Path) -> int:
    """The size of a file in bytes. Raises PublishRefused: unreadable, no-file, empty."""
    with _open(path) as file:
        size = _stamp(file)[0]
    if size == 0:
        raise PublishRefused("empty", path=str(path))
    return size


def look(path: Path, *, rows: bool, progress: Progress) -> LocalFile:
    """
    Read a file through: what it is, its digest, how many rows it has.

    Raises:
        PublishRefused: unreadable, no-file, changed.
        MalformedRows: it is a table that can't be cut.
    """
    with _open(path) as file:
        stamp = _stamp(file)
        size = stamp[0]
        beginning = _read(file, path, BEGINNING_BYTES)
        type_ = _type(path, file, beginning)
        if not rows:
            type_ = without_rows(type_)
        cutter, count, digest, done = row_cutter(type_.profile), 0, hashlib.sha256(), 0
        piece = beginning
        while piece:
            digest.update(piece)
            for at in range(0, len(piece), CUT_BYTES):
                count += len(cutter.feed(piece[at : at + CUT_BYTES]))
            done += len(piece)
            progress(done, size)
            piece = _read(file, path, PIECE_BYTES)
        count += len(cutter.finish())
        if done != size or _stamp(file) != stamp:
            raise PublishRefused("changed", path=str(path))
    is_cut = type_.profile != "none"
    return LocalFile(path, type_, size, digest.digest(), count if is_cut else None, stamp)


def pieces(local: LocalFile, progress: Progress) -> Iterator[bytes]:
    """
    The file again, in pieces.

    Raises:
        PublishRefused: unreadable; changed, before the last piece is handed out.
    """
    digest, done, held = hashlib.sha256(), 0, b""
    with _open(local.path) as file:
        while piece := _read(file, local.path, PIECE_BYTES):
            digest.update(piece)
            done += len(piece)
            if done > local.size_bytes:
                break
            if held:
                yield held
            held = piece
            progress(done, local.size_bytes)
    if done != local.size_bytes or digest.digest() != local.digest:
        raise PublishRefused("changed", path=str(local.path))
    yield held


def resource(local: LocalFile, name: str) -> Iterator[bytes]:
    """One file inside a package, in pieces. Raises PublishRefused: changed."""
    try:
        with zipfile.ZipFile(local.path) as archive, archive.open(name) as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
    except (zipfile.BadZipFile, KeyError, ValueError, RuntimeError, OSError):
        raise PublishRefused("changed", path=str(local.path)) from None


def _type(path: Path, file: BinaryIO, beginning: bytes) -> FileType:
    found = file_type(path.name, beginning)
    if found.kind == "zip" and _has_descriptor(file):
        found = FileType(found.type, "package")
    file.seek(len(beginning))
    return found


def _has_descriptor(file: BinaryIO) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return DESCRIPTOR in archive.namelist()
    except (zipfile.BadZipFile, ValueError, RuntimeError, OSError):
        return False


def _open(path: Path) -> BinaryIO:
    try:
        # Not to wait for whoever writes into a pipe.
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise PublishRefused("no-file", path=str(path))
        return os.fdopen(number, "rb", buffering=0)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a name of a file"
        raise PublishRefused("unreadable", path=str(path), why=why) from None


def _read(file: BinaryIO, path: Path, size: int) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise PublishRefused("unreadable", path=str(path), why=error.strerror) from None


def _stamp(file: BinaryIO) -> tuple[int, ...]:
    found = os.fstat(file.fileno())
    return (found.st_size, found.st_mtime_ns, found.st_ino)
