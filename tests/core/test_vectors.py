# SPDX-License-Identifier: Apache-2.0
"""Every case of tests/vectors ends as the case says, and the cases are what was generated."""

import json
from pathlib import Path
from typing import Any

import pytest

from notary.core.checkpoint import open_checkpoint
from notary.core.errors import NotaryError
from notary.core.note import open_note
from notary.core.proof import verify_consistency, verify_inclusion
from tests.vectors import generate

FOLDER = Path(generate.__file__).parent
NAMES = ["inclusion.json", "consistency.json", "notes.json", "checkpoints.json"]
TEXTS = {name: (FOLDER / name).read_text() for name in NAMES}
CASES = {name: json.loads(text) for name, text in TEXTS.items()}
HASHES = {"leaf", "root", "root1", "root2"}


def run(name: str, case: dict[str, Any]) -> None:
    given = {key: value for key, value in case.items() if key not in ("desc", "wantErr")}
    if name in ("notes.json", "checkpoints.json"):
        opening = open_note if name == "notes.json" else open_checkpoint
        opening(given["note"], given["verifiers"])
        return
    for key in HASHES & set(given):
        given[key] = bytes.fromhex(given[key])
    if given["path"] is not None:
        given["path"] = [None if node is None else bytes.fromhex(node) for node in given["path"]]
    verify = verify_inclusion if name == "inclusion.json" else verify_consistency
    verify(**given)


@pytest.mark.parametrize("name", NAMES)
def test_each_case_ends_as_it_says(name: str) -> None:
    """With the error of exactly that code, or with none."""
    for case in CASES[name]:
        got = None
        try:
            run(name, case)
        except NotaryError as error:
            got = error.code
        assert (case["desc"], got) == (case["desc"], case["wantErr"])


@pytest.mark.parametrize("name", NAMES)
def test_attacks_outnumber_valid_cases_ten_to_one(name: str) -> None:
    """And no two cases are the same."""
    valid = [case for case in CASES[name] if case["wantErr"] is None]
    assert valid
    assert len(CASES[name]) >= 11 * len(valid)
    assert len({case["desc"] for case in CASES[name]}) == len(CASES[name])


def test_the_generator_reproduces_the_files() -> None:
    """So every case can be read where it is made."""
    assert generate.build() == TEXTS
