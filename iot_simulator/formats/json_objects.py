# SPDX-License-Identifier: Apache-2.0
"""JSON objects with `id` and `time`: one a message, one a line, or a list of them."""

from collections.abc import Sequence

from iot_simulator.formats import Message, Simulated
from iot_simulator.formats.json_text import Number, write
from iot_simulator.readings import Sample, Station


def json_object(station: Station, samples: Sequence[Sample]) -> Message:
    """One object; requires one sample."""
    (reading,) = _readings(station, samples)
    return Message(reading.payload, (reading,))


def ndjson(station: Station, samples: Sequence[Sample]) -> Message:
    """An object a line, LF behind each but the last."""
    readings = _readings(station, samples)
    return Message(b"\n".join(one.payload for one in readings), readings)


def json_array(station: Station, samples: Sequence[Sample]) -> Message:
    """A list of objects, with blanks that belong to none of them."""
    readings = _readings(station, samples)
    return Message(b"[ " + b", ".join(one.payload for one in readings) + b" ]", readings)


def _readings(station: Station, samples: Sequence[Sample]) -> tuple[Simulated, ...]:
    return tuple(
        Simulated(
            station.name,
            write(
                {
                    "time": sample.iso,
                    "id": sample.number,
                    "temperature": Number(sample.temperature),
                    "pm25": Number(sample.pm25),
                }
            ).encode(),
            sample.iso,
            str(sample.number),
        )
        for sample in samples
    )
