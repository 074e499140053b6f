# SPDX-License-Identifier: Apache-2.0
"""
Brokers: where they are, as whom we come, and by what a TLS connection is checked.

A broker's certificate is verified always: signed by an authority that is trusted (the
system's, or those of `ca_file` alone) and made out to the host in the address. Nothing here
can switch that off.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from notary.core.errors import NotaryError

DEFAULT_BROKER: Final = "default"


class BrokerRefused(NotaryError):
    """The broker's address, or what its TLS needs, can't be used."""

    code = "broker-refused"


@dataclass(frozen=True, slots=True)
class Broker:
    """
    One broker. `url` is mqtt[s]://user:password@host:port; the files are of PEM form.

    `client_id` None: the process's own.
    """

    name: str
    url: str = field(repr=False)
    client_id: str | None = None
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None

    def faults(self) -> list[str]:
        """What is wrong with it, as sentences; the files are read."""
        found = []
        is_secure = None
        try:
            is_secure = read_url(self.url)[2]
        except BrokerRefused as error:
            found.append(error.detail)
        if (self.client_cert is None) != (self.client_key is None):
            found.append("client_cert and client_key belong together.")
        elif is_secure is False and (self.ca_file or self.client_cert):
            found.append("ca_file, client_cert and client_key belong to a url of mqtts://.")
        elif is_secure:
            try:
                self.tls()
            except BrokerRefused as error:
                found.append(error.detail)
        return found

    def tls(self) -> ssl.SSLContext | None:
        """
        What a connection is checked by; None without TLS.

        Raises:
            BrokerRefused: a file can't be read or used.
        """
        if not read_url(self.url)[2]:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ValueError) as error:
            raise BrokerRefused(f"ca_file {self.ca_file}: {_why(error)}") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # Debian's Python leaves it to OpenSSL
        if self.client_cert is not None:
            try:
                # No key with a pass phrase: nobody is there to type it.
                context.load_cert_chain(self.client_cert, self.client_key, password="")
            except (OSError, ValueError) as error:
                raise BrokerRefused(
                    f"client_cert {self.client_cert} with client_key {self.client_key}: "
                    f"{_why(error)}"
                ) from None
        return context


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "").replace("_", " ").lower()
        return f"it is no certificate or key that can be used ({reason or 'of another form'})."
    return f"it can't be read ({getattr(error, 'strerror', None) or error})."


def why_not(error: BaseException) -> str:
    """Why a connection could not be made, in words for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message.rstrip('.')}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or str(error)).replace('_', ' ').lower()}"
    return str(getattr(error, "strerror", None) or str(error) or type(error).__name__)


def read_url(url: str) -> tuple[str, int, bool, str | None, str | None]:
    """
    Host, port, whether TLS, user and password of mqtt://user:password@host:port.

    Raises:
        BrokerRefused: it is another kind of address; the text never shows it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path not in ("", "/"):
        raise BrokerRefused(
            "A broker's address must be mqtt://user:password@host:port, or mqtts:// with TLS; "
            "a special character in the password is written as % and two hexadecimal digits."
        )
    secure = parts.scheme == "mqtts"
    user = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else unquote(parts.password)
    return parts.hostname, port or (8883 if secure else 1883), secure, user, password
