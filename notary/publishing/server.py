# SPDX-License-Identifier: Apache-2.0
"""
The notary as a client sees it: questions are asked again, with growing pauses, while it is away.

Never a redirect is followed: the key goes to the server that the settings name, and to no other.
"""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from notary.publishing.access import Access
from notary.publishing.errors import PublishRefused

CONNECT_SECONDS: Final = 30
ANSWER_SECONDS: Final = 300
"""The last transaction of a large file takes a while."""
MAX_ANSWER_BYTES: Final = 64 << 20
PAUSES: Final = (1, 2, 4, 8, 15, 30)
AGAIN: Final = (429, 502, 503, 504)
Lines = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `data` is empty where it was read line by line."""

    status: int
    headers: Mapping[str, str]
    data: bytes

    def json(self) -> dict[str, Any]:
        """The JSON object. Raises PublishRefused: no-notary."""
        try:
            found = json.loads(self.data)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise PublishRefused("no-notary", status=self.status)
        return found


class Server:
    """
    One server. `say(code, **facts)` tells that it is waited for; `patience_seconds` without
    any answer end it.
    """

    def __init__(
        self,
        access: Access,
        language: str,
        patience_seconds: float,
        say: Callable[..., None],
    ) -> None:
        self.access = access
        self._language = language
        self._patience = patience_seconds
        self._say = say

    def get(self, path: str, **query: object) -> Answer:
        """
        Ask until there is an answer, a refusal among them.

        Raises:
            PublishRefused: away, certificate, no-notary, redirected.
        """
        return self._until_answered("GET", _with_query(path, query), {}, None, None)

    def post(
        self,
        path: str,
        query: Mapping[str, object],
        headers: Mapping[str, str],
        body: Callable[[], Iterable[bytes]],
        lines: Lines | None = None,
    ) -> Answer:
        """
        Send a body until there is an answer; `body` gives it anew for each try, `lines` is
        told each line of a good answer.

        Raises:
            PublishRefused: as `get`, and whatever `body` raises.
        """
        return self._until_answered("POST", _with_query(path, query), headers, body, lines)

    def _until_answered(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: Callable[[], Iterable[bytes]] | None,
        lines: Lines | None,
    ) -> Answer:
        deadline, tries = time.monotonic() + self._patience, 0
        while True:
            pause: float = PAUSES[min(tries, len(PAUSES) - 1)]
            tries, began = tries + 1, time.monotonic()
            try:
                answer = self._once(method, target, headers, body, lines)
            except ssl.SSLCertVerificationError as error:
                why = error.verify_message
                raise PublishRefused("certificate", url=self.access.url, why=why) from None
            except (OSError, http.client.HTTPException) as error:
                why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            else:
                if answer.status not in AGAIN:
                    return _not_redirected(answer)
                why = _said(answer)
                pause = max(pause, min(_seconds(answer.headers.get("retry-after")), 60))
            # Hours in which a file went up don't count as patience.
            deadline += 0 if body is None else time.monotonic() - began
            if time.monotonic() + pause > deadline:
                raise PublishRefused("away", url=self.access.url, why=why)
            self._say("publish.again", why=why, seconds=round(pause))
            time.sleep(pause)

    def _once(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: Callable[[], Iterable[bytes]] | None,
        lines: Lines | None,
    ) -> Answer:
        link = self._connect()
        try:
            link.putrequest(method, target, skip_accept_encoding=True)
            sent = {
                "Authorization": f"Bearer {self.access.key}",
                "Accept-Language": self._language,
                "User-Agent": "notary-publish",
                "Connection": "close",
                **headers,
            }
            for name, value in sent.items():
                link.putheader(name, value)
            link.endheaders()
            if body is not None:
                _send(link, body())
            if link.sock is not None:
                link.sock.settimeout(ANSWER_SECONDS)
            return _read(link.getresponse(), lines)
        finally:
            link.close()

    def _connect(self) -> http.client.HTTPConnection:
        at = self.access
        if at.tls is None:
            return http.client.HTTPConnection(at.host, at.port, timeout=CONNECT_SECONDS)
        return http.client.HTTPSConnection(
            at.host, at.port, timeout=CONNECT_SECONDS, context=at.tls
        )


def _send(link: http.client.HTTPConnection, body: Iterable[bytes]) -> None:
    """Send what the server takes; where it answers before the end, its answer is read."""
    for piece in body:
        try:
            link.send(piece)
        except (BrokenPipeError, ConnectionResetError):
            return


def _read(response: http.client.HTTPResponse, lines: Lines | None) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    if lines is not None and response.status < 300:
        while line := response.readline(MAX_ANSWER_BYTES):
            if not line.endswith(b"\n"):
                raise http.client.IncompleteRead(line)
            lines(line)
        return Answer(response.status, headers, b"")
    data = response.read(MAX_ANSWER_BYTES)
    stated = headers.get("content-length")
    if stated is not None and stated.isdecimal() and int(stated) > len(data):
        raise http.client.IncompleteRead(data)
    return Answer(response.status, headers, data)


def _not_redirected(answer: Answer) -> Answer:
    if 300 <= answer.status < 400:
        raise PublishRefused("redirected", to=answer.headers.get("location", "-")[:200])
    return answer


def _said(answer: Answer) -> str:
    try:
        return str(answer.json().get("detail") or answer.status)
    except PublishRefused:
        return f"HTTP {answer.status}"


def _seconds(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdecimal() else 0


def _with_query(path: str, query: Mapping[str, object]) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path
