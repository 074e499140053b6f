# SPDX-License-Identifier: Apache-2.0
"""The folder ./var and all that runs in it: servers, log, keys, the notary's processes."""

import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from notary.config import Settings
from notary.local.broker import Broker
from notary.local.client import Client
from notary.local.errors import StartFailed
from notary.local.folder import write_private
from notary.local.pip_broker import PipBroker
from notary.local.ports import require_free
from notary.local.postgres import Postgres
from notary.local.processes import Child, Children
from notary.local.programs import mosquitto_program
from notary.local.second_party import SecondParty
from notary.store.errors import NameTaken
from notary.store.migrations import migrate
from notary.store.pool import Pool
from notary.usecases.api_keys import NewKey, add_key
from notary.usecases.departments import add_department
from notary.usecases.marks import MarkFile
from notary.wiring import clock, initialise

DEPARTMENT = "weather-office"
ACL = """\
user notary
topic read #
topic write notary/v1/+/+/down

user gateway
topic write notary/v1/#
topic read notary/v1/+/+/down
"""


class Local:
    """The folder ./var and what runs in it."""

    def __init__(self, var: Path, env: Mapping[str, str], children: Children) -> None:
        self.var = var
        self.env = env
        self.children = children
        self.port = require_free(int(env.get("NOTARY_PORT", "8460")), "the API", "NOTARY_PORT")
        self.url = f"http://127.0.0.1:{self.port}"
        self.started_at = str(clock())
        self.more_settings: dict[str, str] = {}
        for name in ("log", "secrets"):
            (var / name).mkdir(parents=True, exist_ok=True)
        (var / "secrets").chmod(0o700)

    def start_servers(self) -> None:
        """PostgreSQL and the broker, or the ones that the environment names."""
        if "NOTARY_DATABASE_URL" in self.env:
            self.database_url = self.env["NOTARY_DATABASE_URL"]
        else:
            port = self.env.get("NOTARY_POSTGRES_PORT")
            postgres = Postgres.open(self.var / "postgres", int(port) if port else None)
            self.children.at_end("postgres", postgres.stop)
            self.database_url = postgres.url
        if "NOTARY_MQTT_URL" in self.env:
            self.notary_mqtt = self.gateway_mqtt = self.env["NOTARY_MQTT_URL"]
        else:
            port = self.env.get("NOTARY_MQTT_PORT")
            users = {name: self.secret(f"mqtt-{name}") for name in ("notary", "gateway")}
            broker = open_broker(self.var / "broker", int(port) if port else None, users, self.env)
            self.children.at_end("broker", broker.stop)
            self.notary_mqtt, self.gateway_mqtt = broker.url_of("notary"), broker.url_of("gateway")

    def secret(self, name: str) -> str:
        """A random secret, made the first time, in a file of mode 0600."""
        path = self.var / "secrets" / name
        if not path.exists():
            write_private(path, secrets.token_hex(16))
        return path.read_text(encoding="ascii").strip()

    def settings_env(self) -> dict[str, str]:
        """The environment of the notary's processes; secrets by file."""
        write_private(self.var / "secrets" / "database.url", self.database_url)
        write_private(self.var / "secrets" / "mqtt.url", self.notary_mqtt)
        defaults = {
            "NOTARY_STATE": str(self.var / "state"),
            "NOTARY_LEDGER_DIR": str(self.var / "ledger"),
            "NOTARY_DATABASE_URL_FILE": str(self.var / "secrets" / "database.url"),
            "NOTARY_MQTT_URL_FILE": str(self.var / "secrets" / "mqtt.url"),
            "NOTARY_PORT": str(self.port),
            "NOTARY_NAME": "City Notary (local trial)",
            "NOTARY_SEAL_SECONDS": "2",
            "NOTARY_ANCHOR_SECONDS": "3",
            "NOTARY_WITNESS_POLICY": str(self.var / "witness.policy"),
            "PYTHONUNBUFFERED": "1",
        }
        kept = ("NOTARY_PUBLIC_URL",)
        mine = {
            name: value
            for name, value in self.env.items()
            if not name.endswith("_URL") or name in kept
        }
        return {**defaults, **self.more_settings, **mine}

    def make_log(self, settings: Settings) -> None:
        """A new log the first time; later only a database of the newest shape."""
        if settings.log_key.exists() and settings.mark_file.exists():
            pool = Pool(self.database_url, size=1)
            migrate(pool, clock())
            pool.close()
        else:
            initialise(settings, f"city-notary.localhost/{secrets.token_hex(4)}")

    def start_witness(self, settings: Settings) -> str | None:
        """A witness of this run's own, unless the environment names others; its name."""
        if "NOTARY_WITNESS_POLICY" in self.env:
            return None
        witness = SecondParty(self.var / "witness", self.var / "log" / "witness.log")
        self.children.add(witness.start(MarkFile(settings.mark_file).log_keys()))
        (self.var / "witness.policy").write_text(witness.policy(), encoding="utf-8")
        return witness.name

    def api_key(self) -> str:
        """The department's API key, made the first time."""
        path = self.var / "secrets" / "department.key"
        if not path.exists():
            pool = Pool(self.database_url, size=1)
            with suppress(NameTaken):
                add_department(pool, DEPARTMENT, "Weather office", clock())
            write_private(path, add_key(pool, NewKey(DEPARTMENT), clock()) + "\n")
            pool.close()
        key = path.read_text(encoding="ascii").strip()
        write_private(self.var / "curl.conf", f'header = "Authorization: Bearer {key}"\n')
        return key

    def start_processes(self, env: dict[str, str]) -> None:
        """web, ingest and sealer; returns once the API is ready."""
        for name in ("web", "sealer", "ingest"):
            log = self.var / "log" / f"{name}.log"
            command = [sys.executable, "-m", "notary.cli", name]
            child = self.children.add(Child.start(name, command, log=log, environment=env))
            if name == "web":
                child.wait_until(self.is_ready, 60)

    def is_ready(self) -> bool:
        """Whether the API answers and its gate is open."""
        return Client(self.url).request("GET", "/readyz")[0] == 200

    def check_children(self) -> None:
        """Raises StartFailed when a process has ended."""
        for child in self.children.ended():
            last = "\n  ".join(child.said().strip().splitlines()[-8:])
            raise StartFailed(f"{child.name} has ended; {child.log} says:\n  {last}")


def open_broker(
    folder: Path, port: int | None, users: Mapping[str, str], env: Mapping[str, str]
) -> Broker | PipBroker:
    """mosquitto, else (or with NOTARY_LOCAL_BROKER=pip) the one that pip installed."""
    if mosquitto_program() is not None and env.get("NOTARY_LOCAL_BROKER") != "pip":
        return Broker.open(folder, port, users=users, acl=ACL)
    broker = PipBroker.open(folder, port, users=users)
    print(
        "mosquitto is not here: a broker from PyPI (iotcore) serves for a first look. It keeps "
        "nothing in a crash, and every user may use every topic.",
        flush=True,
    )
    return broker
