# SPDX-License-Identifier: Apache-2.0
"""
Prove: from a version to the receipts of its file and of each of its rows.

A row is cut again from the stored file, from the last mark before it. Nothing of the file
but its row is in a row's receipt; of the tree one path.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from notary.core.canonical import dumps
from notary.core.errors import MalformedTile
from notary.core.hashing import LeafHash
from notary.core.ndjson_rows import is_array
from notary.core.proof import root_from_inclusion
from notary.core.receipt import row_leaf
from notary.core.row_profiles import cutter_from, row_salt
from notary.core.rows import MalformedRows
from notary.core.tiles import TILE_WIDTH, inclusion_path_from_tiles
from notary.store.pool import Pool, Transaction
from notary.usecases.datasets import DatasetFacts
from notary.usecases.erased import erased_of, gone
from notary.usecases.prove import BatchPart, NotYet, Prover, StoreDamaged, Until, hash_list
from notary.usecases.rights import NotFound
from notary.usecases.version_upload import CUT_BYTES, PART_BYTES
from notary.usecases.versions import get_version


@dataclass(frozen=True, slots=True)
class VersionProof:
    """A receipt as text; `final` once every required witness and ledger is in it."""

    text: str
    final: bool


class VersionProver:
    """Makes receipts for one process; may be called from several threads."""

    def __init__(self, pool: Pool, prover: Prover) -> None:
        self._pool = pool
        self._prover = prover

    def file_receipt(
        self, dataset: DatasetFacts, version: int, until: Until = "signed"
    ) -> VersionProof:
        """
        The receipt of a version's file: whoever has the file and this checks it whole.

        Once the file was erased it says so, and nothing can be compared any more.

        Raises:
            NotFound: there is no such version.
            NotYet: no signed checkpoint (or, as asked, witnesses or anchor) covers it yet.
            NoWitnesses: witnesses are asked for, and there are none.
        """
        with self._pool.transaction(read_only=True) as tx:
            row = get_version(tx, dataset, version)
            part = self._batch_part(tx, row, until)
        salt, erased = (row["salt"] or b"").hex(), erased_of(row)
        more = {} if erased is None else {"erased": dumps(erased)}
        return _write(part, kind='"file"', file=f'{{"salt":"{salt}"}}', **more)

    def row_receipt(
        self, dataset: DatasetFacts, version: int, number: int, until: Until = "signed"
    ) -> VersionProof:
        """
        The receipt of one row, its number counted from 0.

        Raises:
            NotFound: there is no such version or row.
            ContentErased, ContentDropped: the file isn't here any more.
            NotYet: as in `file_receipt`.
            StoreDamaged: the stored file doesn't give the row that was sealed.
        """
        with self._pool.transaction(read_only=True) as tx:
            row = kept_version(tx, dataset, version)
            data = read_row(tx, row, number)
            part = self._batch_part(tx, row, until)
            path = _path(tx, row, number, data)
        salt = row_salt(row["secret"], number)
        members = {"bytes": b64encode(data).decode(), "number": number, "salt": salt.hex()}
        written = json.dumps(members, separators=(",", ":"), sort_keys=True)
        return _write(part, kind='"row"', row=written, path=hash_list(path))

    def _batch_part(self, tx: Transaction, row: Mapping[str, Any], until: Until) -> BatchPart:
        if row["batch"] is None:
            raise NotYet("accepted", 2)
        part = self._prover.batch_part(tx, row["batch"])
        if part is None:
            raise NotYet("sealed", 1)
        part.demand(until)
        return part


def kept_version(tx: Transaction, dataset: DatasetFacts, version: int) -> dict[str, Any]:
    """
    All that is stored of a version whose file is kept.

    Raises:
        NotFound: there is no such version.
        ContentErased, ContentDropped: its file isn't here any more.
    """
    row = get_version(tx, dataset, version)
    if row["file_digest"] is None or row["is_dropped"]:
        raise gone(row)
    return row


def _write(part: BatchPart, **more: str) -> VersionProof:
    """docs/spec/receipt-v1.md, section Members; in the order of RFC 8785."""
    members = {**part.json, **more, "v": '"receipt/1"'}
    text = "{" + ",".join(f'"{name}":{members[name]}' for name in sorted(members)) + "}"
    return VersionProof(text, part.final)


def read_row(tx: Transaction, row: Mapping[str, Any], number: int) -> bytes:
    """
    The bytes of one row of a version, cut from its file.

    Raises:
        NotFound: there is no such row.
        StoreDamaged: the file doesn't give the row that was accepted.
    """
    if not 0 <= number < row["count"]:
        raise NotFound(f"There is no row {number} in version {row['version']}.", what="row")
    first = number - number % TILE_WIDTH
    tile = tx.rows("version_tile", id=row["id"], level=0, index=number // TILE_WIDTH)
    leaves, mark = tile[0] if tile else (b"", None)
    data = None
    if mark is not None:
        # What isn't even cut any more was altered too.
        with suppress(MalformedRows):
            data = _cut(tx, row, first, mark, number)
    at = 32 * (number - first)
    if data is None or leaves[at : at + 32] != _leaf(row, number, data):
        raise _damaged(row, number)
    return data


def _leaf(row: Mapping[str, Any], number: int, data: bytes) -> LeafHash:
    return row_leaf(row["profile"], row_salt(row["secret"], number), data)


def _damaged(row: Mapping[str, Any], number: int) -> StoreDamaged:
    return StoreDamaged(f"Row {number} of version {row['version']} was altered in the store.")


def _path(tx: Transaction, row: Mapping[str, Any], number: int, data: bytes) -> list[bytes]:
    """The row's way to the version's root, or StoreDamaged."""

    def read(level: int, index: int, width: int) -> bytes:
        rows = tx.rows("version_tile", id=row["id"], level=level, index=index)
        return rows[0][0][: 32 * width] if rows else b""

    try:
        path = inclusion_path_from_tiles(read, number, row["count"])
    except MalformedTile:
        raise _damaged(row, number) from None
    if root_from_inclusion(_leaf(row, number, data), number, row["count"], path) != row["root"]:
        raise _damaged(row, number)
    return path


def _cut(
    tx: Transaction, row: Mapping[str, Any], first: int, mark: int, number: int
) -> bytes | None:
    cutter = cutter_from(row["profile"], first, mark, in_array=_in_array(tx, row))
    for piece in file_pieces(tx, row["id"], mark):
        for at in range(0, len(piece), CUT_BYTES):
            for _, data in cutter.feed(piece[at : at + CUT_BYTES]):
                if first == number:
                    return data
                first += 1
    rest = cutter.finish()
    return rest[0][1] if rest and first == number else None


def _in_array(tx: Transaction, row: Mapping[str, Any]) -> bool:
    if row["profile"] != "ndjson-v1":
        return False
    said = map(is_array, file_pieces(tx, row["id"]))
    return next((word for word in said if word is not None), False)


def file_pieces(tx: Transaction, version: int, start: int = 0) -> Iterator[bytes]:
    """A stored file from a byte on, a part at a time."""
    number, skip = divmod(start, PART_BYTES)
    while rows := tx.rows("version_part", id=version, number=number):
        yield rows[0][0][skip:]
        number, skip = number + 1, 0
