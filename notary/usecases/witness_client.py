# SPDX-License-Identifier: Apache-2.0
"""
A witness as a log asks it over HTTP (C2SP tlog-witness): bounded answers, limits of time, TLS
verified, no redirect followed. The connection is kept from one question to the next.
"""

import http.client
from dataclasses import dataclass
from typing import Final

from notary.core.errors import NotaryError
from notary.outside.address import parse_address
from notary.outside.errors import Unreachable
from notary.outside.notary import witness_checkpoint
from notary.outside.timed import timed_response
from notary.outside.web import Web

SECONDS: Final = 5.0
MAX_REPLY_BYTES: Final = 1 << 16
ADD: Final = "/add-checkpoint"


class WitnessAway(NotaryError):
    """The witness doesn't answer just now; the same question may be answered later."""

    code = "witness-away"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a witness answered: status, media type without parameters, body."""

    status: int
    type: str
    body: bytes


class WitnessClient:
    """One witness, for one thread at a time. `url` is its submission prefix."""

    def __init__(self, url: str, seconds: float = SECONDS) -> None:
        self._url = url
        self._seconds = seconds
        self._kept: http.client.HTTPConnection | None = None

    def add_checkpoint(self, body: bytes) -> Reply:
        """
        Hand in a checkpoint; the answer, whatever it is.

        Raises:
            WitnessAway: nobody answers, not in time, or not as HTTP has it.
        """
        kept = self._kept is not None
        try:
            return self._post(body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if not kept:
                raise WitnessAway(_why(error)) from None
        # What was kept may have gone stale meanwhile; asking twice does no harm.
        try:
            return self._post(body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise WitnessAway(_why(error)) from None

    def checkpoint(self, origin: str) -> str:
        """
        The note that it cosigned last of a log, as it came.

        Raises:
            Unreachable, BadAnswer: it doesn't hand one out.
        """
        web = Web(self._url, pauses=(), seconds=self._seconds)
        try:
            return witness_checkpoint(web, origin)
        finally:
            web.close()

    def close(self) -> None:
        """Let go of the connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _post(self, body: bytes) -> Reply:
        if self._kept is None:
            self._kept = self._connect()
        headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "city-notary"}
        self._kept.request("POST", self._prefix + ADD, body, headers)
        with self._kept.getresponse() as response:
            data = response.read(MAX_REPLY_BYTES + 1)
            if len(data) > MAX_REPLY_BYTES:
                raise http.client.HTTPException("the answer is too large")
            kind = response.headers.get_content_type()
            reply = Reply(response.status, kind, data)
            will_close = response.will_close
        if will_close:
            self.close()
        return reply

    def _connect(self) -> http.client.HTTPConnection:
        try:
            at = parse_address(self._url)
        except Unreachable as error:
            raise OSError(error.detail) from None
        self._prefix = at.prefix
        link = (
            http.client.HTTPConnection(at.host, at.port, timeout=self._seconds)
            if at.tls is None
            else http.client.HTTPSConnection(
                at.host, at.port, timeout=self._seconds, context=at.tls
            )
        )
        link.response_class = timed_response(self._seconds)
        return link


def _why(error: Exception) -> str:
    return f"The witness doesn't answer: {str(error) or type(error).__name__}."
