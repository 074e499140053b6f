# SPDX-License-Identifier: Apache-2.0
"""
Notifications of FIWARE context brokers, NGSI-LD and NGSIv2.

A pack is the entities of one notification: each reading is of another entity.
"""

from collections.abc import Mapping, Sequence

from iot_simulator.formats import Message, Simulated
from iot_simulator.formats.json_text import Number, write
from iot_simulator.readings import Sample, Station

_TYPE = "AirQualityObserved"


def ngsi_ld(station: Station, samples: Sequence[Sample]) -> Message:
    """The key of all is the notification's id, the time that of the attributes."""
    key = f"urn:ngsi-ld:Notification:{station.name}:{samples[0].number}"
    readings = []
    for place, sample in enumerate(samples):
        source = f"urn:ngsi-ld:{_TYPE}:{station.name}:{place}"
        entity = {
            "id": source,
            "type": _TYPE,
            "pm25": _property(sample.pm25, "GQ", sample),
            "temperature": _property(sample.temperature, "CEL", sample),
            "@context": "https://example.org/air.jsonld",
        }
        readings.append(Simulated(source, write(entity).encode(), sample.iso, key))
    head = {
        "id": key,
        "type": "Notification",
        "subscriptionId": f"urn:ngsi-ld:Subscription:{station.name}",
        "notifiedAt": samples[-1].iso,
    }
    return _notification(head, readings)


def ngsi_v2(station: Station, samples: Sequence[Sample]) -> Message:
    """No key; the time is the attribute TimeInstant."""
    readings = []
    for place, sample in enumerate(samples):
        source = f"{_TYPE}:{station.name}:{place}"
        entity = {
            "id": source,
            "type": _TYPE,
            "pm25": {"type": "Number", "value": Number(sample.pm25), "metadata": {}},
            "TimeInstant": {"type": "DateTime", "value": sample.iso, "metadata": {}},
        }
        readings.append(Simulated(source, write(entity).encode(), sample.iso))
    return _notification({"subscriptionId": station.name}, readings)


def _property(value: str, unit: str, sample: Sample) -> dict[str, object]:
    return {
        "type": "Property",
        "value": Number(value),
        "unitCode": unit,
        "observedAt": sample.iso,
    }


def _notification(head: Mapping[str, object], readings: Sequence[Simulated]) -> Message:
    """Entities stand in the message as they are kept."""
    entities = b", ".join(one.payload for one in readings)
    return Message(
        write(dict(head))[:-1].encode() + b',"data":[' + entities + b"]}",
        tuple(readings),
    )
