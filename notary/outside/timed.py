# SPDX-License-Identifier: Apache-2.0
"""
Answers that must come in time: headers too, and however slowly their bytes drip.

Each wait is bounded, and so is the whole answer: by a span at the beginning, and one second more
for each SLOWEST_BYTES of it.
"""

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any, Final

SLOWEST_BYTES: Final = 4096


class TooSlow(TimeoutError):
    """The answer comes, but slower than anybody has to wait for."""


class _TimedReader(io.RawIOBase):
    """What a socket receives, with a limit of time that grows by what was received."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._has_begun = False

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """
        Receive once.

        Raises:
            TooSlow: the time is over, and the answer is not.
            TimeoutError: nothing came at all.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TooSlow("The answer comes too slowly.")
        self._sock.settimeout(min(left, self._seconds))
        try:
            got: int | None = self._raw.readinto(buffer)
        except TimeoutError:
            if self._has_begun:
                raise TooSlow("The answer doesn't go on.") from None
            raise
        self._has_begun = True
        self._deadline += (got or 0) / SLOWEST_BYTES
        return got

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


class _TimedSocket:
    """The one method of a socket that an HTTPResponse uses."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock, self._seconds = sock, seconds

    def makefile(self, mode: str) -> io.BufferedReader:
        """A reader with limits of time."""
        return io.BufferedReader(_TimedReader(self._sock, self._seconds))


def timed_response(seconds: float) -> Any:
    """What makes the responses of an HTTPConnection; each has `seconds` to begin with."""

    def make(sock: socket.socket, *values: Any, **named: Any) -> HTTPResponse:
        timed: Any = _TimedSocket(sock, seconds)
        return HTTPResponse(timed, *values, **named)

    return make
