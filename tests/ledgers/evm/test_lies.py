# SPDX-License-Identifier: Apache-2.0
"""A node that lies about one field of one answer, whichever: nothing is verified by it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from notary.ledgers.evm import events
from notary.ledgers.port import AnchorState, LedgerRefused, LedgerUnavailable
from tests.ledgers.contract import NOW, checkpoint
from tests.ledgers.evm.lying import LyingProxy, Way, changed, flipped, nothing, unsound, values
from tests.ledgers.evm.on_anvil import Desk, Look, anchor

pytestmark = pytest.mark.needs("anvil")

THERE, NOT_THERE = checkpoint(3), checkpoint(4)
HEADER = {
    "baseFeePerGas", "blobGasUsed", "difficulty", "excessBlobGas", "extraData", "gasLimit",
    "gasUsed", "hash", "logsBloom", "miner", "mixHash", "nonce", "number", "parentBeaconBlockRoot",
    "parentHash", "receiptsRoot", "requestsHash", "sha3Uncles", "stateRoot", "timestamp",
    "transactionsRoot", "withdrawalsRoot",
}  # fmt: skip
"""All that a block's hash is over, and the hash."""
RECEIPT = {"cumulativeGasUsed", "logsBloom", "status", "type"}
LOG = {"address", "data", "topics"}


@pytest.fixture
def liar(look: Look) -> Iterator[LyingProxy]:
    """Before the node."""
    with LyingProxy(look.url) as proxy:
        yield proxy


def confirmed(desk: Desk, reference: str | None) -> tuple[AnchorState | None, object]:
    """What a new process makes of it: the state and, where it is verified, the evidence."""
    ledger = desk.open()
    try:
        state = ledger.confirm(THERE, reference)
        return state, ledger.evidence(THERE, reference) if state == "verified" else None
    except (LedgerRefused, LedgerUnavailable):
        return None, None


@pytest.mark.parametrize("by_reference", [True, False], ids=["by-transaction", "by-topics"])
@pytest.mark.parametrize("change", [flipped, nothing, unsound], ids=lambda f: f.__name__)
def test_one_field_of_one_answer(
    desk: Desk, liar: LyingProxy, change: Callable[[Any], Any], by_reference: bool
) -> None:
    """Each in its turn: verified is only what nothing hangs on, with the true evidence."""
    sent = anchor(desk.open(), THERE)
    desk.look.mine(2)
    reference = sent if by_reference else None
    lied_to = replace(desk, url=liar.url)
    state, truth = confirmed(lied_to, reference)
    assert state == "verified"
    harmless: dict[str, set[str]] = {}
    results = dict(liar.heard)
    if not by_reference:
        results = {"eth_getLogs": results["eth_getLogs"]}
    ways = [(method, way) for method, result in results.items() for way in values(result)]
    assert len(ways) > (60 if by_reference else 9)
    for method, way in ways:
        liar.lie = lie_about(method, way, change)
        state, evidence = confirmed(lied_to, reference)
        if state == "verified":
            assert evidence == truth, (method, way)
            harmless.setdefault(method, set()).add("/".join(map(str, way)))
    assert not {"eth_chainId", "eth_call"} & harmless.keys()
    assert not harmless.get("eth_getBlockByHash", set()) & HEADER
    assert not harmless.get("eth_getBlockByNumber", set()) & {"hash", "number"}
    last = {way.split("/")[-1] for way in harmless.get("eth_getBlockReceipts", set())}
    assert not last & RECEIPT
    for way in harmless.get("eth_getBlockReceipts", set()):
        assert not set(way.split("/")) & LOG, way


def lie_about(method: str, way: Way, change: Callable[[Any], Any]) -> Callable[[str, Any], Any]:
    """Change one value of one method's result."""

    def lie(asked: str, result: Any) -> Any:
        return changed(result, way, change) if asked == method else result

    return lie


@pytest.mark.parametrize(
    "methods",
    [
        {"eth_call", "eth_getLogs", "eth_getTransactionReceipt"},
        {"eth_call", "eth_getLogs", "eth_getTransactionReceipt", "eth_getBlockReceipts"},
        None,
    ],
    ids=["where-the-event-is", "the-receipts-too", "everywhere"],
)
def test_an_anchor_that_was_made_up(desk: Desk, liar: LyingProxy, methods: set[str] | None) -> None:
    """What was said of size 3 is said of size 4 in the same form: no block proves it."""
    sent = anchor(desk.open(), THERE)
    swaps = [(THERE.root.hex(), NOT_THERE.root.hex()), (f"{3:064x}", f"{4:064x}")]

    def lie(method: str, result: Any) -> Any:
        return _replaced(result, swaps) if methods is None or method in methods else result

    liar.lie = lie
    ledger = replace(desk, url=liar.url).open()
    for reference in (sent, None):
        with pytest.raises(LedgerUnavailable):
            ledger.confirm(NOT_THERE, reference)
        with pytest.raises(LedgerUnavailable):
            ledger.evidence(NOT_THERE, reference)
    assert ledger.newest("notary.example/log") is None


def _replaced(result: Any, swaps: list[tuple[str, str]]) -> Any:
    if isinstance(result, dict):
        return {name: _replaced(part, swaps) for name, part in result.items()}
    if isinstance(result, list):
        return [_replaced(part, swaps) for part in result]
    if isinstance(result, str):
        for old, new in swaps:
            result = result.replace(old, new)
    return result


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("eth_call", "0x" + "00" * 96),
        ("eth_call", "0x"),
        ("eth_call", "0x" + "ff" * 96),
        ("eth_chainId", "0x1"),
        ("eth_getTransactionReceipt", None),
        ("eth_getLogs", []),
        ("eth_getBlockByHash", None),
        ("eth_getBlockByNumber", None),
        ("eth_getBlockReceipts", []),
        ("eth_getBlockReceipts", None),
        ("eth_blockNumber", "0x0"),
        ("eth_blockNumber", "-0x1"),
        ("eth_blockNumber", 99),
    ],
)
def test_one_answer_in_the_place_of_another(
    desk: Desk, liar: LyingProxy, method: str, result: Any
) -> None:
    """An answer that is empty, from another chain, or of a node that lags behind."""
    sent = anchor(desk.open(), THERE)
    liar.lie = lambda asked, true: result if asked == method else true
    state, _ = confirmed(replace(desk, url=liar.url), sent)
    expected = "verified" if method == "eth_getLogs" else None
    if method == "eth_call" and result == "0x" + "00" * 96:
        expected = "unknown"
    if method == "eth_blockNumber" and result == "0x0":
        expected = "committed"
    if method == "eth_getTransactionReceipt":
        assert state != "verified"
    else:
        assert state == expected


def test_the_wrong_chain_is_never_written_to(desk: Desk, liar: LyingProxy) -> None:
    """Its id is looked at before anything is signed."""
    liar.lie = lambda asked, true: "0x1" if asked == "eth_chainId" else true
    with pytest.raises(LedgerUnavailable, match="chain 1, and notary"):
        replace(desk, url=liar.url).open().submit(THERE, None, NOW)
    assert [method for method, _ in liar.heard] == ["eth_chainId"]
    assert desk.look.transactions(desk.account) == 0


@pytest.mark.parametrize("code", ["0x", "0x6000"], ids=["nothing", "another"])
def test_another_contract_is_never_written_to(desk: Desk, liar: LyingProxy, code: str) -> None:
    """Nor nothing at all: a transaction there would be paid for in vain."""
    liar.lie = lambda asked, true: code if asked == "eth_getCode" else true
    with pytest.raises(LedgerUnavailable, match="anchors deploy"):
        replace(desk, url=liar.url).open().submit(THERE, None, NOW)
    assert desk.look.transactions(desk.account) == 0


def test_a_fork_that_the_chain_shows_is_told_to_the_gate(desk: Desk) -> None:
    """The chain holds a size that our log has with another root: refused, and remembered."""
    foreign = checkpoint(3, "other.example/log")
    desk.look.append(desk.account, 3, foreign.root, [], THERE.origin_hash)
    ledger = desk.open()
    with pytest.raises(LedgerRefused, match=foreign.root.hex()):
        ledger.submit(NOT_THERE, None, NOW)
    assert ledger.newest("notary.example/log") == (3, foreign.root)


def test_a_fork_that_only_a_node_says_closes_no_gate(desk: Desk, liar: LyingProxy) -> None:
    """Refused, as a person should look; but no block proves it."""
    anchor(desk.open(), THERE)
    swaps = [(THERE.root.hex(), "ab" * 32)]
    liar.lie = lambda method, true: _replaced(true, swaps)
    ledger = replace(desk, url=liar.url).open()
    with pytest.raises(LedgerRefused):
        ledger.submit(NOT_THERE, None, NOW)
    assert ledger.newest("notary.example/log") is None


def test_a_node_without_the_receipts_of_a_block_is_asked_for_each(
    desk: Desk, liar: LyingProxy
) -> None:
    """The evidence is the same."""
    sent = anchor(desk.open(), THERE)
    truth = desk.open().evidence(THERE, sent)
    liar.refuse = lambda request: request["method"] == "eth_getBlockReceipts"
    assert confirmed(replace(desk, url=liar.url), sent) == ("verified", truth)


def test_a_node_that_searches_few_blocks_at_once(
    desk: Desk, liar: LyingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest ones first, back to `from_block`; without an end in sight it says what to set."""
    anchor(desk.open(), THERE)
    born = desk.look.block()
    desk.look.mine(25)
    monkeypatch.setattr(events, "WINDOW_BLOCKS", 10)

    def is_wide(request: dict[str, Any]) -> bool:
        if request["method"] != "eth_getLogs":
            return False
        (asked,) = request["params"]
        return int(asked["toBlock"], 16) - int(asked["fromBlock"], 16) >= 10

    liar.refuse = is_wide
    lied_to = replace(desk, url=liar.url)
    assert confirmed(lied_to, None)[0] == "verified"
    assert lied_to.open(from_block=born).confirm(THERE, None) == "verified"
    with pytest.raises(LedgerUnavailable):
        lied_to.open(from_block=born + 1).confirm(THERE, None)
    liar.refuse = lambda request: request["method"] == "eth_getLogs"
    with pytest.raises(LedgerUnavailable):
        lied_to.open().confirm(THERE, None)


@pytest.mark.parametrize(
    ("method", "name", "word"),
    [
        ("eth_getBlockByHash", "extraData", "can't give evidence"),
        ("eth_getBlockReceipts", "cumulativeGasUsed", "don't hash to the root"),
    ],
)
def test_it_says_what_does_not_hash(
    desk: Desk, liar: LyingProxy, method: str, name: str, word: str
) -> None:
    """A chain that hashes its blocks or receipts by rules of its own, or a node that errs."""
    sent = anchor(desk.open(), THERE)

    def lie(asked: str, result: Any) -> Any:
        if asked != method:
            return result
        first = isinstance(result, list)
        return changed(result, (0, name) if first else (name,), lambda value: "0x1234")

    liar.lie = lie
    with pytest.raises(LedgerUnavailable, match=word):
        replace(desk, url=liar.url).open().confirm(THERE, sent)
