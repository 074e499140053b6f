# SPDX-License-Identifier: Apache-2.0
"""
Whether a copy has the rows that were notarised, though its bytes are others: quotes, blanks between
values, line ends of several sorts. docs/spec/resaved.md, rule 8.
"""

from collections.abc import Callable, Iterable
from typing import Final

from notary.core.descriptor import Descriptor
from notary.core.growing_tree import GrowingTree
from notary.core.receipt_subject import row_leaf
from notary.core.resaved import Read, written
from notary.core.row_profiles import row_cutter
from notary.core.rows import MalformedRows

FORMS: Final = (("same-rows", "", ""), ("same-rows-gb18030", "gb18030", "utf-8"))
"""The reason, and how the copy is read and written."""


def same_rows(descriptor: Descriptor, read: Read) -> str | None:
    """
    The reason where a file has the rows of a version, else None.

    Only of an open dataset: elsewhere the leaves can't be computed from the file alone.
    """
    profile, count = descriptor.profile, descriptor.count
    if descriptor.digest is None or profile is None or not count:
        return None
    wanted = (count, descriptor.root)
    # resaved.md, step 2: as many rows, and the same root.
    return _first(read, lambda pieces: _tree(profile, pieces, count) == wanted)


def same_row(profile: str, row: bytes, read: Read) -> str | None:
    """The reason where a file is this one row, perhaps as it stands in a table, else None."""
    # resaved.md, step 2: one row, and the same.
    return _first(read, lambda pieces: _rows(profile, pieces, 1) == [row])


def _first(read: Read, fits: Callable[[Iterable[bytes]], bool]) -> str | None:
    for reason, source, target in FORMS:
        try:
            if fits(written(read(), source, target)):
                return reason
        except (MalformedRows, UnicodeError):
            continue
    return None


def _tree(profile: str, pieces: Iterable[bytes], most: int) -> tuple[int, bytes]:
    """Number of rows and root over them; given up where they are more than `most`."""
    cutter, tree = row_cutter(profile), GrowingTree()
    for piece in pieces:
        _grow(tree, [row_leaf(profile, b"", row) for _, row in cutter.feed(piece)])
        if tree.size > most:
            return tree.size, b""
    _grow(tree, [row_leaf(profile, b"", row) for _, row in cutter.finish()])
    return tree.size, tree.root


def _rows(profile: str, pieces: Iterable[bytes], most: int) -> list[bytes]:
    """The rows, but not many more than `most`."""
    cutter, rows = row_cutter(profile), list[bytes]()
    for piece in pieces:
        rows += [row for _, row in cutter.feed(piece)]
        if len(rows) > most:
            return rows
    return rows + [row for _, row in cutter.finish()]


def _grow(tree: GrowingTree, leaves: list[bytes]) -> None:
    list(tree.extend(leaves))  # the tiles that it completes are nobody's here
