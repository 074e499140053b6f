# SPDX-License-Identifier: Apache-2.0
"""
Two sizes of one tree of any size: RFC 9162 section 2.1 as its definitions read.

Only the nodes that a proof between the two needs are there; what lies below them is made up.
Shares no code with the core.
"""

import random
from dataclasses import dataclass
from hashlib import sha256

from tests.core.reference import node, split

MAX_SIZE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Growth:
    """A tree of `old` leaves that grew to `new` ones, 1 <= old < new."""

    old: int
    new: int

    @property
    def old_root(self) -> bytes:
        """The root over the first leaves."""
        return self._old_root(0)

    @property
    def new_root(self) -> bytes:
        """The root over all leaves."""
        return self._root(0, self.new)

    @property
    def path(self) -> list[bytes]:
        """Section 2.1.4.1: the consistency path."""
        return self._subproof(0, self.new, True)

    def _old_root(self, first: int) -> bytes:
        count = self.old - first
        if count & (count - 1) == 0:
            return made_up(first, self.old)
        middle = first + split(count)
        return node(made_up(first, middle), self._old_root(middle))

    def _root(self, first: int, end: int) -> bytes:
        if not first < self.old < end:
            return made_up(first, end)
        middle = first + split(end - first)
        return node(self._root(first, middle), self._root(middle, end))

    def _subproof(self, first: int, end: int, known: bool) -> list[bytes]:
        if self.old == end:
            return [] if known else [made_up(first, end)]
        middle = first + split(end - first)
        if self.old <= middle:
            return [*self._subproof(first, middle, known), self._root(middle, end)]
        return [*self._subproof(middle, end, False), self._root(first, middle)]


def made_up(first: int, end: int) -> bytes:
    """The hash of a subtree whose inside nobody asks for."""
    return sha256(f"{first} {end}".encode()).digest()


def random_pairs(count: int, below: int, seed: int) -> list[tuple[int, int]]:
    """Old and new sizes of all magnitudes, always the same ones; their paths have at most 63."""
    chance = random.Random(seed)
    pairs = []
    while len(pairs) < count:
        new = chance.randrange(2, 2 ** chance.randrange(2, below.bit_length() + 1))
        if 2 <= new <= below:
            pairs.append((chance.randrange(1, new), new))
    return pairs
