# SPDX-License-Identifier: Apache-2.0
"""Readings of 200 bytes from 10,000 sources at random, each with its time and id."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

SOURCES = 10_000
SIZE_BYTES = 200
PACK = 100


def payload(number: int) -> bytes:
    """One JSON reading of exactly SIZE_BYTES; number makes its time and id its own."""
    head = f'{{"time":"2026-01-01T00:00:00.{number:09d}Z","id":"{number}","pm25":12.5,"pad":"'
    return (head + "x" * (SIZE_BYTES - len(head) - 2) + '"}').encode()


def timed(number: int) -> bytes:
    """The same with the time of its sending (UTC)."""
    now = datetime.now(UTC).isoformat().encode()
    return payload(number).replace(b"2026-01-01T00:00:00.%09dZ" % number, now)


def sources(seed: int) -> Iterator[str]:
    """Source ids at random, without end."""
    chance = random.Random(seed)
    while True:
        yield f"s{chance.randrange(SOURCES)}"


def pack(number: int) -> bytes:
    """An NDJSON pack of PACK readings."""
    return b"\n".join(payload(number * PACK + i) for i in range(PACK)) + b"\n"
