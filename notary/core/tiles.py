# SPDX-License-Identifier: Apache-2.0
"""
Trees as tiles (C2SP tlog-tiles): names, entry bundles, and proofs read from tiles.

A tile is up to 256 hashes of 32 bytes, one after another. Hash i of tile n at level l is
the root over the 256^l leaves from (n * 256 + i) * 256^l on; only complete subtrees have
one. A tile with fewer than 256 hashes is partial, and is named with its width:

    tile/<level>/<index>[.p/<width>]       tile/entries/<index>[.p/<width>]

An index is written in groups of three digits, all but the last with an x before:
1234067 is x001/x234/067. An entry bundle holds the data of the leaves of one level 0
tile, each with its length before it as a big-endian 16-bit number.
"""

import re
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Final, Protocol

from notary.core.errors import MalformedProof, MalformedTile
from notary.core.hashing import EMPTY_ROOT, HASH_BYTES, RootHash, node_hash
from notary.core.tree import (
    MAX_SIZE,
    Node,
    Tree,
    consistency_nodes,
    inclusion_nodes,
    parents,
)

TILE_WIDTH: Final = 256
TILE_HEIGHT: Final = 8
MAX_LEVEL: Final = 63
MAX_ENTRY_BYTES: Final = 0xFFFF

Cache = MutableMapping[tuple[int, int, int], list[list[bytes]]]
"""Tiles by level, index and width, each with inner levels: of one tree, at any size."""

_LENGTH_BYTES: Final = 2
_INDEX_AND_WIDTH: Final = r"((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
_TILE: Final = re.compile(r"tile/(0|[1-9][0-9]?)/" + _INDEX_AND_WIDTH)
_ENTRIES: Final = re.compile(r"tile/entries/" + _INDEX_AND_WIDTH)


class TileReader(Protocol):
    """Whoever has the tiles of one tree."""

    def __call__(self, level: int, index: int, width: int) -> bytes:
        """
        Return exactly the first `width` hashes of a tile, 32 bytes each.

        A reader that has a wider tile cuts it. What it raises goes through to the caller.
        """


def tile_path(level: int, index: int, width: int) -> str:
    """
    Name a tile.

    Requires 0 <= level <= 63, 0 <= index < 2^63, 1 <= width <= 256 (256: a full tile).

    Raises:
        MalformedTile: there can be no such tile.
    """
    if type(level) is not int or not 0 <= level <= MAX_LEVEL:
        raise MalformedTile("the level of a tile is 0 to 63")
    return f"tile/{level}/{_index_and_width(index, width)}"


def parse_tile_path(text: str) -> tuple[int, int, int]:
    """
    Read the name of a tile: its level, index and width.

    Raises:
        MalformedTile: it is not what `tile_path` writes.
    """
    match = _TILE.fullmatch(text)
    if not match:
        raise MalformedTile("not the name of a tile")
    level, index, width = int(match[1]), _index(match[2]), _width(match[3])
    if tile_path(level, index, width) != text:
        raise MalformedTile("the name of a tile has one canonical form")
    return level, index, width


def entries_path(index: int, width: int) -> str:
    """
    Name an entry bundle. Requires 0 <= index < 2^63 and 1 <= width <= 256.

    Raises:
        MalformedTile: there can be no such bundle.
    """
    return f"tile/entries/{_index_and_width(index, width)}"


def parse_entries_path(text: str) -> tuple[int, int]:
    """
    Read the name of an entry bundle: its index and width.

    Raises:
        MalformedTile: it is not what `entries_path` writes.
    """
    match = _ENTRIES.fullmatch(text)
    if not match:
        raise MalformedTile("not the name of an entry bundle")
    index, width = _index(match[1]), _width(match[2])
    if entries_path(index, width) != text:
        raise MalformedTile("the name of an entry bundle has one canonical form")
    return index, width


def format_bundle(entries: Sequence[bytes]) -> bytes:
    """
    Write an entry bundle: 1 to 256 entries of at most 65,535 bytes.

    Raises:
        MalformedTile: there are more or none, or one is longer.
    """
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise MalformedTile("a bundle has 1 to 256 entries")
    if max(map(len, entries)) > MAX_ENTRY_BYTES:
        raise MalformedTile("an entry has at most 65,535 bytes")
    return b"".join(len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries)


def parse_bundle(data: bytes) -> list[bytes]:
    """
    Read an entry bundle.

    Raises:
        MalformedTile: it is not what `format_bundle` writes.
    """
    entries: list[bytes] = []
    place = 0
    while place < len(data):
        start = place + _LENGTH_BYTES
        place = start + int.from_bytes(data[place:start], "big")
        entries.append(data[start:place])
    if place != len(data) or not 1 <= len(entries) <= TILE_WIDTH:
        raise MalformedTile("not a bundle of 1 to 256 whole entries")
    return entries


def widths(size: int) -> list[tuple[int, int]]:
    """
    Count the tiles of a tree: for each level, the full ones and the width of the partial one.

    A width of 0 means that there is no partial tile. Requires 0 <= size < 2^63.

    Raises:
        MalformedProof: there can be no tree of that size.
    """
    _check_size(size)
    counts = []
    while size:
        counts.append(divmod(size, TILE_WIDTH))
        size //= TILE_WIDTH
    return counts


def tiles_of(leaves: Sequence[bytes] | Tree) -> Iterator[tuple[int, int, bytes]]:
    """
    Cut a whole tree into its tiles, full and partial: (level, index, hashes).

    Give the `Tree` where there is one already; otherwise it is built from the leaf hashes.

    Raises:
        MalformedProof: a leaf is not 32 bytes.
    """
    tree = leaves if isinstance(leaves, Tree) else Tree(leaves)
    for level in range(len(widths(tree.size))):
        hashes = tree.complete(level * TILE_HEIGHT)
        for start in range(0, len(hashes), TILE_WIDTH):
            yield level, start // TILE_WIDTH, b"".join(hashes[start : start + TILE_WIDTH])


def root_from_tiles(read: TileReader, size: int, *, cache: Cache | None = None) -> RootHash:
    """
    Compute the root of a tree of `size` leaves from its tiles, each read at most once.

    A tile is believed here: the caller compares the root with a signed one. `cache`, any
    mapping, keeps tiles from call to call; one serves all sizes of one tree and no other.
    Requires 0 <= size < 2^63.

    Raises:
        MalformedProof: there can be no tree of that size.
        MalformedTile: a tile has another length than asked for.
    """
    _check_size(size)
    if size == 0:
        return EMPTY_ROOT
    return RootHash(_Nodes(read, size, cache).hash(((size - 1).bit_length(), 0)))


def inclusion_path_from_tiles(
    read: TileReader,
    index: int,
    size: int,
    *,
    cache: Cache | None = None,
    height: int = TILE_HEIGHT,
) -> list[bytes]:
    """
    The same as `tree.inclusion_path` in a tree of `size` leaves, read from its tiles.

    Each tile is read at most once. `cache` as in `root_from_tiles`. A store may cut its
    trees into lower tiles (2^height hashes, level l over (2^height)^l leaves each), of
    which a path needs more, and fewer hashes in all.
    Requires 0 <= index < size < 2^63 and height >= 1.

    Raises:
        MalformedProof: there is no such leaf.
        MalformedTile: a tile has another length than asked for.
    """
    nodes = inclusion_nodes(index, size)
    return list(map(_Nodes(read, size, cache, height).hash, nodes))


def consistency_path_from_tiles(
    read: TileReader, size1: int, size2: int, *, cache: Cache | None = None
) -> list[bytes]:
    """
    The same as `tree.consistency_path` in a tree of `size2` leaves, read from its tiles.

    Each tile is read at most once. `cache` as in `root_from_tiles`.
    Requires 1 <= size1 <= size2 < 2^63.

    Raises:
        MalformedProof: there was no tree of the smaller size.
        MalformedTile: a tile has another length than asked for.
    """
    return hashes_from_tiles(read, consistency_nodes(size1, size2), size2, cache=cache)


def hashes_from_tiles(
    read: TileReader, nodes: Sequence[Node], size: int, *, cache: Cache | None = None
) -> list[bytes]:
    """
    The hashes of nodes of a tree of `size` leaves, (level, index) each, read from its tiles.

    Each tile is read at most once. `cache` as in `root_from_tiles`. Requires each node to be
    one of that tree: index << level < size.

    Raises:
        MalformedTile: a tile has another length than asked for.
    """
    return list(map(_Nodes(read, size, cache).hash, nodes))


class _Nodes:
    """The nodes of a tree of one size, each computed from tiles when it is asked for."""

    def __init__(
        self, read: TileReader, size: int, cache: Cache | None, height: int = TILE_HEIGHT
    ) -> None:
        self._read = read
        self._size = size
        self._height = height
        self._tiles: Cache = {} if cache is None else cache

    def hash(self, node: Node) -> bytes:
        level, index = node
        if (index + 1) << level <= self._size:
            return self._complete_hash(node)
        # On the right edge: the left child is complete, the right one smaller or missing.
        left, right = (level - 1, 2 * index), (level - 1, 2 * index + 1)
        if right[1] << right[0] >= self._size:
            return self.hash(left)
        return node_hash(self._complete_hash(left), self.hash(right))

    def _complete_hash(self, node: Node) -> bytes:
        tile_level, height = divmod(node[0], self._height)
        index, place = divmod(node[1], 1 << (self._height - height))
        levels = self._levels(tile_level, index)
        while len(levels) <= height:
            levels.append(parents(levels[-1]))
        return levels[height][place]

    def _levels(self, level: int, index: int) -> list[list[bytes]]:
        """The hashes of a tile, and above them as many inner levels as were asked for."""
        hashes = self._size >> (level * self._height)
        width = min(1 << self._height, hashes - (index << self._height))
        levels = self._tiles.get((level, index, width))
        if levels is None:
            tile = self._read(level, index, width)
            if type(tile) is not bytes or len(tile) != width * HASH_BYTES:
                raise MalformedTile(
                    "a tile of another length than asked for", level=level, index=index, width=width
                )
            levels = [[tile[i : i + HASH_BYTES] for i in range(0, len(tile), HASH_BYTES)]]
            self._tiles[level, index, width] = levels
        return levels


def _check_size(size: object) -> None:
    if type(size) is not int or not 0 <= size <= MAX_SIZE:
        raise MalformedProof("the size of a tree is a whole number below 2^63")


def _index_and_width(index: int, width: int) -> str:
    if type(index) is not int or not 0 <= index <= MAX_SIZE:
        raise MalformedTile("the index of a tile is a whole number below 2^63")
    if type(width) is not int or not 1 <= width <= TILE_WIDTH:
        raise MalformedTile("the width of a tile is 1 to 256")
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03d}")
    return "/".join(groups) + (f".p/{width}" if width < TILE_WIDTH else "")


def _index(groups: str) -> int:
    return int(groups.replace("x", "").replace("/", ""))


def _width(text: str | None) -> int:
    return int(text) if text else TILE_WIDTH
