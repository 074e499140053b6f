# SPDX-License-Identifier: Apache-2.0
"""Bytes of a device's own form: number, temperature, particles and humidity, 12 bytes."""

import struct
from collections.abc import Sequence
from decimal import Decimal

from iot_simulator.formats import Message, alone
from iot_simulator.readings import Sample, Station


def raw(station: Station, samples: Sequence[Sample]) -> Message:
    """One reading without key or time. Requires one sample."""
    (sample,) = samples
    temperature, pm25 = Decimal(sample.temperature) * 100, Decimal(sample.pm25) * 10
    packed = (sample.number, int(temperature), int(pm25), int(sample.humidity))
    return alone(struct.pack(">IiHH", *packed), station.name, None, None)
