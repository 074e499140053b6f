# SPDX-License-Identifier: Apache-2.0
"""
A Frictionless Data Package in a ZIP file: its `datapackage.json` and its files.

It is read from the stored version of the package, a part at a time. What it says of itself is
believed nowhere: sizes, counts, paths and compression are bounded.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

from notary.core import strict_json
from notary.core.errors import MalformedText, NotaryError
from notary.core.words import check_string, check_type
from notary.usecases.version_look import KeptFile
from notary.usecases.version_upload import PART_BYTES

DESCRIPTOR: Final = "datapackage.json"
MAX_DESCRIPTOR_BYTES: Final = 8 << 20
MAX_DIRECTORY_BYTES: Final = 16 << 20
MAX_RESOURCES: Final = 1_000
PIECE_BYTES: Final = 1 << 16
TYPES: Final = {
    "csv": "text/csv",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "jsonl": "application/x-ndjson",
}
_END, _END_BYTES = b"PK\x05\x06", 22
_LOCATOR, _LOCATOR_BYTES = b"PK\x06\x07", 20


class PackageRefused(NotaryError):
    """The file is no Data Package in a ZIP file."""

    code = "package-refused"


class ResourceRefused(NotaryError):
    """A resource of the package can't become a version."""

    code = "resource-refused"


@dataclass(frozen=True, slots=True)
class Resource:
    """One entry of `resources`, its texts checked; `path` inside the ZIP file."""

    name: str
    path: str
    title: str
    type: str
    hash: str | None
    size_bytes: int | None
    key: tuple[str, ...]


class PackageFile:
    """
    An opened package; `entries` are the entries of its `resources`, unchecked.

    Raises:
        PackageRefused: it isn't one; `reason` says why.
    """

    def __init__(self, file: KeptFile) -> None:
        reader = cast(BinaryIO, io.BufferedReader(_Stored(file), PART_BYTES))
        _check_directory(reader, file.size_bytes)
        try:
            self._zip = zipfile.ZipFile(reader)
        except (zipfile.BadZipFile, ValueError, RuntimeError, struct.error):
            raise PackageRefused("It is no ZIP file.", reason="not-zip") from None
        self.entries = self._read_descriptor()

    def _read_descriptor(self) -> list[object]:
        names = self._zip.namelist()
        if names.count(DESCRIPTOR) != 1:
            raise PackageRefused(f"There is no {DESCRIPTOR} in it.", reason="no-descriptor")
        size = self._zip.getinfo(DESCRIPTOR).file_size
        if size > MAX_DESCRIPTOR_BYTES:
            raise PackageRefused(f"Its {DESCRIPTOR} is too large.", reason="bad-descriptor")
        try:
            found = strict_json.loads(b"".join(self.read(DESCRIPTOR, MAX_DESCRIPTOR_BYTES)))
        except (MalformedText, ResourceRefused):
            found = None
        entries = found.get("resources") if isinstance(found, dict) else None
        if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_RESOURCES:
            raise PackageRefused(
                f"Its {DESCRIPTOR} has no list of 1 to {MAX_RESOURCES} resources.",
                reason="bad-descriptor",
            )
        return entries

    def size_of(self, path: str) -> int:
        """The size of a file as the ZIP file has it. Raises ResourceRefused."""
        if self._zip.namelist().count(path) != 1:
            raise ResourceRefused(f"There is no file {path} in it.", reason="no-file", path=path)
        return self._zip.getinfo(path).file_size

    def read(self, path: str, limit: int) -> Iterator[bytes]:
        """
        A file in pieces. Raises ResourceRefused where it is damaged or larger than `limit`.
        """
        size = 0
        try:
            with self._zip.open(path) as file:
                while piece := file.read(PIECE_BYTES):
                    size += len(piece)
                    if size > limit:
                        raise ResourceRefused(f"{path} is too large.", reason="large", path=path)
                    yield piece
        except (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error):
            raise ResourceRefused(
                f"{path} is damaged, encrypted or packed in an unknown way.",
                reason="damaged",
                path=path,
            ) from None


def read_resource(entry: object, number: int) -> Resource:
    """
    Check one entry of `resources`.

    Raises:
        ResourceRefused: it isn't one file inside the package.
    """
    members = entry if isinstance(entry, dict) else {}
    path = members.get("path")
    if isinstance(path, list) and len(path) == 1:
        path = path[0]
    if type(path) is not str or not _is_inside(path):
        raise ResourceRefused(
            f"Resource {number} is not one file inside the package; nothing is fetched.",
            reason="not-inside",
            number=number,
        )
    name = _text(members.get("name"), 200) or path
    hash_ = members.get("hash")
    size = members.get("bytes")
    schema = members.get("schema")
    key = schema.get("primaryKey") if isinstance(schema, dict) else None
    columns = [key] if isinstance(key, str) else key if isinstance(key, list) else []
    return Resource(
        name=name,
        path=path,
        title=_text(members.get("title"), 200) or name,
        type=_type(members, path),
        hash=hash_[:300] if isinstance(hash_, str) else None,
        size_bytes=int(size) if isinstance(size, str) and size.isdecimal() else None,
        key=tuple(str(column) for column in columns[:16]),
    )


def _is_inside(path: str) -> bool:
    parts = path.split("/")
    return _text(path, 1000) is not None and not ({"", ".", ".."} & set(parts) or "://" in path)


def _text(value: object, most: int) -> str | None:
    try:
        return check_string(value, "text", most)
    except MalformedText:
        return None


def _type(members: dict[str, object], path: str) -> str:
    """The media type that says how it is cut: by its ending where the stated one says nothing."""
    ending = TYPES.get(path.rpartition(".")[2].lower())
    try:
        stated = check_type(str(members.get("mediatype")).lower())
    except MalformedText:
        stated = None
    return stated or ending or "application/octet-stream"


class _Stored(io.RawIOBase):
    """A stored file that can be read anywhere."""

    def __init__(self, file: KeptFile) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        base = (0, self._at, self._file.size_bytes)[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        stop = min(self._at + len(buffer), self._file.size_bytes)
        piece = next(self._file.pieces(self._at, stop), b"")
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def _check_directory(reader: BinaryIO, size: int) -> None:
    """Refuse a directory that would fill the memory, before it is read."""
    start = max(0, size - _END_BYTES - 0xFFFF - _LOCATOR_BYTES)
    reader.seek(start)
    tail = reader.read(size - start)
    end = tail.rfind(_END)
    if end < 0 or len(tail) - end < _END_BYTES:
        raise PackageRefused("It is no ZIP file.", reason="not-zip")
    directory = struct.unpack_from("<I", tail, end + 12)[0]
    if tail[max(0, end - _LOCATOR_BYTES) : end].startswith(_LOCATOR):
        place = struct.unpack_from("<Q", tail, end - _LOCATOR_BYTES + 8)[0]
        reader.seek(min(place, size))
        record = reader.read(56)
        directory = struct.unpack_from("<Q", record, 40)[0] if len(record) == 56 else 1 << 63
    if directory > MAX_DIRECTORY_BYTES:
        raise PackageRefused("It holds too many files.", reason="too-many")
