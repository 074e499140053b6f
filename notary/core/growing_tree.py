# SPDX-License-Identifier: Apache-2.0
"""
A tree that grows leaf by leaf in bounded memory (RFC 9162 section 2.1).

Tiles are handed out as they fill (notary/core/tiles.py). Of each level only the last,
partial tile is kept: 8 KiB for each factor of 256 in the number of leaves.
"""

from collections.abc import Iterator, Sequence

from notary.core.hashing import EMPTY_ROOT, RootHash
from notary.core.tiles import TILE_WIDTH
from notary.core.tree import root

Tile = tuple[int, int, bytes]
"""Level, index, and its hashes one after another."""


class GrowingTree:
    """Leaves come in order and are 32 bytes each; nothing is ever taken back."""

    def __init__(self) -> None:
        self.size = 0
        self._levels: list[list[bytes]] = [[]]
        self._full: list[int] = [0]

    def extend(self, leaves: Sequence[bytes]) -> Iterator[Tile]:
        """
        Add leaves; the tiles that are full with them, lower levels first.

        Requires the iterator to be run to its end.

        Raises:
            MalformedProof: a leaf is not 32 bytes.
        """
        place = 0
        while place < len(leaves):
            free = TILE_WIDTH - len(self._levels[0])
            added = leaves[place : place + free]
            self._levels[0].extend(added)
            self.size += len(added)
            place += free
            yield from self._carry()

    def _carry(self) -> Iterator[Tile]:
        level = 0
        while len(self._levels[level]) == TILE_WIDTH:
            hashes, self._levels[level] = self._levels[level], []
            yield level, self._full[level], b"".join(hashes)
            self._full[level] += 1
            level += 1
            if level == len(self._levels):
                self._levels.append([])
                self._full.append(0)
            self._levels[level].append(root(hashes))

    def partial(self) -> Iterator[Tile]:
        """The last tile of each level that has some hashes and isn't full."""
        for level, hashes in enumerate(self._levels):
            if hashes:
                yield level, self._full[level], b"".join(hashes)

    @property
    def root(self) -> RootHash:
        """The 32-byte root over the leaves so far; of none, the hash of nothing."""
        if not self.size:
            return EMPTY_ROOT
        # What isn't complete on a level is one node more on the level above, the last one.
        top: list[bytes] = []
        for hashes in self._levels:
            below: list[bytes] = [root(top)] if top else []
            top = hashes + below
        return root(top)
