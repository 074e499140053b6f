# SPDX-License-Identifier: Apache-2.0
"""The notary's HTTP API as the local run uses it: a few requests on loopback."""

import json
import time
import urllib.error
import urllib.request
from typing import Any

from notary.local.errors import StartFailed


class Client:
    """Requests to one notary with one API key (or none)."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = url
        self._key = key

    def request(
        self, method: str, path: str, body: bytes | None = None, type: str = "application/json"
    ) -> tuple[int, bytes]:
        """Status and body of one request; a refused connection is status 0."""
        request = urllib.request.Request(self.url + path, data=body, method=method)
        if body is not None:
            request.add_header("Content-Type", type)
        if self._key:
            request.add_header("Authorization", f"Bearer {self._key}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return 0, b""

    def get(self, path: str) -> Any:
        """The JSON of a GET. Raises StartFailed for anything but 200."""
        status, body = self.request("GET", path)
        if status != 200:
            raise StartFailed(f"GET {path} was answered {status}: {body[:500]!r}")
        return json.loads(body)

    def wait_for(self, path: str, timeout_seconds: float) -> bytes:
        """
        The body of a GET once it is answered by 200.

        Raises:
            StartFailed: not within the time; with the last answer.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            status, body = self.request("GET", path)
            if status == 200:
                return body
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"{path} was not there after {timeout_seconds:g} s; "
                    f"the last answer was {status}: {body[:500]!r}"
                )
            time.sleep(0.25)
