# SPDX-License-Identifier: Apache-2.0
"""
Who may come in. Every view states its right; one that doesn't lets nobody in.

A right is a word for who, and the scope that the API key must have:

| right          |                                                                     |
|----------------|---------------------------------------------------------------------|
| `public`       | anybody; no key is looked at                                        |
| `anyone:read`  | anybody; with a key, what is its department's comes in too          |
| `key:SCOPE`    | whoever has a valid API key with the scope                          |
| `reader:read`  | anybody for an open dataset, for any other its owner's keys         |
| `owner:SCOPE`  | the keys of the department that owns the dataset                    |

`key:manage|admin`: one of the two scopes is enough. A key that lacks the scope for what is
its own is told which (403). A dataset that isn't the caller's to use is answered as a name
that doesn't exist, after the same work; so is one that a restricted key isn't for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar, cast

from flask import current_app, g, request

from notary.api.services import services
from notary.core.errors import NotaryError
from notary.usecases.api_keys import find_caller
from notary.usecases.datasets import DatasetFacts, get_dataset, no_dataset
from notary.usecases.rights import SCOPES, Caller, KeyUnknown

WHO: Final = ("public", "anyone", "key", "reader", "owner")
READ_ONLY: Final = ("anyone", "reader")
MAX_REMEMBERED: Final = 10_000
_View = TypeVar("_View", bound=Callable[..., Any])


class NoRight(NotaryError):
    """The address states no right, so nobody may use it."""

    code = "internal-error"


@dataclass(frozen=True, slots=True)
class Right:
    """Who may use a view, and of which scopes the caller's key must have one."""

    who: str
    scopes: tuple[str, ...]


@cache
def parse_right(text: object) -> Right | None:
    """The right that a view states, or None for a text that is none."""
    if text == "public":
        return Right("public", ())
    who, _, scope = text.partition(":") if isinstance(text, str) else ("", "", "")
    scopes = tuple(scope.split("|"))
    if who not in WHO or who == "public" or not set(scopes) <= set(SCOPES):
        return None
    if who in READ_ONLY and scopes != ("read",):
        return None
    return Right(who, scopes)


def right(text: str) -> Callable[[_View], _View]:
    """State who may use a view. Raises ValueError for a text that is no right."""
    if parse_right(text) is None:
        raise ValueError(f"{text!r} is no right: say who and which scope, such as owner:write")

    def mark(view: _View) -> _View:
        view.right = text  # type: ignore[attr-defined]
        return view

    return mark


def authorise() -> None:
    """
    Before each request: let in whoever has the right that the view states.

    Raises:
        NoRight, KeyUnknown, NotFound, ScopeMissing.
    """
    if request.endpoint is None:
        return
    stated = parse_right(getattr(current_app.view_functions[request.endpoint], "right", None))
    if stated is None:
        raise NoRight()
    if stated.who == "public":
        return
    header = request.headers.get("Authorization")
    g.caller = None if header is None else _caller(header)
    if stated.who in ("key", "owner") and g.caller is None:
        raise KeyUnknown()
    if stated.who in ("reader", "owner"):
        g.dataset = _dataset((request.view_args or {})["dataset"], g.caller)
        if stated.who == "owner" and not g.dataset.owned_by(g.caller):
            raise no_dataset(g.dataset.name)
    if g.caller is not None and not (stated.who == "reader" and g.dataset.is_open):
        g.caller.demand(*stated.scopes)


def caller() -> Caller | None:
    """Who asks, where a key was given."""
    return cast("Caller | None", g.get("caller"))


def known_caller() -> Caller:
    """Who asks, in a view that demands a key."""
    found = caller()
    if found is None:
        raise KeyUnknown()
    return found


def dataset() -> DatasetFacts:
    """The dataset in the path, which the caller may use as the view states."""
    return cast(DatasetFacts, g.dataset)


def reads_own() -> bool:
    """Whether the dataset in the path is the caller's own, and its key may read."""
    who = caller()
    return who is not None and who.may("read") and dataset().owned_by(who)


def _caller(header: str) -> Caller:
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer":
        raise KeyUnknown()
    return find_caller(services().pool, key.strip(), services().clock())


def _dataset(name: str, who: Caller | None) -> DatasetFacts:
    parts = services()
    known = parts.open_datasets.get(name)
    if known is None:
        known = get_dataset(parts.pool, name, who)
        if known.is_open:
            if len(parts.open_datasets) >= MAX_REMEMBERED:
                parts.open_datasets.clear()
            parts.open_datasets[name] = known
    return known
