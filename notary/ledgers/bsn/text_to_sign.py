# SPDX-License-Identifier: Apache-2.0
"""
What is signed of a message to or from a PCN gateway: its values, with nothing between them.

    question   userCode, appCode, then the body's fields    in the order of the question's table,
    answer     code, msg, then the body's fields            whatever their order in the JSON

A text goes in as it is, an integer in decimal, a truth value as `true` or `false`, what is
missing or null as nothing, a list item by item, a map as key and value by turns. A mac doesn't
fix where one value ends and the next begins: (`ab`, `c`) is signed as (`a`, `bc`) is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Fields = tuple[str | tuple[str, "Fields"], ...]
"""Names in their order; a name with fields of its own is an object, or a list of such objects."""

_NODE: Final = "/api/fabric/v1/node/"


@dataclass(frozen=True, slots=True)
class Question:
    """One path of the gateway, and what is signed of the body that it takes and of its answer's."""

    path: str
    asked: Fields
    answered: Fields

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]


REQ_CHAIN_CODE: Final = Question(
    _NODE + "reqChainCode",
    ("userName", "nonce", "chainCode", "funcName", "args", "transientData"),
    (("blockInfo", ("txId", "blockHash", "status")), ("ccRes", ("ccCode", "ccData"))),
)
GET_TRANSACTION: Final = Question(
    _NODE + "getTransaction",
    ("txId",),
    ("blockHash", "blockNumber", "status", "createName", "timeSpanSec", "timeSpanNsec"),
)
GET_TRANSDATA: Final = Question(_NODE + "getTransdata", ("txId", "dataType"), ("txId", "transData"))
GET_BLOCK_INFO: Final = Question(
    _NODE + "getBlockInfo",
    ("blockNumber", "blockHash", "txId"),
    (
        "blockHash",
        "blockNumber",
        "preBlockHash",
        "blockSize",
        "blockTxCount",
        ("transactions", ("txId", "status", "createName", "timeSpanSec", "timeSpanNsec")),
    ),
)
GET_BLOCK_DATA: Final = Question(
    _NODE + "getBlockData",
    ("blockNumber", "blockHash", "txId", "dataType"),
    ("blockHash", "blockNumber", "preBlockHash", "blockData"),
)
GET_LEDGER_INFO: Final = Question(
    _NODE + "getLedgerInfo", (), ("blockHash", "height", "preBlockHash")
)
GET_APP_INFO: Final = Question("/api/app/getAppInfo", (), ())
"""The one that nobody signs, in neither direction."""


def question_text(
    user_code: str, app_code: str, question: Question, body: Mapping[str, object]
) -> bytes:
    """
    What is signed of a question.

    Raises:
        ValueError: a value can't be signed.
    """
    return (user_code + app_code + _fields(question.asked, body)).encode()


def answer_text(
    code: int, message: str | None, question: Question, body: Mapping[str, object] | None
) -> bytes:
    """
    What is signed of an answer; of one without a body the first two alone.

    Raises:
        ValueError: a value can't be signed.
    """
    return (_value(code) + _value(message) + _fields(question.answered, body)).encode()


def _fields(fields: Fields, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "".join(_fields(fields, item) for item in value)
    if not isinstance(value, Mapping):
        raise ValueError("a text or a number stands where an object is wanted")
    return "".join(
        _value(value.get(field))
        if isinstance(field, str)
        else _fields(field[1], value.get(field[0]))
        for field in fields
    )


def _value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "".join(map(_value, value))
    if isinstance(value, Mapping):
        return "".join(key + _value(item) for key, item in value.items())
    raise ValueError("a value is neither text nor whole number")
