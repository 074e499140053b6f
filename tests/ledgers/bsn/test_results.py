# SPDX-License-Identifier: Apache-2.0
"""Results of the chaincode: never believed, and refused where they are none."""

import json

import pytest

from notary.ledgers.port import LedgerUnavailable
from tests.bsn.gateway import MockGateway
from tests.ledgers.bsn.place import Place
from tests.ledgers.contract import NOW, checkpoint

THREE = checkpoint(3)


def test_that_the_chaincode_has_it_is_never_believed(place: Place, slow: MockGateway) -> None:
    """`get` isn't asked, and a history without blocks behind it anchors nothing."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    history = json.dumps([{"txId": reference, "dataInfo": THREE.root.hex(), "isDelete": False}])
    body = {
        "blockInfo": {"txId": "0" * 64, "blockHash": "", "status": 0},
        "ccRes": {"ccCode": 200, "ccData": history},
    }
    slow.twists["reqChainCode"] = lambda *_: slow.signed("reqChainCode", 0, "success", body)
    assert ledger.confirm(THREE, None) == "unknown"
    assert slow.count("reqChainCode", "get") == 0


def test_a_set_that_is_refused_for_another_reason_says_which(
    place: Place, gateway: MockGateway
) -> None:
    """Nothing is found in the history then, and the reason isn't read by a machine."""
    body = {
        "blockInfo": {"txId": "", "blockHash": "", "status": 0},
        "ccRes": {"ccCode": 500, "ccData": "failed to add data: disk full"},
    }
    gateway.twists["reqChainCode"] = lambda *_: gateway.signed("reqChainCode", 0, None, body)
    with pytest.raises(LedgerUnavailable, match="says no to set: failed to add data: disk full"):
        place.open().submit(THREE, None, NOW)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"blockInfo": None, "ccRes": None},
        {"blockInfo": {"txId": "", "blockHash": "", "status": 0}},
        {"ccRes": {"ccCode": 200, "ccData": "SUCCESS"}},
    ],
    ids=str,
)
def test_a_result_without_its_parts_is_no_answer(
    place: Place, gateway: MockGateway, body: dict[str, object]
) -> None:
    """Signed, and of no use; nobody knows then what became of the call."""
    block = body.get("blockInfo") or {"txId": "", "blockHash": "", "status": ""}
    result = body.get("ccRes") or {"ccCode": "", "ccData": ""}
    signed = gateway.signed("reqChainCode", 0, None, {"blockInfo": block, "ccRes": result})
    gateway.twists["reqChainCode"] = lambda *_: {**signed, "body": body}
    with pytest.raises(LedgerUnavailable, match="without a result"):
        place.open().submit(THREE, None, NOW)


@pytest.mark.parametrize("tx", ["", "x", "AB" * 32, "ab" * 31])
def test_an_id_that_is_none_is_no_reference(place: Place, gateway: MockGateway, tx: str) -> None:
    """It would find nothing again."""
    body = {
        "blockInfo": {"txId": tx, "blockHash": "", "status": 0},
        "ccRes": {"ccCode": 200, "ccData": "SUCCESS"},
    }
    gateway.twists["reqChainCode"] = lambda *_: gateway.signed("reqChainCode", 0, None, body)
    with pytest.raises(LedgerUnavailable, match="without a txId"):
        place.open().submit(THREE, None, NOW)


@pytest.mark.parametrize(
    "history", ["", "x", "{}", '{"txId":1}', "7", '["a"]', "[{}]", "[" * 9999, '[{"txId":null}]']
)
def test_a_history_that_is_none_is_no_answer(
    place: Place, gateway: MockGateway, history: str
) -> None:
    """Neither a traceback, nor taken as empty where it isn't."""
    ledger = place.open()
    body = {
        "blockInfo": {"txId": "0" * 64, "blockHash": "", "status": 0},
        "ccRes": {"ccCode": 200, "ccData": history},
    }
    gateway.twists["reqChainCode"] = lambda *_: gateway.signed("reqChainCode", 0, None, body)
    if history in ("{}", '[{"txId":null}]'):
        assert ledger.confirm(THREE, None) == "unknown"
        return
    with pytest.raises(LedgerUnavailable, match="what is no history"):
        ledger.confirm(THREE, None)
