# SPDX-License-Identifier: Apache-2.0
"""ChirpStack v4: the uplink event of a LoRaWAN device."""

import hashlib
import struct
from base64 import b64encode
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from iot_simulator.formats import Message, alone
from iot_simulator.formats.json_text import write
from iot_simulator.readings import Sample, Station


def chirpstack(station: Station, samples: Sequence[Sample]) -> Message:
    """One event; source is the EUI, key the deduplication id. Requires one sample."""
    (sample,) = samples
    eui = _digest(station.name)[:8].hex()
    key = str(UUID(bytes=_digest(f"{station.name}/{sample.number}")[:16], version=4))
    time = sample.time.isoformat(timespec="microseconds").replace("+00:00", "000+00:00")
    data = struct.pack(">hB", int(Decimal(sample.temperature) * 100), int(sample.humidity))
    event = {
        "deduplicationId": key,
        "time": time,
        "deviceInfo": {
            "tenantName": "City",
            "applicationName": "Simulated meters",
            "deviceName": station.name,
            "devEui": eui,
        },
        "devAddr": eui[:8],
        "adr": True,
        "dr": 5,
        "fCnt": sample.number,
        "fPort": 2,
        "confirmed": False,
        "data": b64encode(data).decode(),
    }
    return alone(write(event).encode(), eui, time, key)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
