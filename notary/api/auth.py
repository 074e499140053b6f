# SPDX-License-Identifier: Apache-2.0
"""
Who may come in. Every view states its right; one that doesn't lets nobody in.

A right is a word for who, and the scope that the API key must have:

| right          |                                                                     |
|----------------|---------------------------------------------------------------------|
| `public`       | anybody; no key is looked at                                        |
| `anyone:read`  | anybody; with a key, what is its department's comes in too          |
| `key:SCOPE`    | whoever has a valid API key with the scope                          |
| `reader:read`  | anybody for an open dataset; for any other its owner's keys, and    |
|                | those of a department that was granted it (or the path's version)   |
| `party:SCOPE`  | the same without the data: whatever part of it was granted          |
| `owner:SCOPE`  | the keys of the department that owns the dataset                    |

`key:manage|admin`: one of the two scopes is enough. A key that lacks the scope for what is
its own is told which (403). What is read under a grant is noted as handed over before it is
answered (handing.py). A dataset that isn't the caller's to use is answered as a name
that doesn't exist, after the same work; so is one that a restricted key isn't for.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar, cast

from flask import current_app, g, request

from notary.api.services import services
from notary.core.errors import NotaryError
from notary.usecases.api_keys import KEY_PREFIX, find_caller
from notary.usecases.datasets import DatasetFacts, Grant, get_dataset, no_dataset
from notary.usecases.rights import SCOPES, Caller, KeptByNotary, KeyUnknown, NotFound

WHO: Final = ("public", "anyone", "key", "reader", "party", "owner")
OF_DATASETS: Final = ("reader", "party", "owner")
READ_ONLY: Final = ("anyone", "reader")
MAX_REMEMBERED: Final = 10_000
_RANDOM = re.compile(r"s\.[0-9a-f]{32}", re.ASCII)
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
    if stated.who in OF_DATASETS:
        g.dataset = _dataset((request.view_args or {})["dataset"], g.caller)
        if not g.dataset.owned_by(g.caller):
            _demand_share(stated, g.dataset, request.view_args or {})
    if g.caller is not None and not (stated.who in ("reader", "party") and g.dataset.is_open):
        g.caller.demand(*stated.scopes)
    if stated.who == "owner" and g.dataset.kept_for is not None:
        _demand_not_kept(stated)


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


def grant() -> Grant | None:
    """Under which grant the caller reads what is another's."""
    return cast("Grant | None", g.get("grant"))


def reads_own() -> bool:
    """Whether the dataset in the path is the caller's own, and its key may read."""
    who = caller()
    return who is not None and who.may("read") and dataset().owned_by(who)


def _demand_share(stated: Right, facts: DatasetFacts, path: Mapping[str, object]) -> None:
    """
    Let in whom the dataset isn't of: anybody to read an open one, else under a grant. A source
    of random name is found by that name alone: what it is called is its owner's to know.
    """
    if stated.who == "owner":
        raise no_dataset(facts.name)
    if facts.is_open or stated.who == "party":
        return
    version = path.get("version")
    g.grant = facts.grant_for(version if isinstance(version, int) else None)
    if g.grant is None:
        raise no_dataset(facts.name)
    source = path.get("source")
    if facts.random_sources and source is not None and not _RANDOM.fullmatch(str(source)):
        raise NotFound(f"There is no source {source} in {facts.name} here.")


def _demand_not_kept(stated: Right) -> None:
    """Of what the notary keeps itself nothing is written or described by its owner."""
    if not {"read", "share", "erase"}.intersection(stated.scopes):
        raise KeptByNotary()


def _caller(header: str) -> Caller:
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer":
        raise KeyUnknown()
    parts, word = services(), key.strip()
    if parts.tokens is not None and not word.startswith(KEY_PREFIX):
        return parts.tokens(word, parts.clock())
    return find_caller(parts.pool, word, parts.clock())


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
