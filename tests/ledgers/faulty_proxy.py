# SPDX-License-Identifier: Apache-2.0
"""
An HTTP proxy before a real ledger that can do whatever goes wrong on the way to it.

    with FaultyProxy(f"http://127.0.0.1:{ledger.port}") as proxy:
        adapter = open_ledger(f"{proxy.url}/rpc")
        proxy.fail("swallow")          # the ledger gets the question, nobody gets the answer
        proxy.heal()

Faults: `down` (the connection ends at once), `hang` (nothing comes until it is healed),
`swallow` (asked, and the answer is lost), `half` (asked, and the answer breaks off in the
middle), `garbage` (asked, answered by other bytes), `replay` (asked, answered by what was
answered before), `error` (not asked, status 500).
"""

from collections.abc import Callable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Final, Literal, Self
from urllib.parse import urlsplit

Fault = Literal["down", "hang", "swallow", "half", "garbage", "replay", "error"]
FAULTS: Final[tuple[Fault, ...]] = (
    "down", "hang", "swallow", "half", "garbage", "replay", "error",
)  # fmt: skip
Answer = tuple[int, str, bytes]
"""Status, media type, body."""
GARBAGE: Final = (
    b"",
    b"\0\xff\xfe garbage",
    b"<html><body>502 Bad Gateway</body></html>",
    b"null",
    b"[]",
    b"{}",
    b'{"jsonrpc":"2.0","id":1,"result":null}',
    b'{"jsonrpc":"2.0","id":1,"result":"0x"}',
    b'{"header":{},"body":{},"mac":""}',
    b"[" * 5000,
    b"9" * 5000,
)
"""What servers and whoever stands before them answer on bad days."""


class FaultyProxy:
    """Passes requests on to `target` (scheme, host and port) until it is told to fail."""

    def __init__(self, target: str) -> None:
        at = urlsplit(target)
        self._target = (str(at.hostname), int(at.port or 80))
        self._fault: Fault | None = None
        self._since = 0
        self._garbage = GARBAGE[1]
        self._healed = Event()
        self._lock = Lock()
        self.questions: list[tuple[str, bytes]] = []
        """Path and body of each request, in their order."""
        self.answers: list[Answer] = []
        """What the target answered, in their order."""
        self._first = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._answer))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def exchanges(self) -> int:
        """How many requests came so far."""
        return len(self.questions)

    def fail(
        self, fault: Fault, *, after: int = 0, garbage: bytes = GARBAGE[1], first: int = 0
    ) -> None:
        """
        Pass on `after` requests more, then do this to each one until healed; `first`: which answer
        is replayed, the first one that came unless it is said.
        """
        with self._lock:
            self._fault, self._garbage, self._first = fault, garbage, first
            self._since = len(self.questions) + after
            self._healed = Event()

    def heal(self) -> None:
        """Pass everything on again."""
        with self._lock:
            self._fault = None
            self._healed.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.heal()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[Answer, int] | None:
        """The answer and how many of its bytes are sent; None: the connection just ends."""
        with self._lock:
            self.questions.append((path, body))
            fault = self._fault if len(self.questions) > self._since else None
            healed = self._healed
        if fault == "down":
            return None
        if fault == "hang":
            healed.wait(60)
            return None
        if fault == "error":
            said = 500, "text/plain", b"Internal Server Error"
            return said, len(said[2])
        answer = self._ask(path, headers, body)
        with self._lock:
            self.answers.append(answer)
        if fault == "swallow":
            return None
        if fault == "half":
            return answer, len(answer[2]) // 2
        if fault == "garbage":
            answer = answer[0], answer[1], self._garbage
        if fault == "replay":
            answer = self.answers[min(self._first, len(self.answers) - 1)]
        return answer, len(answer[2])

    def _ask(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        link = HTTPConnection(*self._target, timeout=30)
        try:
            link.request("POST", path, body, headers)
            with link.getresponse() as response:
                kind = response.headers.get("Content-Type", "application/octet-stream")
                return response.status, kind, response.read()
        finally:
            link.close()


Answering = Callable[[str, dict[str, str], bytes], tuple[Answer, int] | None]


def _handler(answer: Answering) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Answer as the proxy says."""
            self.close_connection = True
            body = self.rfile.read(int(self.headers["Content-Length"]))
            dropped = ("host", "connection", "content-length", "accept-encoding")
            headers = {k: v for k, v in self.headers.items() if k.lower() not in dropped}
            said = answer(self.path, headers, body)
            if said is None:
                return
            (status, kind, data), sent = said
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(data[:sent])

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler
