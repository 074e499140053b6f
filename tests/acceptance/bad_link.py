# SPDX-License-Identifier: Apache-2.0
"""A link that can be cut in the middle, stand still, be slow, be away, and come back."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from notary.local.ports import LOOPBACK

CHUNK = 4096
# Closed so, a socket sends RST and drops what it has not sent yet: a cable that is pulled.
_AT_ONCE = struct.pack("ii", 1, 0)


class Link:
    """
    TCP from a port of its own to another one of this machine.

    with Link(broker.port) as link:
        connect(link.leads(broker.url))
        link.cut()
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_away = False
        self._flows = asyncio.Event()
        self._flows.set()
        self._bytes_per_second: float | None = None
        self.port = 0
        self.connections = self.cuts = 0
        self._thread = threading.Thread(target=self._loop.run_forever, name="link", daemon=True)

    def leads(self, url: str) -> str:
        """The address, by this link."""
        place = f"{LOOPBACK}:{urlsplit(url).port}"
        assert place in url
        return url.replace(place, f"{LOOPBACK}:{self.port}")

    def cut(self) -> None:
        """End all connections at once, whatever of a message was through."""
        self._do(self._cut)

    def away(self) -> None:
        """Cut, and let nobody in until `heal`."""
        self._set(is_away=True)
        self.cut()

    def stall(self) -> None:
        """Carry nothing, and say nothing, until `heal`: connections stay open."""
        self._do(self._flows.clear)

    def slow(self, bytes_per_second: float) -> None:
        """Carry no more than this in each direction of each connection, until `heal`."""
        self._set(bytes_per_second=bytes_per_second)

    def heal(self) -> None:
        """As good as new."""
        self._set()
        self._do(self._flows.set)

    def __enter__(self) -> Self:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(120)
        self._loop.close()

    def _do(self, what: Callable[[], None]) -> None:
        """Have it done on the link's own thread."""

        async def done() -> None:
            what()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(10)

    def _set(self, is_away: bool = False, bytes_per_second: float | None = None) -> None:
        self._is_away, self._bytes_per_second = is_away, bytes_per_second

    # -- on the link's own thread

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._carry, LOOPBACK, 0, limit=CHUNK)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _end(self) -> None:
        self._server.close()
        self._cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _cut(self) -> None:
        self.cuts += bool(self._open)
        for writer in self._open:
            writer.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE
            )
            writer.transport.abort()
        self._open.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Both directions of a connection, until one of them ends."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        writers = [writer]
        try:
            if self._is_away:
                return
            there, back = await asyncio.open_connection(LOOPBACK, self._target, limit=CHUNK)
            writers.append(back)
            self._open.update(writers)
            self.connections += 1
            ways = [
                asyncio.ensure_future(self._pump(*way)) for way in ((reader, back), (there, writer))
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for one in writers:
                one.transport.abort()
                self._open.discard(one)
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            await self._flows.wait()
            if self._bytes_per_second is not None:
                await asyncio.sleep(len(data) / self._bytes_per_second)
            writer.write(data)
            await writer.drain()
