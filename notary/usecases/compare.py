# SPDX-License-Identifier: Apache-2.0
"""
Compare two versions: which rows were added, removed, changed.

Both files are cut anew, and of each row two digests go into a table of the database that ends
with the transaction: however large the versions, a part of a file is held at a time. Rows are
compared by what they say, not by where they stand; equal rows are counted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import pack
from typing import Any, NoReturn

from notary.core import strict_json
from notary.core.csv_rows import LENGTH_BYTES, csv_cells
from notary.core.errors import NotaryError
from notary.core.row_profiles import row_cutter
from notary.store import binary
from notary.store.pool import Pool, Transaction
from notary.usecases.datasets import DatasetFacts
from notary.usecases.prove_versions import file_pieces, kept_version, read_row
from notary.usecases.version_upload import CUT_BYTES

BEFORE, AFTER = 0, 1


class CompareRefused(NotaryError):
    """The two versions can't be compared."""

    code = "compare-refused"


@dataclass(frozen=True, slots=True)
class Change:
    """A row of one version or of both: its numbers there, and its bytes."""

    before: int | None
    after: int | None
    old: bytes | None
    new: bytes | None

    @property
    def kind(self) -> str:
        """`added`, `removed` or `changed`."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


@dataclass(frozen=True, slots=True)
class Changes:
    """
    How many rows of each sort there are, and some of them: those behind a place in the order
    of their numbers. `key`: the columns that name a row; without any nothing is `changed`.
    """

    profile: str
    key: tuple[str, ...]
    same: int
    added: int
    removed: int
    changed: int
    some: tuple[Change, ...]


def compare(
    pool: Pool,
    dataset: DatasetFacts,
    before: int,
    after: int,
    key: Sequence[str] | None,
    skip: int,
    limit: int,
) -> Changes:
    """
    Compare version `before` with version `after`; `limit` changes, `skip` of them passed over.

    `key` None: the columns that the dataset's Data Package said, if any.

    Raises:
        NotFound: one of them isn't there, or its file isn't kept.
        CompareRefused: one has no rows, both are cut differently, a key column is missing,
            or the key doesn't name one row; the text says which.
    """
    with pool.transaction(snapshot=True) as tx:
        rows = [kept_version(tx, dataset, version) for version in (before, after)]
        profiles = {row["profile"] for row in rows}
        if len(profiles) > 1 or profiles == {"none"}:
            raise CompareRefused("Both must be tables of one profile.", reason="profile")
        if key is None:
            found = tx.row("get_row_key", dataset=dataset.id)
            key = found[0] if found else ()
        tx.do("make_compared")
        for side, row in enumerate(rows):
            for block in _digests(tx, row, key):
                tx.copy("copy_compared", binary.table([_fields(side, *one) for one in block]))
        if key:
            for side, first, second in tx.rows("compared_twice"):
                raise CompareRefused(
                    f"The key does not name one row: rows {first} and {second} of version "
                    f"{rows[side]['version']} have the same.",
                    reason="not-unique",
                    first=first,
                    second=second,
                    version=rows[side]["version"],
                )
        tx.do("make_compared_differing")
        same, added, removed, changed = tx.rows("count_compared")[0]
        some = tuple(
            _change(tx, rows, *numbers)
            for numbers in tx.rows("list_compared", skip=skip, limit=limit)
        )
    return Changes(rows[0]["profile"], tuple(key), same, added, removed, changed, some)


def _change(
    tx: Transaction, rows: Sequence[Mapping[str, Any]], before: int | None, after: int | None
) -> Change:
    old = None if before is None else read_row(tx, rows[BEFORE], before)
    new = None if after is None else read_row(tx, rows[AFTER], after)
    return Change(before, after, old, new)


def _digests(
    tx: Transaction, row: Mapping[str, Any], key: Sequence[str]
) -> Iterator[list[tuple[int, bytes, bytes]]]:
    """Of each row its number, the digest of its bytes, and that of its key (or its bytes)."""
    cutter, number = row_cutter(row["profile"]), 0
    keys = _Keys(row, key) if key else None

    def digested(found: list[tuple[int, bytes]]) -> list[tuple[int, bytes, bytes]]:
        nonlocal number
        block = []
        for _, data in found:
            whole = sha256(data).digest()
            block.append((number, whole, whole if keys is None else keys.digest(number, data)))
            number += 1
        return block

    for piece in file_pieces(tx, row["id"]):
        for at in range(0, len(piece), CUT_BYTES):
            yield digested(cutter.feed(piece[at : at + CUT_BYTES]))
    yield digested(cutter.finish())


class _Keys:
    """What names the rows of one version."""

    def __init__(self, row: Mapping[str, Any], key: Sequence[str]) -> None:
        self._version, self._profile, self._key = row["version"], row["profile"], key
        self._places: list[int] = []
        self._most = 0

    def digest(self, number: int, data: bytes) -> bytes:
        """The digest of a row's key; the header of CSV says where its columns are."""
        if self._profile == "csv-v1":
            return self._digest_of_cells(number, data)
        value = strict_json.loads(data)
        members: dict[str, object] = value if isinstance(value, dict) else {}
        if any(name not in members for name in self._key):
            self._refuse(number)
        return sha256(json.dumps([members[name] for name in self._key]).encode()).digest()

    def _digest_of_cells(self, number: int, data: bytes) -> bytes:
        """SHA-256 over the key's cells, each with its length before it, as they lie in the row."""
        if number == 0:
            cells = csv_cells(data)
            if any(cells.count(name) != 1 for name in self._key):
                self._refuse(number)
            self._places = [cells.index(name) for name in self._key]
            self._most = max(self._places) + 1
        found: list[bytes] = []
        at = 0
        while len(found) < self._most:
            if at == len(data):
                self._refuse(number)
            start, at = at, at + LENGTH_BYTES + int.from_bytes(data[at : at + LENGTH_BYTES], "big")
            found.append(data[start:at])
        return sha256(b"".join([found[place] for place in self._places])).digest()

    def _refuse(self, number: int) -> NoReturn:
        raise CompareRefused(
            f"Row {number} of version {self._version} has not each column of the key once.",
            reason="no-column",
            row=number,
            version=self._version,
        )


def _fields(side: int, number: int, row: bytes, key: bytes) -> bytes:
    return pack(">h", 4) + b"".join(
        (binary.int2(side), binary.int4(number), binary.data(row), binary.data(key))
    )
