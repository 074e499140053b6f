# SPDX-License-Identifier: Apache-2.0
"""Witnesses over real HTTP for tests of who asks them: honest ones, and false ones."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from werkzeug.serving import make_server

from notary.core.trust import LogKey
from notary.witness.app import App
from notary.witness.command import add_keys
from notary.witness.judge import Witness
from notary.witness.state import State


class HonestWitness:
    """The real application behind a port."""

    def __init__(
        self, folder: Path, name: str, clock: Callable[[], datetime], keys: Sequence[LogKey]
    ) -> None:
        self.state = State.make(folder, name)
        add_keys(self.state, keys)
        self.name, self.vkey = name, self.state.cosigner.verifier.vkey
        self._app = App(Witness(self.state), clock, lambda line: None)
        self._port = 0
        self.start()

    def start(self) -> None:
        """Serve, at the port of the last time."""
        self._server = make_server("127.0.0.1", self._port, self._app, threaded=True)
        self._port = self._server.port
        self.url = f"http://127.0.0.1:{self._port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        """Be away."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


Said = tuple[int, str, bytes]
"""Status, media type, body."""


class FalseWitness:
    """Under an honest witness's key: answers what the test says, or nothing (None)."""

    def __init__(self, answers: Callable[[str, bytes], Said | None]) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                """Answer."""
                said = answers(self.path, self.rfile.read(int(self.headers["Content-Length"])))
                if said is None:
                    self.close_connection = True
                    return
                self.send_response(said[0])
                self.send_header("Content-Type", said[1])
                self.send_header("Content-Length", str(len(said[2])))
                self.end_headers()
                self.wfile.write(said[2])

            def do_GET(self) -> None:
                """Answer too."""
                self.headers["Content-Length"] = "0"
                self.do_POST()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        """Be away."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def policy_of(witnesses: Sequence[HonestWitness], quorum: int | str = "all") -> str:
    """A policy that asks for the cosignatures of so many of them."""
    lines = [f"witness w{i} {one.vkey} {one.url}\n" for i, one in enumerate(witnesses)]
    members = " ".join(f"w{i}" for i in range(len(witnesses)))
    return "".join(lines) + f"group all-of-them {quorum} {members}\nquorum all-of-them\n"


@contextmanager
def closing_all() -> Iterator[list[Any]]:
    """A list; whatever is in it at the end is closed."""
    open_ones: list[Any] = []
    try:
        yield open_ones
    finally:
        for one in reversed(open_ones):
            one.close()
