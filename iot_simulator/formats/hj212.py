# SPDX-License-Identifier: Apache-2.0
"""
HJ 212-2017 and 2025: frames of a monitoring station, several in a message.

Each holds a password, a made-up one here; the notary wants them in a closed dataset.
"""

from collections.abc import Sequence
from datetime import timedelta

from iot_simulator.formats import Message, Simulated
from iot_simulator.readings import Sample, Station

_BEIJING = timedelta(hours=8)
_PASSWORD = "123456"


def hj212(station: Station, samples: Sequence[Sample]) -> Message:
    """A frame a reading; source is MN, key QN, time DataTime in Beijing time."""
    readings = []
    for sample in samples:
        local = sample.time + _BEIJING
        key = f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}"
        observed = f"{local:%Y%m%d%H%M%S}"
        segment = (
            f"QN={key};ST=22;CN=2011;PW={_PASSWORD};MN={station.name};Flag=9;"
            f"CP=&&DataTime={observed};a34004-Rtd={sample.pm25},a34004-Flag=N;"
            f"a01001-Rtd={sample.temperature},a01001-Flag=N&&"
        ).encode()
        frame = b"##%04d%b%04X\r\n" % (len(segment), segment, check_sum(segment))
        readings.append(Simulated(station.name, frame, observed, key))
    return Message(b"".join(one.payload for one in readings), tuple(readings))


def check_sum(segment: bytes) -> int:
    """As annex A of HJ 212-2017 puts it in words: the byte meets the register's high byte."""
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ byte
        for _ in range(8):
            out, register = register & 1, register >> 1
            if out:
                register ^= 0xA001
    return register
