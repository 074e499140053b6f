# SPDX-License-Identifier: Apache-2.0
"""
Codecs: from a message's bytes to readings. Pure; what they find is an index, never the
evidence: that is the bytes as received.

A codec never raises: what can't be decoded comes back as a Fault, its neighbours as readings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

MAX_PAYLOAD_BYTES: Final = 262_144


class Decoded(NamedTuple):
    """
    One reading: its bytes as they came, the sender's time and message id as sent, and the
    device that the message names (None: it names none, the topic does).
    """

    payload: bytes
    observed: str | None = None
    key: str | None = None
    source: str | None = None


class Fault(NamedTuple):
    """What could not be decoded: its bytes, a reason code, a sentence."""

    payload: bytes
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Members:
    """
    What a codec is told: where the sender's time and message id stand in a JSON object
    (None: nowhere), how many bytes one reading may have, and whether a reading's source is
    the device that its format names (False: whoever reads the message knows the source).
    """

    observed: str | None = None
    key: str | None = None
    max_bytes: int = MAX_PAYLOAD_BYTES
    names_source: bool = True


Decode = Callable[[bytes, Members], Sequence[Decoded | Fault]]


@dataclass(frozen=True, slots=True)
class Codec:
    """
    A way to read messages; `type` is the media type of one reading.

    `names_source`: each reading names its device; `one_device`: where the topic names one too,
    it is the same. `secret`: payloads hold a password. `media_types`: those of a message that
    comes by HTTP.
    """

    decode: Decode
    type: str
    has_members: bool
    names_source: bool = False
    one_device: bool = False
    secret: bool = False
    media_types: tuple[str, ...] = ()


def codecs() -> dict[str, Codec]:
    """All codecs by name."""
    from iot_ingest.codecs.alink import decode_alink
    from iot_ingest.codecs.chirpstack import decode_chirpstack
    from iot_ingest.codecs.hj212 import decode_hj212
    from iot_ingest.codecs.iotda import decode_iotda
    from iot_ingest.codecs.json_array import decode_json_array
    from iot_ingest.codecs.json_object import decode_json, decode_ndjson
    from iot_ingest.codecs.ngsi import decode_ngsi_ld, decode_ngsi_v2
    from iot_ingest.codecs.raw import decode_raw
    from iot_ingest.codecs.senml import decode_senml_json
    from iot_ingest.codecs.senml_cbor import decode_senml_cbor
    from iot_ingest.codecs.sensorthings import decode_observation
    from iot_ingest.codecs.sensorthings_array import decode_data_array

    return {
        "json": Codec(decode_json, "application/json", has_members=True),
        "ndjson": Codec(decode_ndjson, "application/json", has_members=True),
        "json-array": Codec(decode_json_array, "application/json", has_members=True),
        "senml-json": Codec(
            decode_senml_json,
            "application/json",
            has_members=False,
            names_source=True,
            media_types=("application/senml+json",),
        ),
        "senml-cbor": Codec(
            decode_senml_cbor,
            "application/json",
            has_members=False,
            names_source=True,
            media_types=("application/senml+cbor",),
        ),
        "sensorthings": Codec(
            decode_observation,
            "application/json",
            has_members=False,
            names_source=True,
            media_types=("application/x-sensorthings+json",),
        ),
        "sensorthings-dataarray": Codec(
            decode_data_array,
            "application/json",
            has_members=False,
            names_source=True,
            media_types=("application/x-sensorthings-dataarray+json",),
        ),
        "ngsi-ld": Codec(
            decode_ngsi_ld,
            "application/json",
            has_members=False,
            names_source=True,
            media_types=("application/x-ngsi-ld+json",),
        ),
        "ngsi-v2": Codec(
            decode_ngsi_v2,
            "application/json",
            has_members=False,
            names_source=True,
            media_types=("application/x-ngsi-v2+json",),
        ),
        "raw": Codec(decode_raw, "application/octet-stream", has_members=False),
        "alink": Codec(
            decode_alink,
            "application/json",
            has_members=False,
            media_types=("application/x-alink+json",),
        ),
        "iotda": Codec(
            decode_iotda,
            "application/json",
            has_members=False,
            media_types=("application/x-iotda+json",),
        ),
        "chirpstack": Codec(
            decode_chirpstack,
            "application/json",
            has_members=False,
            names_source=True,
            one_device=True,
            media_types=("application/x-chirpstack+json",),
        ),
        "hj212": Codec(
            decode_hj212,
            "text/plain",
            has_members=False,
            names_source=True,
            secret=True,
            media_types=("application/x-hj212",),
        ),
    }


def too_large(payload: bytes, members: Members) -> Fault:
    """The fault of a reading with more bytes than `members` allows."""
    return Fault(
        payload,
        "too-large",
        f"The reading has {len(payload)} bytes, more than the {members.max_bytes} allowed.",
    )
