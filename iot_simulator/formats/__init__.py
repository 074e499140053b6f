# SPDX-License-Identifier: Apache-2.0
"""
Formats: from readings to a message's bytes, and what a record of each reading must say.

Written from the formats' own standards and docs/for-gateways, not from the decoders.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from iot_simulator.readings import Sample, Station


@dataclass(frozen=True, slots=True)
class Simulated:
    """One reading as its record must be; payload is the evidence's bytes."""

    source: str
    payload: bytes
    observed: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message's bytes and its readings, in their order in it."""

    payload: bytes
    readings: tuple[Simulated, ...]


Encode = Callable[[Station, Sequence[Sample]], Message]


@dataclass(frozen=True, slots=True)
class Format:
    """
    A way to write messages. `packs`: they may hold several readings; `names_source`: they
    name their source; `feed`: further lines of its feed in notary.toml; `repeats`: a reading
    has neither key nor time, so one that comes again is one more record; `can_be_bad`: some
    bytes are refused.
    """

    encode: Encode
    packs: bool = False
    names_source: bool = False
    feed: tuple[str, ...] = ()
    repeats: bool = False
    can_be_bad: bool = True


def alone(payload: bytes, source: str, observed: str | None, key: str | None) -> Message:
    """A message that is itself the reading."""
    return Message(payload, (Simulated(source, payload, observed, key),))


def formats() -> dict[str, Format]:
    """All formats by the name of the codec that reads them."""
    from iot_simulator.formats.alink import alink
    from iot_simulator.formats.chirpstack import chirpstack
    from iot_simulator.formats.hj212 import hj212
    from iot_simulator.formats.iotda import iotda
    from iot_simulator.formats.json_objects import json_array, json_object, ndjson
    from iot_simulator.formats.ngsi import ngsi_ld, ngsi_v2
    from iot_simulator.formats.raw import raw
    from iot_simulator.formats.senml import senml_json
    from iot_simulator.formats.senml_cbor import senml_cbor
    from iot_simulator.formats.sensorthings import data_array, observation

    members = ('observed = "time"', 'key = "id"')
    return {
        "json": Format(json_object, feed=members),
        "ndjson": Format(ndjson, packs=True, feed=members),
        "json-array": Format(json_array, packs=True, feed=members),
        "senml-json": Format(senml_json, packs=True, names_source=True),
        "senml-cbor": Format(senml_cbor, packs=True, names_source=True),
        "sensorthings": Format(observation, names_source=True),
        "sensorthings-dataarray": Format(data_array, packs=True, names_source=True),
        "ngsi-ld": Format(ngsi_ld, packs=True, names_source=True),
        "ngsi-v2": Format(ngsi_v2, packs=True, names_source=True),
        "raw": Format(raw, repeats=True, can_be_bad=False),
        "alink": Format(alink),
        "iotda": Format(iotda, packs=True),
        "chirpstack": Format(chirpstack, names_source=True),
        "hj212": Format(hj212, packs=True, names_source=True),
    }
