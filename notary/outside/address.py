# SPDX-License-Identifier: Apache-2.0
"""Where a server is, as people write it."""

import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from notary.outside.errors import Unreachable


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and the path below which it is asked; without TLS where `tls` is None."""

    url: str
    host: str
    port: int
    prefix: str
    tls: ssl.SSLContext | None = field(repr=False)

    @property
    def is_safe(self) -> bool:
        """Whether nobody on the way can read along: TLS, or this very machine."""
        return self.tls is not None or is_loopback(self.host)


def parse_address(url: str, ca_file: Path | None = None, *, has_query: bool = False) -> Address:
    """
    Read an address, by http or https, perhaps with a path. TLS is verified by the system's
    authorities, or by those of `ca_file` (PEM) alone. `has_query`: it may have a query too.

    Raises:
        Unreachable: bad-url, bad-ca.
    """
    url = url if has_query else url.rstrip("/")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Unreachable("bad-url", url=url) from None
    query = f"?{parts.query}" if parts.query else ""
    more = ("" if has_query else query, parts.fragment, parts.username, parts.password)
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in ("http", "https") or not host or any(more) or not is_plain or port == 0:
        raise Unreachable("bad-url", url=url)
    is_tls = parts.scheme == "https"
    tls = _context(ca_file) if is_tls else None
    return Address(url, host, port or (443 if is_tls else 80), parts.path + query, tls)


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine, by its name alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise Unreachable("bad-ca", path=str(ca_file)) from None
