# SPDX-License-Identifier: Apache-2.0
"""Between `set` and a block that counts: codes, waiting, and what is said meanwhile."""

import pytest

from notary.ledgers.bsn.ledger import PATIENCE
from notary.ledgers.bsn.verdicts import NAMES, SET_AGAIN
from notary.ledgers.port import LedgerRefused, LedgerUnavailable
from tests.bsn.gateway import MockGateway
from tests.ledgers.bsn.place import Place
from tests.ledgers.contract import NOW, ORIGIN, checkpoint

THREE = checkpoint(3)


def test_of_two_that_wait_the_peers_take_one(place: Place, slow: MockGateway) -> None:
    """The answer was lost before the block came: the second set fails by code 11, no anchor."""
    slow.twists["reqChainCode"] = lambda *_: None
    ledger = place.open(timeout_seconds=0.5)
    with pytest.raises(LedgerUnavailable):
        ledger.submit(THREE, None, NOW)
    slow.twists.clear()
    second = ledger.submit(THREE, None, NOW)
    slow.chain.cut()
    assert slow.chain.placed[second].code == 11
    assert ledger.confirm(THREE, second) == "unknown"
    first = ledger.submit(THREE, second, NOW)
    assert first != second
    assert ledger.confirm(THREE, first) == "verified"
    assert ledger.confirm(THREE, second) == "unknown"


@pytest.mark.parametrize("code", SET_AGAIN)
def test_a_code_that_asks_for_another_try_gets_one(
    place: Place, gateway: MockGateway, code: int
) -> None:
    """MVCC conflict, phantom read, an id that was used, a chaincode that was exchanged."""
    ledger = place.open()
    gateway.chain.code = code
    reference = ledger.submit(THREE, None, NOW)
    assert ledger.confirm(THREE, reference) == "unknown"
    again = ledger.submit(THREE, reference, NOW)
    assert again != reference
    assert ledger.confirm(THREE, again) == "verified"


@pytest.mark.parametrize("code", [*NAMES, 26, 99])
def test_a_code_that_lasts_stops_the_ledger_until_a_person_looked(
    place: Place, gateway: MockGateway, code: int
) -> None:
    """It says which code; a retry sets again."""
    ledger = place.open()
    gateway.chain.code = code
    reference = ledger.submit(THREE, None, NOW)
    for who in (ledger, place.open()):
        with pytest.raises(LedgerRefused, match=f"validation code {code}, "):
            who.confirm(THREE, reference)
        assert who.newest(ORIGIN) is None
    again = ledger.submit(THREE, reference, NOW)
    assert ledger.confirm(THREE, again) == "verified"


def test_a_block_that_no_peer_looked_at_yet_is_waited_for(
    place: Place, gateway: MockGateway
) -> None:
    """Code 254."""
    ledger = place.open()
    gateway.chain.code = 254
    reference = ledger.submit(THREE, None, NOW)
    assert ledger.confirm(THREE, reference) == "submitted"


def test_a_block_that_never_comes_is_not_waited_for_for_ever(
    place: Place, slow: MockGateway
) -> None:
    """After some looks the root is set once more; the first may come all the same."""
    ledger = place.open()
    lost = ledger.submit(THREE, None, NOW)
    states = [ledger.confirm(THREE, lost) for _ in range(PATIENCE)]
    assert states == ["submitted"] * (PATIENCE - 1) + ["unknown"]
    second = ledger.submit(THREE, lost, NOW)
    assert second != lost
    assert ledger.confirm(THREE, second) == "submitted"
    slow.chain.waiting.pop(0)
    slow.chain.cut()
    assert ledger.confirm(THREE, second) == "verified"


def test_no_block_in_time_is_unknown_and_not_set_again_at_once(
    place: Place, slow: MockGateway
) -> None:
    """Status -1 is no failure: the block may come any moment."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    slow.timed_out.add(reference)
    assert ledger.confirm(THREE, reference) == "unknown"
    assert ledger.submit(THREE, reference, NOW) == reference
    assert slow.count("reqChainCode", "set") == 1
    slow.chain.cut()
    assert ledger.confirm(THREE, reference) == "verified"


def test_that_it_is_valid_is_never_believed(place: Place, slow: MockGateway) -> None:
    """getTransaction says status 0, signed, while there is no block."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    body = {
        "blockHash": "00" * 32,
        "blockNumber": 7,
        "status": 0,
        "createName": "",
        "timeSpanSec": 1,
        "timeSpanNsec": 1,
    }
    slow.twists["getTransaction"] = lambda *_: slow.signed("getTransaction", 0, "success", body)
    assert ledger.confirm(THREE, reference) == "submitted"
    assert ledger.newest(ORIGIN) is None


def test_the_block_counts_where_the_status_says_otherwise(
    place: Place, gateway: MockGateway
) -> None:
    """getTransaction says valid, the block's code says 10."""
    ledger = place.open()
    gateway.chain.code = 10
    reference = ledger.submit(THREE, None, NOW)
    gateway.twists["getTransaction"] = lambda _, answer: gateway.signed(
        "getTransaction", 0, "success", {**answer["body"], "status": 0}
    )
    with pytest.raises(LedgerRefused, match="code 10"):
        ledger.confirm(THREE, reference)
