# SPDX-License-Identifier: Apache-2.0
"""How often a wrong key may be tried: so often in a minute from one address, in one process."""

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from werkzeug.exceptions import TooManyRequests

MOST: Final = 10
SPAN: Final = timedelta(minutes=1)
MAX_ADDRESSES: Final = 10_000


class Attempts:
    """Wrong attempts by address; the ones that were quiet for longest are forgotten first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: OrderedDict[str, list[datetime]] = OrderedDict()

    def demand(self, address: str, now: datetime) -> None:
        """Raises TooManyRequests where it must wait."""
        with self._lock:
            times = self._recent(address, now)
            if len(times) >= MOST:
                wait = (times[0] + SPAN - now).total_seconds()
                raise TooManyRequests(retry_after=max(1, int(wait) + 1))

    def note(self, address: str, now: datetime) -> None:
        """One more wrong attempt."""
        with self._lock:
            self._seen[address] = [*self._recent(address, now), now][-MOST:]
            self._seen.move_to_end(address)
            while len(self._seen) > MAX_ADDRESSES:
                self._seen.popitem(last=False)

    def _recent(self, address: str, now: datetime) -> list[datetime]:
        return [time for time in self._seen.get(address, ()) if time > now - SPAN]
