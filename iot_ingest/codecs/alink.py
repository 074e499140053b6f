# SPDX-License-Identifier: Apache-2.0
"""
Alink JSON (Alibaba Link): a device posts properties or an event; the message is the reading.

    {"id": "123", "version": "1.0", "method": "thing.event.property.post",
     "params": {"Power": {"value": "on", "time": 1524448722000}, "WF": 23.6}}

The sender's time is the latest `time` among params, as sent (milliseconds since 1970). The
key is `id`, which a device may use again the next day: it is taken only where a time stands
beside it, or a restarted device's equal message would be lost as a duplicate.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from iot_ingest.codecs import Decoded, Fault, Members, too_large
from iot_ingest.codecs.json_members import (
    Object,
    a_key,
    a_text,
    a_time,
    an_object,
    bad_value,
    fault_of,
    member,
    read_object,
)
from notary.core.errors import MalformedText
from notary.core.strict_json import Number

_PROPERTIES: Final = "thing.event.property.post"
_EVENT = re.compile(r"thing\.event\.[A-Za-z0-9_:-]+\.post")
_MILLISECONDS = re.compile(r"[0-9]{1,16}")


def decode_alink(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """One reading: the message."""
    if len(payload) > members.max_bytes:
        return [too_large(payload, members)]
    try:
        message = read_object(payload)
        key = a_key(member(message, "id", "id"), "id")
        a_text(member(message, "version", "version"), "version")
        params = an_object(member(message, "params", "params"), "params")
        if not params:
            raise MalformedText("params is empty.", reason="empty")
        if _is_event(message.get("method"), params):
            times = [_time(params, "params")]
        else:
            times = list(_property_times(params))
    except MalformedText as error:
        return [fault_of(payload, error)]
    observed = max((time for time in times if time is not None), key=int, default=None)
    return [Decoded(payload, observed, None if observed is None else key)]


def _is_event(method: object, params: Object) -> bool:
    """Whether params are those of one event, `value` and `time`, and not of properties."""
    if method is None:
        return params.keys() == {"value", "time"}
    if method == _PROPERTIES:
        return False
    if isinstance(method, str) and _EVENT.fullmatch(method):
        return True
    raise bad_value(f"method must be {_PROPERTIES} or thing.event.….post.")


def _property_times(params: Object) -> Iterator[str | None]:
    """A property is an object of `value` and perhaps `time`, or its value alone."""
    for name, value in params.items():
        if isinstance(value, dict) and "value" in value:
            yield _time(value, f"params.{name}")


def _time(value: Object, what: str) -> str | None:
    """Milliseconds since 1970 as sent."""
    time = a_time(value.get("time"), f"{what}.time")
    if time is None:
        return None
    if not isinstance(time, Number) or not _MILLISECONDS.fullmatch(time):
        raise bad_value(f"{what}.time must be whole milliseconds since 1970.")
    return time
