# SPDX-License-Identifier: Apache-2.0
"""
An outsider follows a notary that it has nothing from but an address and, by another way, a trust
file: the lines of docs/for-monitors.md against a notary of real processes.
"""

import json
import os
import re
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from notary.core.monitor_report import Report, parse_report
from notary.usecases.erase import RecordPlace
from tests.acceptance.publishers import Office
from tests.acceptance.sealers import ROOT, wait_for
from tests.acceptance.test_docs import matches, steps

PAGE = ROOT / "docs" / "for-monitors.md"


class Newspaper:
    """A folder on another machine, with the command `notary` and no settings."""

    def __init__(self, folder: Path, url: str, trust: str) -> None:
        self.folder, self.url = folder, url
        (folder / "bin").mkdir(parents=True)
        program = folder / "bin" / "notary"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m notary.cli "$@"\n')
        program.chmod(0o755)
        (folder / "trust.json").write_text(trust)

    def run(self, line: str) -> "subprocess.CompletedProcess[str]":
        """Paste one line."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("NOTARY_")}
        env |= {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            ["bash", "-c", line.replace("http://127.0.0.1:8460", self.url)],
            cwd=self.folder,
            env={**env, "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    @property
    def report(self) -> Report:
        """What its monitor says."""
        return parse_report((self.folder / "monitor" / "report.json").read_text())


@pytest.fixture
def newspaper(office: Office, tmp_path: Path) -> Newspaper:
    """It got the trust file by another way."""
    office.world.now = datetime.now(UTC)
    return Newspaper(tmp_path / "newspaper", office.web.url, office.world.parts.trust())


def post(office: Office, dataset: str, text: str) -> dict[str, Any]:
    """Hand in a reading as its owner; the answer, with the signed acceptance."""
    asked = urllib.request.Request(
        f"{office.web.url}/v1/datasets/{dataset}/records",
        json.dumps({"source": "desk", "payload_text": text}).encode(),
        {
            "Authorization": f"Bearer {office.world.api_key}",
            "Content-Type": "application/json",
            "Prefer": "signed-acceptance",
        },
    )
    with urllib.request.urlopen(asked, timeout=120) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def receipt(office: Office, dataset: str, n: int) -> bytes:
    """The receipt of a record of the desk's, once it is there."""
    path = f"{office.web.url}/v1/datasets/{dataset}/sources/desk/records/{n}/receipt"
    found: list[bytes] = []

    def is_there() -> bool:
        with urllib.request.urlopen(path, timeout=120) as answer:
            if answer.status == 200:
                found.append(answer.read())
            return bool(found)

    wait_for("the receipt", is_there)
    return found[-1]


def test_an_outsider_follows_a_notary_and_accuses_nobody(
    office: Office, newspaper: Newspaper
) -> None:
    """
    Open and closed datasets, records, tables, an erasure: the page's lines say what the page
    shows, a kept acceptance is found kept, and the report lets a window's verifier say who looked.
    """
    world = office.world
    name = world.dataset("monitored")
    closed = world.dataset(None, random_sources=True)
    acceptances = newspaper.folder / "acceptances"
    acceptances.mkdir()
    for n in range(3):
        signed = post(office, name, f"reading {n}")["signed"]
        (acceptances / f"{n}.json").write_text(signed)
    world.add(closed, 40)
    key = office.key(datasets=[name])
    assert office.publish(key, office.file("table.csv")).code == 0
    (newspaper.folder / "receipt.json").write_bytes(receipt(office, name, 2))

    (body,) = re.findall(
        r"^```console\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    for command, shown in steps(body):
        done = newspaper.run(command)
        assert matches(shown, done.stdout), f"{command}\ngave: {done.stdout}{done.stderr}"
        assert (done.returncode, done.stderr) == (0, "")

    # Content goes, and a monitor who never saw it has nothing to miss.
    world.now = datetime.now(UTC)
    world.erase(name, RecordPlace("desk", 1, 0))
    post(office, name, "reading 3")
    newest = receipt(office, name, 3)
    again = newspaper.run(
        "notary monitor run http://127.0.0.1:8460 --trust trust.json --state monitor --once"
        f" --acceptances acceptances --ledger-file {world.env['NOTARY_LEDGER_DIR']}/ledger.ndjson"
    )
    assert (again.returncode, again.stderr) == (0, "")
    report = newspaper.report
    assert (report.standing, report.alarms) == (0, ())
    assert report.batches == report.size > json.loads(newest)["log"]["index"]
    assert report.records >= 44
    assert report.rows >= 401
    assert report.not_checked == ()


def test_a_notary_that_is_down_is_no_liar(office: Office, newspaper: Newspaper) -> None:
    """2 and one sentence; up again it is followed on, as if nothing had been."""
    line = "notary monitor run http://127.0.0.1:8460 --trust trust.json --state monitor --once"
    name = office.world.dataset("away")
    post(office, name, "before")
    receipt(office, name, 0)
    assert newspaper.run(line).returncode == 0
    office.web.stop()
    try:
        done = newspaper.run(line)
        assert (done.returncode, done.stdout) == (2, "")
        assert "That says nothing about the log" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    finally:
        office.web.start()
    assert newspaper.run(line).returncode == 0
    assert newspaper.report.alarms == ()
