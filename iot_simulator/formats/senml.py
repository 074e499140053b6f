# SPDX-License-Identifier: Apache-2.0
"""
SenML packs (RFC 8428): name, unit and first time stand once, in base fields.

A record is resolved: its own object, with the base fields worked in.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from iot_simulator.formats import Message, Simulated
from iot_simulator.formats.json_text import Number, write
from iot_simulator.readings import Sample, Station

UNIT = "Cel"
NAME = "temperature"


class Row(NamedTuple):
    """A record of a pack: its value, and its time behind the base time (None: at it)."""

    value: Decimal
    after: Decimal | None


class Pack(NamedTuple):
    """Base name, base time (seconds since 1970) and records, with what each must become."""

    base: str
    time: Decimal
    rows: list[Row]
    readings: tuple[Simulated, ...]


def make_pack(station: Station, samples: Sequence[Sample]) -> Pack:
    """What a pack says, before it is written; the source of its readings is base and name."""
    base, begin = f"{station.name}:", _seconds(samples[0])
    rows, readings = [], []
    for place, sample in enumerate(samples):
        time = _seconds(sample)
        rows.append(Row(Decimal(sample.temperature), time - begin if place else None))
        resolved = {
            "n": base + NAME,
            "u": UNIT,
            "v": Number(sample.temperature),
            "t": Number(f"{time:f}"),
        }
        readings.append(Simulated(base + NAME, write(resolved).encode(), f"{time:f}"))
    return Pack(base, begin, rows, tuple(readings))


def senml_json(station: Station, samples: Sequence[Sample]) -> Message:
    """As JSON (section 5)."""
    pack = make_pack(station, samples)
    head = {"bn": pack.base, "bt": Number(f"{pack.time:f}"), "bu": UNIT}
    records: list[object] = []
    for value, after in pack.rows:
        own: dict[str, object] = {"n": NAME, "v": Number(f"{value:f}")}
        if after is not None:
            own["t"] = Number(f"{after:f}")
        records.append(own if records else head | own)
    return Message(write(records).encode(), pack.readings)


def _seconds(sample: Sample) -> Decimal:
    """Since 1970, with milliseconds."""
    return Decimal(sample.milliseconds).scaleb(-3)
