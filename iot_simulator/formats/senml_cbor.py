# SPDX-License-Identifier: Apache-2.0
"""SenML packs as CBOR (RFC 8428 section 6), written by hand as RFC 8949 says."""

from collections.abc import Sequence
from decimal import Decimal

from iot_simulator.formats import Message
from iot_simulator.formats.senml import NAME, UNIT, make_pack
from iot_simulator.readings import Sample, Station

_BASE_NAME, _BASE_TIME, _BASE_UNIT = -2, -3, -4
_NAME, _VALUE, _TIME = 0, 2, 6
_DECIMAL_FRACTION = 4


def senml_cbor(station: Station, samples: Sequence[Sample]) -> Message:
    """Numbers are decimal fractions (tag 4), so that 21.50 stays 21.50."""
    pack = make_pack(station, samples)
    head = {_BASE_NAME: pack.base, _BASE_TIME: pack.time, _BASE_UNIT: UNIT}
    records: list[object] = []
    for value, after in pack.rows:
        own: dict[int, object] = {_NAME: NAME, _VALUE: value}
        if after is not None:
            own[_TIME] = after
        records.append(own if records else head | own)
    return Message(write(records), pack.readings)


def write(value: object) -> bytes:
    """Integers, text, decimals, lists and maps, each of definite length."""
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(write, value))
    if isinstance(value, dict):
        return _head(5, len(value)) + b"".join(write(k) + write(v) for k, v in value.items())
    assert isinstance(value, Decimal)
    exponent = int(value.as_tuple().exponent)
    return _head(6, _DECIMAL_FRACTION) + write([exponent, int(value.scaleb(-exponent))])


def _head(major: int, argument: int) -> bytes:
    """Major type with its argument in as few bytes as it needs (section 3)."""
    if argument < 24:
        return bytes([major << 5 | argument])
    width = next(width for width in (1, 2, 4, 8) if argument < 1 << 8 * width)
    return bytes([major << 5 | 23 + width.bit_length()]) + argument.to_bytes(width, "big")
