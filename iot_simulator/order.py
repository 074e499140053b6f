# SPDX-License-Identifier: Apache-2.0
"""In which order a gateway sends its messages, which twice, and which spoilt."""

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random
from typing import Final, NamedTuple

LATE_BEHIND: Final = 20
"""A late message is sent once so many that were taken after it are sent, or at the end."""


@dataclass(frozen=True, slots=True)
class Chances:
    """How probable each fault is for a message, from 0 to 1."""

    duplicates: float = 0.0
    reorder: float = 0.0
    late: float = 0.0
    bad: float = 0.0


class Turn(NamedTuple):
    """A message's number, and how often it is sent in a row."""

    number: int
    copies: int


class Order:
    """
    The turns of messages 0 to `total` - 1 (None: until `close`), each number once; the same
    for the same chances, name and total.
    """

    def __init__(self, chances: Chances, name: str, total: int | None) -> None:
        self._chances, self._name, self._total = chances, name, total
        self._next = 0
        self._ready: deque[Turn] = deque()
        self._late: list[tuple[int, int]] = []

    def close(self) -> None:
        """No new messages; those that were held back are still to come."""
        self._total = self._next

    def take(self) -> Turn | None:
        """The next turn; None: that was all."""
        while not self._ready:
            ended = self._ended()
            if self._late and (ended or self._late[0][0] <= self._next):
                self._ready.append(self._turn(heappop(self._late)[1]))
            elif ended:
                return None
            else:
                self._decide()
        return self._ready.popleft()

    def is_bad(self, number: int) -> bool:
        """Whether this message is spoilt."""
        return self._dice(number, "bad").random() < self._chances.bad

    def spoil(self, number: int, payload: bytes) -> bytes:
        """Bytes that nobody can read: cut short on the way, or with noise in front."""
        if self._dice(number, "spoil").random() < 0.5:
            return payload[: len(payload) // 2]
        return b"\xff" + payload

    def _ended(self) -> bool:
        return self._total is not None and self._next >= self._total

    def _decide(self) -> None:
        number = self._next
        self._next += 1
        dice = self._dice(number, "order")
        if dice.random() < self._chances.late:
            heappush(self._late, (number + 1 + LATE_BEHIND, number))
        elif dice.random() < self._chances.reorder and not self._ended():
            self._ready.append(self._turn(self._next))
            self._ready.append(self._turn(number))
            self._next += 1
        else:
            self._ready.append(self._turn(number))

    def _turn(self, number: int) -> Turn:
        twice = self._dice(number, "copies").random() < self._chances.duplicates
        return Turn(number, 2 if twice else 1)

    def _dice(self, number: int, what: str) -> Random:
        return Random(f"{self._name}/{number}/{what}")
