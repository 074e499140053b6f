# SPDX-License-Identifier: Apache-2.0
"""
OGC SensorThings API 1.1, data array extension (section 14.2): many observations at once.

    [{"Datastream": {"@iot.id": 7}, "components": ["phenomenonTime", "result"],
      "dataArray@iot.count": 2,
      "dataArray": [["2026-03-01T10:00:00Z", 12.50], ["2026-03-01T10:01:00Z", 13]]}]

A row means nothing without its components, so the evidence is the observation that it stands
for: the stream, then the components in their order, each value as it was sent
(`FeatureOfInterest/id` is `"FeatureOfInterest":{"@iot.id":…}`, `id` is `@iot.id`).

    {"Datastream":{"@iot.id":7},"phenomenonTime":"2026-03-01T10:00:00Z","result":12.50}

A bad group or row costs only itself; of a bad row a group with that row alone is set aside.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from iot_ingest.codecs import Decoded, Fault, Members, too_large
from iot_ingest.codecs.json_array import MAX_ELEMENTS, list_of
from iot_ingest.codecs.json_members import (
    Object,
    a_list,
    a_text,
    an_object,
    bad_value,
    fault_of,
    member,
)
from iot_ingest.codecs.json_write import write
from iot_ingest.codecs.sensorthings import ID, STREAMS, check_observation, source_of
from iot_ingest.codecs.slices import Text, read, read_parts
from notary.core.errors import MalformedText
from notary.core.strict_json import Number

FEATURE: Final = "FeatureOfInterest/id"
NAMES: Final = {
    name: name
    for name in (
        "phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters", ID,
    )
} | {"id": ID, FEATURE: "FeatureOfInterest"}  # fmt: skip
"""Each component, and the member of an observation that it stands for."""
COUNT: Final = "dataArray@iot.count"
GROUP: Final = {*STREAMS, "components", COUNT, "dataArray"}


def decode_data_array(payload: bytes, members: Members) -> Sequence[Decoded | Fault]:
    """A reading or a fault for each row; one fault for a group, or a message, that is broken."""
    try:
        text = Text(payload)
        groups = list_of(read(text, read_parts), "The message")
        found: list[Decoded | Fault] = []
        for number, part in enumerate(groups):
            try:
                if isinstance(part.value, MalformedText):
                    raise part.value
                found += _group(an_object(part.value, f"[{number}]"), f"[{number}].", members)
            except MalformedText as error:
                found.append(fault_of(text.bytes_of(part), error))
            if len(found) > MAX_ELEMENTS:
                raise MalformedText(
                    f"The message has more than {MAX_ELEMENTS} rows.", reason="too-many"
                )
        return found
    except MalformedText as error:
        return [fault_of(payload, error)]


def _group(group: Object, what: str, members: Members) -> Sequence[Decoded | Fault]:
    for name in group.keys() - GROUP:
        raise bad_value(f"{what}{name[:40]} is no member of a group.")
    source = source_of(group, what, members)
    names = _names(group, what)
    rows = a_list(member(group, "dataArray", f"{what}dataArray"), f"{what}dataArray")
    count = group.get(COUNT)
    if count is not None and not (isinstance(count, Number) and count == str(len(rows))):
        raise bad_value(f"{what}{COUNT} says {write(count)[:20]}, and {len(rows)} rows are there.")
    head = {name: group[name] for name in STREAMS if group.get(name) is not None}
    return list(_rows(rows, group, head, names, source, what, members))


def _names(group: Object, what: str) -> list[str]:
    path = f"{what}components"
    names = []
    for name in a_list(member(group, "components", path), path):
        if a_text(name, f"A name in {path}") not in NAMES:
            raise bad_value(f"{path} has {str(name)[:40]}, which an observation has not.")
        names.append(str(name))
    targets = [NAMES[name] for name in names]
    if len(set(targets)) != len(targets):
        raise bad_value(f"{path} names a member twice.")
    if "result" not in targets:
        raise MalformedText(f"{path} lacks result.", reason="missing")
    return names


def _rows(
    rows: list[object],
    group: Object,
    head: Object,
    names: list[str],
    source: str | None,
    what: str,
    members: Members,
) -> Iterator[Decoded | Fault]:
    for number, row in enumerate(rows):
        try:
            path = f"{what}dataArray[{number}]"
            if not isinstance(row, list) or len(row) != len(names):
                raise bad_value(f"{path} must be a list of {len(names)} values.")
            told = dict(zip(names, row, strict=True))
            if told.get(FEATURE) is not None:
                told[FEATURE] = {ID: told[FEATURE]}
            observation = {NAMES[name]: value for name, value in told.items()}
            observed, key = check_observation(observation)
            payload = write(head | observation).encode()
            if len(payload) > members.max_bytes:
                fault = too_large(payload, members)
                raise MalformedText(fault.detail, reason=fault.reason)
            yield Decoded(payload, observed, key, source)
        except MalformedText as error:
            alone = head | {"components": group["components"], "dataArray": [row]}
            yield fault_of(write([alone]).encode(), error)
