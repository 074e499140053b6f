# SPDX-License-Identifier: Apache-2.0
"""Logs that grew, and logs that only pretend to have: for consistency/1 and fork/1."""

from typing import Any

from notary.core.descriptor import descriptor_leaf
from tests.core import reference
from tests.core.maker import City, hexes, make

SIZE = 7
"""Sizes 1, 2 and 4 are whole subtrees of it, 3, 5 and 6 are none."""


def honest(size: int = SIZE) -> City:
    """A log of that many batches."""
    return make(rounds=size)


def liar(at: int, size: int = SIZE) -> City:
    """A log of the same name and key that goes other ways from batch `at` on."""
    city = make(rounds=at)
    for step in range(at, size):
        for source in ("s0", "s1", "s1", "s2"):
            city.accept(source, b'{"lie":%d}' % step)
        city.seal()
    return city


def consistency(
    city: City, old: int, new: int, *, of: City | None = None, **more: Any
) -> dict[str, Any]:
    """A consistency proof; its older checkpoint is that of another log where `of` is given."""
    earlier: dict[str, Any] = more.pop("earlier", {})
    return {
        "v": "consistency/1",
        "old": (of or city).checkpoint(old, **earlier),
        "new": city.checkpoint(new, **more),
        "path": hexes(reference.proof(old, city.log_leaves(new))),
    }


def fork(one: City, two: City, size1: int, size2: int, **more: Any) -> dict[str, Any]:
    """What proves that one log has both; the path is of the second one's."""
    earlier: dict[str, Any] = more.pop("earlier", {})
    return {
        "v": "fork/1",
        "one": one.checkpoint(size1, **earlier),
        "two": two.checkpoint(size2, **more),
        "path": [] if size1 == size2 else hexes(whole_path(two, size1, size2)),
    }


def whole_path(city: City, size1: int, size2: int) -> list[bytes]:
    """The consistency path, the first hash written out where RFC 9162 leaves it to the reader."""
    leaves = city.log_leaves(size2)
    path = reference.proof(size1, leaves)
    return path if size1 & (size1 - 1) else [reference.mth(leaves[:size1]), *path]


def tiles(city: City, level: int, index: int, width: int) -> bytes:
    """The log's tiles, for logs below 256 leaves: level 0 alone."""
    assert (level, index) == (0, 0)
    return b"".join(descriptor_leaf(batch.descriptor) for batch in city.batches[:width])
