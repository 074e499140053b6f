# SPDX-License-Identifier: Apache-2.0
"""The part of an audit that cuts every version's file anew and builds its tree."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

from notary.core.descriptor import PROFILES, Descriptor
from notary.core.growing_tree import GrowingTree
from notary.core.receipt import row_leaf
from notary.core.row_profiles import row_cutter, row_salt
from notary.core.rows import Row
from notary.core.tiles import TILE_WIDTH
from notary.store.pool import Transaction
from notary.usecases.audit_batches import Differs, Facts, naming
from notary.usecases.version_upload import CUT_BYTES, PART_BYTES


def look_at_versions(tx: Transaction, facts: Facts) -> int:
    """Every version: file, rows, tiles, root, its place in the log, and that there is no other."""
    sealed = {
        index: (dataset, descriptor)
        for index, (dataset, descriptor) in enumerate(facts.descriptors)
        if descriptor.kind == "version"
    }
    last: dict[int, tuple[int, datetime, bool]] = {}
    lost = {
        (dataset, said.version) for index, (dataset, said) in sealed.items() if index in facts.lost
    }
    sealed = {index: found for index, found in sealed.items() if index not in facts.lost}
    count = 0
    for row in tx.maps("audit_versions"):
        dataset = facts.datasets.get(row["dataset"])
        if dataset is None:
            raise Differs(f"Version {row['version']} of dataset {row['dataset']}: there is none.")
        name = f"Version {row['version']} of {dataset['name']}"
        number, received, was_sealed = last.get(row["dataset"], (0, row["received"], True))
        while (row["dataset"], number + 1) in lost:
            number += 1
        if row["version"] != number + 1 or row["received"] is None or row["received"] < received:
            raise Differs(f"{name}: it doesn't follow on the version before it.")
        is_sealed = row["batch"] is not None
        if is_sealed and not was_sealed:
            raise Differs(f"{name}: it is sealed before the version before it.")
        last[row["dataset"]] = (row["version"], row["received"], is_sealed)
        found = sealed.pop(row["batch"], None) if is_sealed else None
        row["is_dropped"] = found is not None and found[1].number < dataset["dropped"]
        with naming(name):
            _look_at_version(tx, name, row, is_open=dataset["is_open"])
        if is_sealed:
            _look_at_descriptor(name, row, found, dataset["is_open"])
        count += 1
    for index in sealed:
        raise Differs(f"Batch {index}: its version is missing.")
    for (what,) in tx.rows("audit_stray_versions"):
        raise Differs(f"A {what} is stored, and there is no such version.")
    return count


def _look_at_descriptor(
    name: str, row: dict[str, Any], found: tuple[int, Descriptor] | None, is_open: bool
) -> None:
    """The log says of the version what is stored of it."""
    if found is None:
        raise Differs(f"{name}: batch {row['batch']} is no version's.")
    dataset, said = found
    digest = said.digest if is_open else said.commitment
    wanted = (said.version, said.profile, said.count, said.root, digest, said.corrects)
    stored = (*(row[key] for key in ("version", "profile", "count", "root", "hash", "corrects")),)
    times = (said.first, said.last)
    if (dataset, wanted, times) != (row["dataset"], stored, (row["received"],) * 2):
        raise Differs(f"{name}: the log says something else of it.")


def _look_at_version(tx: Transaction, name: str, row: dict[str, Any], *, is_open: bool) -> None:
    if row["profile"] not in PROFILES:
        raise Differs(f"{name}: its profile is none.")
    tree = _StoredTree(tx, name, row)
    is_erased = row["erasure"] is not None
    if is_erased != (row["file_digest"] is None):
        raise Differs(f"{name}: its file is erased without an erasure, or the other way round.")
    if is_erased or row["is_dropped"]:
        for (number,) in tx.rows("audit_part_numbers", id=row["id"]):
            raise Differs(f"{name}: its file should be gone, and part {number} is there.")
        tree.grow_from_leaves()
    if is_erased:
        if any(row[key] is not None for key in ("salt", "secret", "size_bytes", "name", "reason")):
            raise Differs(f"{name}: its file is erased, and not all that belongs to it.")
    else:
        sizes = [0 if row[key] is None else len(row[key]) for key in ("salt", "secret")]
        if sizes != [0 if is_open else 32, 0 if is_open or not row["count"] else 32]:
            raise Differs(f"{name}: its salts are not of its dataset's kind.")
        if is_open and row["file_digest"] != row["hash"]:
            raise Differs(f"{name}: its file's digest is not the one that was accepted.")
        if not row["is_dropped"]:
            _recompute(tx, name, row, tree)
    tree.finish()


def _recompute(tx: Transaction, name: str, row: dict[str, Any], tree: "_StoredTree") -> None:
    """Read the whole file, compare its hashes, and grow the tree from its rows."""
    cutter = row_cutter(row["profile"])
    file, hashed, size = sha256(), sha256(row["salt"] or b""), 0
    for part in _parts(tx, name, row):
        size += len(part)
        file.update(part)
        hashed.update(part)
        for at in range(0, len(part), CUT_BYTES):
            tree.grow(cutter.feed(part[at : at + CUT_BYTES]))
    tree.grow(cutter.finish())
    if size != row["size_bytes"] or file.digest() != row["file_digest"]:
        raise Differs(f"{name}: the stored file is another one.")
    if hashed.digest() != row["hash"]:
        raise Differs(f"{name}: the stored file is not the one that was accepted.")


def _parts(tx: Transaction, name: str, row: dict[str, Any]) -> Iterator[bytes]:
    """The parts of the file: numbered without a gap, each whole but the last one."""
    numbers = [number for (number,) in tx.rows("audit_part_numbers", id=row["id"])]
    if numbers != list(range(len(numbers))):
        raise Differs(f"{name}: parts of its file are missing.")
    for number in numbers:
        part: bytes = tx.rows("version_part", id=row["id"], number=number)[0][0]
        if len(part) > PART_BYTES or (len(part) < PART_BYTES and number != numbers[-1]):
            raise Differs(f"{name}: part {number} of its file has another length.")
        yield part


class _StoredTree:
    """A version's tree built anew, each tile compared with the stored one as it fills."""

    def __init__(self, tx: Transaction, name: str, row: dict[str, Any]) -> None:
        self._tx, self._name, self._row = tx, name, row
        self._tree = GrowingTree()
        self._marks: deque[int] = deque()
        self._tiles = 0

    def grow(self, rows: list[Row]) -> None:
        """Add rows from the file."""
        row = self._row
        leaves: list[bytes] = []
        for number, (offset, data) in enumerate(rows, self._tree.size):
            if number % TILE_WIDTH == 0:
                self._marks.append(offset)
            leaves.append(row_leaf(row["profile"], row_salt(row["secret"], number), data))
        self._extend(leaves)

    def grow_from_leaves(self) -> None:
        """Of an erased file the leaves are all that is left."""
        after = -1
        while rows := self._tx.rows("version_leaves", id=self._row["id"], after=after, limit=64):
            joined = b"".join(row[1] for row in rows)
            self._extend([joined[at : at + 32] for at in range(0, len(joined), 32)])
            after = rows[-1][0]

    def finish(self) -> None:
        """The tiles that aren't full, the number of all, and the root."""
        for tile in self._tree.partial():
            self._compare(*tile)
        if self._tx.rows("audit_count_tiles", id=self._row["id"])[0][0] != self._tiles:
            raise Differs(f"{self._name}: there are tiles that don't belong to its tree.")
        if (self._tree.size, self._tree.root) != (self._row["count"], self._row["root"]):
            raise Differs(f"{self._name}: the root is not that of its rows.")

    def _extend(self, leaves: list[bytes]) -> None:
        for tile in self._tree.extend(leaves):
            self._compare(*tile)

    def _compare(self, level: int, index: int, data: bytes) -> None:
        mark = self._marks.popleft() if level == 0 and self._marks else None
        found = self._tx.row("version_tile", id=self._row["id"], level=level, index=index)
        if found != (data, mark):
            raise Differs(f"{self._name}: tile {level}/{index} is missing or another one.")
        self._tiles += 1
