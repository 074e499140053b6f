# SPDX-License-Identifier: Apache-2.0
"""A node that answers as it should, but for one thing."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.ledgers.faulty_proxy import Answer, FaultyProxy

Way = tuple[str | int, ...]
"""Where a value is in a result: names of members and places in lists."""
Lie = Callable[[str, Any], Any]
"""From a method and its true result to what is answered."""


class LyingProxy(FaultyProxy):
    """
    Before a node; `lie` changes results, `heard` has the true ones with their methods. Where
    `refuse` says so of a request, it is answered by an error, as nodes do that can't or won't;
    `words`, where there are any, take the place of what the node's own errors say.
    """

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.lie: Lie | None = None
        self.refuse: Callable[[dict[str, Any]], bool] = lambda request: False
        self.words: str | None = None
        self.replaced: list[str] = []
        self.heard: list[tuple[str, Any]] = []

    def _ask(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        request = json.loads(body)
        if self.refuse(request):
            error = {"code": -32601, "message": "not here"}
            return (
                200,
                "application/json",
                json.dumps({"id": request["id"], "error": error}).encode(),
            )
        status, kind, data = super()._ask(path, headers, body)
        method, said = request["method"], json.loads(data)
        if "result" not in said:
            if self.words is not None:
                self.replaced.append(said["error"]["message"])
                said["error"]["message"] = self.words
            return status, kind, json.dumps(said).encode()
        self.heard.append((method, said["result"]))
        if self.lie is not None:
            said["result"] = self.lie(method, said["result"])
        return status, kind, json.dumps(said).encode()


def values(result: Any, way: Way = ()) -> Iterator[Way]:
    """The ways to all values in a result that have no parts."""
    if isinstance(result, dict):
        for name, part in result.items():
            yield from values(part, (*way, name))
    elif isinstance(result, list) and result:
        for place, part in enumerate(result):
            yield from values(part, (*way, place))
    else:
        yield way


def changed(result: Any, way: Way, change: Callable[[Any], Any]) -> Any:
    """The result with the value at the end of a way changed."""
    if not way:
        return change(result)
    first, *rest = way
    if isinstance(result, dict):
        return {**result, first: changed(result[str(first)], tuple(rest), change)}
    place = int(first)
    return [*result[:place], changed(result[place], tuple(rest), change), *result[place + 1 :]]


def flipped(value: Any) -> Any:
    """Nearly the same, of the same form."""
    if isinstance(value, str) and value.startswith("0x") and len(value) > 2:
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    if isinstance(value, bool):
        return not value
    return "0x01" if value in ("0x", None) else []


def nothing(value: Any) -> Any:
    """Not there."""
    return None


def unsound(value: Any) -> Any:
    """Of a form that can't be."""
    return "0xzz" if isinstance(value, str) else {"what": "ever"}
