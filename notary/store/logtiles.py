# SPDX-License-Identifier: Apache-2.0
"""Trees in the store: a batch's tiles, and the log's hashes as tiles."""

from collections.abc import Iterator

from notary.core.tiles import TILE_HEIGHT, TILE_WIDTH, tiles_of
from notary.core.tree import Tree, root
from notary.store.errors import StoreRefused
from notary.store.pool import Transaction


def read_log_tile(tx: Transaction, level: int, index: int, width: int) -> bytes:
    """
    The first `width` hashes of a tile of the log.

    Raises:
        StoreRefused: some of them are missing.
    """
    start = index * TILE_WIDTH
    row = tx.row("log_hash_tile", level=level, start=start, stop=start + width)
    data = bytes(row[0]) if row and row[0] is not None else b""
    if len(data) != 32 * width:
        raise StoreRefused(f"Hashes of the log are missing in tile {level}/{index}.")
    return data


def append_leaf(tx: Transaction, index: int, leaf: bytes) -> None:
    """
    Append a leaf to the log's hashes, with the roots of the subtrees that it completes.

    Requires the log's row to be locked and `index` to be its size.
    """
    level, hash_ = 0, leaf
    while True:
        tx.do("add_log_hash", level=level, index=index, hash=hash_)
        if (index + 1) % TILE_WIDTH:
            return
        index = index // TILE_WIDTH
        tile = read_log_tile(tx, level, index, TILE_WIDTH)
        hash_ = root([tile[at : at + 32] for at in range(0, len(tile), 32)])
        level += 1


def stored_tiles(tree: Tree) -> Iterator[tuple[int, int, bytes, bytes]]:
    """
    A batch's tree as it is kept: level, index, hashes, and the roots over each 16 of them.

    Only complete subtrees have one, so a last tile may have fewer than 16, or none.
    """
    half = TILE_HEIGHT // 2
    for level, index, data in tiles_of(tree):
        roots = tree.complete(level * TILE_HEIGHT + half)
        start = index * (TILE_WIDTH >> half)
        yield level, index, data, b"".join(roots[start : start + (TILE_WIDTH >> half)])
