# SPDX-License-Identifier: Apache-2.0
"""What pages and the API show of versions. Decides nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from notary.ledgers.port import Ledger
from notary.store.pool import Pool
from notary.usecases.datasets import DatasetFacts
from notary.usecases.look import states
from notary.usecases.prove_versions import kept_version, read_row
from notary.usecases.rights import NotFound
from notary.usecases.version_upload import PART_BYTES
from notary.usecases.versions import get_version


def list_versions(
    pool: Pool, dataset: DatasetFacts, before: int | None, limit: int
) -> list[dict[str, Any]]:
    """Versions, the newest first, beginning below `before`."""
    with pool.transaction(read_only=True) as tx:
        return tx.maps("list_versions", dataset=dataset.id, before=before, limit=limit)


def find_versions(pool: Pool, digest: bytes, limit: int) -> list[dict[str, Any]]:
    """Versions in open datasets whose file has this SHA-256; of a dataset the newest first."""
    with pool.transaction(read_only=True) as tx:
        return tx.maps("find_versions", digest=digest, limit=limit)


def show_version(
    pool: Pool, ledgers: Sequence[Ledger], dataset: DatasetFacts, version: int
) -> dict[str, Any]:
    """One version with its states. Raises NotFound."""
    with pool.transaction(read_only=True) as tx:
        row = get_version(tx, dataset, version)
        return {**row, "states": states(tx, ledgers, row)}


def get_row(pool: Pool, dataset: DatasetFacts, version: int, number: int) -> tuple[str, bytes]:
    """The profile and the bytes of a row. Raises NotFound, StoreDamaged."""
    with pool.transaction(read_only=True) as tx:
        row = kept_version(tx, dataset, version)
        return row["profile"], read_row(tx, row, number)


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A version's file; each part is read in a transaction of its own."""

    pool: Pool
    id: int
    profile: str
    size_bytes: int
    digest: bytes

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` on, before `stop`."""
        while start < stop:
            number, skip = divmod(start, PART_BYTES)
            with self.pool.transaction(read_only=True) as tx:
                rows = tx.rows("version_part", id=self.id, number=number)
            piece = rows[0][0][skip : skip + stop - start] if rows else b""
            if not piece:
                # Erased while it was read: the connection ends short of what was said.
                raise NotFound("The file is not kept here any more.")
            yield piece
            start += len(piece)


def open_file(pool: Pool, dataset: DatasetFacts, version: int) -> KeptFile:
    """The file of a version. Raises NotFound."""
    with pool.transaction(read_only=True) as tx:
        row = kept_version(tx, dataset, version)
    return KeptFile(pool, row["id"], row["profile"], row["size_bytes"], row["file_digest"])
