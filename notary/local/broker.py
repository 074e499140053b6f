# SPDX-License-Identifier: Apache-2.0
"""
An MQTT 5 broker of our own: mosquitto in its own folder, on 127.0.0.1 only.

Nobody gets in without a name and password, and each name may do what the access list
says. mosquitto writes its sessions and messages to disk every second or two: a kill -9
loses what it took in since, also what it had acknowledged (writing at every change, which
it can do too, is several times slower and loses the last moment all the same). So a gateway
keeps a reading until it has its acceptance.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote

from notary.local.errors import LocalError, PartMissing
from notary.local.folder import write_private
from notary.local.knock import lets_in
from notary.local.place import hand_over, home_of, servant
from notary.local.ports import LOOPBACK
from notary.local.processes import Child
from notary.local.programs import mosquitto_program
from notary.local.standing import StandingServer

USER = "notary"

SETTINGS = {
    "per_listener_settings": "false",
    "allow_anonymous": "false",
    "persistence": "true",
    "persistence_file": "state.db",
    "autosave_on_changes": "false",
    "autosave_interval": "1",
    # No limit: a message that a gateway had acknowledged is never dropped for its number.
    "max_queued_messages": "0",
    "max_inflight_messages": "10000",
    "set_tcp_nodelay": "true",
    "log_dest": "stderr",
    "log_timestamp_format": "%Y-%m-%dT%H:%M:%S",
}
# Not "information": that has a line for each write of the state.
_LOG_TYPES = ("error", "warning", "notice")
# A user that only we know, to ask whether it is our broker that answers.
_PROBE = "probe"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Broker(StandingServer):
    """
    One mosquitto in one folder.

    with Broker.open(Path("var/broker"), users={"notary": password}, acl=text) as broker:
        connect(broker.url)
    """

    durable = True
    title = "the MQTT broker"
    port_refused = "in use"

    def __init__(
        self,
        folder: Path,
        port: int | None,
        users: Mapping[str, str],
        acl: str,
        settings: Mapping[str, str],
    ) -> None:
        program = mosquitto_program()
        if program is None:
            raise PartMissing(
                "mosquitto was not found: apt-get install mosquitto, or set NOTARY_MQTT_URL "
                "to a broker of yours."
            )
        super().__init__(folder, port)
        self._program = program
        self._users = dict(users)
        self._acl = acl
        self._settings = {**SETTINGS, **settings}
        self._account = servant()
        self.home = home_of(folder, self._account)
        self.log = folder / "mosquitto.log"
        self._probe_password = ""

    @classmethod
    def open(
        cls,
        folder: Path,
        port: int | None = None,
        *,
        users: Mapping[str, str],
        acl: str,
        settings: Mapping[str, str] | None = None,
    ) -> Self:
        """
        Take the folder and start the broker.

        `users` are names with passwords, `acl` is mosquitto's access list (`user NAME`,
        `topic read|write|readwrite FILTER`), `settings` are lines of its configuration,
        laid over `SETTINGS`. Without `port`: the one of the last time, else a free one.

        Raises:
            FolderInUse, PartMissing, PortTaken, StartFailed: as they say.
        """
        broker = cls(Path(folder).resolve(), port, users, acl, settings or {})
        broker.start()
        return broker

    @property
    def url(self) -> str:
        """Tell where the broker is, for the notary's own user."""
        return self.url_of(USER if USER in self._users else next(iter(self._users)))

    def url_of(self, user: str) -> str:
        """Tell where the broker is, for this user, password and all."""
        return f"mqtt://{quote(user)}:{quote(self._users[user], safe='')}@{LOOPBACK}:{self.port}"

    def _prepare(self) -> None:
        """There is nothing to look after: its files are written anew at each start."""

    def _begin(self) -> Child:
        self._probe_password = secrets.token_urlsafe(16)
        self._write_files()
        return Child.start(
            "mosquitto",
            [self._program, "-c", self.home / "mosquitto.conf"],
            log=self.log,
            folder=self.home,
            account=self._account,
        )

    def _is_ready(self, child: Child) -> bool:
        return lets_in(self.port, _PROBE, self._probe_password)

    def _write_files(self) -> None:
        state = self.home / "state"
        if not state.exists():
            state.mkdir(mode=0o700)
            hand_over(state, self._account)
        users = {**self._users, _PROBE: self._probe_password}
        lines = [_password_line(user, password) for user, password in users.items()]
        self._write("passwords", "".join(lines))
        self._write("access", self._acl.rstrip() + "\n")
        lines = [f"{name} {value}" for name, value in self._settings.items()]
        lines += [f"log_type {kind}" for kind in _LOG_TYPES]
        lines += [
            f"listener {self.port} {LOOPBACK}",
            f"persistence_location {state}/",
            f"password_file {self.home / 'passwords'}",
            f"acl_file {self.home / 'access'}",
        ]
        self._write("mosquitto.conf", "\n".join(lines) + "\n")

    def _write(self, name: str, text: str) -> None:
        write_private(self.home / name, text)
        hand_over(self.home / name, self._account)


def _password_line(user: str, password: str) -> str:
    """
    Write a line of mosquitto's password file: PBKDF2 with HMAC-SHA-512, type 7.

    A few rounds only: our passwords are random, not chosen by people.
    """
    if not _NAME.fullmatch(user):
        raise LocalError(f"{user!r} can't be the name of an MQTT user here.")
    rounds, salt = 101, secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    salt_text, digest_text = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"{user}:$7${rounds}${salt_text}${digest_text}\n"
