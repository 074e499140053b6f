# SPDX-License-Identifier: Apache-2.0
"""Traps of the gateway's protocol: each would end in an anchor that isn't there, or in two."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from notary.ledgers.port import LedgerUnavailable
from tests.bsn.gateway import MockGateway
from tests.bsn.wire import Json, answer_words
from tests.ledgers.bsn.place import Place
from tests.ledgers.contract import NOW, ORIGIN, checkpoint

TWO, THREE = checkpoint(2), checkpoint(3)


@pytest.fixture
def two(place: Place) -> str:
    """The transaction that anchored size 2."""
    return place.open().submit(TWO, None, NOW)


def shifted(name: str, **fields: Any) -> Callable[[MockGateway], Callable[[Json, Json], Json]]:
    """The same text, cut into other values: the honest mac holds."""

    def of(gateway: MockGateway) -> Callable[[Json, Json], Json]:
        def twist(_: Json, answer: Json) -> Json:
            body = {**answer["body"]}
            for field, change in fields.items():
                body[field] = change(answer["body"])
            words = answer_words(name, 0, "success", body)
            assert words == answer_words(name, 0, "success", answer["body"])
            return {**answer, "body": body}

        return twist

    return of


SHIFTS = {
    "getTransdata": shifted(
        "getTransdata",
        txId=lambda body: body["txId"] + body["transData"][:4],
        transData=lambda body: body["transData"][4:],
    ),
    "getBlockData, number": shifted(
        "getBlockData",
        blockNumber=lambda body: int(f"{body['blockNumber']}0"),
        preBlockHash=lambda body: body["preBlockHash"].removeprefix("0"),
    ),
    "getBlockData, hash": shifted(
        "getBlockData",
        preBlockHash=lambda body: body["preBlockHash"] + body["blockData"][:4],
        blockData=lambda body: body["blockData"][4:],
    ),
}


@pytest.mark.parametrize("what", SHIFTS)
def test_a_mac_does_not_fix_where_a_value_ends(
    place: Place, gateway: MockGateway, what: str
) -> None:
    """So what was asked for is looked for in the bytes; a good mac alone shows nothing."""
    if what.endswith("number"):
        first = gateway.chain.blocks[0]
        zeros = type(first)(first.number, b"\0" + first.hash[1:], first.octets)
        gateway.chain.blocks[0] = zeros
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    gateway.twists[what.partition(",")[0]] = SHIFTS[what](gateway)
    with pytest.raises(LedgerUnavailable):
        ledger.confirm(THREE, reference)
    assert ledger.newest(ORIGIN) is None


def test_a_result_cut_into_other_values_is_a_no_and_ends_in_no_second_anchor(
    place: Place, gateway: MockGateway
) -> None:
    """ccCode 200 and `SUCCESS` are signed as ccCode 2 and `00SUCCESS` are."""

    def twist(_: Json, answer: Json) -> Json:
        if answer["body"]["ccRes"] != {"ccCode": 200, "ccData": "SUCCESS"}:
            return answer
        body = {**answer["body"], "ccRes": {"ccCode": 2, "ccData": "00SUCCESS"}}
        return {**answer, "body": body}

    gateway.twists["reqChainCode"] = twist
    ledger = place.open()
    reference = ledger.submit(THREE, None, NOW)
    assert ledger.confirm(THREE, reference) == "verified"
    assert len(gateway.chain.placed) == 1


def test_no_pair_of_transient_data_is_ever_sent(
    place: Place, gateway: MockGateway, two: str
) -> None:
    """Kits sign several in no order, so that the gateway may sign another text than we."""
    place.open().confirm(TWO, None)
    calls = [body for name, body in gateway.asked if name == "reqChainCode"]
    assert {body["funcName"] for body in calls} == {"set", "getHistory"}
    assert all(body["transientData"] == {} and len(body["args"]) == 1 for body in calls)


def test_a_nonce_is_24_bytes_and_never_comes_again(
    place: Place, gateway: MockGateway, two: str
) -> None:
    """It makes the transaction's id."""
    place.open().submit(THREE, None, NOW)
    nonces = [body["nonce"] for name, body in gateway.asked if name == "reqChainCode"]
    assert len(set(nonces)) == len(nonces) > 1
    assert {len(base64.b64decode(nonce)) for nonce in nonces} == {24}


REPLAYED = ("getTransdata", "getBlockData")


@pytest.mark.parametrize("names", [REPLAYED[:1], REPLAYED[1:], REPLAYED])
def test_an_answer_to_another_question_anchors_nothing(
    place: Place, gateway: MockGateway, two: str, names: tuple[str, ...]
) -> None:
    """Signed answers of yesterday hold today: the transaction is looked for in the bytes."""
    ledger = place.open()
    assert ledger.confirm(TWO, two) == "verified"
    old = {name: answer for name, answer in gateway.sent if name in names}
    reference = ledger.submit(THREE, None, NOW)
    for name in names:
        gateway.twists[name] = lambda *_, name=name: old[name]
    with pytest.raises(LedgerUnavailable):
        ledger.confirm(THREE, reference)
    assert ledger.newest(ORIGIN) == (2, TWO.root)
    gateway.twists.clear()
    assert ledger.confirm(THREE, reference) == "verified"


def test_another_transaction_in_the_same_block_anchors_nothing(
    place: Place, gateway: MockGateway
) -> None:
    """One block for two sizes: each has its own transaction, and only that one counts."""
    gateway.chain.delay_seconds = None
    ledger = place.open()
    two, three = (ledger.submit(what, None, NOW) for what in (TWO, THREE))
    gateway.chain.cut()
    assert len(gateway.chain.blocks) == 2
    assert ledger.confirm(TWO, three) == "unknown"
    assert ledger.confirm(THREE, two) == "unknown"
    assert ledger.confirm(TWO, two) == ledger.confirm(THREE, three) == "verified"


def test_the_answer_to_an_earlier_set_is_no_anchor_of_this_size(
    place: Place, gateway: MockGateway
) -> None:
    """Swallowed and answered by an old answer: found out from the block, and set in the end."""
    ledger = place.open()
    ledger.submit(TWO, None, NOW)
    old = next(answer for name, answer in gateway.sent if name == "reqChainCode")
    swallowed: list[Json] = []

    def swallow(body: Json, answer: Json) -> Json:
        swallowed.append(body)
        return old

    gateway.twists["reqChainCode"] = swallow
    gateway.chain.delay_seconds = None
    reference = ledger.submit(THREE, None, NOW)
    assert ledger.confirm(THREE, reference) == "unknown"
    gateway.twists.clear()
    gateway.chain.waiting.clear()
    gateway.chain.delay_seconds = 0
    again = ledger.submit(THREE, reference, NOW)
    assert again != reference
    assert ledger.confirm(THREE, again) == "verified"


def test_the_history_of_another_key_is_not_ours(
    place: Place, gateway: MockGateway, two: str
) -> None:
    """An old answer names the transaction of another size."""
    ledger = place.open()
    assert ledger.confirm(TWO, None) == "verified"
    old = [answer for name, answer in gateway.sent if name == "reqChainCode"][-1]
    gateway.twists["reqChainCode"] = lambda *_: old
    assert ledger.confirm(THREE, None) == "unknown"
    assert ledger.newest(ORIGIN) == (2, TWO.root)


def test_a_history_without_ours_sets_no_second_anchor(
    place: Place, gateway: MockGateway, two: str
) -> None:
    """`set` says that the key is there, the history says nothing: nobody knows, and it is said."""
    empty = {
        "blockInfo": {"txId": "0" * 64, "blockHash": "", "status": 0},
        "ccRes": {"ccCode": 200, "ccData": "[]"},
    }

    def twist(body: Json, answer: Json) -> Json:
        is_history = body["funcName"] == "getHistory"
        return gateway.signed("reqChainCode", 0, None, empty) if is_history else answer

    gateway.twists["reqChainCode"] = twist
    with pytest.raises(LedgerUnavailable, match="key value already exists"):
        place.open().submit(TWO, None, NOW)
    assert len(gateway.chain.placed) == 1


def test_the_first_block_is_a_block(place: Place, two: str) -> None:
    """Number 0 is a legal value, and no missing one."""
    client = place.client()
    assert client.block_info(0)["blockNumber"] == 0
    assert client.block_at(0).number == 0
    assert client.block_at(1).number == 1


def test_success_is_never_read_from_the_words_of_an_error(
    place: Place, gateway: MockGateway
) -> None:
    """'key value already exists' for a key that nobody set."""
    body = {
        "blockInfo": {"txId": "", "blockHash": "", "status": 0},
        "ccRes": {"ccCode": 500, "ccData": "key value already exists"},
    }

    def twist(asked: Json, answer: Json) -> Json:
        return (
            gateway.signed("reqChainCode", 0, None, body) if asked["funcName"] == "set" else answer
        )

    gateway.chain.delay_seconds = None
    gateway.twists["reqChainCode"] = twist
    with pytest.raises(LedgerUnavailable, match="already exists"):
        place.open().submit(THREE, None, NOW)


def test_what_the_app_is_decides_nothing(place: Place, gateway: MockGateway) -> None:
    """It comes unsigned, and could choose the algorithm and the channel: it isn't even asked."""
    ledger = place.open()
    ledger.confirm(THREE, ledger.submit(THREE, None, NOW))
    ledger.evidence(THREE, None)
    assert "getAppInfo" not in {name for name, _ in gateway.asked}
