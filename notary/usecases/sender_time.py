# SPDX-License-Identifier: Apache-2.0
"""
Whether a sender's time lies far ahead of our clock. Only looked at, never changed.

Understood are RFC 3339 with a zone, and seconds or milliseconds since 1970 in at most 13
decimal digits; of anything else nothing is said (14 digits are a local time in HJ 212).
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

MAX_AHEAD: Final = timedelta(days=1)
"""What is dated further ahead is flagged."""
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH = re.compile(r"\d{1,13}(?:\.\d+)?", re.ASCII)
_MILLISECONDS_FROM: Final = 100_000_000_000


class FutureWatch:
    """
    Looks at times against one moment, UTC; cheap for what isn't ahead.

    A date before today's is never a day ahead whatever its zone (they differ by less than a
    day from UTC), nor is today's in UTC.
    """

    __slots__ = ("_limit", "today")

    def __init__(self, now: datetime) -> None:
        self._limit = now + MAX_AHEAD
        self.today = now.astimezone(UTC).date().isoformat()
        """The moment's date: a time of it that ends in Z is never far ahead."""

    def is_future(self, observed: str) -> bool:
        """Whether the time is understood and lies more than MAX_AHEAD after the moment."""
        day = observed[:10]
        if observed[4:5] == "-" and (
            day < self.today or (day == self.today and observed[-1] == "Z")
        ):
            return False
        seconds = _seconds(observed)
        return seconds is not None and seconds > self._limit.timestamp()


def _seconds(observed: str) -> float | None:
    """Seconds since 1970, or None where the text is not understood."""
    if _RFC3339.fullmatch(observed):
        try:
            return datetime.fromisoformat(observed.upper()).timestamp()
        except (ValueError, OverflowError):
            return None
    if _EPOCH.fullmatch(observed):
        value = float(observed)
        return value if value < _MILLISECONDS_FROM else value / 1000
    return None
