# SPDX-License-Identifier: Apache-2.0
"""When a batch is closed."""

from dataclasses import dataclass
from datetime import datetime, timedelta


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
