# SPDX-License-Identifier: Apache-2.0
"""Blocks that the chain drops again: an anchor falls out with them, and comes back."""

import base64

import pytest

from notary.core.proof import verify_consistency
from notary.evidence.rlp import decode
from notary.ledgers.evm.chain import Chain
from notary.ledgers.port import LedgerUnavailable
from tests.ledgers.contract import NOW, checkpoint
from tests.ledgers.evm.on_anvil import Desk, Look, anchor, settled

pytestmark = pytest.mark.needs("anvil")


def drop(look: Look, blocks: int) -> None:
    """The newest blocks are replaced by empty ones."""
    look.ask("anvil_reorg", blocks, [])


def test_a_dropped_anchor_is_unknown_and_comes_back(look: Look, desk: Desk) -> None:
    """It was called verified (one block deep); nothing is claimed once its block is gone."""
    ledger = desk.open()
    reference = anchor(ledger, checkpoint(3))
    drop(look, 1)
    assert desk.held() == []
    assert ledger.confirm(checkpoint(3), reference) in ("unknown", "submitted")
    anchor(ledger, checkpoint(3), reference)
    assert desk.held() == [(3, checkpoint(3).root)]


def test_it_is_not_called_verified_before_it_is_deep(look: Look, desk: Desk) -> None:
    """What falls out of a young block was never more than committed."""
    ledger = desk.open(confirmations=3)
    reference = ledger.submit(checkpoint(3), None, NOW)
    assert settled(ledger, checkpoint(3), reference) == "committed"
    drop(look, 1)
    assert ledger.confirm(checkpoint(3), reference) in ("unknown", "submitted")
    reference = ledger.submit(checkpoint(3), reference, NOW)
    assert settled(ledger, checkpoint(3), reference) == "committed"
    look.mine(3)
    assert ledger.confirm(checkpoint(3), reference) == "verified"


def test_the_new_proof_begins_where_the_chain_is_then(look: Look, desk: Desk) -> None:
    """3 and 5 fall out together: 7, whose proof began at 5, begins at nothing; then 9 at 7."""
    ledger = desk.open()
    anchor(ledger, checkpoint(3))
    anchor(ledger, checkpoint(5))
    reference = anchor(ledger, checkpoint(7))
    drop(look, 3)
    assert desk.held() == []
    anchor(ledger, checkpoint(7), reference)
    anchor(ledger, checkpoint(9))
    assert desk.held() == [(7, checkpoint(7).root), (9, checkpoint(9).root)]
    path = desk.around.growth(7, 9)
    verify_consistency(7, checkpoint(7).root, 9, checkpoint(9).root, path)  # type: ignore[arg-type]


def test_one_of_two_falls_out(look: Look, desk: Desk) -> None:
    """The proof begins at the one that stayed."""
    ledger = desk.open()
    anchor(ledger, checkpoint(3))
    reference = anchor(ledger, checkpoint(5))
    drop(look, 1)
    assert [size for size, _ in desk.held()] == [3]
    anchor(ledger, checkpoint(5), reference)
    assert [size for size, _ in desk.held()] == [3, 5]


def test_evidence_is_of_the_block_that_holds_it_now(look: Look, desk: Desk) -> None:
    """Not of the one that was dropped, though that proved it once."""
    ledger = desk.open()
    reference = anchor(ledger, checkpoint(3))
    before = ledger.evidence(checkpoint(3), reference)
    drop(look, 1)
    reference = anchor(ledger, checkpoint(3), reference)
    after = ledger.evidence(checkpoint(3), reference)
    assert after != before
    header = decode(base64.b64decode(str(after["header"])))
    number = int.from_bytes(header[8], "big")  # type: ignore[arg-type]
    block = look.ask("eth_getBlockByNumber", hex(number), False)
    assert block["stateRoot"] == "0x" + header[3].hex()  # type: ignore[union-attr]


def test_a_chain_that_was_set_back_to_its_beginning(look: Look, desk: Desk) -> None:
    """Anvil lost its state, say: what was there before it is anchored again, from there on."""
    snapshot = look.ask("evm_snapshot")
    ledger = desk.open()
    anchor(ledger, checkpoint(3))
    anchor(ledger, checkpoint(5))
    assert look.ask("evm_revert", snapshot)
    anchor(ledger, checkpoint(8))
    assert [size for size, _ in desk.held()] == [8]


def test_a_block_that_is_dropped_while_its_depth_is_asked_for_is_not_verified(
    look: Look, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was in the chain before that answer, and the chain is deep enough after it."""
    ledger = desk.open(confirmations=3)
    reference = ledger.submit(checkpoint(3), None, NOW)
    assert settled(ledger, checkpoint(3), reference) == "committed"
    real = Chain.tip

    def late(chain: Chain) -> int:
        monkeypatch.undo()
        drop(look, 1)
        look.mine(5)
        return real(chain)

    monkeypatch.setattr(Chain, "tip", late)
    with pytest.raises(LedgerUnavailable, match="replaced by another"):
        ledger.confirm(checkpoint(3), reference)
