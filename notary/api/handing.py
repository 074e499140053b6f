# SPDX-License-Identifier: Apache-2.0
"""
What is read under a grant is handed over: noted, and durable, before it is answered.

Every view that readers may use is wrapped. It says what it hands over by `handing(...)`: ranges
and leaves, never the digest of a payload, which would outlive the payload's erasure. A view
that says nothing is noted by its address alone.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from flask import g, request

from notary.api.auth import dataset, grant, known_caller
from notary.api.services import services

MOST_CHARACTERS: Final = 1_000
"""As much of a query is kept."""


def handing(**what: Any) -> None:
    """Say what the view is about to hand over: texts, whole numbers and None."""
    g.handed = {name: value for name, value in what.items() if value is not None}


def noted(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view, its answer held back until it is noted under which grant it goes out."""

    @wraps(view)
    def wrapper(*values: Any, **path: Any) -> Any:
        answer = view(*values, **path)
        given = grant()
        if given is not None:
            what = {"asked": f"{request.method} {request.path}", **_asked(), **g.get("handed", {})}
            parts = services()
            parts.sharer().hand_over(dataset(), given, what, known_caller(), parts.clock())
        return answer

    return wrapper


def _asked() -> dict[str, str]:
    """The query and the range of the request, where there are any."""
    query = request.query_string.decode("ascii", "replace")[:MOST_CHARACTERS]
    asked = {"query": query, "range": request.headers.get("Range", "")[:100]}
    return {name: text for name, text in asked.items() if text}
