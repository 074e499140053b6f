# SPDX-License-Identifier: Apache-2.0
"""
Rights. Each view states its own: `public`, `key` (any valid API key) or `owner` (of the
dataset in the path). A view that states none is refused at start-up by a test.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, TypeVar

from flask import current_app, g, request

from notary.usecases.registers import Caller, DatasetFacts, KeyUnknown, NotFound, find_caller
from notary.usecases.registers import get_dataset as find_dataset
from notary.wiring import Parts

Right = Literal["public", "key", "owner"]
View = TypeVar("View", bound=Callable[..., Any])


def parts() -> Parts:
    """The parts of the running application."""
    found: Parts = current_app.extensions["notary"]
    return found


def right(needed: Right) -> Callable[[View], View]:
    """State the right of a view. `key` and `owner` are refused without a valid key."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if needed != "public" and caller() is None:
                raise KeyUnknown()
            return view(*args, **kwargs)

        guarded.right = needed  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def caller() -> Caller | None:
    """Who asks, or None without a key. Raises KeyUnknown for a key that isn't valid."""
    if "caller" not in g:
        header = request.headers.get("Authorization")
        g.caller = None if header is None else _find(header)
    found: Caller | None = g.caller
    return found


def _find(header: str) -> Caller:
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer":
        raise KeyUnknown()
    return find_caller(parts().pool, key.strip())


def readable(name: str) -> DatasetFacts:
    """A dataset that the caller may read, else NotFound."""
    return find_dataset(parts().pool, name, caller())


def writable(name: str) -> DatasetFacts:
    """A dataset that the caller may write, else NotFound as for a name that isn't there."""
    found = readable(name)
    if not found.writable_by(caller()):
        raise NotFound(f"There is no dataset {name} here that is yours.")
    return found
