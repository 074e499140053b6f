# SPDX-License-Identifier: Apache-2.0
"""Who asks and what that one may do; the refusals of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from notary.core.errors import MalformedText, NotaryError

SCOPES = ("read", "write", "manage", "share", "erase", "admin")
"""What a key may do. `admin`: the operator's, for departments and everybody's keys."""
DAILY_SCOPES = ("read", "write", "manage", "share")
"""What a new key may do, unless it is said."""


class NotFound(NotaryError):
    """There is nothing of that name here, or it isn't yours to see."""

    code = "not-found"


class KeyUnknown(NotaryError):
    """The API key is not known here, has expired, or was revoked."""

    code = "api-key-unknown"


class IssuerUnavailable(NotaryError):
    """The issuer of access tokens can't be reached, or doesn't answer as one; try again."""

    code = "issuer-unavailable"


class ScopeMissing(NotaryError):
    """The API key may not do that; another one of its department may."""

    code = "scope-missing"


class TooManyKeys(NotaryError):
    """The department has as many valid API keys as one may have; revoke some first."""

    code = "too-many-keys"


class KeyRestricted(NotaryError):
    """The API key is for certain datasets only, and this is about more than those."""

    code = "key-restricted"


class KeptByNotary(NotaryError):
    """The notary alone writes this dataset; its owner reads it."""

    code = "kept-by-notary"


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Who asks: the id of the API key, the department that it stands for, what it may do, and
    when it was shown.

    `datasets`: the key is for these alone (ids of the store); None: for all that its
    department may use.
    """

    key_id: str
    department: str
    scopes: frozenset[str] = frozenset()
    datasets: frozenset[int] | None = None
    at: datetime | None = None

    def may(self, *scopes: str) -> bool:
        """Whether it has one of the scopes."""
        return not self.scopes.isdisjoint(scopes)

    def demand(self, *scopes: str) -> None:
        """Raises ScopeMissing, which names the first, where it has none of the scopes."""
        if not self.may(*scopes):
            raise ScopeMissing(scope=scopes[0])

    def demand_unrestricted(self) -> None:
        """Raises KeyRestricted where the key is for certain datasets only."""
        if self.datasets is not None:
            raise KeyRestricted()


def check_scopes(scopes: Iterable[str]) -> list[str]:
    """At least one of the known scopes, in their order, each once. Raises MalformedText."""
    wanted = set(scopes)
    if not wanted or not wanted <= set(SCOPES):
        raise MalformedText(f"A key's scopes are some of {', '.join(SCOPES)}.", what="scopes")
    return [scope for scope in SCOPES if scope in wanted]
