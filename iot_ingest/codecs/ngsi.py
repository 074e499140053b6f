# SPDX-License-Identifier: Apache-2.0
"""
Notifications of FIWARE context brokers: each entity in `data` is a reading, byte for byte.

NGSI-LD (ETSI GS CIM 009, sections 5.3.1 and 7.2), over MQTT perhaps inside `body`:

    {"id": "urn:ngsi-ld:Notification:1", "type": "Notification",
     "subscriptionId": "urn:ngsi-ld:Subscription:1", "notifiedAt": "2026-03-01T10:00:01Z",
     "data": [{"id": "urn:ngsi-ld:Air:7", "type": "Air",
               "pm25": {"type": "Property", "value": 12.0, "observedAt": "2026-03-01T10:00:00Z"}}]}

NGSIv2 has `subscriptionId` and `data` alone. The source is the entity's id. The sender's time
is the one `observedAt` that all attributes with one share, else `notifiedAt`; in NGSIv2 the
attribute `TimeInstant`. The key is the notification's id; NGSIv2 has none. An `@context` is
never fetched: it names words, and what is kept are the bytes.
"""

from collections.abc import Callable, Sequence
from typing import Final

from iot_ingest.codecs import Decoded, Fault, Members, too_large
from iot_ingest.codecs.json_array import list_of
from iot_ingest.codecs.json_members import (
    Object,
    a_key,
    a_text,
    a_time,
    an_object,
    bad_value,
    fault_of,
    member,
)
from iot_ingest.codecs.slices import Text, object_reader, read, read_parts
from notary.core.errors import MalformedText
from notary.core.words import check_id

_READER: Final = object_reader({"data": read_parts})
_ENVELOPE: Final = object_reader({"data": read_parts, "body": _READER})
Time = Callable[[Object], str | None]


def decode_ngsi_ld(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """A reading or a fault for each entity; one fault where the notification is broken."""
    try:
        text = Text(payload)
        notification = an_object(read(text, _ENVELOPE), "The message")
        if "body" in notification and "data" not in notification:
            notification = an_object(notification["body"], "body")
        if a_text(member(notification, "type", "type"), "type") != "Notification":
            raise bad_value("type must be Notification.")
        key = a_key(a_text(member(notification, "id", "id"), "id"), "id")
        a_text(member(notification, "subscriptionId", "subscriptionId"), "subscriptionId")
        notified = a_text(member(notification, "notifiedAt", "notifiedAt"), "notifiedAt")
        a_time(notified, "notifiedAt")
        return _entities(text, notification, lambda one: _observed(one) or notified, key, members)
    except MalformedText as error:
        return [fault_of(payload, error)]


def decode_ngsi_v2(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """The same for NGSIv2, attributes as objects or as their values alone (keyValues)."""
    try:
        text = Text(payload)
        notification = an_object(read(text, _READER), "The message")
        a_text(member(notification, "subscriptionId", "subscriptionId"), "subscriptionId")
        return _entities(text, notification, _time_instant, None, members)
    except MalformedText as error:
        return [fault_of(payload, error)]


def _entities(
    text: Text, notification: Object, time: Time, key: str | None, members: Members
) -> Sequence[Decoded | Fault]:
    member(notification, "data", "data")
    found: list[Decoded | Fault] = []
    for number, part in enumerate(list_of(notification["data"], "data")):
        payload, what = text.bytes_of(part), f"data[{number}]"
        if len(payload) > members.max_bytes:
            found.append(too_large(payload, members))
            continue
        try:
            if isinstance(part.value, MalformedText):
                raise part.value
            entity = an_object(part.value, what)
            id_ = a_text(member(entity, "id", f"{what}.id"), f"{what}.id")
            _check_type(member(entity, "type", f"{what}.type"), f"{what}.type")
            source = _source(id_, what) if members.names_source else None
            found.append(Decoded(payload, time(entity), key, source))
        except MalformedText as error:
            found.append(fault_of(payload, error))
    return found


def _check_type(value: object, what: str) -> None:
    """A name, or in NGSI-LD several."""
    for name in value if isinstance(value, list) and value else [value]:
        a_text(name, what)


def _source(id_: str, what: str) -> str:
    try:
        return check_id(id_)
    except MalformedText:
        raise MalformedText(
            f"{what}.id can't be a source's id, which has 1 to 128 characters of "
            "A-Z a-z 0-9 . _ : - alone. Let the feed name the source.",
            reason="bad-source",
        ) from None


def _observed(entity: Object) -> str | None:
    """The observedAt of all attributes that have one, where it is the same."""
    times = set()
    for name, attribute in entity.items():
        for one in attribute if isinstance(attribute, list) else [attribute]:
            if isinstance(one, dict) and one.get("observedAt") is not None:
                times.add(a_text(one["observedAt"], f"{name[:40]}.observedAt"))
    return a_time(times.pop(), "observedAt") if len(times) == 1 else None


def _time_instant(entity: Object) -> str | None:
    """What FIWARE's IoT agents call the time of an entity."""
    found = entity.get("TimeInstant")
    if isinstance(found, dict):
        found = found.get("value")
    if found is None:
        return None
    return a_time(a_text(found, "TimeInstant"), "TimeInstant")
