# SPDX-License-Identifier: Apache-2.0
"""
OGC SensorThings API 1.1, Observation (section 8.2.6): the message is the reading.

    {"phenomenonTime": "2026-03-01T10:00:00Z", "resultTime": null, "result": 12.50,
     "Datastream": {"@iot.id": 7}}

The sender's time is `phenomenonTime`, the key the observation's own `@iot.id`, where a
service has given it one, the source the id of the Datastream or MultiDatastream; where the
feed names the source, as a topic `Datastreams(7)/Observations` does, there need be none.
"""

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
from notary.core.words import check_id

STREAMS: Final = ("Datastream", "MultiDatastream")
ID: Final = "@iot.id"


def decode_observation(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """One reading: the message."""
    if len(payload) > members.max_bytes:
        return [too_large(payload, members)]
    try:
        observation = read_object(payload)
        observed, key = check_observation(observation)
        return [Decoded(payload, observed, key, source_of(observation, "", members))]
    except MalformedText as error:
        return [fault_of(payload, error)]


def check_observation(observation: Object) -> tuple[str | None, str | None]:
    """Time and key of an observation whose members are as section 8.2.6 says."""
    if "result" not in observation:
        raise MalformedText("result is missing.", reason="missing")
    for name in ("phenomenonTime", "resultTime", "validTime"):
        if observation.get(name) is not None:
            a_text(observation[name], name)
    for name in ("parameters", "FeatureOfInterest"):
        if observation.get(name) is not None:
            an_object(observation[name], name)
    time, key = observation.get("phenomenonTime"), observation.get(ID)
    return a_time(time, "phenomenonTime"), None if key is None else a_key(key, ID)


def source_of(body: Object, what: str, members: Members) -> str | None:
    """The id of the stream that a body names; `what` is the body's path for people."""
    named = [name for name in STREAMS if body.get(name) is not None]
    if not named and members.names_source:
        raise MalformedText(f"{what}Datastream is missing, and names the source.", reason="missing")
    if not named:
        return None
    if len(named) > 1:
        raise bad_value(f"{what}Datastream and MultiDatastream are both there.")
    path = f"{what}{named[0]}"
    found = a_key(member(an_object(body[named[0]], path), ID, f"{path}.{ID}"), f"{path}.{ID}")
    if not members.names_source:
        return None
    try:
        return check_id(found)
    except MalformedText:
        raise MalformedText(
            f"{path}.{ID} can't be a source's id, which has 1 to 128 characters of "
            "A-Z a-z 0-9 . _ : - alone. Let the feed name the source.",
            reason="bad-source",
        ) from None
