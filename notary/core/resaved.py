# SPDX-License-Identifier: Apache-2.0
"""
The usual false alarm: a table that was saved again, with the same rows in other bytes.

A diagnosis, never a verification: what was notarised of the file are its bytes.
"""

import codecs
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from notary.core.descriptor import Descriptor
from notary.core.growing_tree import GrowingTree
from notary.core.receipt_subject import row_leaf
from notary.core.row_profiles import row_cutter
from notary.core.rows import MalformedRows

FORMS: Final = ("same-rows", "same-rows-gb18030")
"""In UTF-8 (another BOM, line ends, quotes, blanks between values), or in GB18030."""


def same_rows(descriptor: Descriptor, read: Callable[[], Iterable[bytes]]) -> str | None:
    """
    One of `FORMS` where a file has the rows of a version, else None.

    `read` gives the file in pieces, each time from its beginning. Only of an open dataset:
    elsewhere the leaves can't be computed from the file alone.
    """
    if descriptor.digest is None or descriptor.profile is None or not descriptor.count:
        return None
    for form, pieces in zip(FORMS, (read, lambda: _from_gb18030(read())), strict=True):
        if _has_rows(descriptor, descriptor.profile, pieces()):
            return form
    return None


def _has_rows(descriptor: Descriptor, profile: str, pieces: Iterable[bytes]) -> bool:
    cutter, tree = row_cutter(profile), GrowingTree()
    try:
        for piece in pieces:
            _grow(tree, [row_leaf(profile, b"", row) for _, row in cutter.feed(piece)])
            if tree.size > descriptor.count:
                return False
        _grow(tree, [row_leaf(profile, b"", row) for _, row in cutter.finish()])
    except (MalformedRows, UnicodeDecodeError):
        return False
    return (tree.size, tree.root) == (descriptor.count, descriptor.root)


def _grow(tree: GrowingTree, leaves: list[bytes]) -> None:
    for _ in tree.extend(leaves):
        pass


def _from_gb18030(pieces: Iterable[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("gb18030")()
    for piece in pieces:
        yield decoder.decode(piece).encode()
    yield decoder.decode(b"", final=True).encode()
