# SPDX-License-Identifier: Apache-2.0
"""Members of a JSON object with a fixed meaning, each with its own fault."""

from iot_ingest.codecs import Fault
from notary.core import strict_json
from notary.core.errors import MalformedText
from notary.core.words import check_id, check_key, check_observed

Object = dict[str, object]


def read_object(payload: bytes) -> Object:
    """The object that the whole message is. Raises MalformedText with a reason."""
    value = strict_json.loads(payload)
    if not isinstance(value, dict):
        raise bad_value("It is JSON, and not an object.")
    return value


def fault_of(payload: bytes, error: MalformedText) -> Fault:
    """The fault that an error of these functions stands for."""
    return Fault(payload, str(error.facts.get("reason", "bad-value")), error.detail)


def bad_value(detail: str) -> MalformedText:
    """A member isn't what its format says."""
    return MalformedText(detail, reason="bad-value")


def member(value: Object, name: str, what: str) -> object:
    """A member that must be there; `what` is its path for people."""
    if value.get(name) is None:
        raise MalformedText(f"{what} is missing.", reason="missing")
    return value[name]


def an_object(value: object, what: str) -> Object:
    """Demand an object."""
    if not isinstance(value, dict):
        raise bad_value(f"{what} must be an object.")
    return value


def a_list(value: object, what: str) -> list[object]:
    """Demand a list with something in it."""
    if not isinstance(value, list):
        raise bad_value(f"{what} must be a list.")
    if not value:
        raise MalformedText(f"{what} is an empty list.", reason="empty")
    return value


def a_text(value: object, what: str) -> str:
    """Demand text that isn't empty; a number is none."""
    if not isinstance(value, str) or isinstance(value, strict_json.Number) or not value:
        raise bad_value(f"{what} must be text.")
    return value


def a_time(value: object, what: str) -> str | None:
    """The sender's time as sent, text or number; None where there is none."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise bad_value(f"{what} must be text or a number.")
    return check_observed(value)


def a_key(value: object, what: str) -> str:
    """The sender's message id as sent, text or number."""
    if not isinstance(value, str):
        raise bad_value(f"{what} must be text or a number.")
    return check_key(value)


def a_source(value: object, what: str) -> str:
    """Demand text that can be a source's id."""
    return check_id(a_text(value, what), what)
