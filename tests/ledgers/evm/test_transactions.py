# SPDX-License-Identifier: Apache-2.0
"""One transaction at a time: nonces, and fees that rise up to a ceiling."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from notary.ledgers.evm.chain import Chain
from notary.ledgers.evm.ledger import EvmLedger
from notary.ledgers.port import LedgerRefused, LedgerUnavailable
from notary.local.anvil import Anvil
from tests.ledgers.contract import NOW, checkpoint
from tests.ledgers.evm.in_process import append_call
from tests.ledgers.evm.lying import LyingProxy
from tests.ledgers.evm.on_anvil import GWEI, Desk, Look, anchor, settled

pytestmark = pytest.mark.needs("anvil")

LOW, HIGH = 1 * GWEI, 100 * GWEI
"""Base fees."""
FULL, ROOMY = 30_000, 30_000_000
"""Gas that blocks have: with so little no transaction gets into one."""


@pytest.fixture
def still(look: Look) -> Iterator[Look]:
    """Blocks are made by `mine` alone."""
    look.ask("evm_setAutomine", False)
    look.ask("anvil_setNextBlockBaseFeePerGas", hex(LOW))
    look.mine()
    yield look
    look.ask("anvil_dropAllTransactions")
    look.ask("evm_setBlockGasLimit", hex(ROOMY))
    look.ask("evm_setAutomine", True)
    look.ask("anvil_setNextBlockBaseFeePerGas", hex(LOW))
    look.mine()


def pass_it_by(look: Look, blocks: int, base_fee: int = LOW) -> None:
    """Blocks that have no room for the transaction that waits; the next one has."""
    look.ask("evm_setBlockGasLimit", hex(FULL))
    for _ in range(blocks):
        look.ask("anvil_setNextBlockBaseFeePerGas", hex(base_fee))
        look.mine()
    look.ask("evm_setBlockGasLimit", hex(ROOMY))
    look.ask("anvil_setNextBlockBaseFeePerGas", hex(LOW))


def price(look: Look, transaction: str) -> int:
    """The most that a transaction offers for a unit of gas."""
    return int(look.ask("eth_getTransactionByHash", transaction)["maxFeePerGas"], 16)


def verify(ledger: EvmLedger, size: int, reference: str) -> None:
    """It is there now, or in a moment where the chain makes its blocks by itself."""
    assert settled(ledger, checkpoint(size), reference) == "verified"


def test_what_waits_is_submitted_and_then_verified(still: Look, desk: Desk) -> None:
    """In no block yet: nothing is claimed, and nothing is sent again."""
    ledger = desk.open()
    reference = ledger.submit(checkpoint(3), None, NOW)
    assert ledger.confirm(checkpoint(3), reference) == "submitted"
    assert ledger.submit(checkpoint(3), reference, NOW) == reference
    assert ledger.submit(checkpoint(3), None, NOW) == reference
    assert len(still.pool(desk.account)) == 1
    still.mine()
    verify(ledger, 3, reference)


def test_a_block_alone_is_not_enough(still: Look, desk: Desk) -> None:
    """Committed until three blocks hold it."""
    ledger = desk.open(confirmations=3)
    reference = ledger.submit(checkpoint(3), None, NOW)
    states = []
    for _ in range(3):
        still.mine()
        states.append(ledger.confirm(checkpoint(3), reference))
    assert states == ["committed", "committed", "verified"]


def test_the_nodes_word_of_finality_can_be_asked_for(look: Look, desk: Desk) -> None:
    """`final = "finalized"`: the depth doesn't count then."""
    ledger = desk.open(final="finalized")
    reference = ledger.submit(checkpoint(3), None, NOW)
    assert settled(ledger, checkpoint(3), reference) == "committed"
    look.mine(200)
    verify(ledger, 3, reference)


@pytest.mark.parametrize("base_fee", [LOW, HIGH], ids=["market-as-before", "market-rose"])
def test_one_that_waits_for_too_long_is_replaced_for_a_higher_fee(
    still: Look, desk: Desk, base_fee: int
) -> None:
    """At least 12.5 % more, under the same nonce: never two of them wait."""
    ledger = desk.open(patience_blocks=3, max_fee_gwei=100_000)
    first = ledger.submit(checkpoint(3), None, NOW)
    assert ledger.confirm(checkpoint(3), first) == "submitted"
    pass_it_by(still, 2, base_fee)
    assert ledger.confirm(checkpoint(3), first) == "submitted"
    assert ledger.submit(checkpoint(3), first, NOW) == first
    pass_it_by(still, 1, base_fee)
    assert ledger.confirm(checkpoint(3), first) == "unknown"
    before = price(still, first)
    second = ledger.submit(checkpoint(3), first, NOW)
    assert second != first
    assert price(still, second) * 8 >= before * 9
    (waiting,) = still.pool(desk.account)
    assert waiting["hash"] == second
    assert ledger.confirm(checkpoint(3), second) == "submitted"
    still.mine()
    verify(ledger, 3, second)
    assert desk.held() == [(3, checkpoint(3).root)]
    assert still.transactions(desk.account) == 1


def test_the_older_of_two_may_be_the_one_in_the_block(still: Look, desk: Desk) -> None:
    """The reference is of the newer one, which came too late: the event is found all the same."""
    ledger = desk.open(patience_blocks=1)
    first = ledger.submit(checkpoint(3), None, NOW)
    assert ledger.confirm(checkpoint(3), first) == "submitted"
    still.mine()
    verify(ledger, 3, "0x" + "ab" * 32)
    evidence = ledger.evidence(checkpoint(3), "0x" + "ab" * 32)
    assert evidence == ledger.evidence(checkpoint(3), first)


def test_a_replacement_never_goes_beyond_the_ceiling(still: Look, desk: Desk) -> None:
    """Then it waits on, and the sentence names the setting."""
    ledger = desk.open(patience_blocks=1, max_fee_gwei=3)
    first = ledger.submit(checkpoint(3), None, NOW)
    for _ in range(12):
        assert ledger.confirm(checkpoint(3), first) == "submitted"
        pass_it_by(still, 1)
        assert ledger.confirm(checkpoint(3), first) == "unknown"
        if price(still, first) * 9 > 3 * GWEI * 8:
            break
        first = ledger.submit(checkpoint(3), first, NOW)
    with pytest.raises(LedgerUnavailable, match="max_fee_gwei"):
        ledger.submit(checkpoint(3), first, NOW)
    (waiting,) = still.pool(desk.account)
    assert int(waiting["maxFeePerGas"], 16) <= 3 * GWEI


def test_a_chain_that_is_too_dear_gets_nothing(still: Look, desk: Desk) -> None:
    """The fee in the sentence, the setting too; the next try may be cheaper."""
    still.ask("anvil_setNextBlockBaseFeePerGas", hex(HIGH))
    still.mine()
    ledger = desk.open(max_fee_gwei=50)
    with pytest.raises(LedgerUnavailable, match="max_fee_gwei, 50"):
        ledger.submit(checkpoint(3), None, NOW)
    assert still.pool(desk.account) == []


def test_a_second_checkpoint_waits_for_the_first(still: Look, desk: Desk) -> None:
    """Its proof would be of a head that is about to move."""
    ledger = desk.open()
    first = ledger.submit(checkpoint(3), None, NOW)
    with pytest.raises(LedgerUnavailable, match="not in a block yet"):
        ledger.submit(checkpoint(5), None, NOW)
    assert len(still.pool(desk.account)) == 1
    still.mine()
    verify(ledger, 3, first)
    second = ledger.submit(checkpoint(5), None, NOW)
    still.mine()
    verify(ledger, 5, second)


def test_a_crash_without_the_reference_leaves_one_that_waits(still: Look, desk: Desk) -> None:
    """The next process doesn't know what waits: it waits too, and then takes its place."""
    desk.open().submit(checkpoint(3), None, NOW)
    ledger = desk.open(patience_blocks=2)
    with pytest.raises(LedgerUnavailable, match="not in a block yet"):
        ledger.submit(checkpoint(3), None, NOW)
    pass_it_by(still, 2)
    reference = ledger.submit(checkpoint(3), None, NOW)
    (waiting,) = still.pool(desk.account)
    assert waiting["hash"] == reference
    still.mine()
    verify(ledger, 3, reference)
    assert still.transactions(desk.account) == 1


def test_a_crash_without_the_reference_of_one_that_came_in_sends_nothing(desk: Desk) -> None:
    """It is found by its event."""
    reference = anchor(desk.open(), checkpoint(3))
    other = desk.open()
    assert other.submit(checkpoint(3), None, NOW) == reference
    verify(other, 3, reference)
    assert desk.look.transactions(desk.account) == 1


def test_one_that_the_node_forgot_is_sent_again(still: Look, desk: Desk) -> None:
    """A pool that was emptied: unknown, and then the same nonce again."""
    ledger = desk.open()
    reference = ledger.submit(checkpoint(3), None, NOW)
    still.ask("anvil_dropAllTransactions")
    assert ledger.confirm(checkpoint(3), reference) == "unknown"
    again = ledger.submit(checkpoint(3), reference, NOW)
    assert len(still.pool(desk.account)) == 1
    still.mine()
    verify(ledger, 3, again)


def test_a_transaction_that_failed_in_its_block_is_no_anchor(still: Look, desk: Desk) -> None:
    """Status 0: somebody with the same key was faster. It is handed over anew."""
    ledger = desk.open()
    ledger.submit(checkpoint(3), None, NOW)
    still.mine()
    reference = ledger.submit(checkpoint(5), None, NOW)
    # Out of the way, and in its place one that changes what its proof begins with.
    still.ask("anvil_dropAllTransactions")
    nonce, growth = still.transactions(desk.account), desk.around.growth
    hashes = [
        still.send(
            desk.account,
            still.contract,
            append_call(size, what.root, growth(3, size), what.origin_hash),
            nonce=nonce + size - 4,
        )
        for size in (4, 5)
        for what in [checkpoint(size)]
    ]
    still.mine()
    assert still.receipt(hashes[1])["status"] == "0x0"
    assert ledger.confirm(checkpoint(5), hashes[1]) == "unknown"
    assert ledger.confirm(checkpoint(5), reference) == "unknown"
    again = ledger.submit(checkpoint(5), hashes[1], NOW)
    still.mine()
    verify(ledger, 5, again)
    assert [size for size, _ in desk.held()] == [3, 4, 5]


def test_an_account_without_funds_says_so(desk: Desk) -> None:
    """Whom to send them to; later it works."""
    desk.look.ask("anvil_setBalance", desk.account.address, "0x1")
    ledger = desk.open()
    with pytest.raises(LedgerUnavailable, match=desk.account.address.lower()):
        ledger.submit(checkpoint(3), None, NOW)
    desk.look.ask("anvil_setBalance", desk.account.address, hex(10**18))
    verify(ledger, 3, ledger.submit(checkpoint(3), None, NOW))


def test_a_process_without_the_key_reads_and_does_not_write(desk: Desk) -> None:
    """It needs no key; `submit` says what is missing."""
    reference = anchor(desk.open(), checkpoint(3))
    reader = replace(desk, around=replace(desk.around, writes=False)).open(key_file=None)
    verify(reader, 3, reference)
    with pytest.raises(LedgerRefused):
        reader.submit(checkpoint(5), None, NOW)


def test_the_fees_of_an_old_chain(tmp_path: Path) -> None:
    """Where blocks have no base fee, one price is offered."""
    with Anvil.open(tmp_path / "old", options=("--hardfork", "berlin")) as chain:
        look = Look(chain.url, fees={"gasPrice": 2 * GWEI})
        look.deploy()
        ledger = Desk.make(look, tmp_path).open()
        reference = ledger.submit(checkpoint(3), None, NOW)
        sent = look.ask("eth_getTransactionByHash", reference)
        assert sent.get("maxFeePerGas") is None
        assert int(sent["type"], 16) == 0
        verify(ledger, 3, reference)


def test_a_block_that_others_are_in_too(still: Look, desk: Desk) -> None:
    """Of each kind, some of which fail: ours is proved among them, by several nodes of the trie."""
    kinds = (
        {"maxFeePerGas": 50 * GWEI, "maxPriorityFeePerGas": 9 * GWEI, "gas": 100_000},
        {"gasPrice": 30 * GWEI, "gas": 100_000},
        {"gasPrice": 30 * GWEI, "gas": 100_000, "accessList": []},
    )
    others = replace(still, fees={})
    account = still.account()
    for number in range(21):
        sent = b"" if number % 2 else b"\xff" * 8  # the contract refuses these
        to = still.contract if number % 4 == 0 else desk.account.address
        others.send(account, to, sent, **kinds[number % 3])
    ledger = desk.open()
    reference = ledger.submit(checkpoint(3), None, NOW)
    still.mine()
    verify(ledger, 3, reference)
    evidence = ledger.evidence(checkpoint(3), reference)
    assert evidence["index"] == 21
    assert len(evidence["proof"]) > 1  # type: ignore[arg-type]
    block = still.ask("eth_getBlockByNumber", "latest", False)
    statuses = {still.receipt(one)["status"] for one in block["transactions"]}
    assert statuses == {"0x0", "0x1"}


@pytest.fixture
def liar(look: Look) -> Iterator[LyingProxy]:
    """Before the node."""
    with LyingProxy(look.url) as proxy:
        yield proxy


@pytest.mark.parametrize(
    "words", ["replacement transaction underpriced", "Replacement transaction underpriced",
              "ReplacementNotAllowed", "transaction underpriced", "FeeTooLow, underpriced"],
)  # fmt: skip
def test_each_makers_word_for_too_low_a_fee(
    still: Look, desk: Desk, liar: LyingProxy, words: str
) -> None:
    """What waits was sent before a crash, for a fee that nobody knows: raised until it is taken."""
    desk.open(max_fee_gwei=2_000).submit(checkpoint(3), None, NOW)
    (before,) = still.pool(desk.account)
    still.ask("evm_setBlockGasLimit", hex(FULL))
    liar.words = words
    ledger = replace(desk, url=liar.url).open(patience_blocks=1)
    with pytest.raises(LedgerUnavailable, match="not in a block yet"):
        ledger.submit(checkpoint(3), None, NOW)
    pass_it_by(still, 1, LOW // 2)
    reference = ledger.submit(checkpoint(3), None, NOW)
    assert any("underpriced" in text for text in liar.replaced)
    (after,) = still.pool(desk.account)
    assert after["hash"] == reference != before["hash"]
    still.mine()
    verify(ledger, 3, reference)


@pytest.mark.parametrize(
    "words", ["already known", "Known transaction", "AlreadyKnown", "transaction already imported"]
)
def test_each_makers_word_for_one_that_waits_already(
    still: Look, desk: Desk, liar: LyingProxy, words: str
) -> None:
    """The very same transaction again: it is the one that was meant."""
    first = desk.open().submit(checkpoint(3), None, NOW)
    liar.words = words
    ledger = replace(desk, url=liar.url).open(patience_blocks=1)
    with pytest.raises(LedgerUnavailable, match="not in a block yet"):
        ledger.submit(checkpoint(3), None, NOW)
    pass_it_by(still, 1)
    assert ledger.submit(checkpoint(3), None, NOW) == first
    assert len(liar.replaced) == 1
    still.mine()
    verify(ledger, 3, first)


@pytest.mark.parametrize(
    "words", ["insufficient funds for gas * price + value", "InsufficientFunds, Account balance: 1",
              "Upfront cost exceeds account balance"],
)  # fmt: skip
def test_each_makers_word_for_too_little_money(desk: Desk, liar: LyingProxy, words: str) -> None:
    """The account is named, whoever says so and at which question."""
    desk.look.ask("anvil_setBalance", desk.account.address, "0x1")
    liar.words = words
    with pytest.raises(LedgerUnavailable, match=f"{desk.account.address.lower()} can't pay"):
        replace(desk, url=liar.url).open().submit(checkpoint(3), None, NOW)
    assert liar.replaced


def test_a_state_that_changes_while_a_checkpoint_is_handed_over_is_no_fork(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier transaction comes into a block just then: a refusal would stop the ledger."""
    ledger, real = desk.open(), Chain.estimate_gas

    def late(chain: Chain, call: Mapping[str, str]) -> int:
        monkeypatch.undo()
        first = checkpoint(3)
        desk.look.append(desk.account, 3, first.root, [], first.origin_hash)
        return real(chain, call)

    monkeypatch.setattr(Chain, "estimate_gas", late)
    with pytest.raises(LedgerUnavailable, match="changed just now"):
        ledger.submit(checkpoint(5), None, NOW)
    anchor(ledger, checkpoint(5))
    assert [size for size, _ in desk.held()] == [3, 5]
