# SPDX-License-Identifier: Apache-2.0
"""OGC SensorThings API 1.1: an Observation (section 8.2.6), or a data array (section 14.2)."""

from collections.abc import Sequence

from iot_simulator.formats import Message, Simulated, alone
from iot_simulator.formats.json_text import Number, write
from iot_simulator.readings import Sample, Station

_FEATURE = 3


def observation(station: Station, samples: Sequence[Sample]) -> Message:
    """One Observation; the station is its Datastream. Requires one sample."""
    (sample,) = samples
    body = {
        "phenomenonTime": sample.iso,
        "resultTime": None,
        "result": Number(sample.pm25),
        "Datastream": {"@iot.id": station.name},
    }
    return alone(write(body).encode(), station.name, sample.iso, None)


def data_array(station: Station, samples: Sequence[Sample]) -> Message:
    """One group of rows; each row stands for the observation that it would be alone."""
    stream = {"@iot.id": station.name}
    group = {
        "Datastream": stream,
        "components": ["phenomenonTime", "result", "FeatureOfInterest/id"],
        "dataArray@iot.count": len(samples),
        "dataArray": [[one.iso, Number(one.pm25), _FEATURE] for one in samples],
    }
    readings = tuple(
        Simulated(
            station.name,
            write(
                {
                    "Datastream": stream,
                    "phenomenonTime": one.iso,
                    "result": Number(one.pm25),
                    "FeatureOfInterest": {"@iot.id": _FEATURE},
                }
            ).encode(),
            one.iso,
        )
        for one in samples
    )
    return Message(write([group]).encode(), readings)
