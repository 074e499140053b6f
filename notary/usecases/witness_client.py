# SPDX-License-Identifier: Apache-2.0
"""
A witness as a log asks it over HTTP (C2SP tlog-witness): bounded answers, limits of time, TLS
verified, no redirect followed.
"""

import http.client
from contextlib import closing
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
    """One witness; `url` is its submission prefix. May be called from many threads."""

    def __init__(self, url: str, seconds: float = SECONDS) -> None:
        self._url = url
        self._seconds = seconds

    def add_checkpoint(self, body: bytes) -> Reply:
        """
        Hand in a checkpoint; the answer, whatever it is.

        Raises:
            WitnessAway: nobody answers, not in time, or not as HTTP has it.
        """
        try:
            return self._post(body)
        except (OSError, http.client.HTTPException, Unreachable) as error:
            why = str(error) or type(error).__name__
            raise WitnessAway(f"The witness doesn't answer: {why}.") from None

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

    def _post(self, body: bytes) -> Reply:
        at = parse_address(self._url)
        link = (
            http.client.HTTPConnection(at.host, at.port, timeout=self._seconds)
            if at.tls is None
            else http.client.HTTPSConnection(
                at.host, at.port, timeout=self._seconds, context=at.tls
            )
        )
        link.response_class = timed_response(self._seconds)
        headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "city-notary"}
        with closing(link):
            link.request("POST", at.prefix + ADD, body, headers)
            with link.getresponse() as response:
                data = response.read(MAX_REPLY_BYTES + 1)
                if len(data) > MAX_REPLY_BYTES:
                    raise http.client.HTTPException("the answer is too large")
                return Reply(response.status, response.headers.get_content_type(), data)
