# SPDX-License-Identifier: Apache-2.0
"""
A receipt whose anchor is on a real chain, as its holder checks it: by the file alone, by a node,
and after the chain dropped the block.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from notary import cli
from notary.core import canonical
from notary.core.trust import LedgerTrust
from notary.evidence import check_evidence
from notary.evidence.online import BLOCKS_AFTER
from notary.ledgers.port import anchorable
from notary.local.anvil import CHAIN_ID
from tests.core import reference
from tests.core.maker import ORIGIN, City, hexes, make, trust
from tests.ledgers.contract import around
from tests.ledgers.evm.on_anvil import Desk, Look
from tests.ledgers.evm.on_anvil import anchor as anchored
from tests.ledgers.evm.standing import desk, look

__all__ = ["desk", "look"]
pytestmark = pytest.mark.needs("anvil")


class Holder:
    """Who has a receipt of a city whose log is on the chain, and the trust file."""

    def __init__(self, folder: Path, city: City, desk: Desk) -> None:
        self.folder, self.desk = folder, desk
        leaves = city.log_leaves()
        root, ledger = reference.mth(leaves), desk.open()
        what = anchorable(ORIGIN, len(leaves), root)
        found = anchored(ledger, what)
        anchor = {
            "ledger": "chain",
            "kind": "evm",
            "size": len(leaves),
            "root": root.hex(),
            "path": hexes(reference.path(0, leaves)),
            "evidence": dict(ledger.evidence(what, found)),
        }
        self.receipt = city.receipt("s1", 1) | {"anchors": [city.anchor(0), anchor]}
        told = replace(desk, around=around(first=len(leaves))).open().trust()
        self.ledger = {"id": "chain", "kind": "evm", **told}

    def verify(self, capsys: pytest.CaptureFixture[str], url: str | None) -> tuple[int, Any]:
        """Exit code, and the check of the chain's anchor or the refusal."""
        receipt, trusted = self.folder / "receipt.json", self.folder / "trust.json"
        receipt.write_text(canonical.dumps(self.receipt))
        trusted.write_text(canonical.dumps(trust(ledgers=[*trust()["ledgers"], self.ledger])))
        online = [] if url is None else ["--online", f"chain={url}"]
        code = cli.main(["verify", str(receipt), "--trust", str(trusted), "--json", *online])
        told = json.loads(capsys.readouterr().out)
        if not told["holds"]:
            return code, told["code"]
        return code, next(one for one in told["checks"] if one["facts"].get("kind") == "evm")


@pytest.fixture
def holder(tmp_path: Path, desk: Desk) -> Holder:
    """Of three batches."""
    return Holder(tmp_path, make(), desk)


def test_the_chain_says_what_the_file_can_not(
    holder: Holder, look: Look, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not checked by the file alone; too new; held; and refused once another block is there."""
    code, check = holder.verify(capsys, None)
    assert (code, check["status"], check["facts"]["reason"]) == (0, "not-checked", "ask-the-chain")
    block = look.ask("eth_getBlockByNumber", hex(check["facts"]["block"]), False)
    assert check["facts"]["block_hash"] == block["hash"]
    code, check = holder.verify(capsys, look.url)
    assert (code, check["facts"]["reason"], check["facts"]["after"]) == (0, "too-new", 0)
    look.mine(BLOCKS_AFTER)
    code, check = holder.verify(capsys, look.url)
    assert (code, check["status"], check["facts"]["reason"]) == (0, "held", "online")
    assert check["facts"]["who"] == f"eip155:{CHAIN_ID}"
    look.ask("anvil_reorg", BLOCKS_AFTER + 1, [])
    assert holder.verify(capsys, look.url) == (1, "receipt-refused.ledger-dropped")
    code, check = holder.verify(capsys, None)
    assert (code, check["status"]) == (0, "not-checked")


@pytest.mark.parametrize("what", ["contract", "sender", "chain_id"])
def test_a_trust_file_that_names_another_ledger_is_not_met(
    holder: Holder, look: Look, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """Another contract or sender is refused by the file alone; another chain is asked first."""
    other: dict[str, object] = {"chain_id": 1}
    holder.ledger[what] = other.get(what, "0x" + "ab" * 20)
    code, told = holder.verify(capsys, look.url)
    if what == "chain_id":
        assert (code, told["status"], told["facts"]["reason"]) == (0, "not-checked", "other-chain")
    else:
        assert (code, told) == (1, "receipt-refused.ledger-evidence")


def test_an_adapter_can_ask_the_same_of_what_it_holds(holder: Holder) -> None:
    """One function, without a receipt around it."""
    anchor = holder.receipt["anchors"][1]
    root = bytes.fromhex(anchor["root"])
    ledger = LedgerTrust("chain", "evm", holder.ledger)
    found = check_evidence("evm", anchor["evidence"], anchor["size"], root, ledger, ORIGIN)
    assert found.facts["reason"] == "ask-the-chain"
