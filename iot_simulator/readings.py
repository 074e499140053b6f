# SPDX-License-Identifier: Apache-2.0
"""What a simulated station measures: a function of seed, station, number and begin alone."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Station:
    """What one gateway stands for; `name` is an id, also where the topic names the source."""

    name: str
    seed: int


@dataclass(frozen=True, slots=True)
class Sample:
    """
    One measurement, numbers as the text that is sent.

    `number` counts a station's readings from 0. temperature in degrees Celsius with two
    decimals, pm25 in micrograms a cubic metre with one, humidity in whole percent.
    """

    number: int
    time: datetime
    temperature: str
    pm25: str
    humidity: str

    @property
    def iso(self) -> str:
        """The time, UTC, with milliseconds."""
        return self.time.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"

    @property
    def milliseconds(self) -> int:
        """Since 1970."""
        return round((self.time - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


@dataclass(frozen=True, slots=True)
class Clock:
    """
    A station's clock: its first reading is at `begin` (aware UTC, whole milliseconds), `rate`
    follow in a second, at least a millisecond apart, so that no two have the same time.
    """

    begin: datetime
    rate: float
    skew: timedelta = timedelta(0)

    def time(self, number: int) -> datetime:
        """When the reading of this number was taken, by that clock."""
        milliseconds = max(int(number * 1000 / self.rate), number)
        return self.begin + self.skew + timedelta(milliseconds=milliseconds)


def measure(station: Station, number: int, clock: Clock) -> Sample:
    """A reading: a day's course with noise."""
    time, dice = clock.time(number), Random(f"{station.seed}/{station.name}/{number}")
    seconds = time.hour * 3600 + time.minute * 60 + time.second
    day = math.sin(2 * math.pi * (seconds / _DAY_SECONDS - 0.375))
    temperature = 14 + 7 * day + dice.uniform(-0.4, 0.4)
    pm25 = max(0.0, 30 - 9 * day + dice.gauss(0, 4))
    humidity = min(100, max(0, round(62 - 18 * day + dice.gauss(0, 2))))
    return Sample(number, time, f"{temperature:.2f}", f"{pm25:.1f}", str(humidity))
