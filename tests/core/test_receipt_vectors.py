# SPDX-License-Identifier: Apache-2.0
"""The receipts and windows of tests/vectors: attacks enough, made anew, and read as written."""

import json
from pathlib import Path

import pytest

from notary.core.receipt import format_receipt, parse_receipt
from notary.core.window import format_window, parse_window
from tests.vectors import generate_receipts

FOLDER = Path(generate_receipts.__file__).parent
TEXTS = {name: (FOLDER / name).read_text("utf-8") for name in ("receipts.json", "windows.json")}
FILES = {name: json.loads(text) for name, text in TEXTS.items()}
RECEIPTS, WINDOWS = FILES["receipts.json"], FILES["windows.json"]


@pytest.mark.parametrize("name", FILES)
def test_attacks_outnumber_valid_cases_ten_to_one(name: str) -> None:
    """And no two cases have one description."""
    cases = FILES[name]["cases"]
    valid = [case for case in cases if case["wantErr"] is None]
    assert valid
    assert len(cases) >= 11 * len(valid)
    assert len({case["desc"] for case in cases}) == len(cases)


def test_the_generator_reproduces_the_files() -> None:
    """So every case can be read where it is made."""
    assert generate_receipts.build() == TEXTS


def test_what_is_read_is_written_as_it_was() -> None:
    """Of every valid case, receipt or window."""
    for case in RECEIPTS["cases"]:
        if case["wantErr"] is None:
            text = case["receipt"].removesuffix("\n")
            assert format_receipt(parse_receipt(text)) == text
    for case in WINDOWS["cases"]:
        if case["wantErr"] is None:
            assert format_window(parse_window(case["window"])) == case["window"]
