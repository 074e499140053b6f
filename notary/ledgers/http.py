# SPDX-License-Identifier: Apache-2.0
"""
Where a remote ledger is asked over HTTP: TLS verified, bounded answers, limits of time.

All remote adapters use it, so that one suite of faults can cut each of their exchanges. What
is no whole HTTP answer is LedgerUnavailable: nobody knows then whether the ledger took it.
"""

import http.client
import ssl
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from notary.ledgers.port import LedgerUnavailable
from notary.outside.address import Address, parse_address
from notary.outside.errors import Unreachable
from notary.outside.timed import timed_response

PIECE_BYTES: Final = 65_536


class Endpoint:
    """
    One address, by https or http (table.py says which may be); may be asked by many threads.

    `timeout_seconds`: how long nothing may come, and, with a second more for each 4,096 bytes,
    how long a whole answer may take. `headers` go with each request. The certificate is
    verified by the system's authorities, or by those of `ca_file` (PEM) alone. An answer of
    more than `max_bytes` is none. What is said of errors names host and port alone: an
    address may hold a key.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 15.0,
        headers: Mapping[str, str] | None = None,
        ca_file: Path | None = None,
        max_bytes: int = 8 << 20,
    ) -> None:
        """
        Raises:
            LedgerUnavailable: no address, or no certificates in `ca_file`.
        """
        self._at = _address(url, ca_file)
        self._timeout_seconds = timeout_seconds
        self._max_bytes = max_bytes
        self._headers = {
            "User-Agent": "city-notary",
            "Accept-Encoding": "identity",
            **(headers or {}),
            "Connection": "close",
        }
        self.place = f"{self._at.host}:{self._at.port}"

    def post(self, body: bytes, content_type: str, path: str = "") -> tuple[int, bytes]:
        """
        Post a body to the address, with `path` after it; the status and the whole answer.

        A redirect is not followed: its status is told, as any other.

        Raises:
            LedgerUnavailable: what came is no whole HTTP answer, or nothing came in time.
        """
        headers = {**self._headers, "Content-Type": content_type}
        try:
            with closing(self._connect()) as link:
                link.request("POST", (self._at.prefix + path) or "/", body, headers)
                with link.getresponse() as response:
                    return response.status, self._whole(response)
        except ssl.SSLCertVerificationError as error:
            raise LedgerUnavailable(
                f"The certificate of {self.place} can't be trusted: {error.verify_message}."
            ) from None
        except TimeoutError:
            raise LedgerUnavailable(
                f"{self.place} did not answer within {self._timeout_seconds:g} seconds."
            ) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise LedgerUnavailable(f"{self.place} does not answer: {_why(error)}.") from None

    def _connect(self) -> http.client.HTTPConnection:
        at, timeout = self._at, self._timeout_seconds
        link = (
            http.client.HTTPConnection(at.host, at.port, timeout=timeout)
            if at.tls is None
            else http.client.HTTPSConnection(at.host, at.port, timeout=timeout, context=at.tls)
        )
        link.response_class = timed_response(timeout)
        return link

    def _whole(self, response: http.client.HTTPResponse) -> bytes:
        data = bytearray()
        while piece := response.read1(PIECE_BYTES):
            data += piece
            if len(data) > self._max_bytes:
                raise http.client.HTTPException(f"more than {self._max_bytes:,} bytes came")
        if response.length:  # less came than was stated
            raise http.client.IncompleteRead(b"", response.length)
        return bytes(data)


def _address(url: str, ca_file: Path | None) -> Address:
    try:
        return parse_address(url if "?" in url else url.rstrip("/"), ca_file, has_query=True)
    except Unreachable as error:
        raise LedgerUnavailable(
            f"{ca_file} holds no certificates that can be read."
            if error.reason == "bad-ca"
            else "The address is none of http or https."
        ) from None


def _why(error: Exception) -> str:
    if isinstance(error, ValueError | http.client.InvalidURL) and not isinstance(error, OSError):
        # It quotes what can't be sent: a header with a key, or the address.
        return "header or address hold what HTTP doesn't allow"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
