# SPDX-License-Identifier: Apache-2.0
"""Whose pages are shown to whom: what isn't open is as if it weren't there."""

from flask import g

from notary.api.services import services
from notary.usecases.datasets import DatasetFacts, get_dataset, no_dataset
from notary.usecases.rights import NotFound
from notary.web.session import caller_of, read_session


def find_dataset(name: str) -> DatasetFacts:
    """
    An open dataset, or one that belongs to the department of who is signed in with a key that
    may read. What was granted is handed over by the API alone, which notes it.

    Raises:
        NotFound: there is no such dataset, or it isn't for who asks; the same for both.
    """
    pool = services().pool
    try:
        return get_dataset(pool, name, None)
    except NotFound:
        who = caller_of(read_session())
        if who is None:
            raise
    facts = get_dataset(pool, name, who)
    if not facts.owned_by(who) or not who.may("read"):
        raise no_dataset(name)
    g.is_private = True
    return facts


def is_private() -> bool:
    """Whether what the request shows isn't for everybody, and no browser may keep it."""
    return bool(g.get("is_private"))
