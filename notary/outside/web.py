# SPDX-License-Identifier: Apache-2.0
"""
One server over HTTP: bounded answers, limits of time, TLS verified, no redirect followed.

What may be a moment's trouble is asked for again after a pause; what stays is told.
"""

import http.client
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from notary.outside.address import parse_address
from notary.outside.errors import BadAnswer, Unreachable
from notary.outside.timed import TooSlow, timed_response

PIECE_BYTES: Final = 65_536
SECONDS: Final = 30.0
PAUSES: Final = (0.5, 2.0)
AGAIN: Final = (429, 502, 503, 504)
MAX_REDIRECT_CHARACTERS: Final = 200

_Got = TypeVar("_Got")


class Web:
    """
    One server, for one thread. `pauses` are made before what failed is tried again, one for
    each further try; `seconds` is how long nothing may come. `has_query`: the address
    is whole and may have a query, and is only posted to.
    """

    def __init__(
        self,
        url: str,
        ca_file: Path | None = None,
        *,
        pauses: Sequence[float] = PAUSES,
        seconds: float = SECONDS,
        has_query: bool = False,
    ) -> None:
        self.address = parse_address(url, ca_file, has_query=has_query)
        self._pauses = pauses
        self._seconds = seconds
        self._kept: http.client.HTTPConnection | None = None

    def get(self, path: str, limit: int) -> bytes:
        """
        The whole answer, of at most `limit` bytes.

        Raises:
            Unreachable: nobody is there, or somebody else.
            BadAnswer: it is refused, too large, cut off or too slow.
        """
        return self._tried(path, lambda: self._get(path, limit))

    def post(self, body: bytes, headers: Mapping[str, str]) -> None:
        """
        Send a body to the address itself; any answer of 200 to 299 will do.

        Raises:
            Unreachable, BadAnswer: as `get`.
        """
        self._tried("", lambda: self._post(body, headers, None))

    def exchange(self, body: bytes, headers: Mapping[str, str], limit: int) -> bytes:
        """
        Send a body to the address itself; the whole answer, of at most `limit` bytes.

        Raises:
            Unreachable, BadAnswer: as `get`.
        """
        return self._tried("", lambda: self._post(body, headers, limit))

    def stream(self, path: str, limit: int) -> Iterator[bytes]:
        """
        An answer of at most `limit` bytes, piece by piece, over a connection of its own. What
        breaks off in the middle is not tried again here.

        Raises:
            Unreachable, BadAnswer: as `get`; also while it is read.
        """
        link, response = self._tried(path, lambda: self._open(path))
        try:
            with response:
                yield from _pieces(response, path, limit)
        except TooSlow:
            raise BadAnswer("slow", path) from None
        except (OSError, http.client.HTTPException) as error:
            raise BadAnswer("cut-off", path, why=_why(error)) from None
        finally:
            link.close()

    def close(self) -> None:
        """Let go of the connection that is kept."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _tried(self, path: str, once: Callable[[], _Got]) -> _Got:
        """Do it; after each pause once more while it may be a moment's trouble."""
        for pause in (*self._pauses, None):
            try:
                return once()
            except ssl.SSLCertVerificationError as error:
                why = error.verify_message
                raise Unreachable("certificate", url=self.address.url, why=why) from None
            except TooSlow:
                failed: Exception = BadAnswer("slow", path)
            except http.client.IncompleteRead as error:
                failed = BadAnswer("cut-off", path, why=_why(error))
            except (OSError, http.client.HTTPException) as error:
                failed = Unreachable("away", url=self.address.url, why=_why(error))
            except BadAnswer as error:
                if error.status not in AGAIN:
                    self.close()
                    raise
                failed = error
            self.close()
            if pause is not None:
                time.sleep(pause)
        raise failed

    def _get(self, path: str, limit: int) -> bytes:
        """By the connection that is kept; where that one went stale, by a new one at once."""
        if self._kept is not None:
            try:
                return self._read(self._kept, path, limit)
            except (OSError, http.client.HTTPException):
                self.close()
        self._kept = self._connect()
        return self._read(self._kept, path, limit)

    def _read(self, link: http.client.HTTPConnection, path: str, limit: int) -> bytes:
        with self._ask(link, "GET", path, None, {}) as response:
            data = b"".join(_pieces(response, path, limit))
        if response.will_close:
            self.close()
        return data

    def _post(self, body: bytes, headers: Mapping[str, str], limit: int | None) -> bytes:
        """Send a body; the answer up to the limit, where there is one."""
        link = self._connect()
        try:
            sent = {**headers, "Connection": "close"}
            with self._ask(link, "POST", "", body, sent) as response:
                return b"" if limit is None else b"".join(_pieces(response, "", limit))
        finally:
            link.close()

    def _open(self, path: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        link = self._connect()
        try:
            return link, self._ask(link, "GET", path, None, {"Connection": "close"})
        except BaseException:
            link.close()
            raise

    def _ask(
        self,
        link: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        """Send a question; the answer, which must be a good one, not read yet."""
        sent = {"Accept-Encoding": "identity", "User-Agent": "notary-outside", **headers}
        link.request(method, (self.address.prefix + path) or "/", body, sent)
        response = link.getresponse()
        good = range(200, 300) if method == "POST" else (200,)
        if response.status in good:
            return response
        response.close()
        if 300 <= response.status < 400:
            to = (response.getheader("Location") or "-")[:MAX_REDIRECT_CHARACTERS]
            raise Unreachable("redirected", url=self.address.url, to=to)
        raise BadAnswer("status", path, response.status)

    def _connect(self) -> http.client.HTTPConnection:
        at = self.address
        link = (
            http.client.HTTPConnection(at.host, at.port, timeout=self._seconds)
            if at.tls is None
            else http.client.HTTPSConnection(
                at.host, at.port, timeout=self._seconds, context=at.tls
            )
        )
        link.response_class = timed_response(self._seconds)
        return link


def _pieces(response: http.client.HTTPResponse, path: str, limit: int) -> Iterator[bytes]:
    """The body of an answer, and not a byte more than `limit`."""
    got = 0
    while piece := response.read1(PIECE_BYTES):
        got += len(piece)
        if got > limit:
            raise BadAnswer("too-large", path, limit=limit)
        yield piece
    if response.length:  # less came than was stated
        raise http.client.IncompleteRead(b"", response.length)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
