# SPDX-License-Identifier: Apache-2.0
"""
Who may come in. Every view states its right; one that doesn't lets nobody in.

| right    |                                                             |
|----------|-------------------------------------------------------------|
| `public` | anybody; no key is looked at                                |
| `anyone` | anybody; with a key, what is its owner's comes in too       |
| `key`    | whoever has a valid API key                                 |
| `reader` | anybody for an open dataset, for any other its owner's keys |
| `owner`  | the keys of the dataset's owner                             |

A dataset that isn't the caller's to use is answered as a name that doesn't exist, after
the same work.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from flask import current_app, g, request

from notary.api.services import services
from notary.core.errors import NotaryError
from notary.usecases.registers import (
    Caller,
    DatasetFacts,
    KeyUnknown,
    NotFound,
    find_caller,
    get_dataset,
)

RIGHTS: Final = frozenset({"public", "anyone", "key", "reader", "owner"})
MAX_REMEMBERED: Final = 10_000
_View = TypeVar("_View", bound=Callable[..., Any])


class NoRight(NotaryError):
    """The address states no right, so nobody may use it."""

    code = "internal-error"


def right(name: str) -> Callable[[_View], _View]:
    """State who may use a view. Raises ValueError for a word that is no right."""
    if name not in RIGHTS:
        raise ValueError(name)

    def mark(view: _View) -> _View:
        view.right = name  # type: ignore[attr-defined]
        return view

    return mark


def authorise() -> None:
    """
    Before each request: let in whoever has the right that the view states.

    Raises:
        NoRight, KeyUnknown, NotFound.
    """
    if request.endpoint is None:
        return
    stated = getattr(current_app.view_functions[request.endpoint], "right", None)
    if stated == "public":
        return
    if stated not in RIGHTS:
        raise NoRight()
    header = request.headers.get("Authorization")
    g.caller = None if header is None else _caller(header)
    if stated in ("key", "owner") and g.caller is None:
        raise KeyUnknown()
    if stated in ("reader", "owner"):
        name = (request.view_args or {})["dataset"]
        g.dataset = _dataset(name, g.caller)
        if stated == "owner" and not g.dataset.writable_by(g.caller):
            raise NotFound(f"There is no dataset {name} here.", what="dataset", name=name)


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


def _caller(header: str) -> Caller:
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer":
        raise KeyUnknown()
    return find_caller(services().pool, key.strip())


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
