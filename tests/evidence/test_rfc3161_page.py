# SPDX-License-Identifier: Apache-2.0
"""The page on anchors of kind rfc3161: its example holds, and is the tests' city's."""

import base64
import json
import re
from pathlib import Path

import pytest

from notary.core import canonical
from notary.core.receipt_format import parse_receipt
from notary.core.receipt_parts import Anchor
from notary.core.trust import LedgerTrust
from notary.evidence.members import wanted
from notary.evidence.rfc3161 import check
from tests.core.maker import make
from tests.tsa.city import ORIGIN, base64_of, city, message
from tests.tsa.forger import STAMPED, Stamp, generalized

SPEC = Path(__file__).parents[2] / "docs/spec"
PAGE = (SPEC / "anchor-rfc3161.md").read_text(encoding="utf-8")


def shown(what: str) -> str:
    """The example of that sort, without the line breaks that were added."""
    (block,) = re.findall(rf"^```{what}\n(.*?)\n```$", PAGE, re.DOTALL | re.MULTILINE)
    return "".join(line.strip() for line in block.splitlines())


def anchor_of_the_receipt() -> Anchor:
    """The anchor of receipt-v1.md, of which this one is a copy with other evidence."""
    (anchor,) = parse_receipt(canonical.dumps(make().receipt("s1", 2))).anchors
    return anchor


def example() -> tuple[dict[str, object], dict[str, object], str]:
    """Evidence, ledger and octets as the page has them."""
    anchor = anchor_of_the_receipt()
    octets = message(anchor.size, anchor.root)
    token = city().forger.token(Stamp(octets, time=generalized(STAMPED)))
    evidence: dict[str, object] = {"token": base64.b64encode(token).decode()}
    ledger: dict[str, object] = {
        "id": "city-tsa",
        "kind": "rfc3161",
        "roots": base64_of(city().root),
    }
    return evidence, ledger, octets.hex()


def test_the_example_holds() -> None:
    """For the checkpoint of the receipt's page, by the ledger that is shown."""
    of = anchor_of_the_receipt()
    ledger = json.loads(shown("ledger"))
    anchor = Anchor("city-tsa", "rfc3161", of.size, of.root, (), json.loads(shown("evidence")))
    found = check(anchor, LedgerTrust("city-tsa", "rfc3161", ledger), ORIGIN)
    assert found.status == "held"
    assert found.facts["who"] == "CN=City TSA,O=City of Example"
    assert wanted(anchor, ORIGIN).hex() == shown("octets")


@pytest.mark.parametrize("number", [0, 1, 2], ids=["evidence", "ledger", "octets"])
def test_the_example_is_the_tests_city(number: int) -> None:
    """So the page shows what is made here, octet by octet."""
    made = example()[number]
    text = shown(("evidence", "ledger", "octets")[number])
    assert (json.loads(text) if number < 2 else text) == made
