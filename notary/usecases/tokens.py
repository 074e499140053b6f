# SPDX-License-Identifier: Apache-2.0
"""
Access tokens of an OIDC issuer (JWT), in the place of API keys.

Believed is what the issuer's own keys signed (RS256, ES256, EdDSA), for us as audience, within
its time. Keys that a token names or brings (jku, x5u, jwk, x5c) are never looked at. One claim
says the department, another the scopes; `admin` is never one of them.
"""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import jwt

from notary.store.pool import Pool
from notary.usecases.issuer import ALGORITHMS, Issuer
from notary.usecases.rights import SCOPES, Caller, KeyUnknown

MAX_CHARACTERS: Final = 8_192
LEEWAY_SECONDS: Final = 30
GIVEN: Final = frozenset(SCOPES) - {"admin"}
_REQUIRED: Final = ("exp", "iss", "aud", "sub")


class Tokens:
    """Reads access tokens; `secret` gives the secret under which subjects get their ids."""

    def __init__(
        self,
        pool: Pool,
        issuer: Issuer,
        audience: str,
        department_claim: str,
        scope_claim: str,
        secret: Callable[[], bytes],
    ) -> None:
        self._pool = pool
        self._issuer = issuer
        self._audience = audience
        self._department_claim = department_claim
        self._scope_claim = scope_claim
        self._secret = secret

    def find_caller(self, token: str, now: datetime) -> Caller:
        """
        Who stands behind a token.

        Raises:
            KeyUnknown: always for the same reason, whatever is wrong with it.
            IssuerUnavailable: the issuer's keys are not to be had.
        """
        if len(token) > MAX_CHARACTERS:
            raise KeyUnknown()
        claims = self._verify(token, now)
        department = claims.get(self._department_claim)
        scopes = _words(claims.get(self._scope_claim)) & GIVEN
        if not isinstance(department, str) or not scopes:
            raise KeyUnknown()
        with self._pool.transaction(read_only=True) as tx:
            if tx.row("is_department_open", id=department) is None:
                raise KeyUnknown()
        return Caller(self._id_of(claims["sub"]), department, scopes, None, now)

    def _verify(self, token: str, now: datetime) -> Mapping[str, Any]:
        try:
            head = jwt.get_unverified_header(token)
            kid = head.get("kid")
            if head.get("alg") not in ALGORITHMS or "crit" in head or not isinstance(kid, str):
                raise KeyUnknown()
            key = self._issuer.key(kid, now)
            if key is None:
                raise KeyUnknown()
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer.url,
                options={
                    "require": list(_REQUIRED),
                    # Compared with our own clock below.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise KeyUnknown() from None
        _check_times(claims, now.timestamp())
        return claims

    def _id_of(self, subject: str) -> str:
        """Stands in logs and statements: no function of the person without our secret."""
        what = f"oidc {self._issuer.url} {subject}".encode()
        return f"oidc.{hmac.digest(self._secret(), what, 'sha256').hex()[:24]}"


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    """`exp` is later, `nbf` and `iat` no later than now, half a minute allowed for clocks."""
    for name, sign in (("exp", 1), ("nbf", -1), ("iat", -1)):
        at = claims.get(name)
        if at is None and name != "exp":
            continue
        # A number of seconds: no bool, no text, nothing infinite.
        if isinstance(at, bool) or not isinstance(at, int | float) or not abs(at) < 1e12:
            raise KeyUnknown()
        if sign * (at - now) <= -LEEWAY_SECONDS:
            raise KeyUnknown()


def _words(claim: object) -> frozenset[str]:
    """Scopes as one text with spaces (RFC 8693 section 4.2) or as a list of texts."""
    if isinstance(claim, str):
        return frozenset(claim.split(" "))
    if isinstance(claim, list):
        return frozenset(word for word in claim if isinstance(word, str))
    return frozenset()
