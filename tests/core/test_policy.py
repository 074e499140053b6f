# SPDX-License-Identifier: Apache-2.0
"""A batch is closed by count or by age, and never empty."""

from datetime import UTC, datetime, timedelta

import pytest

from notary.core.policy import SealingPolicy

POLICY = SealingPolicy(max_count=100, max_age=timedelta(seconds=10))
OLDEST = datetime(2026, 11, 24, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "age_seconds", "due"),
    [
        (0, 0, False),
        (0, 3600, False),
        (1, 0, False),
        (1, 9.999999, False),
        (1, 10, True),
        (99, 9.999999, False),
        (99, 10, True),
        (100, 0, True),
        (101, 0, True),
        (99, -5, False),
        (99, -3600, False),
        (100, -3600, True),
    ],
)
def test_when_a_batch_is_due(count: int, age_seconds: float, due: bool) -> None:
    """The count is reached, or the oldest has waited; a clock that went back changes nothing."""
    assert POLICY.is_due(count, OLDEST, OLDEST + timedelta(seconds=age_seconds)) is due
