# SPDX-License-Identifier: Apache-2.0
"""The page anchor-evm.md: its example is true, and one of the tests' chain."""

import json

from notary.evidence import evm
from notary.texts import catalogue
from tests.core.maker import ORIGIN, make
from tests.evidence.chain import LEDGER, evm_anchor, parsed, trusted
from tests.test_spec import PAGES, example

PAGE = "anchor-evm.md"
ANCHOR = evm_anchor(make(), 0)


def test_the_evidence_is_that_of_the_tests_chain() -> None:
    """For the log, the size and the root that are shown."""
    assert json.loads(example(PAGE, "evidence")) == ANCHOR["evidence"]
    assert json.loads(example(PAGE, "ledger")) == LEDGER
    told = {"origin": ORIGIN, "size": ANCHOR["size"], "root": ANCHOR["root"]}
    assert json.loads(example(PAGE, "checkpoint")) == told


def test_what_is_found_is_what_is_shown() -> None:
    """Without a node."""
    found = evm.check(parsed(ANCHOR), trusted(), ORIGIN)
    shown = {"status": found.status, "facts": dict(found.facts)}
    assert json.loads(example(PAGE, "found")) == shown


def test_each_reason_stands_on_the_page() -> None:
    """And in the texts; a reason that nobody could look up helps nobody."""
    codes = {code for code in catalogue("en") if code.startswith("check.anchor.not-checked.")}
    reasons = {code.rpartition(".")[2] for code in codes}
    mine = {"ask-the-chain", "below-from-size", "no-answer", "not-there", "other-chain"}
    mine |= {"other-code", "too-new"}
    assert mine <= reasons
    assert all(f"`{reason}`" in PAGES[PAGE] for reason in mine)
