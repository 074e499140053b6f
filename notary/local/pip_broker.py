# SPDX-License-Identifier: Apache-2.0
"""
A broker that pip can install, for a first look where mosquitto can't be had.

PyPI `iotcore` (rumqttd), MQTT 5, on 127.0.0.1 only, with names and passwords. It keeps
nothing on disk, knows no access list, and drops the oldest messages beyond its limits:
never use it for anything but a first look.
"""

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote

from notary.local.errors import PartMissing
from notary.local.folder import Hold, write_private
from notary.local.knock import lets_in
from notary.local.ports import LOOPBACK, free_port, require_free
from notary.local.processes import Child

CONFIG = """\
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 20

[v5.1]
name = "v5"
listen = "{listen}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 500

[v5.1.connections.auth]
"""


def is_installed() -> bool:
    """Whether pip has installed it."""
    return importlib.util.find_spec("iotcore") is not None


class PipBroker:
    """One rumqttd in one folder; the same words as `Broker`."""

    durable = False

    def __init__(self, folder: Path, port: int | None, users: Mapping[str, str]) -> None:
        if not is_installed():
            raise PartMissing(
                "No MQTT broker was found: apt-get install mosquitto, or pip install iotcore, "
                "or set NOTARY_MQTT_URL to a broker of yours."
            )
        self._users = dict(users)
        self._hold = Hold(folder)
        self._hold.take()
        self.port = free_port() if port is None else require_free(port, "the MQTT broker")
        lines = [f'"{user}" = "{password}"\n' for user, password in self._users.items()]
        config = folder / "rumqttd.toml"
        write_private(config, CONFIG.format(listen=f"{LOOPBACK}:{self.port}") + "".join(lines))
        user, password = next(iter(self._users.items()))
        command = [sys.executable, "-m", "iotcore", "--config", str(config)]
        self._child = Child.start("iotcore", command, log=folder / "iotcore.log")
        self._child.wait_until(lambda: lets_in(self.port, user, password))

    @classmethod
    def open(cls, folder: Path, port: int | None = None, *, users: Mapping[str, str]) -> Self:
        """Take the folder and start the broker. Raises as `Broker.open`."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder.resolve(), port, users)

    def url_of(self, user: str) -> str:
        """Tell where the broker is, for this user, password and all."""
        return f"mqtt://{quote(user)}:{quote(self._users[user], safe='')}@{LOOPBACK}:{self.port}"

    def stop(self) -> None:
        """Stop it and release the folder; what it held is gone."""
        self._child.stop()
        self._hold.release()
