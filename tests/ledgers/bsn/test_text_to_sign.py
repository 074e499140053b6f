# SPDX-License-Identifier: Apache-2.0
"""What is signed of a message, against messages that BSN published and a second implementation."""

import base64
import json
import random
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from notary.ledgers.bsn import text_to_sign
from notary.ledgers.bsn.signer import R1Verifier
from notary.ledgers.bsn.text_to_sign import Question, answer_text, question_text
from tests.bsn.wire import N, answer_words, question_words

PUBLISHED = json.loads((Path(__file__).parent / "published.json").read_text(encoding="utf-8"))
SIGNED = {
    value.name: value
    for value in vars(text_to_sign).values()
    if isinstance(value, Question) and value.name != "getAppInfo"
}
ONE = {"txId": "a" * 64, "status": 0, "createName": "n@app", "timeSpanSec": 1, "timeSpanNsec": 2}
TWO = {"txId": "b" * 64, "status": 11, "createName": "", "timeSpanSec": 3, "timeSpanNsec": 0}
QUESTIONS: dict[str, dict[str, Any]] = {
    "reqChainCode": {
        "userName": "u",
        "nonce": "bm9uY2U=",
        "chainCode": "cc_app_01",
        "funcName": "set",
        "args": ['{"baseKey":"k","baseValue":"v"}', "第二"],
        "transientData": {"pair": "one"},
    },
    "getTransaction": {"txId": "t"},
    "getTransdata": {"txId": "t", "dataType": "json"},
    "getBlockInfo": {"blockNumber": 6, "blockHash": "h", "txId": "t"},
    "getBlockData": {"blockNumber": 0, "blockHash": "h", "txId": "t", "dataType": "json"},
    "getLedgerInfo": {},
}
ANSWERS: dict[str, dict[str, Any]] = {
    "reqChainCode": {
        "blockInfo": {"txId": "t", "blockHash": "h", "status": -1},
        "ccRes": {"ccCode": 500, "ccData": "key value already exists"},
    },
    "getTransaction": {
        "blockHash": "h",
        "blockNumber": 7,
        "status": 12,
        "createName": "n@app",
        "timeSpanSec": 1587445821,
        "timeSpanNsec": 249139700,
    },
    "getTransdata": {"txId": "t", "transData": "AAEC"},
    "getBlockInfo": {
        "blockHash": "h",
        "blockNumber": 0,
        "preBlockHash": "p",
        "blockSize": 4300,
        "blockTxCount": 2,
        "transactions": [ONE, TWO],
    },
    "getBlockData": {"blockHash": "h", "blockNumber": 3, "preBlockHash": "p", "blockData": "Ckg="},
    "getLedgerInfo": {"preBlockHash": "p", "blockHash": "h", "height": 8},
}
HEADER = {"userCode": "USER1", "appCode": "app2"}


def shuffled(value: Any, order: random.Random) -> Any:
    """The same JSON with the members of its objects in another order, but those of a map."""
    if isinstance(value, list):
        return [shuffled(item, order) for item in value]
    if not isinstance(value, dict) or "pair" in value:
        return value
    names = list(value)
    order.shuffle(names)
    return {name: shuffled(value[name], order) for name in names}


def test_each_question_is_tried() -> None:
    """The tables of these tests leave none out."""
    assert SIGNED.keys() == QUESTIONS.keys() == ANSWERS.keys()


@pytest.mark.parametrize(
    "case", PUBLISHED["answers_of_that_key"], ids=lambda case: str(case["desc"])
)
def test_an_answer_that_bsn_published_holds_by_its_key(case: dict[str, Any]) -> None:
    """Order, spelling of numbers, hash and encoding are those of real gateways."""
    key = bytes.fromhex(PUBLISHED["gateway_key"])
    verifier = R1Verifier(EllipticCurvePublicKey.from_encoded_point(SECP256R1(), key))
    text = answer_text(case["code"], case["msg"], SIGNED[case["question"]], case["body"])
    verifier.verify(text, base64.b64decode(case["mac"]))
    with pytest.raises(ValueError, match="gateway's key"):
        verifier.verify(text + b" ", base64.b64decode(case["mac"]))


def test_answers_that_bsn_published_are_of_one_key() -> None:
    """The key isn't known; but a signature leaves two candidates, and only the right texts one."""
    candidates = [
        signers(
            answer_text(case["code"], case["msg"], SIGNED[case["question"]], case["body"]),
            base64.b64decode(case["mac"]),
        )
        for case in PUBLISHED["answers_of_one_key"]
    ]
    assert len(candidates) == 2
    assert len(set.intersection(*candidates)) == 1


def test_questions_that_bsn_published_are_all_of_one_key() -> None:
    """As the answers are."""
    codes = PUBLISHED["user_code"], PUBLISHED["app_code"]
    candidates = [
        signers(
            question_text(*codes, SIGNED[case["question"]], case["body"]),
            base64.b64decode(case["mac"]),
        )
        for case in PUBLISHED["questions_of_one_key"]
    ]
    assert len(candidates) == 3
    assert len(set.intersection(*candidates)) == 1


@pytest.mark.parametrize("name", SIGNED)
@pytest.mark.parametrize("seed", range(5))
def test_both_implementations_sign_the_same_question(name: str, seed: int) -> None:
    """Whatever the order of its JSON."""
    body = shuffled(QUESTIONS[name], random.Random(seed))
    ours = question_text("USER1", "app2", SIGNED[name], body)
    assert ours == question_words(name, HEADER, QUESTIONS[name]).encode()


@pytest.mark.parametrize("name", SIGNED)
@pytest.mark.parametrize("seed", range(5))
def test_both_implementations_sign_the_same_answer(name: str, seed: int) -> None:
    """Whatever the order of its JSON."""
    body = shuffled(ANSWERS[name], random.Random(seed))
    assert answer_text(0, "success", SIGNED[name], body) == (
        answer_words(name, 0, "success", ANSWERS[name]).encode()
    )


@pytest.mark.parametrize("name", SIGNED)
def test_an_error_is_signed_by_code_and_message_alone(name: str) -> None:
    """With a body that is null, and one that is absent."""
    assert answer_text(-1, "签名校验失败", SIGNED[name], None) == "-1签名校验失败".encode()


@pytest.mark.parametrize("name", SIGNED)
def test_a_message_that_is_null_is_signed_as_nothing(name: str) -> None:
    """As the manual allows it where code is 0."""
    words = answer_words(name, 0, None, ANSWERS[name]).encode()
    assert answer_text(0, None, SIGNED[name], ANSWERS[name]) == words
    assert words.startswith(b"0")
    assert not words.startswith(b"0None")


@pytest.mark.parametrize("name", SIGNED)
def test_what_is_not_in_the_table_is_not_signed(name: str) -> None:
    """Fields that a newer gateway adds change nothing."""
    more = {**ANSWERS[name], "traceId": "x", "extra": {"a": [1, 2.5]}}
    text = answer_text(0, "success", SIGNED[name], more)
    assert text == answer_text(0, "success", SIGNED[name], ANSWERS[name])


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, b""),
        ({"blockInfo": None, "ccRes": None}, b""),
        ({"blockInfo": {"txId": None, "status": 0}}, b"0"),
        ({"ccRes": {"ccCode": True, "ccData": False}}, b"truefalse"),
        ({"ccRes": {"ccCode": 200, "ccData": ["a", 1, None]}}, b"200a1"),
        ({"ccRes": {"ccData": {"k": "v", "n": 2}}}, b"kvn2"),
        ({"ccRes": [{"ccCode": 1, "ccData": "x"}, {"ccCode": 2, "ccData": "y"}]}, b"1x2y"),
    ],
)
def test_values_are_joined_as_documented(body: dict[str, Any], text: bytes) -> None:
    """Missing and null are nothing, truth values words, lists and maps their items."""
    assert answer_text(0, None, SIGNED["reqChainCode"], body) == b"0" + text


@pytest.mark.parametrize(
    "body",
    [
        {"blockInfo": "text"},
        {"blockInfo": 7},
        {"ccRes": ["text"]},
        {"ccRes": {"ccCode": 200.0}},
        {"ccRes": {"ccCode": float("nan")}},
        {"ccRes": {"ccData": "\ud800"}},
    ],
    ids=str,
)
def test_what_has_no_spelling_is_refused(body: dict[str, Any]) -> None:
    """A text for it would be a guess."""
    with pytest.raises(ValueError):  # noqa: PT011
        answer_text(0, None, SIGNED["reqChainCode"], body)


def signers(text: bytes, signature: bytes) -> set[tuple[int, int]]:
    """
    The points on P-256 by which a signature holds: Q = (s R - z G) / r, for both R of abscissa r.

    SEC 1, section 4.1.6.
    """
    r, s = decode_dss_signature(signature)
    z = int.from_bytes(sha256(text).digest(), "big")
    y = pow(r**3 - 3 * r + B, (P + 1) // 4, P)
    inverse = pow(r, -1, N)
    minus = times(-z * inverse % N, G)
    return {plus(times(s * inverse % N, (r, one)), minus) for one in (y, P - y)}


P = 2**256 - 2**224 + 2**192 + 2**96 - 1
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
"""P-256 (FIPS 186-4, D.1.2.3)."""
Point = tuple[int, int]


def plus(one: Point, other: Point) -> Point:
    """The sum of two points, neither the other's opposite."""
    (x1, y1), (x2, y2) = one, other
    over, under = (3 * x1 * x1 - 3, 2 * y1) if one == other else (y2 - y1, x2 - x1)
    slope = over * pow(under, -1, P) % P
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def times(factor: int, point: Point) -> Point:
    """A multiple of a point; requires 0 < factor < N."""
    found = None
    for bit in f"{factor:b}":
        found = None if found is None else plus(found, found)
        if bit == "1":
            found = point if found is None else plus(found, point)
    assert found is not None
    return found
