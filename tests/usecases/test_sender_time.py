# SPDX-License-Identifier: Apache-2.0
"""Which of senders' times lie more than a day ahead."""

from datetime import timedelta

import pytest

from notary.usecases.sender_time import FutureWatch
from tests.usecases.world import BEGIN

WATCH = FutureWatch(BEGIN)  # 2031-03-05T06:07:08.123456Z
NOW = int(BEGIN.timestamp())
DAY = 86_400


@pytest.mark.parametrize(
    "observed",
    [
        "2031-03-06T06:07:09Z",
        "2031-03-06T06:07:08.2Z",
        "2031-03-06T14:07:09+08:00",
        "2031-03-06T14:07:09.123456789+08:00",
        "2031-03-05T23:59:59-23:59",
        "2099-01-01t00:00:00z",
        "2099-01-01 00:00:00Z",
        "9999-12-31T23:59:59Z",
        str(NOW + DAY + 1),
        f"{NOW + DAY + 1}.5",
        str((NOW + DAY + 1) * 1000),
        "99999999999",
        "9999999999999",
    ],
)
def test_a_time_far_ahead_is_seen(observed: str) -> None:
    """In RFC 3339 with any zone, in seconds and in milliseconds."""
    assert WATCH.is_future(observed)


@pytest.mark.parametrize(
    "observed",
    [
        "2031-03-06T06:07:08Z",
        "2031-03-06T06:07:08.1Z",
        "2031-03-06T14:07:08+08:00",
        "2031-03-05T23:59:59Z",
        "2031-03-05T23:59:59+08:00",
        "2031-03-04T23:59:59-23:59",
        "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:00",
        str(NOW + DAY),
        str((NOW + DAY) * 1000),
        "0",
        "1",
        "-1",
    ],
)
def test_a_time_that_is_not_far_ahead_is_passed_by(observed: str) -> None:
    """A day is allowed, to the second."""
    assert not WATCH.is_future(observed)


@pytest.mark.parametrize(
    "observed",
    ["", " ", "x", "2099", "2099-01-01", "2099-01-01T00:00:00", "20990101T000000Z",
     "2099-13-01T00:00:00Z", "2099-01-01T00:00:00+99:00", "2099-02-30T00:00:00Z", "1e30",
     "999999999999999999", "٢٠٩٩",
     "NaN", "inf", "2099-01-01T00:00:00Z ", "tomorrow", "20990305060708",
     "20990305060708123", "\ud800", "9" * 64],
)  # fmt: skip
def test_of_what_is_not_understood_nothing_is_said(observed: str) -> None:
    """Local times, dates alone, words, nanoseconds: no flag, no error."""
    assert not WATCH.is_future(observed)


def test_the_quick_look_and_the_slow_one_agree() -> None:
    """Around the limit, in every zone."""
    for hours in range(-50, 50):
        for zone in range(-23, 24):
            time = BEGIN + timedelta(hours=hours)
            local = (time + timedelta(hours=zone)).strftime("%Y-%m-%dT%H:%M:%S")
            observed = f"{local}{zone:+03d}:00" if zone else f"{local}Z"
            assert WATCH.is_future(observed) == (hours > 24), observed
