# SPDX-License-Identifier: Apache-2.0
"""Alink JSON (Alibaba Link): a device posts its properties."""

from collections.abc import Sequence

from iot_simulator.formats import Message, alone
from iot_simulator.formats.json_text import Number, write
from iot_simulator.readings import Sample, Station


def alink(station: Station, samples: Sequence[Sample]) -> Message:
    """One post; the key is `id`, the time that of the latest property. Requires one sample."""
    (sample,) = samples
    earlier = sample.milliseconds - 1
    post = {
        "id": str(sample.number),
        "version": "1.0",
        "sys": {"ack": 0},
        "method": "thing.event.property.post",
        "params": {
            "Temperature": {"value": Number(sample.temperature), "time": sample.milliseconds},
            "Humidity": {"value": Number(sample.humidity), "time": earlier},
            "Fan": "off",
        },
    }
    return alone(write(post).encode(), station.name, str(sample.milliseconds), str(sample.number))
