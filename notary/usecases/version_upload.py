# SPDX-License-Identifier: Apache-2.0
"""
An upload under way: the file's parts and its tree are written as they come, in bounded
memory, under an id that counts for nothing yet.

A crash leaves parts and tiles of an upload that nobody touches any more; they are swept
away (`sweep_uploads`).
"""

import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from struct import pack

from notary.core.errors import NotaryError
from notary.core.growing_tree import GrowingTree
from notary.core.ndjson_rows import is_array
from notary.core.receipt import row_leaf
from notary.core.row_profiles import row_cutter, row_salt
from notary.core.rows import Row
from notary.core.tiles import TILE_WIDTH
from notary.store import binary
from notary.store.pool import Pool, Transaction

PART_BYTES = 1 << 20
CUT_BYTES = 1 << 16
"""So much of a part is cut at a time: a row takes far more memory than its byte of file."""
MAX_ROWS = (1 << 31) - 1
PROFILES = {
    "text/csv": "csv-v1",
    "application/x-ndjson": "ndjson-v1",
    "application/ndjson": "ndjson-v1",
    "application/jsonl": "ndjson-v1",
}
JSON = ("application/json", "text/json")
"""The second was never registered, and is common."""


class UploadLost(NotaryError):
    """The upload was swept away, for nothing came for too long; send the file again."""

    code = "upload-lost"


class FileTooLarge(NotaryError):
    """The file is larger than this notary takes."""

    code = "file-too-large"


def profile_of(type_: str, beginning: bytes) -> str:
    """How a file of a media type is cut; JSON that isn't an array has no rows."""
    if type_ in JSON:
        return "ndjson-v1" if is_array(beginning) else "none"
    return PROFILES.get(type_, "none")


def in_parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pieces of any size as parts of exactly 1 MiB, the last one shorter; none is empty."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= PART_BYTES:
            yield bytes(held[:PART_BYTES])
            del held[:PART_BYTES]
    if held:
        yield bytes(held)


class Upload:
    """One file on its way in. `profile` is known once the first part came."""

    def __init__(self, pool: Pool, dataset: int, *, is_open: bool, now: datetime) -> None:
        self._pool = pool
        self.salt = None if is_open else secrets.token_bytes(32)
        self.secret = None if is_open else secrets.token_bytes(32)
        self._file = sha256()
        self._hash = sha256(self.salt or b"")
        self._tree = GrowingTree()
        self._marks: deque[int] = deque()
        self._parts = 0
        self.profile = "none"
        self.size_bytes = 0
        with pool.transaction() as tx:
            self.id: int = tx.rows("begin_upload", dataset=dataset, now=now)[0][0]

    @property
    def count(self) -> int:
        """The number of rows so far."""
        return self._tree.size

    @property
    def root(self) -> bytes:
        """The root over the rows so far."""
        return self._tree.root

    @property
    def file_digest(self) -> bytes:
        """SHA-256 of the file so far."""
        return self._file.digest()

    @property
    def hash(self) -> bytes:
        """What the descriptor says of the file: digest, or commitment with the salt."""
        return self._hash.digest()

    def write(
        self, pieces: Iterable[bytes], type_: str, limit: int, clock: Callable[[], datetime]
    ) -> None:
        """
        Take in the whole file, piece by piece; each part is durable before the next is asked
        for, and touches the upload.

        Raises:
            FileTooLarge: it has more than `limit` bytes.
            MalformedRows: its media type says that it is a table, and it can't be cut.
            UploadLost: it was swept away meanwhile.
        """
        cutter = row_cutter("none")
        for part in in_parts(pieces):
            if self._parts == 0:
                self.profile = profile_of(type_, part)
                cutter = row_cutter(self.profile)
            self.size_bytes += len(part)
            if self.size_bytes > limit:
                raise FileTooLarge(limit=limit)
            self._file.update(part)
            self._hash.update(part)
            tiles: list[bytes] = []
            for at in range(0, len(part), CUT_BYTES):
                tiles += self._grow(cutter.feed(part[at : at + CUT_BYTES]))
            with self._pool.transaction() as tx:
                self._touch(tx, clock())
                tx.do("add_version_part", id=self.id, number=self._parts, data=part)
                _copy(tx, tiles)
            self._parts += 1
        if self._parts == 0:
            self.profile = PROFILES.get(type_, "none")
        tiles = list(self._grow(cutter.finish()))
        tiles += [self._tile(*tile) for tile in self._tree.partial()]
        with self._pool.transaction() as tx:
            self._touch(tx, clock())
            _copy(tx, tiles)

    def _touch(self, tx: Transaction, now: datetime) -> None:
        """Hold the upload against a sweep and an erasure, which take all that it left."""
        if tx.do("touch_upload", id=self.id, now=now) == 0:
            raise UploadLost()

    def _grow(self, rows: list[Row]) -> Iterator[bytes]:
        """Add rows to the tree; the tiles that they fill."""
        first = self._tree.size
        if first + len(rows) > MAX_ROWS:
            raise FileTooLarge(limit=MAX_ROWS)
        leaves = []
        for number, (offset, row) in enumerate(rows, first):
            if number % TILE_WIDTH == 0:
                self._marks.append(offset)
            leaves.append(row_leaf(self.profile, row_salt(self.secret, number), row))
        for tile in self._tree.extend(leaves):
            yield self._tile(*tile)

    def _tile(self, level: int, index: int, data: bytes) -> bytes:
        mark = self._marks.popleft() if level == 0 else None
        fields = (
            binary.int8(self.id),
            binary.int2(level),
            binary.int4(index),
            binary.data(data),
            binary.NULL if mark is None else binary.int8(mark),
        )
        return pack(">h", len(fields)) + b"".join(fields)

    def abandon(self) -> None:
        """Leave nothing of it."""
        with self._pool.transaction() as tx:
            tx.do("abandon_uploads", id=self.id, before=None)


def _copy(tx: Transaction, tiles: list[bytes]) -> None:
    if tiles:
        tx.copy("copy_version_tiles", binary.table(tiles))


def sweep_uploads(pool: Pool, before: datetime) -> int:
    """Remove uploads that nobody touched since a time; how many they were."""
    with pool.transaction() as tx:
        return len(tx.rows("abandon_uploads", id=None, before=before))
