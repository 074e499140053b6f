# SPDX-License-Identifier: Apache-2.0
"""
Sources from a CSV file (RFC 4180, UTF-8), a line a key. All faults are told at once.

    source,title,key,algorithm,public_key,secret,valid_from,valid_to
    station-12,Harbour,s12-1,ed25519,MCowBQYDK2VwAyEA…,,,2027-01-01T00:00:00Z

`source` is needed, the other columns may be missing or empty. A line without `key` registers
the source alone; several lines of one source give it several keys. `title` is a name for
people, beside the log. `secret` goes with hmac-sha256, `public_key` with the others.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from notary.core.errors import MalformedText
from notary.core.words import check_id, check_string
from notary.usecases.device_keys import (
    check_algorithm,
    parse_public_key,
    parse_secret,
)
from notary.usecases.sources import (
    MAX_TITLE_CHARACTERS,
    NewKey,
    NewSource,
    SourcesRefused,
    check_key_id,
)

MAX_BYTES: Final = 64 << 20
MAX_LINES: Final = 200_000
MAX_FAULTS: Final = 200
COLUMNS: Final = (
    "source", "title", "key", "algorithm", "public_key", "secret", "valid_from", "valid_to",
)  # fmt: skip
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_moment(text: str) -> datetime:
    """A time as in RFC 3339, with its zone. Raises MalformedText."""
    try:
        if not _TIME.fullmatch(text):
            raise ValueError(text)
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise MalformedText(
            "A time must be like 2027-01-01T00:00:00Z or 2027-01-01T08:00:00+08:00."
        ) from None


@dataclass(slots=True)
class _Faults:
    """Sentences with the lines that they are about; beyond MAX_FAULTS only counted."""

    sentences: list[str] = field(default_factory=list)
    more: int = 0

    def add(self, line: int, sentence: str) -> None:
        if len(self.sentences) < MAX_FAULTS:
            self.sentences.append(f"Line {line}: {sentence}")
        else:
            self.more += 1


def parse_sources(data: bytes) -> list[NewSource]:
    """
    The sources of a file, in its order.

    Raises:
        SourcesRefused: with a sentence for each fault, none of which repeats a secret.
    """
    text = _decode(data)
    faults = _Faults()
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    sources: list[NewSource] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                source = _source(header, cells, line, faults)
                if source is not None:
                    sources.append(source)
            if len(sources) > MAX_LINES:
                raise _refused([f"The file has more than {MAX_LINES:,} lines: divide it."])
            line = reader.line_num + 1
    except csv.Error as error:
        faults.add(reader.line_num, f"This is not CSV: {error}.")
    if faults.more:
        faults.sentences.append(f"There are {faults.more} faults more.")
    if faults.sentences:
        raise _refused(faults.sentences)
    if not sources:
        raise _refused(["The file names no source."])
    return sources


def _refused(sentences: list[str]) -> SourcesRefused:
    return SourcesRefused("\n".join(sentences), faults=sentences)


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise _refused([f"The file has more than {MAX_BYTES >> 20} MiB: divide it."])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refused(
            [f'Line {line}: the file is not UTF-8. Save it again as "CSV UTF-8".']
        ) from None
    if "\0" in text:
        raise _refused([f"Line {text[: text.index(chr(0))].count(chr(10)) + 1}: this is not text."])
    return text


def _check_header(header: list[str]) -> None:
    sentences = [
        f"Line 1: the name of column {number} is none of {', '.join(COLUMNS)}."
        for number, name in enumerate(header, 1)
        if name not in COLUMNS
    ]
    sentences += [
        f"Line 1: the column {name} stands twice." for name in COLUMNS if header.count(name) > 1
    ]
    if "source" not in header:
        sentences.append("Line 1: the column source is missing; commas part the columns.")
    if sentences:
        raise _refused(sentences[:MAX_FAULTS])


def _source(header: list[str], cells: list[str], line: int, faults: _Faults) -> NewSource | None:
    if len(cells) != len(header):
        faults.add(line, f"it has {len(cells)} cells, and the first line has {len(header)}.")
        return None
    row = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()}
    found: list[str] = []

    def read(what: str) -> object:
        try:
            return _READ[what](row)
        except MalformedText as error:
            found.append(f"{what}: {error.detail}")
            return None

    label, title = read("source"), read("title")
    keys: tuple[NewKey, ...] = ()
    if row.keys() & {"key", "algorithm", "public_key", "secret", "valid_from", "valid_to"}:
        key_id, algorithm = read("key"), read("algorithm")
        valid_from, valid_to = read("valid_from"), read("valid_to")
        which, other = ("secret", "public_key") if algorithm == "hmac-sha256" else (
            "public_key", "secret")  # fmt: skip
        if other in row and algorithm is not None:
            found.append(f"{other}: it doesn't go with {algorithm}.")
        material = read(which) if algorithm is not None else None
        if not found:
            keys = (NewKey(key_id, algorithm, material, valid_from, valid_to),)  # type: ignore[arg-type]
    for sentence in found:
        faults.add(line, sentence)
    return None if found else NewSource(str(label), title, keys, line)  # type: ignore[arg-type]


def _cell(row: Mapping[str, str], name: str) -> str:
    if name not in row:
        raise MalformedText("It is missing.")
    return row[name]


def _moment(row: Mapping[str, str], name: str) -> datetime | None:
    return parse_moment(row[name]) if name in row else None


_READ: Final[Mapping[str, Callable[[Mapping[str, str]], object]]] = {
    "source": lambda row: check_id(_cell(row, "source"), "source"),
    "title": lambda row: (
        check_string(row["title"], "title", MAX_TITLE_CHARACTERS) if "title" in row else None
    ),
    "key": lambda row: check_key_id(_cell(row, "key")),
    "algorithm": lambda row: check_algorithm(_cell(row, "algorithm")),
    "public_key": lambda row: parse_public_key(
        check_algorithm(row["algorithm"]), _cell(row, "public_key")
    ),
    "secret": lambda row: parse_secret(_cell(row, "secret")),
    "valid_from": lambda row: _moment(row, "valid_from"),
    "valid_to": lambda row: _moment(row, "valid_to"),
}
