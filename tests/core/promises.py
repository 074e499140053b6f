# SPDX-License-Identifier: Apache-2.0
"""Signed acceptances of the tests' notary: what a commit accepted, and the promise over it."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from notary.core import note
from notary.core.acceptance import Promise, format_promise
from notary.core.words import format_time
from tests.core import reference
from tests.core.maker import ORIGIN, City, Made, hexes, trust
from tests.core.signing import Signer

KEY = Signer(f"{ORIGIN}/acceptances", seed=30)
OLD_KEY = Signer(f"{ORIGIN}/acceptances", seed=31)
STRANGER_KEY = Signer(f"{ORIGIN}/acceptances", seed=32)
DELAY = timedelta(hours=1)
ACCEPTANCE_KEY = {"use": "acceptance", "key": KEY.verifier.vkey}


def trusting(*keys: Signer, **members: Any) -> dict[str, Any]:
    """The usual trust file, with acceptance keys."""
    listed = [{"use": "acceptance", "key": key.verifier.vkey} for key in keys or (KEY,)]
    return trust(**{"keys": listed, **members})


def signed(text: str, *keys: Signer) -> str:
    """A note, by the acceptance key where no other one is given."""
    return note.format_note(text, [key.sign(text) for key in keys or (KEY,)])


def promise(leaves: Sequence[bytes], sealed_by: datetime, origin: str = ORIGIN) -> str:
    """The text of a promise, its root by the slow reference."""
    return format_promise(Promise(origin, len(leaves), reference.mth(list(leaves)), sealed_by))


def lines(leaves: Sequence[bytes], sealed_by: datetime) -> list[str]:
    """The five lines of a promise, to be changed."""
    root = reference.mth(list(leaves)).hex()
    heading = "city-notary/acceptance/1"
    return [heading, ORIGIN, str(len(leaves)), root, format_time(sealed_by)]


def acceptance(
    city: City,
    made: Sequence[Made],
    at: int = 0,
    *,
    keys: Sequence[Signer] = (KEY,),
    origin: str = ORIGIN,
    sealed_by: datetime | None = None,
) -> dict[str, Any]:
    """The acceptance of one of the records that were accepted together."""
    leaves = [one.leaf for one in made]
    due = sealed_by or max(one.statement.received for one in made) + DELAY
    members: dict[str, Any] = {
        "v": "acceptance/1",
        "statement": made[at].text,
        "index": at,
        "path": hexes(reference.path(at, leaves)),
        "note": signed(promise(leaves, due, origin), *keys),
    }
    if made[at].salt is not None:
        members["salt"] = (made[at].salt or b"").hex()
    return members


def segment(is_open: bool = True, count: int = 5) -> tuple[City, list[Made]]:
    """A city, and what its last commit accepted: records of s1 and s2 in turn."""
    city = City("weather", is_open)
    made = [city.accept(f"s{1 + i % 2}", b'{"t":%d}' % i) for i in range(count)]
    return city, made


def base64(data: bytes) -> str:
    """As the vectors write bytes."""
    return b64encode(data).decode()
