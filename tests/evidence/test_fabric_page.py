# SPDX-License-Identifier: Apache-2.0
"""The page of Fabric evidence shows what is true, and its test vectors end as they say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from notary.core.errors import NotaryError
from notary.core.receipt_parts import Anchor
from notary.core.trust import LedgerTrust
from notary.evidence import (
    fabric,
    fabric_block,
    fabric_certificate,
    fabric_transaction,
    fabric_trust,
)
from tests.vectors import generate_fabric

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/spec/anchor-bsn-fabric.md").read_text(encoding="utf-8")
TEXT = (ROOT / "tests/vectors/fabric.json").read_text(encoding="utf-8")
VECTORS = json.loads(TEXT)


def judge(case: dict[str, Any]) -> dict[str, object]:
    """What is found in a case."""
    ledger, anchor = case["ledger"], case["anchor"]
    found = fabric.check(
        Anchor(
            "bsn",
            "bsn-fabric",
            anchor["size"],
            bytes.fromhex(anchor["root"]),
            (),
            anchor["evidence"],
        ),
        LedgerTrust("bsn", "bsn-fabric", ledger),
        VECTORS["origin"],
    )
    return {"status": found.status, "facts": dict(found.facts)}


def test_the_vectors_are_what_was_generated() -> None:
    """The same keys, certificates and signatures each time."""
    assert generate_fabric.build() == TEXT


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["desc"])
def test_each_vector_ends_as_it_says(case: dict[str, Any]) -> None:
    """With the error and its reason, or what is found."""
    if case["wantErr"] is None:
        assert judge(case) == case["found"]
        return
    with pytest.raises(NotaryError) as refusal:
        judge(case)
    reason = refusal.value.facts.get("reason")
    assert refusal.value.code + (f".{reason}" if reason else "") == case["wantErr"]


def test_every_step_that_can_refuse_has_a_vector() -> None:
    """Step 2 refuses nothing."""
    steps = {int(case["step"].rpartition(" ")[2]) for case in VECTORS["cases"] if "step" in case}
    assert steps == {1, 3, 4, 5, 6, 7, 8, 9, 10}


def shown(what: str) -> Any:
    """The one example of a sort."""
    found = re.findall(rf"^```{what}\n(.*?)\n```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(found) == 1
    return json.loads(re.sub(r"\n *", "", found[0]))


def test_the_example_is_the_first_vector() -> None:
    """Ledger, evidence, checkpoint and what is found."""
    case = VECTORS["cases"][0]
    assert shown("ledger") == case["ledger"]
    assert shown("evidence") == case["anchor"]["evidence"]
    assert shown("checkpoint") == {
        "origin": VECTORS["origin"],
        "root": case["anchor"]["root"],
        "size": case["anchor"]["size"],
    }
    assert shown("found") == case["found"]


@pytest.mark.parametrize(
    "bound",
    [
        fabric_block.MAX_BLOCK_BYTES,
        fabric_block.MAX_SIGNATURES,
        fabric_block.MAX_SIGNATURES_BYTES,
        fabric_certificate.MAX_CERTIFICATE_BYTES,
        fabric_transaction.MAX_ENDORSEMENTS,
        fabric_transaction.MAX_NAMING_BYTES,
        fabric_trust.MAX_NAME_CHARACTERS,
        fabric_trust.MAX_ORGANISATIONS,
        fabric_trust.MAX_ROOTS,
    ],
)
def test_the_bounds_are_on_the_page(bound: int) -> None:
    """As numbers that another program can be made by."""
    assert re.search(rf"(?<![0-9,]){bound:,}(?![0-9,])", PAGE)
