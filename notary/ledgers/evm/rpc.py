# SPDX-License-Identifier: Apache-2.0
"""
JSON-RPC 2.0 with one node, or with the gateway before it.

A request has a random id, and only an answer with that id counts: one of an earlier
question, played again, is none. What a gateway refuses (BSN: -32097 no access, -32098 too
many requests, -32099 its own fault; HTTP 401, 429, 5xx) is told as what it is.
"""

import json
import secrets
from collections.abc import Callable
from typing import Final, Protocol

from notary.ledgers.evm.shapes import nonsense
from notary.ledgers.port import LedgerUnavailable

CONTENT_TYPE: Final = "application/json"
MAX_MESSAGE_CHARACTERS: Final = 200

_GATEWAY: Final = {
    -32097: "does not let us in: look at the access key",
    -32098: "has had too many requests for now",
    -32099: "has a fault of its own",
}
_STATUS: Final = {401: -32097, 403: -32097, 429: -32098}


class Poster(Protocol):
    """What a request goes through (notary/ledgers/http.py)."""

    place: str

    def post(self, body: bytes, content_type: str) -> tuple[int, bytes]:
        """Status and whole body. Raises LedgerUnavailable."""


class NodeSaid(LedgerUnavailable):
    """The node answered with an error; `number` and `data` are those of JSON-RPC."""

    def __init__(self, number: int, message: str, data: object) -> None:
        super().__init__(f"The node says: {message} ({number}).")
        self.number = number
        self.message = message
        self.data = data


class Node:
    """One node behind one address."""

    def __init__(
        self, endpoint: Poster, draw: Callable[[], int] = lambda: secrets.randbits(53)
    ) -> None:
        self._endpoint = endpoint
        self._draw = draw

    def call(self, method: str, *params: object) -> object:
        """
        Ask, and return the result as JSON.

        Raises:
            NodeSaid: the node has this request, and answers with an error.
            LedgerUnavailable: there is no answer to this request.
        """
        number = self._draw()
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        status, body = self._endpoint.post(json.dumps(request).encode(), CONTENT_TYPE)
        answer = _json(body)
        error = answer.get("error") if isinstance(answer, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        if type(code) is int and code in _GATEWAY:
            raise self._refused(code)
        if status in _STATUS or status >= 500:
            raise self._refused(_STATUS.get(status, -32099))
        if not isinstance(answer, dict) or type(answer.get("id")) is not int:
            raise nonsense(f"HTTP status {status} without an answer in JSON-RPC")
        if answer["id"] != number:
            raise nonsense("it belongs to another question")
        if ("result" in answer) == (error is not None):
            raise nonsense("it has both a result and an error, or neither")
        if error is not None:
            raise _said(error)
        return answer["result"]

    def _refused(self, number: int) -> LedgerUnavailable:
        return LedgerUnavailable(f"{self._endpoint.place} {_GATEWAY[number]}.")


def _json(body: bytes) -> object:
    try:
        answer: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer


def _said(error: object) -> LedgerUnavailable:
    if not isinstance(error, dict) or type(error.get("code")) is not int:
        return nonsense("its error has no code")
    message = error.get("message")
    if not isinstance(message, str):
        return nonsense("its error has no message")
    text = "".join(one if one.isprintable() else " " for one in message)
    return NodeSaid(error["code"], text[:MAX_MESSAGE_CHARACTERS].strip(), error.get("data"))
