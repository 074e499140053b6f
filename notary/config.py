# SPDX-License-Identifier: Apache-2.0
"""
Settings: read once from the environment, all faults reported together.

Each secret may come by `NOTARY_X` or, better, by a file named in `NOTARY_X_FILE`.
docs/operations.md lists them; a test holds that list against this file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from notary.core.errors import NotaryError


class SettingsRefused(NotaryError):
    """Some settings can't be used."""

    code = "settings-refused"


@dataclass(frozen=True)
class Settings:
    """All settings of a process. Secrets never show in `repr`."""

    database_url: str = field(repr=False)
    mqtt_url: str = field(repr=False)
    state: Path
    """Folder with the log key, the high-water mark and the instance secret."""
    ledger_dir: Path
    """Folder of the file ledger and its key: a place of its own."""
    feeds_file: Path | None
    """notary.toml with the feeds; without it the notary's own topics."""
    host: str
    port: int
    workers: int
    public_url: str | None
    """The address that people use, without a slash at its end; None: no links are offered."""
    name: str
    timezone: ZoneInfo
    seal_count: int
    seal_age: timedelta
    sign_interval: timedelta
    anchor_interval: timedelta
    second_root: bool
    max_payload_bytes: int
    max_body_bytes: int
    max_version_bytes: int
    """The largest file of a version."""
    key_horizon: timedelta
    """How long keys are remembered for finding duplicates."""
    mqtt_client_id: str
    mqtt_ca_file: Path | None
    """Authorities whom the broker's certificate may be signed by; None: the system's."""
    mqtt_client_cert: Path | None
    mqtt_client_key: Path | None
    queue_readings: int
    """How many readings may wait in the ingest process before the broker has to."""
    oidc_issuer: str | None
    """Who issues access tokens that are taken in the place of API keys; None: nobody."""
    oidc_audience: str
    oidc_department_claim: str
    oidc_scope_claim: str
    sealed_within: timedelta
    """What signed acceptances promise: how soon a record is in the log at the latest."""
    outbox_age: timedelta
    """How long an answer to a device is kept while it can't be told."""
    outbox_messages: int
    """To how many messages at most answers are kept."""
    witness_policy: Path | None
    """A C2SP tlog-policy: whose cosignatures a checkpoint needs; None: no witness is asked."""
    witness_fails_open: bool
    """Whether a checkpoint without its quorum of witnesses is shown."""
    receipt_key: Path
    """The private key of COSE receipts; not the log's."""

    @property
    def log_key(self) -> Path:
        """The log's private key."""
        return self.state / "log.key"

    @property
    def acceptance_key(self) -> Path:
        """The private key of signed acceptances; not the log's."""
        return self.state / "acceptance.key"

    @property
    def acceptance_vkey(self) -> Path:
        """Its public key, for processes that only hand it out."""
        return self.state / "acceptance.vkey"

    @property
    def receipt_vkey(self) -> Path:
        """Its public key, for processes that only hand it out."""
        return self.receipt_key.with_suffix(".vkey")

    @property
    def mark_file(self) -> Path:
        """The high-water mark, beside the log key."""
        return self.state / "mark.json"

    @property
    def secret_file(self) -> Path:
        """The instance secret under which keys are remembered."""
        return self.state / "instance.secret"

    @property
    def ingest_alive(self) -> Path:
        """Touched while the ingest process of this client id gets on with its work."""
        return self.state / f"ingest-{quote(self.mqtt_client_id, safe='')}.alive"

    @property
    def ledger_key(self) -> Path:
        """The private key of the file ledger."""
        return self.ledger_dir / "ledger.key"

    @property
    def ledger_file(self) -> Path:
        """The file ledger."""
        return self.ledger_dir / "ledger.ndjson"

    @property
    def ledger_vkey(self) -> Path:
        """The file ledger's public key, for processes that only read."""
        return self.ledger_dir / "ledger.vkey"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """
        Read all settings.

        Raises:
            SettingsRefused: with one sentence for each fault.
        """
        reader = _Reader(env)
        values: dict[str, Any] = {
            "database_url": reader.secret("NOTARY_DATABASE_URL", ""),
            "mqtt_url": reader.secret("NOTARY_MQTT_URL", "mqtt://127.0.0.1:1883"),
            "state": Path(env.get("NOTARY_STATE", "var/state")),
            "ledger_dir": Path(env.get("NOTARY_LEDGER_DIR", "var/ledger")),
            "feeds_file": reader.file("NOTARY_CONFIG"),
            "host": env.get("NOTARY_HOST", "127.0.0.1"),
            "port": reader.number("NOTARY_PORT", 8460, 1, 65535),
            "workers": reader.number("NOTARY_WORKERS", 2, 1, 64),
            "public_url": reader.read("NOTARY_PUBLIC_URL", "", _public_url),
            "name": env.get("NOTARY_NAME", "City Notary"),
            "timezone": reader.read("NOTARY_TIMEZONE", "UTC", ZoneInfo),
            "seal_count": reader.number("NOTARY_SEAL_COUNT", 65_536, 1, 1_000_000),
            "seal_age": reader.seconds("NOTARY_SEAL_SECONDS", 5),
            "sign_interval": reader.seconds("NOTARY_SIGN_SECONDS", 1),
            "anchor_interval": reader.seconds("NOTARY_ANCHOR_SECONDS", 60),
            "second_root": reader.read("NOTARY_SECOND_ROOT", "on", _switch),
            "max_payload_bytes": reader.number("NOTARY_MAX_PAYLOAD_BYTES", 262_144, 1, 1 << 24),
            "max_body_bytes": reader.number("NOTARY_MAX_BODY_BYTES", 8 << 20, 1024, 1 << 30),
            "max_version_bytes": reader.number(
                "NOTARY_MAX_VERSION_BYTES", 4_294_967_296, 1024, 1 << 42
            ),
            "key_horizon": timedelta(days=reader.number("NOTARY_KEY_DAYS", 30, 1, 36_500)),
            "mqtt_client_id": env.get("NOTARY_MQTT_CLIENT_ID", "city-notary"),
            "mqtt_ca_file": reader.file("NOTARY_MQTT_CA_FILE"),
            "mqtt_client_cert": reader.file("NOTARY_MQTT_CLIENT_CERT"),
            "mqtt_client_key": reader.file("NOTARY_MQTT_CLIENT_KEY"),
            "oidc_issuer": reader.read("NOTARY_OIDC_ISSUER", "", _issuer),
            "oidc_audience": env.get("NOTARY_OIDC_AUDIENCE", ""),
            "oidc_department_claim": env.get("NOTARY_OIDC_DEPARTMENT_CLAIM", "department"),
            "oidc_scope_claim": env.get("NOTARY_OIDC_SCOPE_CLAIM", "scope"),
            "sealed_within": timedelta(
                seconds=reader.number("NOTARY_SEALED_WITHIN_SECONDS", 3_600, 60, 31_536_000)
            ),
            "outbox_age": timedelta(hours=reader.number("NOTARY_OUTBOX_HOURS", 72, 1, 8_760)),
            "outbox_messages": reader.number("NOTARY_OUTBOX_MESSAGES", 1_000_000, 1, 1_000_000_000),
            "witness_policy": reader.file("NOTARY_WITNESS_POLICY"),
            "witness_fails_open": reader.read("NOTARY_WITNESS_FAIL", "closed", _fails_open),
            "queue_readings": reader.number("NOTARY_QUEUE_READINGS", 20_000, 100, 10_000_000),
        }
        values["receipt_key"] = reader.file("NOTARY_RECEIPT_KEY") or values["state"] / "receipt.key"
        if values["oidc_issuer"] is not None and not values["oidc_audience"]:
            reader.faults.append("NOTARY_OIDC_AUDIENCE is not set: whom the tokens must be for.")
        if not values["database_url"]:
            reader.faults.append("NOTARY_DATABASE_URL is not set: postgresql://user@host/database")
        if reader.faults:
            raise SettingsRefused(" ".join(reader.faults), faults=reader.faults)
        return cls(**values)


def is_safe_address(url: str) -> bool:
    """Whether what it answers can be believed: by https, or from this very machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not host or parts.username is not None or parts.fragment or not url.isprintable():
            return False
        if parts.scheme == "http":
            return host == "localhost" or ip_address(host).is_loopback
        return parts.scheme == "https" and parts.port != 0
    except ValueError:
        return False


def _issuer(text: str) -> str | None:
    if text and (not is_safe_address(text) or "?" in text):
        raise ValueError(text)
    return text or None


def _public_url(text: str) -> str | None:
    """An address of a whole site: pages and links lie at its root."""
    parts = urlsplit(text)
    is_site = parts.scheme in ("http", "https") and parts.hostname and parts.path in ("", "/")
    more = (parts.username, parts.query, parts.fragment)
    if text and (not is_site or any(more) or parts.port == 0 or not text.isprintable()):
        raise ValueError(text)
    return text.rstrip("/") or None


def _fails_open(text: str) -> bool:
    if text not in ("open", "closed"):
        raise ValueError(text)
    return text == "open"


def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError(text)
    return text == "on"


class _Reader:
    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.faults: list[str] = []

    def read(self, name: str, default: str, convert: Callable[[str], Any]) -> Any:
        text = self._env.get(name, default)
        try:
            return convert(text)
        except (ValueError, KeyError, OSError):
            self.faults.append(f"{name} has the value {text!r}, which can't be used.")
            return None

    def file(self, name: str) -> Path | None:
        """A file's path; whoever opens it sees whether it is there."""
        text = self._env.get(name)
        return Path(text) if text else None

    def number(self, name: str, default: int, low: int, high: int) -> int:
        value = self.read(name, str(default), int)
        if value is not None and not low <= value <= high:
            self.faults.append(f"{name} must lie between {low} and {high}.")
        return int(value or 0)

    def seconds(self, name: str, default: float) -> timedelta:
        value = self.read(name, str(default), float)
        if value is not None and not 0.05 <= value <= 86_400:
            self.faults.append(f"{name} must lie between 0.05 and 86400 seconds.")
            value = None
        return timedelta(seconds=value or 0)

    def secret(self, name: str, default: str) -> str:
        file = self._env.get(f"{name}_FILE")
        if file is None:
            return self._env.get(name, default)
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            self.faults.append(f"{name}_FILE names {file}, which can't be read.")
            return ""
