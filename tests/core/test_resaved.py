# SPDX-License-Identifier: Apache-2.0
"""What was saved again is told from what was changed: byte for byte led back, or row for row."""

import hashlib
import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from notary.core.descriptor import Descriptor, parse_descriptor
from notary.core.receipt import row_leaf
from notary.core.resaved import CHANGES, Read, lead_back
from notary.core.resaved_rows import same_row, same_rows
from notary.core.tree import root
from tests.core.maker import make
from tests.vectors import generate_resaved
from tests.vectors.generate_rows import csv_row

VECTORS = Path(generate_resaved.__file__).parent / "resaved.json"
TEXT = VECTORS.read_text(encoding="utf-8")
CASES = json.loads(TEXT)["cases"]

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


def pieces(file: bytes, step: int) -> Read:
    """A file that comes in pieces."""

    def read() -> Iterator[bytes]:
        return (file[at : at + step] for at in range(0, len(file), step))

    return read


def told(found: Descriptor, file: bytes, step: int = 5) -> str | None:
    """What is said of a file that comes in pieces."""
    return same_rows(found, pieces(file, step))


def test_the_generator_reproduces_the_file() -> None:
    """So every copy can be read where it is made."""
    assert generate_resaved.build() == TEXT


def test_every_word_is_told_of_some_copy_and_most_copies_have_none_or_one() -> None:
    """In an open dataset and in a closed one; nothing is told of what was changed."""
    words = {word for case in CASES for word in case["changes"] or ()}
    assert words == set(CHANGES)
    assert len({case["desc"] for case in CASES}) == len(CASES)
    assert sum(case["changes"] is None for case in CASES) >= 50


@pytest.mark.parametrize("step", [1, 2, 7, 100_000])
def test_a_copy_is_led_back_as_its_case_says(step: int) -> None:
    """In whatever pieces it comes."""
    for case in CASES:
        wanted, salt = bytes.fromhex(case["wanted"]), bytes.fromhex(case["salt"])
        changes = lead_back(wanted, salt, pieces(b64decode(case["copy"]), step))
        assert (case["desc"], changes and list(changes)) == (case["desc"], case["changes"])


def test_what_was_not_saved_again_needs_no_word() -> None:
    """The copy itself is the original: that is for the verification to say, not for this."""
    for case in CASES:
        copy = b64decode(case["copy"])
        wanted = hashlib.sha256(copy).digest()
        assert lead_back(wanted, b"", pieces(copy, 100_000)) == ()


ROW = csv_row("1", "a, b")


@pytest.mark.parametrize(
    ("file", "want"),
    [
        (b'1,"a, b"', "same-rows"),
        (b'"1","a, b"\r\n', "same-rows"),
        (b'1,"a, b"\n2,\n', None),
        (b"1,a\n" * 20_000, None),
        (b'1,"a, c"\n', None),
        (b"", None),
        (b'a"b\n', None),
    ],
)
def test_a_row_as_it_stands_in_a_table_is_told(file: bytes, want: str | None) -> None:
    """One row and no more, however it is quoted."""
    assert [same_row("csv-v1", ROW, pieces(file, step)) for step in (3, 100_000)] == [want] * 2


def test_a_row_in_gb18030_is_told() -> None:
    """As a spreadsheet program writes it."""
    row = csv_row("站", "温度")
    assert same_row("csv-v1", row, pieces("站,温度\n".encode("gb18030"), 3)) == "same-rows-gb18030"


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
