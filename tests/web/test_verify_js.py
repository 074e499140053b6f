# SPDX-License-Identifier: Apache-2.0
"""verify.js is a second implementation: it answers as `verify.pyz` does, to every case there is."""

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from notary.core import canonical
from notary.core.errors import NotaryError
from notary.core.row_profiles import row_cutter
from notary.verifier.files import Unusable, parse
from tests.city_table import FORMS, fetch_table, forms
from tests.core.maker import City, make
from tests.test_payload_lines import LINES, NO_LINES, window
from tests.vectors import answering
from tests.vectors.trusts import TEXTS
from tests.web.in_browser import address, browser, folder, page, run

__all__ = ["address", "browser", "folder", "page"]
pytestmark = pytest.mark.needs("chromium")
VECTORS = Path(answering.__file__).parent
FORMATS = {
    "receipts.json": "receipt/1",
    "windows.json": "window/1",
    "acceptances.json": "acceptance/1",
    "consistencies.json": "consistency/1",
    "forks.json": "fork/1",
    "tlog_proofs.json": "tlog-proof/1",
    "cose_receipts.json": "cose-receipt/1",
}
MAX_FLOAT_INTEGER = 2**53 - 1


def as_browser(value: Any) -> Any:
    """Integers that a float can't hold are texts there; nothing else differs."""
    if isinstance(value, dict):
        return {name: as_browser(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_browser(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value > MAX_FLOAT_INTEGER:
        return str(value)
    return value


@pytest.mark.parametrize("name", FORMATS)
def test_every_proof_gets_the_answer_of_its_case(page: Page, name: str) -> None:
    """The same refusal with its reason, or the same checks with all their facts, in order."""
    text = (VECTORS / name).read_text()
    answers = run(page, "proofs", text, FORMATS[name], answering.FILES[name])
    for case, answer in zip(json.loads(text)["cases"], answers, strict=True):
        assert (case["desc"], answer) == (case["desc"], as_browser(answering.wanted(case)))


@pytest.mark.parametrize("name", ["inclusion.json", "consistency.json"])
def test_every_path_gets_the_code_of_its_case(page: Page, name: str) -> None:
    """Also with sizes beyond what a float can hold."""
    text = (VECTORS / name).read_text()
    for case, code in zip(json.loads(text), run(page, "trees", text), strict=True):
        assert (case["desc"], code) == (case["desc"], case["wantErr"])


@pytest.mark.parametrize("name", ["notes.json", "checkpoints.json"])
def test_every_note_gets_the_code_of_its_case(page: Page, name: str) -> None:
    """Signatures, keys, base64, control characters."""
    text = (VECTORS / name).read_text()
    is_checkpoint = name == "checkpoints.json"
    codes = run(page, "notes", text, is_checkpoint)
    for case, code in zip(json.loads(text), codes, strict=True):
        assert (case["desc"], code) == (case["desc"], case["wantErr"])


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_every_table_is_cut_as_its_case_says(page: Page, step: int) -> None:
    """Into these rows, or refused for this reason at this row and byte."""
    text = (VECTORS / "rows.json").read_text()
    for case, got in zip(json.loads(text), run(page, "rows", text, step), strict=True):
        if case["wantErr"] is None:
            want = {"rows": case["rows"]}
        else:
            want = {name: case[name] for name in ("reason", "row", "offset")}
            want["code"] = case["wantErr"]
        assert (case["desc"], got) == (case["desc"], want)


def test_every_copy_is_led_back_as_its_case_says(page: Page) -> None:
    """In the same words, or not at all."""
    text = (VECTORS / "resaved.json").read_text()
    for case, changes in zip(json.loads(text)["cases"], run(page, "resaved", text), strict=True):
        assert (case["desc"], changes) == (case["desc"], case["changes"])


def test_the_city_table_is_told_for_what_it_is(page: Page, long: bool) -> None:
    """In each of its forms, with quotes everywhere, with another digit; whole at full size."""
    table = fetch_table()
    table = table if long else table[: table.index(b"\r\n", 100_000) + 2]
    cutter, city = row_cutter("csv-v1"), City()
    city.seal_version([row for _, row in cutter.feed(table) + cutter.finish()], table)
    rows, quoted = csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")), io.StringIO()
    csv.writer(quoted, quoting=csv.QUOTE_ALL).writerows(rows)
    copies = {
        (True, None, None, ()): table,
        **{
            (False, "payload-mismatch", "resaved", tuple(changes)): forms(table)[form]
            for form, changes in FORMS.items()
            if changes
        },
        (False, "payload-mismatch", "same-rows", ()): quoted.getvalue().encode(),
        (False, "payload-mismatch", "same-rows-gb18030", ()): quoted.getvalue().encode("gb18030"),
        (False, "payload-mismatch", None, ()): table[:-3] + bytes([table[-3] ^ 1]) + table[-2:],
    }
    receipt = canonical.dumps(city.file_receipt(0))
    contents = [base64.b64encode(copy).decode() for copy in copies.values()]
    told = run(page, "copies", receipt, TEXTS["usual"], contents)
    for wanted, got in zip(copies, told, strict=True):
        assert (got["holds"], got["code"], got["reason"], tuple(got["changes"])) == wanted


def test_characters_get_the_same_bytes_of_gb18030(page: Page) -> None:
    """All that are in one plane, but those on which the editions of that encoding differ."""
    differ = {
        0x1E3F,
        0xE5E5,
        0xE7C7,
        0xE81E,
        0xE826,
        0xE82B,
        0xE82C,
        0xE832,
        0xE843,
        0xE854,
        0xE864,
    }
    differ |= {*range(0x9FB4, 0x9FBC), *range(0xE78D, 0xE797), *range(0xFE10, 0xFE1A)}
    for code, got in enumerate(run(page, "gb18030")):
        if not 0xD800 <= code <= 0xDFFF and code not in differ:
            assert (hex(code), got) == (hex(code), chr(code).encode("gb18030").hex())


def test_lines_of_payloads_are_read_as_strictly(page: Page) -> None:
    """Whatever is a line of a window's record for `notary verify` is one here, and nothing else."""
    lines = [*(line.encode() for line in LINES), *NO_LINES]
    contents = [base64.b64encode(line).decode() for line in lines]
    told = run(page, "copies", canonical.dumps(window()), TEXTS["usual"], contents)
    codes = [None] * len(LINES) + ["verify.payloads-line"] * len(NO_LINES)
    for line, wanted, got in zip(lines, codes, told, strict=True):
        assert (line[:90], got["code"]) == (line[:90], wanted)


def odd_files() -> dict[str, bytes]:
    """What may be dropped in place of a proof, and what may have befallen one."""
    receipt = canonical.dumps(make().receipt()).encode()
    return {
        "nothing": b"",
        "a newline": b"\n",
        "an object": b"{}",
        "a list": b"[]",
        "null": b"null",
        "no UTF-8": b"\xff" + receipt,
        "UTF-16": receipt.decode().encode("utf-16"),
        "with a BOM": b"\xef\xbb\xbf" + receipt,
        "with CRLF behind it": receipt + b"\r\n",
        "with two newlines behind it": receipt + b"\n\n",
        "set in lines": json.dumps(json.loads(receipt), indent=1).encode(),
        "cut": receipt[:-1],
        "cut in the middle": receipt[: len(receipt) // 2],
        "of a later version": receipt.replace(b"receipt/1", b"receipt/2"),
        "the version is no text": receipt.replace(b'"receipt/1"', b"[]"),
        "a trust file": TEXTS["usual"].encode(),
        "a statement": json.loads(receipt)["statement"].encode(),
        "a checkpoint": json.loads(receipt)["checkpoint"].encode(),
        "a receipt as it is": receipt,
        "a window's name on a receipt": receipt.replace(b"receipt/1", b"window/1"),
        "the first line of a tlog-proof": b"c2sp.org/tlog-proof@v1",
        "a later tlog-proof": b"c2sp.org/tlog-proof@v2\n",
        "the first bytes of a COSE receipt": b"\xd2\x84",
        "CBOR of another kind": b"\xd2\x83\x01",
    }


def test_what_is_no_proof_is_told_as_python_tells_it(page: Page) -> None:
    """A file of ours that is damaged is refused; any other can't be used."""
    files = odd_files()
    contents = [base64.b64encode(data).decode() for data in files.values()]
    told = run(page, "files", contents, TEXTS["usual"])
    for (name, data), code in zip(files.items(), told, strict=True):
        assert (name, code) == (name, code_of(data))


def code_of(data: bytes) -> str | None:
    """What `notary verify` says of a file that it can't read as a proof."""
    try:
        parse(data, "x")
    except (NotaryError, Unusable) as error:
        return error.code
    return None
