# SPDX-License-Identifier: Apache-2.0
"""A server of bare sockets, which answers byte for byte what a test wants, however wrong."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Self

Answer = Iterable[bytes]
"""The pieces of an answer; a generator may wait between them."""


def ok(body: bytes, *headers: str, status: str = "200 OK") -> list[bytes]:
    """A whole answer that states its length."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return ["\r\n".join(head).encode() + b"\r\n\r\n", body]


class Raw:
    """
    Serves until the test ends. `answer` maps the path of a request to the answer; after it the
    connection is closed, unless `keeps`. `asked` are the heads of the requests, in order.
    """

    def __init__(
        self,
        answer: Callable[[str], Answer],
        *,
        keeps: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.asked: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self._answer, self._keeps, self._tls = answer, keeps, tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.ending = threading.Event()
        self.scheme = "http" if tls is None else "https"

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.scheme}://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(link,), daemon=True).start()

    def _talk(self, link: socket.socket) -> None:
        with suppress(OSError), link:
            if self._tls is not None:
                link = self._tls.wrap_socket(link, server_side=True)
            while head := self._head(link):
                for piece in self._answer(head.split(" ")[1]):
                    link.sendall(piece)
                if not self._keeps:
                    break
            if self._tls is not None:
                link.close()

    def _head(self, link: socket.socket) -> str:
        data = b""
        while b"\r\n\r\n" not in data:
            got = link.recv(65536)
            if not got:
                return ""
            data += got
        head, _, body = data.partition(b"\r\n\r\n")
        text = head.decode("latin-1")
        for line in text.split("\r\n"):
            name, _, value = line.partition(": ")
            while name.lower() == "content-length" and len(body) < int(value):
                body += link.recv(65536)
        self.asked.append(text)
        self.bodies.append(body)
        return text
