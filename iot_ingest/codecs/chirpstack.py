# SPDX-License-Identifier: Apache-2.0
"""
ChirpStack v4, uplink event as JSON: what a LoRaWAN device sent; the message is the reading.

    {"deduplicationId": "3ac7…", "time": "2022-07-18T09:34:15.775023242+00:00",
     "deviceInfo": {"devEui": "0101010101010101", …}, "fCnt": 10, "data": "qg==", …}

The source is devEui, the key deduplicationId (one for each uplink, however many gateways
heard it), the sender's time `time`. Early versions leave out `fCnt` when it is 0, and all
leave out `data` when it is empty.
"""

import re
from base64 import b64decode
from collections.abc import Sequence
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

MAX_FRAME_COUNTER: Final = 2**32 - 1
_EUI = re.compile(r"[0-9a-fA-F]{16}")
_COUNT = re.compile(r"[0-9]{1,10}")


def decode_chirpstack(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """One reading: the message."""
    if len(payload) > members.max_bytes:
        return [too_large(payload, members)]
    try:
        event = read_object(payload)
        key = a_text(member(event, "deduplicationId", "deduplicationId"), "deduplicationId")
        device = an_object(member(event, "deviceInfo", "deviceInfo"), "deviceInfo")
        eui = a_text(member(device, "devEui", "deviceInfo.devEui"), "deviceInfo.devEui")
        if not _EUI.fullmatch(eui):
            raise bad_value("deviceInfo.devEui must be 16 hexadecimal digits.")
        observed = event.get("time")
        if observed is not None:
            observed = a_text(observed, "time")
        _check(event)
        return [
            Decoded(payload, a_time(observed, "time"), a_key(key, "deduplicationId"), eui.lower())
        ]
    except MalformedText as error:
        return [fault_of(payload, error)]


def _check(event: Object) -> None:
    """fCnt and data, where they are there."""
    count, data = event.get("fCnt"), event.get("data")
    if count is not None and not (
        isinstance(count, Number) and _COUNT.fullmatch(count) and int(count) <= MAX_FRAME_COUNTER
    ):
        raise bad_value("fCnt must be a whole number of at most 32 bits.")
    if data is None:
        return
    try:
        if not isinstance(data, str) or isinstance(data, Number):
            raise ValueError
        b64decode(data, validate=True)
    except ValueError:
        raise bad_value("data must be base64.") from None
