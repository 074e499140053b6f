# SPDX-License-Identifier: Apache-2.0
"""Where the notary is and by which key it is asked: NOTARY_URL, NOTARY_KEY_FILE, NOTARY_CA_FILE."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from notary.publishing.errors import PublishRefused

MAX_KEY_BYTES: Final = 16_384
_KEY: Final = re.compile(r"[\x21-\x7e]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Access:
    """A server and the key for it. The key never shows in `repr`."""

    url: str
    host: str
    port: int
    key: str = field(repr=False)
    tls: ssl.SSLContext | None = field(repr=False)


def read_access(env: Mapping[str, str], *, allow_http: bool = False) -> Access:
    """
    Read the settings of a client.

    Raises:
        PublishRefused: no-url, bad-url, plain-http, no-key, key-unreadable, key-readable,
            bad-key, bad-ca.
    """
    url = env.get("NOTARY_URL", "").rstrip("/")
    if not url:
        raise PublishRefused("no-url")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise PublishRefused("bad-url", url=url) from None
    more = (parts.path, parts.query, parts.fragment, parts.username)
    if parts.scheme not in ("http", "https") or not host or any(more) or not url.isprintable():
        raise PublishRefused("bad-url", url=url)
    is_tls = parts.scheme == "https"
    if not is_tls and not allow_http and not _is_loopback(host):
        raise PublishRefused("plain-http", url=url)
    tls = _context(env.get("NOTARY_CA_FILE")) if is_tls else None
    return Access(url, host, port or (443 if is_tls else 80), _read_key(env), tls)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _context(file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=file or None)
    except (OSError, ssl.SSLError):
        raise PublishRefused("bad-ca", path=file) from None


def _read_key(env: Mapping[str, str]) -> str:
    file = env.get("NOTARY_KEY_FILE")
    if not file:
        raise PublishRefused("no-key")
    path = Path(file)
    try:
        mode = path.stat().st_mode
        with path.open("rb") as opened:
            data = opened.read(MAX_KEY_BYTES)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a name of a file"
        raise PublishRefused("key-unreadable", path=file, why=why) from None
    if mode & 0o077:
        raise PublishRefused("key-readable", path=file)
    key = data.decode("ascii", "replace").strip()
    if not _KEY.fullmatch(key):
        raise PublishRefused("bad-key", path=file)
    return key
