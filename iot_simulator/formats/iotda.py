# SPDX-License-Identifier: Apache-2.0
"""
Huawei IoTDA, report of properties: of one reading by a device, of several by a gateway for
its sub-devices. What a gateway reports is kept with the device's id in front of its members.
"""

from collections.abc import Sequence

from iot_simulator.formats import Message, Simulated
from iot_simulator.formats.json_text import Number, write
from iot_simulator.readings import Sample, Station


def iotda(station: Station, samples: Sequence[Sample]) -> Message:
    """One service a reading; there is no key."""
    services = [_service(sample) for sample in samples]
    if len(samples) == 1:
        payload = services[0].encode()
        reading = Simulated(station.name, payload, samples[0].iso)
        return Message(b'{"services":[' + payload + b"]}", (reading,))
    devices, readings = [], []
    for place, (sample, service) in enumerate(zip(samples, services, strict=True)):
        source = f"{station.name}.{place}"
        devices.append(f'{{"device_id":"{source}","services":[{service}]}}')
        payload = f'{{"device_id":"{source}",{service[1:]}'.encode()
        readings.append(Simulated(source, payload, sample.iso))
    return Message(f'{{"devices":[{",".join(devices)}]}}'.encode(), tuple(readings))


def _service(sample: Sample) -> str:
    return write(
        {
            "service_id": "Air",
            "properties": {"pm25": Number(sample.pm25), "humidity": Number(sample.humidity)},
            "event_time": sample.iso,
        }
    )
