# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a request: a flat list of places and codes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from notary.core.errors import NotaryError

MAX_FAULTS = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """
    What is wrong at one place: a JSON pointer (RFC 6901) and a code.

    In a query the pointer is the name of the parameter. `found`: what exactly, in English.
    """

    pointer: str
    code: str
    found: str = ""

    def below(self, prefix: str) -> "Fault":
        """The same fault seen from further up."""
        return Fault(prefix + self.pointer, self.code, self.found)


class MalformedRequest(NotaryError):
    """The request is not in the form that this address takes."""

    code = "malformed-request"

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults=faults)
        self.faults = faults


class UnreadableBody(MalformedRequest):
    """The body is not JSON as it is taken here."""


class MalformedQuery(MalformedRequest):
    """A parameter behind the question mark is wrong or unknown."""


def faults_of(messages: Any) -> list[Fault]:
    """The faults in a ValidationError's messages, at most 100, in a steady order."""
    found: list[Fault] = []
    for fault in _walk("", messages):
        if len(found) == MAX_FAULTS:
            break
        found.append(fault)
    return found


def escape(name: object) -> str:
    """One step of a JSON pointer; what UTF-8 can't write is replaced, long names are cut."""
    text = str(name)[:100].encode("utf-8", "replace").decode()
    return text.replace("~", "~0").replace("/", "~1")


def _walk(pointer: str, messages: Any) -> Iterator[Fault]:
    if isinstance(messages, dict):
        for name, inner in messages.items():
            step = "" if name == "_schema" else f"/{escape(name)}"
            yield from _walk(pointer + step, inner)
    elif isinstance(messages, list):
        for inner in messages:
            yield from _walk(pointer, inner)
    else:
        yield Fault(pointer, str(messages))
