# SPDX-License-Identifier: Apache-2.0
"""Chains of older and newer rules: their headers grew, and the evidence holds under each."""

import base64
from pathlib import Path

import pytest

from notary.evidence.rlp import decode
from notary.local.anvil import Anvil
from tests.ledgers.contract import checkpoint
from tests.ledgers.evm.on_anvil import GWEI, Desk, Look, anchor

pytestmark = pytest.mark.needs("anvil")

MEMBERS = {"istanbul": 15, "london": 16, "shanghai": 17, "cancun": 20, "prague": 21, "osaka": 21}
"""How many members a header has since then."""


@pytest.mark.parametrize("fork", MEMBERS)
def test_an_anchor_is_verified_under_the_rules_of(fork: str, tmp_path: Path) -> None:
    """The first and the next one, by the header that this chain has."""
    with Anvil.open(tmp_path / "chain", options=("--hardfork", fork), durable=False) as chain:
        fees = {"gasPrice": 2 * GWEI} if fork == "istanbul" else {}
        look = Look(chain.url, **({"fees": fees} if fees else {}))
        look.deploy()
        ledger = Desk.make(look, tmp_path).open()
        for size in (3, 7):
            reference = anchor(ledger, checkpoint(size))
            evidence = ledger.evidence(checkpoint(size), reference)
            header = decode(base64.b64decode(str(evidence["header"])))
            assert len(header) == MEMBERS[fork]
