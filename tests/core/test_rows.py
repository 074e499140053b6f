# SPDX-License-Identifier: Apache-2.0
"""Files are cut into rows as docs/spec/rows-v1.md says, however they arrive."""

import csv
import io
import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.core.csv_rows import csv_cells
from notary.core.errors import MalformedText
from notary.core.ndjson_rows import is_array
from notary.core.receipt import row_leaf
from notary.core.row_profiles import cutter_from, row_cutter, row_salt
from notary.core.rows import MAX_CELLS, MAX_ROW_BYTES, MalformedRows, Row, RowCutter
from notary.core.tree import root
from tests.vectors import generate_rows

TEXT = (Path(generate_rows.__file__).parent / "rows.json").read_text()
CASES: list[dict[str, Any]] = json.loads(TEXT)


def cut(cutter: RowCutter, file: bytes, step: int = 1 << 20) -> list[Row]:
    """All rows of a file that comes in parts of `step` bytes."""
    rows: list[Row] = []
    for at in range(0, len(file), step):
        rows += cutter.feed(file[at : at + step])
    return rows + cutter.finish()


def test_the_generator_reproduces_the_file() -> None:
    """So every case can be read where it is made."""
    assert generate_rows.build() == TEXT
    assert len({case["desc"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("step", [1, 2, 3, 1000])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["desc"])
def test_each_case_ends_as_it_says(case: dict[str, Any], step: int) -> None:
    """With its rows, leaves and root, or refused at that row and byte, in parts of any size."""
    file, cutter = b64decode(case["file"]), row_cutter(case["profile"])
    if case["wantErr"] is not None:
        with pytest.raises(MalformedRows) as refusal:
            cut(cutter, file, step)
        facts = refusal.value.facts
        assert refusal.value.code == case["wantErr"]
        want = (case["reason"], case["row"], case["offset"])
        assert (facts["reason"], facts["row"], facts["offset"]) == want
        return
    rows = cut(cutter, file, step)
    assert [row.hex() for _, row in rows] == case["rows"]
    secret = None if case["secret"] is None else bytes.fromhex(case["secret"])
    leaves = [
        row_leaf(case["profile"], row_salt(secret, number), row)
        for number, (_, row) in enumerate(rows)
    ]
    assert [leaf.hex() for leaf in leaves] == case["leaves"]
    assert root(leaves).hex() == case["root"]


VALID = [case for case in CASES if case["wantErr"] is None and case["rows"]]


@pytest.mark.parametrize("case", VALID, ids=lambda case: case["desc"])
def test_each_row_is_cut_again_from_where_it_begins(case: dict[str, Any]) -> None:
    """Without what lies before it."""
    file, profile = b64decode(case["file"]), case["profile"]
    rows = cut(row_cutter(profile), file)
    in_array = is_array(file) is True
    for number, (offset, _) in enumerate(rows):
        again = cutter_from(profile, number, offset, in_array=in_array)
        assert cut(again, file[offset:], 2) == rows[number:]


CELLS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=6)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=4)), st.integers(1, 9), st.booleans())
def test_csv_is_read_as_the_standard_library_reads_it(
    table: list[list[str]], step: int, is_unix: bool
) -> None:
    """Whatever its writer wrote, the cells are the same."""
    if is_unix:  # then the writer leaves a CR bare, which we refuse
        table = [[cell.replace("\r", "") for cell in cells] for cells in table]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n" if is_unix else "\r\n")
    writer.writerows(table)
    file = out.getvalue().encode()
    rows = cut(row_cutter("csv-v1"), b"\xef\xbb\xbf" + file, step)
    assert [csv_cells(row) for _, row in rows] == table
    assert table == list(csv.reader(io.StringIO(out.getvalue(), newline=""))) or [""] in table


SCALARS = st.none() | st.booleans() | st.integers() | st.text('ab"\\[]{},: é温😀', max_size=5)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.lists(JSON), st.integers(1, 9))
def test_an_array_and_its_lines_have_the_same_rows(values: list[object], step: int) -> None:
    """Each row is the exact text of its value."""
    values = [value for value in values if "\\u0000" not in json.dumps(value)]
    texts = [json.dumps(value, ensure_ascii=False).encode() for value in values]
    array = b"[" + b" ,\n".join(texts) + b"]\n"
    assert [row for _, row in cut(row_cutter("ndjson-v1"), array, step)] == texts
    lines = b"0\n" + b"\n".join(texts)
    assert [row for _, row in cut(row_cutter("ndjson-v1"), lines, step)] == [b"0", *texts]


@pytest.mark.parametrize("step", [1 << 20, (1 << 20) - 1, 5 << 20])
@pytest.mark.parametrize(
    ("profile", "head", "fill", "tail"),
    [
        ("csv-v1", b"a,b\n", b"x", b"\r\n"),
        ("csv-v1", b"a,b\n", b"x", b""),
        ("csv-v1", b"a,b\n", b"\n", b'"'),
        ("ndjson-v1", b"1\n", b"1", b"\n"),
        ("ndjson-v1", b"[1,", b"1", b"]"),
        ("ndjson-v1", b"[1,", b" ", b"]"),
    ],
)
def test_a_row_is_bounded(profile: str, head: bytes, fill: bytes, tail: bytes, step: int) -> None:
    """One byte too many is refused with its row and place, however the file arrives."""
    start = {b"\n": b'"', b" ": b'"'}.get(fill, b"")
    end = b'"' if start else b""
    size = MAX_ROW_BYTES - len(start + end)
    if fill == b"1":  # a number has at most 400 digits
        start, end, size = b'"', b'"', MAX_ROW_BYTES - 2
    tail = b"" if tail == b'"' else tail
    good = head + start + fill * size + end + tail
    assert len(cut(row_cutter(profile), good, step)) == 2
    with pytest.raises(MalformedRows) as refusal:
        cut(row_cutter(profile), head + start + fill * (size + 1) + end + tail, step)
    assert refusal.value.facts["reason"] == "row-too-large"
    assert refusal.value.facts["row"] == 1
    assert "Row 1, at byte" in refusal.value.detail


def test_a_cell_of_ten_megabytes_is_refused_before_it_is_held() -> None:
    """Not after the last of its bytes came."""
    cutter = row_cutter("csv-v1")
    assert len(cutter.feed(b'a\n"')) == 1
    part = b'""\n,' * (1 << 16)
    for _ in range(3):
        assert cutter.feed(part) == []
    assert cutter.feed(part[:-9]) == []
    with pytest.raises(MalformedRows):
        cutter.feed(part)


@pytest.mark.parametrize(
    ("profile", "head", "fill"),
    [
        ("csv-v1", b"a,b\n", b"x,"),
        ("csv-v1", b"a,b\n", b'"",'),
        ("ndjson-v1", b"1\n", b"[1,"),
        ("ndjson-v1", b"[1,", b"[1,"),
        ("ndjson-v1", b'[1,"', b"x"),
    ],
)
def test_a_row_without_end_is_refused_before_it_is_held(
    profile: str, head: bytes, fill: bytes
) -> None:
    """However it is built, no more than a row and a part are in memory."""
    cutter = row_cutter(profile)
    assert len(cutter.feed(head)) == 1
    fed = 0
    with pytest.raises(MalformedRows) as refusal:  # noqa: PT012
        while fed < 3 * MAX_ROW_BYTES:
            cutter.feed(fill * ((1 << 18) // len(fill)))
            fed += 1 << 18
    assert refusal.value.facts["reason"] == "row-too-large"
    assert fed <= MAX_ROW_BYTES + (1 << 18)


@pytest.mark.parametrize("cell", [b"", b'"a,b"', b"x"])
def test_cells_are_counted(cell: bytes) -> None:
    """65,536 of them are a row, one more is refused; commas inside of quotes part nothing."""
    good = b",".join([cell] * MAX_CELLS)
    ((_, row),) = cut(row_cutter("csv-v1"), good)
    assert len(csv_cells(row)) == MAX_CELLS
    with pytest.raises(MalformedRows) as refusal:
        cut(row_cutter("csv-v1"), b"a\n" + good + b"," + cell)
    facts = refusal.value.facts
    assert (facts["reason"], facts["row"], facts["offset"]) == ("too-many-cells", 1, 2)


def test_blanks_without_end_are_not_held() -> None:
    """Between rows they are dropped as they come."""
    for beginning, end in ((b"", b"7"), (b"[", b"7]"), (b"[7,", b"7]"), (b"7\n", b"7")):
        cutter = row_cutter("ndjson-v1")
        cutter.feed(beginning)
        for _ in range(12):
            cutter.feed(b" \t\r" * (1 << 19))
        assert [row for _, row in cutter.feed(end) + cutter.finish()] == [b"7"]


def test_brackets_without_end_are_refused() -> None:
    """Deep nesting costs no recursion of ours."""
    with pytest.raises(MalformedRows) as refusal:
        cut(row_cutter("ndjson-v1"), b"[" * 200_001 + b"]" * 200_001)
    assert refusal.value.facts["reason"] == "too-deep"


def test_the_profile_none_has_no_rows() -> None:
    """Whatever the bytes."""
    assert cut(row_cutter("none"), b"a,b\n\x00") == []


@pytest.mark.parametrize(
    ("file", "want"),
    [(b" [", True), (b"\xef\xbb\xbf\n[", True), (b"{", False), (b" \n", None), (b"", None)],
)
def test_a_bracket_at_the_beginning_means_an_array(file: bytes, want: bool | None) -> None:
    """Behind a BOM and blanks; of a beginning that doesn't say yet nothing is said."""
    assert is_array(file) is want


def test_where_an_array_is_cut_the_file_must_begin_with_a_bracket() -> None:
    """For a file that is said to be one and isn't."""
    from notary.core.ndjson_rows import JsonArray
    from notary.core.rows import Buffer

    cutter = JsonArray(Buffer(0, 0))
    assert cutter.feed(b"") == []
    with pytest.raises(MalformedRows):
        cutter.feed(b"{}")


@pytest.mark.parametrize(
    "row", [b"", b"\0", b"\0\0\0", b"\0\0\0\1", b"\0\0\0\1ab", b"\0\0\0\1\xff", b"\xff" * 8]
)
def test_what_is_no_row_has_no_cells(row: bytes) -> None:
    """A length that lies, half a length, no cell, no UTF-8."""
    with pytest.raises(MalformedText):
        csv_cells(row)


def test_salts_of_rows_are_of_the_version_and_the_number() -> None:
    """32 bytes, none equal; none in an open dataset."""
    salts = {row_salt(secret, n) for secret in (bytes(32), b"x" * 32) for n in range(3)}
    assert len(salts) == 6
    assert {len(salt) for salt in salts} == {32}
    assert row_salt(None, 0) == b""
