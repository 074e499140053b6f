# SPDX-License-Identifier: Apache-2.0
"""
One `[[brokers]]` table. docs/notary-toml.md says what each key means; a test holds that page
against KEYS.
"""

from pathlib import Path
from typing import Final

from iot_ingest.brokers import Broker
from iot_ingest.toml_table import TomlTable, name_of
from notary.core.errors import MalformedText
from notary.core.words import check_id

KEYS: Final = ("name", "url", "url_file", "client_id", "ca_file", "client_cert", "client_key")
MAX_CLIENT_ID: Final = 200


def read_broker(number: int, table: object, folder: Path, faults: list[str]) -> Broker | None:
    """
    The broker of a table, the `number`-th of its file; None where it has a fault.

    Files are looked for from `folder` on, and are read.
    """
    read = _BrokerTable(f"Broker {number} ({name_of(table)})", table, KEYS, faults)
    return read.broker(folder)


def _check_name(value: str, name: str) -> None:
    check_id(value, name)


def _check_client_id(value: str, name: str) -> None:
    if len(value) > MAX_CLIENT_ID or not value.isprintable():
        raise MalformedText(f"{name} must be at most {MAX_CLIENT_ID} characters that show.")


class _BrokerTable(TomlTable):
    def broker(self, folder: Path) -> Broker | None:
        """The broker, or None where the table has a fault."""
        self.require("name")
        name = self.text("name", _check_name)
        client_id = self.text("client_id", _check_client_id)
        if self.has("url") == self.has("url_file"):
            self.fault("one of url and url_file must be there.")
        url = self.text("url") or self._read(self._file("url_file", folder))
        files = {key: self._file(key, folder) for key in ("ca_file", "client_cert", "client_key")}
        if name is None or url is None or not self.is_good:
            return None
        broker = Broker(name, url, client_id, **files)
        faults = broker.faults()
        for sentence in faults:
            self.fault(sentence)
        return None if faults else broker

    def _file(self, key: str, folder: Path) -> Path | None:
        text = self.text(key)
        return None if text is None else folder / text

    def _read(self, file: Path | None) -> str | None:
        if file is None:
            return None
        try:
            return file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            self.fault(f"url_file {file} can't be read: {why}.")
            return None
