# SPDX-License-Identifier: Apache-2.0
"""Answers of the gateway: signed by its key, in the right form, or they don't count."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from notary.ledgers.bsn.chaincode import Chaincode
from notary.ledgers.bsn.gateway import Declined, Gateway, said
from notary.ledgers.port import LedgerUnavailable
from tests.bsn.files import CHAINCODE, CHANNEL
from tests.bsn.gateway import MockGateway
from tests.bsn.wire import Json, Key, answer_words
from tests.ledgers.bsn.place import Place
from tests.ledgers.contract import checkpoint


@pytest.fixture
def client(place: Place) -> Gateway:
    """A client of a gateway whose channel has one anchor."""
    Chaincode(place.client(), CHAINCODE, "").set(checkpoint(1))
    return place.client()


@pytest.fixture
def tx(client: Gateway, gateway: MockGateway) -> str:
    """The id of that anchor's transaction."""
    return next(iter(gateway.chain.placed))


Call = Callable[[Gateway, str], object]
CALLS: dict[str, Call] = {
    "reqChainCode": lambda client, tx: Chaincode(client, CHAINCODE, "").set(checkpoint(2)),
    "getTransaction": lambda client, tx: client.status(tx),
    "getTransdata": lambda client, tx: client.transaction(tx),
    "getBlockData": lambda client, tx: client.block_of(tx),
    "getBlockInfo": lambda client, tx: client.block_info(0),
    "getLedgerInfo": lambda client, tx: client.height(),
}


@pytest.mark.parametrize("name", CALLS)
def test_an_honest_answer_counts(client: Gateway, tx: str, name: str) -> None:
    """And the gateway took the question's mac, by a text of its own."""
    CALLS[name](client, tx)


def header(code: Any = 0, msg: Any = "success") -> Callable[[MockGateway, str, Json], Any]:
    """Another header, with a mac that would fit it."""

    def change(gateway: MockGateway, name: str, answer: Json) -> Json:
        spelt = str(code).lower() if isinstance(code, bool) else code
        mac = gateway.key.mac(answer_words(name, spelt, msg, answer["body"]))
        return {"header": {"code": code, "msg": msg}, "mac": mac, "body": answer["body"]}

    return change


def mac(make: Callable[[MockGateway, str], Any]) -> Callable[[MockGateway, str, Json], Any]:
    """Another mac over the same text."""

    def change(gateway: MockGateway, name: str, answer: Json) -> Json:
        words = answer_words(name, 0, "success", answer["body"])
        return {**answer, "mac": make(gateway, words)}

    return change


def members(**changes: Any) -> Callable[[MockGateway, str, Json], Any]:
    """Other members of the answer; `...` takes one away."""

    def change(gateway: MockGateway, name: str, answer: Json) -> Json:
        return {key: item for key, item in {**answer, **changes}.items() if item is not ...}

    return change


SPOILT: dict[str, Callable[[MockGateway, str, Json], Any]] = {
    "mac is empty": members(mac=""),
    "mac is missing": members(mac=...),
    "mac is null": members(mac=None),
    "mac is a number": members(mac=7),
    "mac is no base64": members(mac="!!!!"),
    "mac has blanks": mac(lambda gateway, words: gateway.key.mac(words) + "\n"),
    "mac by another key": mac(lambda gateway, words: Key.make().mac(words)),
    "mac by the app's key": mac(lambda gateway, words: gateway.access.mac(words)),
    "mac with the upper s": mac(lambda gateway, words: gateway.key.mac(words, upper=True)),
    "mac of another text": mac(lambda gateway, words: gateway.key.mac(words + " ")),
    "mac of nothing": mac(lambda gateway, words: gateway.key.mac("")),
    "mac in hex": mac(lambda gateway, words: base64.b64decode(gateway.key.mac(words)).hex()),
    "header is missing": members(header=...),
    "header is a list": members(header=[0, "success"]),
    "code is text": header(code="0"),
    "code is true": header(code=True),
    "code is false": header(code=False),
    "code is 1": header(code=1),
    "code is a fraction": header(code=0.0),
    "message is a number": header(msg=5),
    "message changed": members(header={"code": 0, "msg": "Success"}),
    "no becomes yes": members(header={"code": -1, "msg": "success"}),
    "body is a list": members(body=[]),
    "body is text": members(body=""),
    "body is gone": members(body=None),
    "all is a list": lambda gateway, name, answer: [answer],
    "all is null": lambda gateway, name, answer: b"null",
    "no JSON": lambda gateway, name, answer: b"<html>",
    "nothing": lambda gateway, name, answer: b"",
    "cut off": lambda gateway, name, answer: json.dumps(answer).encode()[:-1],
    "nested too deeply": lambda gateway, name, answer: b"[" * 100_000,
    "a number too long": lambda gateway, name, answer: b'{"header":{"code":' + b"9" * 5000,
}


@pytest.mark.parametrize("how", SPOILT)
def test_an_answer_that_is_spoilt_does_not_count(
    client: Gateway, gateway: MockGateway, tx: str, how: str
) -> None:
    """On no path, and it is never taken for a signed no."""
    for name, call in CALLS.items():
        gateway.twists[name] = lambda _, answer, name=name: SPOILT[how](gateway, name, answer)
        with pytest.raises(LedgerUnavailable) as refused:
            call(client, tx)
        assert not isinstance(refused.value, Declined), name
        assert refused.value.detail.endswith("."), name


@pytest.mark.parametrize("name", CALLS)
def test_no_signed_field_can_be_changed(
    client: Gateway, gateway: MockGateway, tx: str, name: str
) -> None:
    """Each leaf of the body, one after the other."""

    def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        if isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            return [leaf for key, item in items for leaf in leaves(item, (*path, key))]
        return [path]

    CALLS[name](client, tx)
    body = next(answer["body"] for one, answer in reversed(gateway.sent) if one == name)
    for path in leaves(body):

        def bend(_: Json, answer: Json, path: tuple[Any, ...] = path) -> Json:
            bent = json.loads(json.dumps(answer))
            at = bent["body"]
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = at[path[-1]] + (1 if isinstance(at[path[-1]], int) else "0")
            return dict(bent)

        gateway.twists[name] = bend
        with pytest.raises(LedgerUnavailable):
            CALLS[name](client, tx)


@pytest.mark.parametrize("name", CALLS)
def test_a_no_is_signed_too(client: Gateway, gateway: MockGateway, tx: str, name: str) -> None:
    """A body of null, and the reason in whatever language."""
    gateway.twists[name] = lambda *_: gateway.signed(name, -1, "交易不存在", None)
    with pytest.raises(LedgerUnavailable, match="交易不存在"):
        CALLS[name](client, tx)


@pytest.mark.parametrize("name", CALLS)
def test_a_no_that_is_not_signed_does_not_count(
    client: Gateway, gateway: MockGateway, tx: str, name: str
) -> None:
    """Anybody on the way could else make us set again and again."""
    no = {"header": {"code": -1, "msg": "gone"}, "mac": "", "body": None}
    for answer in (no, {**no, "mac": Key.make().mac("-1gone")}):
        gateway.twists[name] = lambda *_, answer=answer: answer
        with pytest.raises(LedgerUnavailable, match="does not count") as refused:
            CALLS[name](client, tx)
        assert not isinstance(refused.value, Declined)


@pytest.mark.parametrize("name", CALLS)
def test_unknown_fields_are_left_alone(
    client: Gateway, gateway: MockGateway, tx: str, name: str
) -> None:
    """Beside the header, in it and in the body; BSN's own kits leak some."""

    def more(_: Json, answer: Json) -> Json:
        body = {**answer["body"], "encryptionValue": 1.5, "headerString": [None]}
        return {**answer, "header": {**answer["header"], "tId": "x"}, "body": body, "v": {}}

    gateway.twists[name] = more
    CALLS[name](client, tx)


@pytest.mark.parametrize("name", CALLS)
def test_a_message_may_be_null(client: Gateway, gateway: MockGateway, tx: str, name: str) -> None:
    """Where code is 0, as the manual has it."""
    gateway.twists[name] = lambda _, answer: gateway.signed(name, 0, None, answer["body"])
    CALLS[name](client, tx)


@pytest.mark.parametrize("name", CALLS)
def test_a_yes_without_a_body_is_no_answer(
    client: Gateway, gateway: MockGateway, tx: str, name: str
) -> None:
    """Signed as code and message alone; there is nothing in it to go by."""
    gateway.twists[name] = lambda *_: gateway.signed(name, 0, "success", None)
    if name == "getBlockInfo":
        assert client.block_info(0) == {}
        return
    with pytest.raises(LedgerUnavailable):
        CALLS[name](client, tx)


WRONG_TYPES: dict[str, list[tuple[str, Any]]] = {
    "getTransaction": [("status", "0"), ("status", True), ("status", None)],
    "getTransdata": [("txId", None), ("transData", ""), ("transData", "*"), ("transData", 5)],
    "getBlockData": [
        ("blockNumber", "1"),
        ("blockHash", None),
        ("blockData", ""),
        ("blockData", "*"),
    ],
    "getLedgerInfo": [("height", "8"), ("height", None)],
}


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [(name, field, value) for name, items in WRONG_TYPES.items() for field, value in items],
)
def test_a_signed_field_of_another_type_is_refused(
    client: Gateway, gateway: MockGateway, tx: str, name: str, field: str, value: Any
) -> None:
    """The mac holds; the value is of no use all the same."""

    def change(_: Json, answer: Json) -> Json:
        spelt = "" if value is None else "true" if value is True else str(value)
        words = answer_words(name, 0, "success", {**answer["body"], field: spelt})
        return {**answer, "mac": gateway.key.mac(words), "body": {**answer["body"], field: value}}

    gateway.twists[name] = change
    with pytest.raises(LedgerUnavailable, match=f"no {field}|another transaction"):
        CALLS[name](client, tx)


@pytest.mark.parametrize("status", [201, 302, 401, 429, 500, 503])
def test_a_status_that_is_not_200_is_no_answer(
    client: Gateway, gateway: MockGateway, tx: str, status: int
) -> None:
    """Whatever stands before the gateway has its own; a gateway's no has 200."""
    gateway.status = status
    with pytest.raises(LedgerUnavailable, match=f"with status {status}"):
        client.transaction(tx)


def test_the_gateway_refuses_a_question_of_another_app(
    gateway: MockGateway, place: Place, client: Gateway
) -> None:
    """The mock isn't credulous, so that our macs are really looked at."""
    (place.folder / "access.pem").write_bytes(Key.make().private_pem)
    with pytest.raises(Declined, match="签名校验失败"):
        place.client().height()


def test_a_reason_is_shown_on_one_line_and_not_at_any_length() -> None:
    """It comes from outside, and ends at an operator's terminal."""
    assert said("a\x1b[31m\nb\u202e") == "a [31m b "
    assert said("x" * 5000) == "x" * 300 + " ..."
    assert said(None) == said("") == "no reason is given."


def test_what_the_app_is_comes_unsigned(client: Gateway) -> None:
    """It is asked without a mac, and answered without one."""
    assert client.app_info()["channelId"] == CHANNEL
