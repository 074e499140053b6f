# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC: what is an answer, and what people are told where there is none."""

import json
from collections.abc import Callable

import pytest

from notary.ledgers.evm.rpc import Node, NodeSaid
from notary.ledgers.port import LedgerUnavailable

Answer = Callable[[int], tuple[int, bytes]]


class Place:
    """Answers one request as it is told."""

    place = "gateway.example:443"

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.asked: list[dict[str, object]] = []

    def post(self, body: bytes, content_type: str) -> tuple[int, bytes]:
        """As Endpoint.post."""
        assert content_type == "application/json"
        request = json.loads(body)
        self.asked.append(request)
        return self._answer(request["id"])


def said(status: int = 200, **members: object) -> Answer:
    """An answer with the id of its question."""
    return lambda number: (
        status,
        json.dumps({"jsonrpc": "2.0", "id": number, **members}).encode(),
    )


def raw(status: int, body: bytes) -> Answer:
    """These bytes, whatever was asked."""
    return lambda number: (status, body)


def test_a_result_is_returned_as_it_is() -> None:
    """And the request is one of JSON-RPC 2.0."""
    place = Place(said(result={"a": None}))
    assert Node(place).call("eth_x", "0x1", True) == {"a": None}
    (asked,) = place.asked
    assert asked.pop("id") in range(1 << 53)
    assert asked == {"jsonrpc": "2.0", "method": "eth_x", "params": ["0x1", True]}


def test_each_question_has_an_id_that_nobody_can_guess() -> None:
    """An answer of another question, of this process or one before, is none."""
    place = Place(said(result=None))
    for _ in range(50):
        Node(place).call("eth_x")
    assert len({str(asked["id"]) for asked in place.asked}) == 50


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (raw(200, b""), "makes no sense"),
        (raw(200, b"<html>"), "makes no sense"),
        (raw(200, b"\xff"), "makes no sense"),
        (raw(200, b"[" * 100_000), "makes no sense"),
        (raw(200, b"9" * 5_000), "makes no sense"),
        (raw(200, b"[]"), "makes no sense"),
        (raw(200, b'{"jsonrpc":"2.0","result":"0x1"}'), "makes no sense"),
        (raw(200, b'{"jsonrpc":"2.0","id":null,"result":"0x1"}'), "makes no sense"),
        (raw(200, b'{"jsonrpc":"2.0","id":true,"result":"0x1"}'), "makes no sense"),
        (raw(200, b'{"jsonrpc":"2.0","id":5,"result":"0x1"}'), "another question"),
        (said(), "neither"),
        (said(result=1, error={"code": 1, "message": "m"}), "both"),
        (said(error=7), "no code"),
        (said(error={"code": "1", "message": "m"}), "no code"),
        (said(error={"code": [], "message": "m"}), "no code"),
        (said(error={"code": 1}), "no message"),
        (raw(401, b""), "access key"),
        (raw(403, b"{}"), "access key"),
        (raw(429, b"slow down"), "too many requests"),
        (raw(500, b""), "fault of its own"),
        (raw(503, b'{"error":7}'), "fault of its own"),
        (raw(302, b""), "status 302"),
        (said(401, error={"code": -32097, "message": "Unauthorized"}), "access key"),
        (said(429, error={"code": -32098, "message": "TPS"}), "too many requests"),
        (said(500, error={"code": -32099, "message": "down"}), "fault of its own"),
        (said(200, error={"code": -32099, "message": "down"}), "fault of its own"),
    ],
)
def test_what_is_no_answer_is_unavailable(answer: Answer, word: str) -> None:
    """With a sentence that says which; never an error of the node's."""
    with pytest.raises(LedgerUnavailable, match=word) as raised:
        Node(Place(answer)).call("eth_x")
    assert not isinstance(raised.value, NodeSaid)


@pytest.mark.parametrize("status", [200, 400])
def test_an_error_of_the_node_is_told_apart(status: int) -> None:
    """Number, message and data; some nodes answer it with status 400."""
    error = {"code": 3, "message": "execution reverted", "data": "0x1234"}
    with pytest.raises(NodeSaid) as raised:
        Node(Place(said(status, error=error))).call("eth_x")
    assert (raised.value.number, raised.value.data) == (3, "0x1234")
    assert raised.value.message == "execution reverted"


def test_a_message_is_bounded_and_harmless() -> None:
    """It comes into logs and terminals."""
    error = {"code": 1, "message": "\x1b[2J\n" + "x" * 9_000}
    with pytest.raises(NodeSaid) as raised:
        Node(Place(said(error=error))).call("eth_x")
    assert raised.value.detail.isprintable()
    assert len(raised.value.detail) < 300


def test_a_result_of_null_beside_an_error_of_null_is_a_result() -> None:
    """Some gateways write both members always."""
    assert Node(Place(said(result=None, error=None))).call("eth_x") is None
