# SPDX-License-Identifier: Apache-2.0
"""A table that was saved again is told from one that was changed."""

from collections.abc import Iterator

import pytest

from notary.core.descriptor import Descriptor, parse_descriptor
from notary.core.receipt import row_leaf
from notary.core.resaved import same_rows
from notary.core.tree import root
from tests.core.maker import make
from tests.vectors.generate_rows import csv_row

ROWS = [csv_row("站", "name"), csv_row("1", "a, b"), csv_row("2", "")]
FILE = '站,name\r\n1,"a, b"\r\n2,\r\n'


def descriptor(is_open: bool = True, rows: list[bytes] | None = None) -> Descriptor:
    """That of a version with these rows."""
    city = make(is_open)
    batch = city.seal_version(ROWS if rows is None else rows, FILE.encode())
    found = parse_descriptor(batch.descriptor)
    if is_open and found.count:
        assert found.root == root([row_leaf("csv-v1", b"", row) for row in rows or ROWS])
    return found


def told(found: Descriptor, file: bytes, step: int = 5) -> str | None:
    """What is said of a file that comes in pieces."""

    def read() -> Iterator[bytes]:
        return (file[at : at + step] for at in range(0, len(file), step))

    return same_rows(found, read)


SAVED = {
    "as it was": (FILE.encode(), "same-rows"),
    "with a BOM": (FILE.encode("utf-8-sig"), "same-rows"),
    "line feeds": (FILE.replace("\r", "").encode(), "same-rows"),
    "no last line end": (FILE.rstrip().encode(), "same-rows"),
    "quotes everywhere": ('"站","name"\n"1","a, b"\n"2",""\n'.encode(), "same-rows"),
    "GB18030": (FILE.encode("gb18030"), "same-rows-gb18030"),
    "a cell changed": (FILE.replace("a, b", "a, c").encode(), None),
    "a cell changed in GB18030": (FILE.replace("a, b", "a, c").encode("gb18030"), None),
    "a row more": (FILE.encode() + b"3,\r\n", None),
    "a row less": (FILE.encode()[:-4], None),
    "rows in another order": ('站,name\n2,\n1,"a, b"\n'.encode(), None),
    "blanks around cells": (FILE.replace(",", ", ").encode(), None),
    "UTF-16": (FILE.encode("utf-16"), None),
    "not cut": (b'a"b\n', None),
    "a character cut": (FILE.encode("gb18030") + b"\x81", None),
    "nothing": (b"", None),
}


@pytest.mark.parametrize("how", SAVED)
def test_a_table_saved_again_is_told_from_a_changed_one(how: str) -> None:
    """In whatever pieces it comes."""
    file, want = SAVED[how]
    assert [told(descriptor(), file, step) for step in (1, 7, 1000)] == [want] * 3


def test_nothing_is_said_where_rows_cannot_be_computed() -> None:
    """In a dataset that isn't open, of a version without rows, of a batch of records."""
    assert told(descriptor(is_open=False), FILE.encode()) is None
    assert told(descriptor(rows=[]), b"") is None
    records = parse_descriptor(make().receipt()["descriptor"])
    assert told(records, FILE.encode()) is None
