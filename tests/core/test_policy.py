# SPDX-License-Identifier: Apache-2.0
"""A batch is closed by count or by age, and never empty; content is kept for whole days."""

from datetime import UTC, datetime, timedelta

import pytest

from notary.core.errors import MalformedText
from notary.core.policy import SealingPolicy, format_keep, parse_keep

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


@pytest.mark.parametrize(
    ("text", "days"),
    [("all", None), ("none", 0), ("1 day", 1), ("30 days", 30), ("36525 days", 36_525)],
)
def test_what_is_kept_in_words_and_in_days(text: str, days: int | None) -> None:
    """Read and written again it is the same."""
    assert parse_keep(text) == days
    assert format_keep(days) == text


@pytest.mark.parametrize(
    "text",
    ["", "ALL", "0 days", "01 days", "-1 days", "1.5 days", "36526 days", "30", "30days", " all",
     "all ", "30 days\n", "\u0663\u0660 days", "30 weeks", "99999 days", None, 30, b"all"],
)  # fmt: skip
def test_a_word_that_is_no_time_to_keep_is_refused(text: object) -> None:
    """Nothing is dropped for a word that nobody understood."""
    with pytest.raises(MalformedText):
        parse_keep(text)
