# SPDX-License-Identifier: Apache-2.0
"""The bounded queue between the broker's connection and the pipeline."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Condition
from time import monotonic
from typing import Final, NamedTuple

MAX_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Properties:
    """What MQTT 5 sends along (sections 3.3.2.3.5 to 3.3.2.3.7)."""

    user: tuple[tuple[str, str], ...] = ()
    response_topic: str | None = None
    correlation: bytes | None = None


class Message(NamedTuple):
    """
    A message of a broker; `ticket` is what its acknowledgement needs (None: none),
    `properties` is None where it had none of them, `broker` is the name of who sent it.
    """

    topic: str
    payload: bytes
    ticket: object = None
    properties: Properties | None = None
    broker: str = "default"


class Inbox:
    """
    At most `max_messages` and `max_bytes` wait; whoever puts in more waits himself.

    One message larger than `max_bytes` is let in when nothing else is there.
    """

    def __init__(self, max_messages: int, max_bytes: int = MAX_BYTES) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = Condition()

    def __len__(self) -> int:
        """How many messages wait."""
        return len(self._messages)

    def put(self, messages: Sequence[Message]) -> bool:
        """
        Add messages; blocks while the inbox is full.

        Returns False, and drops those that are not in yet, once the inbox is closed.
        """
        with self._changed:
            for message in messages:
                while self._is_full() and not self._closed:
                    self._changed.notify_all()
                    self._changed.wait()
                if self._closed:
                    return False
                self._messages.append(message)
                self._bytes += len(message.payload)
            self._changed.notify_all()
            return True

    def take(
        self, max_messages: int, max_bytes: int, wait_seconds: float, linger_seconds: float
    ) -> list[Message]:
        """
        Take what is there, up to the limits (but one message at least).

        Waits `wait_seconds` for a first message, and then `linger_seconds` for company.
        """
        with self._changed:
            if not self._messages and not self._closed:
                self._changed.wait(wait_seconds)
            until = monotonic() + linger_seconds
            while self._messages and not self._closed and len(self._messages) < max_messages:
                left = until - monotonic()
                if left <= 0 or self._bytes >= max_bytes:
                    break
                self._changed.wait(left)
            taken: list[Message] = []
            size = 0
            while self._messages and len(taken) < max_messages:
                size += len(self._messages[0].payload)
                if taken and size > max_bytes:
                    break
                taken.append(self._messages.popleft())
                self._bytes -= len(taken[-1].payload)
            if taken:
                self._changed.notify_all()
            return taken

    def close(self) -> None:
        """Take nothing more in; what is there can still be taken out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def is_done(self) -> bool:
        """Whether it is closed and empty."""
        return self._closed and not self._messages

    def _is_full(self) -> bool:
        return len(self._messages) >= self._max_messages or (
            self._bytes >= self._max_bytes and bool(self._messages)
        )
