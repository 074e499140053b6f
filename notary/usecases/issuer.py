# SPDX-License-Identifier: Apache-2.0
"""
The keys of an OIDC issuer: found by its discovery document, kept for an hour.

Asked again for a key id that isn't known, but at most once a minute, whatever is asked for:
a flood of made-up ids costs the issuer nothing. Only addresses by https (TLS verified) are
asked, or on loopback; redirects are not followed.
"""

import json
import ssl
import urllib.request
from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

import jwt

from notary.config import is_safe_address
from notary.usecases.rights import IssuerUnavailable

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
MAX_BYTES: Final = 262_144
MAX_KEYS: Final = 64
SECONDS: Final = 5.0
KEPT: Final = timedelta(hours=1)
KEPT_UNREACHED: Final = timedelta(hours=24)
"""So long keys are believed while the issuer can't be reached."""
PAUSE: Final = timedelta(seconds=60)
PAUSE_UNREACHED: Final = timedelta(seconds=5)
_BITS: Final = 2048
_CURVES: Final = {"EC": ("P-256", "ES256"), "OKP": ("Ed25519", "EdDSA"), "RSA": (None, "RS256")}


class Issuer:
    """One issuer, for one process; may be asked from several threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._known_at: datetime | None = None
        self._next: datetime | None = None
        self._busy = Lock()

    def key(self, kid: str, now: datetime) -> jwt.PyJWK | None:
        """
        The issuer's key of that id, or None.

        Raises:
            IssuerUnavailable: no key at all is known, and the issuer doesn't give any.
        """
        if kid not in self._keys or not self._within(KEPT, now):
            self._ask(now, kid)
        if not self._within(KEPT_UNREACHED, now):
            raise IssuerUnavailable()
        return self._keys.get(kid)

    def _within(self, age: timedelta, now: datetime) -> bool:
        return self._known_at is not None and now - self._known_at < age

    def _ask(self, now: datetime, kid: str) -> None:
        """
        Ask anew, unless another thread did or the pause isn't over. Whoever comes while it is
        asked goes on with the keys that are known, and waits only where there are none.
        """
        if not self._busy.acquire(blocking=self._known_at is None):
            return
        try:
            if kid in self._keys and self._within(KEPT, now):
                return
            if self._next is not None and now < self._next:
                return
            self._keys = self._fetch()
            self._known_at, self._next = now, now + PAUSE
        except IssuerUnavailable:
            self._next = now + PAUSE_UNREACHED
        finally:
            self._busy.release()

    def _fetch(self) -> Mapping[str, jwt.PyJWK]:
        found = _get(f"{self.url.rstrip('/')}/.well-known/openid-configuration")
        address = found.get("jwks_uri")
        if found.get("issuer") != self.url or not isinstance(address, str):
            raise IssuerUnavailable()
        listed = _get(address).get("keys")
        if not isinstance(listed, list):
            raise IssuerUnavailable()
        usable = (_usable(one) for one in listed[:MAX_KEYS])
        return dict(one for one in usable if one is not None)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *values: Any, **more: Any) -> None:
        """Whoever is redirected could be led to another's keys."""


def _get(url: str) -> Mapping[str, Any]:
    if not is_safe_address(url):
        raise IssuerUnavailable()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        _NoRedirect(),
    )
    try:
        with opener.open(url, timeout=SECONDS) as answer:
            data = answer.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise IssuerUnavailable()
        found = json.loads(data)
    except (OSError, ValueError, RecursionError):  # OSError: URLError, TLS, time-outs too
        raise IssuerUnavailable() from None
    if not isinstance(found, dict):
        raise IssuerUnavailable()
    return found


def _usable(key: object) -> tuple[str, jwt.PyJWK] | None:
    """A public key for signatures by one of our algorithms, by its id; any other is left out."""
    if not isinstance(key, dict) or not isinstance(key.get("kid"), str):
        return None
    if key.get("use", "sig") != "sig" or key.get("kty") not in _CURVES:
        return None
    curve, algorithm = _CURVES[key["kty"]]
    if key.get("crv") != curve or key.get("alg", algorithm) != algorithm:
        return None
    try:
        made = jwt.PyJWK(key, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if algorithm == "RS256" and getattr(made.key, "key_size", 0) < _BITS:
        return None
    return key["kid"], made
