# SPDX-License-Identifier: Apache-2.0
"""Blocks that lie, signed by a gateway that lies too: only bytes that hold are an anchor."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from notary.core.errors import MalformedText
from notary.evidence.fabric_block import parse_block
from notary.ledgers.port import LedgerRefused, LedgerUnavailable
from tests.bsn.gateway import MockGateway
from tests.bsn.wire import Json
from tests.fabric.network import processed
from tests.ledgers.bsn.place import Place
from tests.ledgers.contract import NOW, ORIGIN, checkpoint

TWO, THREE = checkpoint(2), checkpoint(3)


def bent_block(gateway: MockGateway, **lies: Any) -> Callable[[Json, Json], Json]:
    """A signed answer with the block, one of whose parts is a lie."""

    def twist(_: Json, answer: Json) -> Json:
        placed = next(iter(gateway.chain.placed.values()))
        real = gateway.chain.blocks[placed.block]
        given = {
            "number_": real.number,
            "previous_hash": gateway.chain.blocks[real.number - 1].hash,
            "transactions": [placed.transaction],
            "codes": b"\0",
            **lies,
        }
        block = gateway.chain.network.block(**given)
        body = {
            **answer["body"],
            "blockNumber": block.number,
            "blockHash": block.hash.hex(),
            "blockData": base64.b64encode(block.octets).decode(),
        }
        return gateway.signed("getBlockData", 0, "success", body)

    return twist


def test_a_block_that_is_served_otherwise_holds_as_it_is_signed(
    place: Place, gateway: MockGateway
) -> None:
    """The helper of the next test lies only where it is told to."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    gateway.twists["getBlockData"] = bent_block(gateway)
    assert ledger.confirm(THREE, reference) == "verified"


@pytest.mark.parametrize(
    "lies",
    [
        {"data_hash": bytes(32)},
        {"transactions": []},
        {"codes": b""},
        {"codes": b"\0\0"},
    ],
    ids=str,
)
def test_a_block_that_lies_is_no_anchor(
    place: Place, gateway: MockGateway, lies: dict[str, Any]
) -> None:
    """Whoever made it has the gateway's key, and even the orderer's."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    gateway.twists["getBlockData"] = bent_block(gateway, **lies)
    with suppress(LedgerUnavailable):
        assert ledger.confirm(THREE, reference) == "submitted"
    assert ledger.newest(ORIGIN) is None


def test_a_block_signed_by_no_orderer_is_no_anchor(place: Place, gateway: MockGateway) -> None:
    """A peer of the channel is none."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    gateway.twists["getBlockData"] = bent_block(gateway, signer=gateway.chain.network.peers[0])
    with pytest.raises(LedgerUnavailable, match="does not count"):
        ledger.confirm(THREE, reference)


def test_a_number_or_a_hash_that_is_not_the_bytes_own_is_refused(
    place: Place, gateway: MockGateway
) -> None:
    """Signed beside the right block."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    for lie in ({"blockNumber": 7}, {"blockHash": "00" * 32}):
        gateway.twists["getBlockData"] = lambda _, answer, lie=lie: gateway.signed(
            "getBlockData", 0, "success", answer["body"] | lie
        )
        with pytest.raises(LedgerUnavailable, match="not those of its bytes"):
            ledger.confirm(THREE, reference)


@pytest.mark.parametrize("data", [b"\0", b"x" * 99, b"\x0a\xff\xff\xff\xff\x0f", bytes(4096)])
def test_bytes_that_are_no_block_are_refused(
    place: Place, gateway: MockGateway, data: bytes
) -> None:
    """Signed by the gateway all the same."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    gateway.twists["getBlockData"] = lambda _, answer: gateway.signed(
        "getBlockData",
        0,
        "success",
        answer["body"] | {"blockData": base64.b64encode(data).decode()},
    )
    with pytest.raises(LedgerUnavailable, match="does not count"):
        ledger.confirm(THREE, reference)


def test_the_transaction_alone_must_be_the_one_in_the_block(
    place: Place, gateway: MockGateway
) -> None:
    """Two answers that speak of different things count neither."""
    ledger = place.open()
    two = ledger.submit(TWO, None, NOW)
    reference = ledger.submit(THREE, None, NOW)
    other = gateway.chain.placed[two].transaction.envelope
    body = {"txId": reference, "transData": base64.b64encode(processed(other, 0)).decode()}
    gateway.twists["getTransdata"] = lambda *_: gateway.signed("getTransdata", 0, None, body)
    with pytest.raises(LedgerUnavailable, match="not the one that was served alone"):
        ledger.confirm(THREE, reference)


def test_a_transaction_of_ours_that_writes_something_else_is_no_anchor(
    place: Place, gateway: MockGateway
) -> None:
    """Of the right chaincode and function, with a key that is no checkpoint's."""
    value = json.dumps({"baseKey": "of another program", "baseValue": THREE.root.hex()})
    tx, _ = gateway.chain.call("set", [value])
    ledger = place.open()
    assert ledger.confirm(THREE, tx) == "unknown"
    with pytest.raises((LedgerRefused, LedgerUnavailable)):
        ledger.evidence(THREE, tx)


def test_no_bit_of_a_block_can_be_changed_but_those_that_nobody_signed(
    place: Place, gateway: MockGateway
) -> None:
    """All that is said beside the bytes fits them, and is signed; they alone give it away."""
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    evidence = ledger.evidence(THREE, reference)
    real = gateway.chain.blocks[-1].octets
    verified = 0
    for at in range(0, len(real), 29):
        bent = bytearray(real)
        bent[at] ^= 1 << at % 8
        lie(gateway, reference, bytes(bent))
        other = place.open()
        with suppress(LedgerUnavailable, LedgerRefused):
            if other.confirm(THREE, reference) == "verified":
                verified += 1
                assert other.evidence(THREE, reference) == evidence, at
    assert 0 < verified < 5


def lie(gateway: MockGateway, tx: str, data: bytes) -> None:
    """Have these bytes served, and all else as if they were true."""

    def block(_: Json, answer: Json) -> Json:
        body = answer["body"] | {"blockData": base64.b64encode(data).decode()}
        with suppress(MalformedText):
            block = parse_block(data)
            body |= {"blockNumber": block.number, "blockHash": block.hash.hex()}
        return gateway.signed("getBlockData", 0, "success", body)

    alone = {"txId": tx, "transData": base64.b64encode(data).decode()}
    gateway.twists["getBlockData"] = block
    gateway.twists["getTransdata"] = lambda *_: gateway.signed("getTransdata", 0, None, alone)
