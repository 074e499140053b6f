# SPDX-License-Identifier: Apache-2.0
"""Every receipt and window of tests/vectors ends as its case says."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from notary.core.errors import NotaryError
from notary.core.receipt import format_receipt, parse_receipt, verify_receipt
from notary.core.verdict import Check
from notary.core.window import format_window, parse_window, verify_window
from tests.vectors import generate_receipts

FOLDER = Path(generate_receipts.__file__).parent
TEXTS = {name: (FOLDER / name).read_text() for name in ("receipts.json", "windows.json")}
FILES = {name: json.loads(text) for name, text in TEXTS.items()}
RECEIPTS, WINDOWS = FILES["receipts.json"], FILES["windows.json"]


def outcome(error: NotaryError) -> str:
    """The code, and the reason where there is one."""
    reason = error.facts.get("reason")
    return f"{error.code}.{reason}" if reason else error.code


def statuses(checks: tuple[Check, ...]) -> dict[str, str]:
    return {check.code: check.status for check in checks}


def run_receipt(case: dict[str, Any]) -> tuple[str | None, Any]:
    payload = base64.b64decode(case["payload"]) if "payload" in case else None
    try:
        verdict = verify_receipt(case["receipt"], RECEIPTS["trusts"][case["trust"]], payload)
    except NotaryError as error:
        return outcome(error), None
    return None, statuses(verdict.checks)


def run_window(case: dict[str, Any]) -> tuple[str | None, Any]:
    payloads = None
    if "payloads" in case:
        payloads = [None if pair is None else opened(*pair) for pair in case["payloads"]]
    try:
        verdict = verify_window(case["window"], WINDOWS["trusts"][case["trust"]], payloads)
    except NotaryError as error:
        return outcome(error), None
    asked = [verdict.asked_first, verdict.asked_last, verdict.asked_count]
    return None, (statuses(verdict.checks), asked)


def opened(salt: str | None, payload: str) -> tuple[bytes | None, bytes]:
    return None if salt is None else bytes.fromhex(salt), base64.b64decode(payload)


def test_each_receipt_ends_as_its_case_says() -> None:
    """With the error of exactly that code and reason, or with exactly these checks."""
    for case in RECEIPTS["cases"]:
        want = (case["wantErr"], case.get("want"))
        assert (case["desc"], *run_receipt(case)) == (case["desc"], *want)


def test_each_window_ends_as_its_case_says() -> None:
    """And a valid one names the records that were asked for."""
    for case in WINDOWS["cases"]:
        want = (case["want"], case["asked"]) if case["wantErr"] is None else None
        got = run_window(case)
        assert (case["desc"], *got) == (case["desc"], case["wantErr"], want)


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
