# SPDX-License-Identifier: Apache-2.0
"""
Huawei IoTDA, report of properties: by a device, or by a gateway for its sub-devices.

    {"services": [{"service_id": "air", "properties": {"pm25": 12.0},
                   "event_time": "2021-08-13T10:10:10.555Z"}]}
    {"devices": [{"device_id": "d1", "services": [ … ]}, …]}

Each service is a reading; the sender's time is `event_time`, where it is there. The format
has no message id. What a device reports can be understood alone: the evidence is the
service as it stands in the message, byte for byte. Under a gateway the device stands
outside the service, so the evidence is resolved: `"device_id"` and its value, both as sent,
are put in front of the service's own members, and nothing else is touched:

    {"device_id":"d1","service_id": "air", "properties": {"pm25": 12.0}, …}
"""

from collections.abc import Iterator, Sequence
from typing import Final

from iot_ingest.codecs import Decoded, Fault, Members, spans, too_large
from iot_ingest.codecs.json_members import (
    Object,
    a_list,
    a_source,
    a_text,
    a_time,
    an_object,
    bad_value,
    fault_of,
    member,
    read_object,
)
from notary.core.errors import MalformedText

MAX_SERVICES: Final = 10_000


def decode_iotda(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """
    A reading or a fault for each service; one fault where the message around them is broken.
    """
    try:
        report = read_object(payload)
        text = payload.decode("utf-8")
        if ("devices" in report) == ("services" in report):
            raise bad_value("Either devices or services must be there, and not both.")
        top = spans.begin(text)
        found: list[Decoded | Fault] = []
        if "services" in report:
            found += _device(report, text, top, None, "", members)
        else:
            found += _gateway(report, text, top, members)
    except MalformedText as error:
        return [fault_of(payload, error)]
    except RecursionError:
        return [Fault(payload, "too-deep", "Its brackets are nested too deep.")]
    if len(found) > MAX_SERVICES:
        detail = f"The message has more than {MAX_SERVICES} services."
        return [Fault(payload, "too-many", detail)]
    return found


def _gateway(report: Object, text: str, at: int, members: Members) -> Iterator[Decoded | Fault]:
    """The services of all sub-devices; a broken device costs only itself."""
    devices = a_list(report["devices"], "devices")
    places = spans.elements(text, spans.member(text, at, "devices")[0])
    for number, (value, (start, end)) in enumerate(zip(devices, places, strict=True)):
        what = f"devices[{number}]."
        try:
            device = an_object(value, f"devices[{number}]")
            source = a_source(member(device, "device_id", f"{what}device_id"), f"{what}device_id")
            found = list(_device(device, text, start, source, what, members))
        except MalformedText as error:
            found = [fault_of(text[start:end].encode(), error)]
        yield from found


def _device(
    device: Object, text: str, at: int, source: str | None, what: str, members: Members
) -> Iterator[Decoded | Fault]:
    """The services of one device, which begins at `at`; `source` is named by a gateway."""
    parts = dict(spans.members(text, at))
    member(device, "services", f"{what}services")
    services = a_list(device["services"], f"{what}services")
    begin = b""
    if source is not None:
        start, end = parts["device_id"]
        begin = b'{"device_id":' + text[start:end].encode() + b","
    places = spans.elements(text, parts["services"][0])
    for number, (value, (start, end)) in enumerate(zip(services, places, strict=True)):
        bare = text[start:end].encode()
        try:
            observed = _check(value, f"{what}services[{number}]", source)
        except MalformedText as error:
            yield fault_of(bare, error)
            continue
        payload = begin + bare[1:].lstrip(b" \t\r\n") if begin else bare
        if len(payload) > members.max_bytes:
            yield too_large(payload, members)
        else:
            yield Decoded(payload, observed, None, source)


def _check(value: object, what: str, source: str | None) -> str | None:
    """The time of a service whose members are as the format says."""
    service = an_object(value, what)
    a_text(member(service, "service_id", f"{what}.service_id"), f"{what}.service_id")
    an_object(member(service, "properties", f"{what}.properties"), f"{what}.properties")
    if source is not None and "device_id" in service:
        raise bad_value(f"{what} has a device_id of its own.")
    time = service.get("event_time")
    return None if time is None else a_time(a_text(time, f"{what}.event_time"), "event_time")
