# SPDX-License-Identifier: Apache-2.0
"""What a file is, by its content first and its name second; whether it has rows hangs on that."""

import json
from dataclasses import dataclass
from typing import Final

from notary.core.ndjson_rows import is_array

BEGINNING_BYTES: Final = 1 << 16
"""So much of a file is looked at."""
CSV: Final = "text/csv"
JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
ZIP: Final = "application/zip"
BYTES: Final = "application/octet-stream"
_ENDINGS: Final = {
    "csv": (CSV, "csv"),
    "ndjson": (NDJSON, "ndjson"),
    "jsonl": (NDJSON, "ndjson"),
}
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_IN_ZIP: Final = {
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
_MAGIC: Final = (
    (b"%PDF-", "application/pdf"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", BYTES),
    (b"\x1f\x8b", "application/gzip"),
)


@dataclass(frozen=True, slots=True)
class FileType:
    """
    A file's media type and its `kind`, which `filetype.<kind>` says in words with the reason:
    csv, ndjson, json-array have rows; json, zip, office, text and other have none.
    """

    type: str
    kind: str

    @property
    def profile(self) -> str:
        """How it is cut into rows."""
        return {"csv": "csv-v1", "ndjson": "ndjson-v1", "json-array": "ndjson-v1"}.get(
            self.kind, "none"
        )


def file_type(name: str, beginning: bytes) -> FileType:
    """
    The type of a file of that name which begins so.

    A name that ends in .csv is believed where the content is no other known kind: a table
    that then can't be cut is told as such, rather than taken without rows unseen.
    """
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if beginning.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        known = _IN_ZIP.get(ending)
        return FileType(known or ZIP, "office" if known else "zip")
    for magic, type_ in _MAGIC:
        if beginning.startswith(magic):
            return FileType(type_, "other")
    if ending in _ENDINGS:
        return FileType(*_ENDINGS[ending])
    if not _is_text(beginning):
        return FileType(BYTES, "other")
    if _is_json_lines(beginning):
        return FileType(NDJSON, "ndjson")
    if ending in ("json", "geojson", "topojson", ""):
        if is_array(beginning) and ending != "":
            return FileType(JSON, "json-array")
        if ending != "":
            return FileType(JSON, "json")
    return FileType("text/plain", "text")


def without_rows(found: FileType) -> FileType:
    """The same file, to be taken as it is: neither cut nor unpacked."""
    if found.kind in ("zip", "package"):
        return FileType(found.type, "as-it-is")
    return FileType(BYTES, "as-it-is") if found.profile != "none" else found


def _is_text(beginning: bytes) -> bool:
    try:
        beginning.decode()
    except UnicodeDecodeError as error:
        if len(beginning) < BEGINNING_BYTES or error.start < len(beginning) - 3:
            return False
    return b"\0" not in beginning


def _is_json_lines(beginning: bytes) -> bool:
    """Whether its first two lines are whole JSON objects."""
    lines = beginning.removeprefix(b"\xef\xbb\xbf").split(b"\n", 2)
    if len(lines) < 3 and not (len(lines) == 2 and lines[1].strip()):
        return False
    try:
        return all(isinstance(json.loads(line), dict) for line in lines[:2])
    except (ValueError, RecursionError):
        return False
