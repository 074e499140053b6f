# SPDX-License-Identifier: Apache-2.0
"""
Questions to a PCN gateway, and its answers, each of them signed.

    question   {"header": {"userCode", "appCode", "tId"}, "mac": base64, "body": {...}}
    answer     {"header": {"code", "msg"}, "mac": base64, "body": {...} | null}

An answer counts only with a mac that holds by the pinned key; code 0 is yes and -1 is no, which is
signed too. What is not in the table of signed fields is left alone. Even a good mac says only that
the gateway once said so: an answer isn't bound to a question, and an old one can be played again.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from notary.ledgers.bsn.signer import Signer, Verifier
from notary.ledgers.bsn.text_to_sign import (
    GET_APP_INFO,
    GET_BLOCK_DATA,
    GET_BLOCK_INFO,
    GET_LEDGER_INFO,
    GET_TRANSACTION,
    GET_TRANSDATA,
    Question,
    answer_text,
    question_text,
)
from notary.ledgers.http import Endpoint
from notary.ledgers.port import LedgerUnavailable

YES: Final = 0
NO: Final = -1
MAX_SAID_CHARACTERS: Final = 300
TX: Final = re.compile("[0-9a-f]{64}", re.ASCII)

Body = Mapping[str, Any]


class Declined(LedgerUnavailable):
    """The gateway says no, and signs it; why is free text alone."""


@dataclass(frozen=True, slots=True)
class BlockData:
    """A block as the gateway hands it out, and what it says of it beside."""

    number: int
    hash: str
    octets: bytes


class Gateway:
    """One app's way into a PCN gateway; may be asked by many threads."""

    def __init__(
        self, endpoint: Endpoint, user_code: str, app_code: str, signer: Signer, verifier: Verifier
    ) -> None:
        self.place = endpoint.place
        self.fingerprint = verifier.fingerprint
        self._endpoint = endpoint
        self._user_code, self._app_code = user_code, app_code
        self._signer, self._verifier = signer, verifier

    def ask(self, question: Question, body: Body) -> Body:
        """
        The body of a signed yes; an empty one where it came without.

        Raises:
            Declined: a signed no.
            LedgerUnavailable: nothing came that counts.
        """
        signed = question_text(self._user_code, self._app_code, question, body)
        answer = self._post(question, body, _encoded(self._signer.sign(signed)))
        code, message = self._checked(question, answer)
        if code == NO:
            raise Declined(f"{self.place} says no to {question.name}: {said(message)}")
        return answer["body"] or {}

    def status(self, tx: str) -> int:
        """
        What the gateway says of a transaction: a validation code, or -1, no block in time. Never
        believed; it only says whether waiting has a point.
        """
        return number(self.ask(GET_TRANSACTION, {"txId": tx}), "status")

    def transaction(self, tx: str) -> bytes:
        """
        A transaction in a block, a `peer.ProcessedTransaction`.

        Raises:
            Declined: in no block.
            LedgerUnavailable: also where another transaction came.
        """
        body = self.ask(GET_TRANSDATA, {"txId": tx})
        if text(body, "txId") != tx:
            raise LedgerUnavailable(
                f"{self.place} answers for another transaction than the one that was asked for."
            )
        return octets(body, "transData")

    def block_of(self, tx: str) -> BlockData:
        """
        The block that holds a transaction, not looked into.

        Raises:
            Declined: in no block.
        """
        return _block(self.ask(GET_BLOCK_DATA, {"blockNumber": 0, "blockHash": "", "txId": tx}))

    def block_at(self, at: int) -> BlockData:
        """The block of that number, not looked into; 0 is one too."""
        return _block(self.ask(GET_BLOCK_DATA, {"blockNumber": at, "blockHash": "", "txId": ""}))

    def block_info(self, at: int) -> Body:
        """What the gateway says of the block of that number; 0 is one too. Never believed."""
        return self.ask(GET_BLOCK_INFO, {"blockNumber": at, "blockHash": "", "txId": ""})

    def height(self) -> int:
        """How many blocks the channel has, as the gateway says. Never believed."""
        return number(self.ask(GET_LEDGER_INFO, {}), "height")

    def app_info(self) -> Body:
        """
        What the gateway says of the app, unsigned in both directions: anybody on the way could
        have said it. It is compared with the configuration, and never instead of it.
        """
        answer = self._post(GET_APP_INFO, {}, "")
        return answer["body"] or {}

    def _post(self, question: Question, body: Body, mac: str) -> dict[str, Any]:
        """An answer in the right form; nobody has looked at its mac."""
        header = {"userCode": self._user_code, "appCode": self._app_code, "tId": ""}
        sent = json.dumps({"header": header, "mac": mac, "body": body}).encode()
        status, data = self._endpoint.post(sent, "application/json", question.path)
        if status != 200:
            raise LedgerUnavailable(f"{self.place} answers {question.name} with status {status}.")
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError):
            answer = None
        if not _is_answer(answer):
            raise LedgerUnavailable(f"{self.place} answers {question.name} with what is no answer.")
        return dict(answer)

    def _checked(self, question: Question, answer: Body) -> tuple[int, str | None]:
        """Code and message of an answer whose mac holds."""
        code, message = answer["header"]["code"], answer["header"].get("msg")
        try:
            mac = _decoded(answer["mac"])
            signed = answer_text(code, message, question, answer["body"])
            self._verifier.verify(signed, mac)
        except ValueError as error:
            raise LedgerUnavailable(
                f"The answer of {self.place} to {question.name} does not count: {error}."
            ) from None
        return code, message


def text(body: Body, field: str) -> str:
    """A text of a body. Raises LedgerUnavailable."""
    value = body.get(field)
    if not isinstance(value, str):
        raise LedgerUnavailable(f"An answer of the gateway has no {field} that is text.")
    return value


def number(body: Body, field: str) -> int:
    """A whole number of a body. Raises LedgerUnavailable."""
    value = body.get(field)
    if type(value) is not int:
        raise LedgerUnavailable(f"An answer of the gateway has no {field} that is a number.")
    return value


def octets(body: Body, field: str) -> bytes:
    """The bytes of a body's text in base64. Raises LedgerUnavailable."""
    try:
        return _decoded(text(body, field))
    except ValueError:
        raise LedgerUnavailable(f"An answer of the gateway has no {field} in base64.") from None


def said(words: str | None) -> str:
    """What others say, on one line, as much as a person will read."""
    if not words:
        return "no reason is given."
    shown = "".join(sign if sign.isprintable() else " " for sign in words[:MAX_SAID_CHARACTERS])
    return shown if len(words) <= MAX_SAID_CHARACTERS else f"{shown} ..."


def _block(body: Body) -> BlockData:
    return BlockData(
        number(body, "blockNumber"), text(body, "blockHash").lower(), octets(body, "blockData")
    )


def _is_answer(answer: object) -> bool:
    if not isinstance(answer, dict) or not isinstance(header := answer.get("header"), dict):
        return False
    return (
        type(header.get("code")) is int
        and header["code"] in (YES, NO)
        and isinstance(header.get("msg"), str | None)
        and isinstance(answer.get("mac"), str)
        and isinstance(answer.setdefault("body", None), dict | None)
    )


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(data: str) -> bytes:
    """Strict base64 of at least one byte. Raises ValueError."""
    try:
        found = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("its mac is not base64") from None
    if not found:
        raise ValueError("it is not signed")
    return found
