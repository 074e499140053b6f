# SPDX-License-Identifier: Apache-2.0
"""When a batch is closed, and for how long content is kept."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from notary.core.errors import MalformedText

ALL, NONE = "all", "none"
MAX_DAYS = 36_525
_DAYS = re.compile(r"([1-9][0-9]{0,4}) days?", re.ASCII)


@dataclass(frozen=True, slots=True)
class SealingPolicy:
    """Seal at `max_count` records, or when the oldest has waited for `max_age`."""

    max_count: int
    max_age: timedelta

    def is_due(self, count: int, oldest: datetime, now: datetime) -> bool:
        """
        Say whether `count` waiting records, the oldest received at `oldest`, are sealed now.

        A clock that went backwards (now < oldest) does not seal earlier or later than
        the count allows: the age is then zero.
        """
        return count >= self.max_count or (count > 0 and now - oldest >= self.max_age)


def parse_keep(text: object) -> int | None:
    """
    For how many days content stays: `all` (None), `none` (0), or `N days`.

    Raises:
        MalformedText: it is none of these.
    """
    if text == ALL:
        return None
    if text == NONE:
        return 0
    found = _DAYS.fullmatch(text) if isinstance(text, str) else None
    if found is None or int(found[1]) > MAX_DAYS:
        raise MalformedText(f"{text} is none of: all, none, 1 day to {MAX_DAYS} days.", what="keep")
    return int(found[1])


def format_keep(days: int | None) -> str:
    """The same in words."""
    if days is None:
        return ALL
    return NONE if days == 0 else "1 day" if days == 1 else f"{days} days"
