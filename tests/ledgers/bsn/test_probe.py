# SPDX-License-Identifier: Apache-2.0
"""`notary anchors test` of a channel: nothing is anchored, and what isn't signed is called so."""

from typing import Any

import pytest

from notary.ledgers.port import LedgerRefused
from tests.bsn.gateway import MockGateway
from tests.ledgers.bsn.place import Place
from tests.ledgers.contract import NOW, checkpoint

THREE = checkpoint(3)


LIES: dict[str, Any] = {
    "another channel": ({"channelId": "app0666"}, "channelId is app0666 there"),
    "SM2": ({"algorithmType": 1}, "algorithmType is 1 there and 2"),
    "another key mode": ({"caType": 2}, "caType is 2 there and 1"),
    "nothing": ({"channelId": None, "caType": None, "algorithmType": None}, "None there"),
    "a long name": ({"channelId": "x" * 9999}, "x ..."),
    "another organisation": ({"mspId": "OtherMSP"}, "mspId is OtherMSP there, and msps names Org"),
    "no organisation": ({"mspId": ["OrgaNodeMSP"]}, "msps names Org"),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_the_app_is_said_to_be_is_compared_and_called_unsigned(
    place: Place, gateway: MockGateway, lie: str
) -> None:
    """`notary anchors test` shows the difference; the ledger goes on by its configuration."""
    ledger = place.open()
    assert ledger.probe()["app_unsigned"] == "agrees with notary.toml"
    change, words = LIES[lie]
    gateway.twists["getAppInfo"] = lambda _, answer: {**answer, "body": answer["body"] | change}
    told = str(ledger.probe()["app_unsigned"])
    assert told.startswith("differs: ")
    assert words in told
    assert len(told) < 2000
    assert ledger.confirm(THREE, ledger.submit(THREE, None, NOW)) == "verified"


@pytest.mark.parametrize("answer", [b"", b"null", {"header": {"code": 0}}, {"body": {}}])
def test_an_app_that_nobody_tells_of_is_no_fault(
    place: Place, gateway: MockGateway, answer: Any
) -> None:
    """What is signed answers all the same."""
    gateway.twists["getAppInfo"] = lambda *_: answer
    found = place.open().probe()
    assert str(found["app_unsigned"]).startswith("not told: ")
    assert found["height"] == 1
    assert found["gateway_key"] == place.client().fingerprint


def test_the_newest_block_is_checked_before_a_transaction_is_paid(
    place: Place, gateway: MockGateway
) -> None:
    """By the configured orderers; nothing is anchored by looking."""
    ledger = place.open()
    assert ledger.probe()["newest_block"] == "not checked: there is none but the first"
    assert "chaincode and msps" in str(ledger.probe()["not_tried"])
    ledger.submit(THREE, None, NOW)
    assert ledger.probe()["newest_block"] == "block 1, ordered by OrdererMSP"
    assert len(gateway.chain.placed) == 1
    assert ledger.probe()["first_block"] == gateway.chain.blocks[0].hash.hex()


def test_orderers_that_are_not_the_channels_are_told(place: Place) -> None:
    """Files that were mixed up, say."""
    place.open().submit(THREE, None, NOW)
    wrong = place.open(orderers=["OrdererMSP=OrgaNodeMSP.pem"])
    with pytest.raises(LedgerRefused, match="doesn't hold under the certificates in orderers"):
        wrong.probe()


def test_a_newest_block_that_is_none_is_told(place: Place, gateway: MockGateway) -> None:
    """Signed by the gateway, and no block."""
    ledger = place.open()
    ledger.submit(THREE, None, NOW)
    gateway.twists["getBlockData"] = lambda _, answer: gateway.signed(
        "getBlockData", 0, "success", answer["body"] | {"blockData": "AAAA"}
    )
    with pytest.raises(LedgerRefused, match="Block 1 of the channel"):
        ledger.probe()


def test_a_block_without_a_chaincodes_transaction_is_not_checked(
    place: Place, gateway: MockGateway
) -> None:
    """A configuration, say: there is no time to hold certificates against."""
    chain = gateway.chain
    block = chain.network.block(1, chain.blocks[0].hash, [b"\x0a\x00"])
    chain.blocks.append(block)
    found = place.open().probe()["newest_block"]
    assert found == "not checked: block 1 holds no transaction of a chaincode"
