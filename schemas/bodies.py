# SPDX-License-Identifier: Apache-2.0
"""
From a posted body to its items: one JSON item, a list of them, or NDJSON.

What is wrong with one item costs only that one; what is wrong with the body costs it all.
"""

from dataclasses import dataclass
from typing import Any, Final, TypeVar

from marshmallow import Schema, ValidationError

from notary.core import strict_json
from notary.core.errors import MalformedText
from schemas.faults import Fault, MalformedRequest, UnreadableBody, faults_of
from schemas.record import MAX_ITEMS, Item, NewRecord

JSON_TYPE: Final = "application/json"
NDJSON_TYPES: Final = ("application/x-ndjson", "application/ndjson")

_ITEM = NewRecord()
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Body:
    """The items of a body, or for each bad one its faults; `is_one`: sent as one object."""

    items: list[Item | list[Fault]]
    is_one: bool


def parse_body(data: bytes, schema: Schema) -> dict[str, Any]:
    """
    Read one JSON object by a schema.

    Raises:
        UnreadableBody: it isn't JSON.
        MalformedRequest: its members aren't the schema's.
    """
    try:
        members: dict[str, Any] = schema.load(_json(data))  # type: ignore[arg-type]
    except ValidationError as error:
        raise MalformedRequest(*faults_of(error.messages)) from None
    return members


def parse_records(data: bytes, media_type: str) -> Body:
    """
    Read the items of a body, at most 10,000.

    Raises:
        UnreadableBody: the whole body isn't JSON.
        MalformedRequest: it holds no items, or too many.
    """
    if media_type in NDJSON_TYPES:
        lines = [line for line in data.split(b"\n") if line.strip()]
        return Body([_line(line) for line in _bounded(lines)], is_one=False)
    value = _json(data)
    if isinstance(value, dict) and "records" not in value:
        return Body([_item(value)], is_one=True)
    if isinstance(value, dict):
        if value.keys() != {"records"} or not isinstance(value["records"], list):
            raise MalformedRequest(Fault("/records", "list-alone"))
        value = value["records"]
    if not isinstance(value, list):
        raise MalformedRequest(Fault("", "object"))
    return Body([_item(item) for item in _bounded(value)], is_one=False)


def _json(data: bytes) -> object:
    try:
        return strict_json.loads(data)
    except MalformedText as error:
        raise UnreadableBody(_unreadable(error)) from None


def _unreadable(error: MalformedText) -> Fault:
    return Fault("", f"json-{error.facts['reason']}")


def _bounded(items: list[_T]) -> list[_T]:
    if not items:
        raise MalformedRequest(Fault("", "empty"))
    if len(items) > MAX_ITEMS:
        raise MalformedRequest(Fault("", "too-many"))
    return items


def _line(line: bytes) -> Item | list[Fault]:
    try:
        return _item(strict_json.loads(line))
    except MalformedText as error:
        return [_unreadable(error)]


def _item(value: object) -> Item | list[Fault]:
    try:
        item: Item = _ITEM.load(value)  # type: ignore[arg-type]
    except ValidationError as error:
        return faults_of(error.messages)
    return item
