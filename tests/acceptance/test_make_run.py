# SPDX-License-Identifier: Apache-2.0
"""A newcomer's first hour: `make run`, the lines that it prints, and a second run."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from notary.local.ports import free_port
from tests.acceptance.first_run import PATH, ROOT, FirstRun, environment

pytestmark = pytest.mark.needs("mosquitto")


@pytest.fixture(scope="module")
def served(first_run: FirstRun) -> str:
    """What the first run printed; it serves on."""
    return first_run.printed


@pytest.fixture(scope="module")
def once(first_run: FirstRun) -> str:
    """Ctrl-C, and a second run that ends by itself: what it printed."""
    assert first_run.end() == 0
    done = subprocess.run(
        [sys.executable, "-m", "notary.local.run"],
        cwd=ROOT,
        env=environment(first_run.folder, first_run.port, ONCE="1"),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def paste(served: str, heading: str) -> str:
    """Run the lines printed under a heading as a person would paste them."""
    part = served.split(heading, 1)[1].split("\n\nYour own", 1)[0].split("\nServing", 1)[0]
    lines = part.split("\n", 1)[1]
    done = subprocess.run(
        ["bash", "-c", lines], cwd=ROOT, env={"PATH": PATH}, capture_output=True, text=True
    )
    return done.stdout + done.stderr


def test_the_first_run_notarises_26115_readings_and_refuses_a_tampered_receipt(
    served: str,
) -> None:
    """Everything that the README promises of the first run is printed and true."""
    assert "26,115 readings: 0 known, 26,115 new" in served
    assert "every reading is sealed, signed, witnessed and anchored" in served
    assert re.search(r"^  HOLDS\.", served, re.MULTILINE)
    assert re.search(r"^  REFUSED\.", served, re.MULTILINE)
    assert "that signed: 1 (required: 1): witness.localhost/" in served
    assert "no outside party has confirmed it" in served
    assert "All of it held" in served


def test_the_printed_lines_for_a_reading_end_in_a_receipt_that_verifies(served: str) -> None:
    """mosquitto_pub, curl, notary verify: pasted as they stand."""
    printed = paste(served, "Your own reading, over MQTT")
    assert "HOLDS." in printed
    assert "of source roof in dataset weather" in printed


def test_the_printed_lines_for_a_record_end_in_a_receipt_that_verifies(served: str) -> None:
    """curl with the key from its file, then the receipt."""
    printed = paste(served, "Your own record, over HTTP")
    assert '"source": "desk"' in printed or '"source":"desk"' in printed
    assert "HOLDS." in printed


def test_no_secret_is_printed(first_run: FirstRun) -> None:
    """Credentials are filled in by file; none of them is in what was printed or logged."""
    folder, served = first_run.folder, first_run.printed
    secrets = [path.read_text().strip() for path in (folder / "secrets").iterdir()]
    logs = served + "".join(path.read_text() for path in (folder / "log").glob("*.log"))
    assert secrets
    for secret in secrets:
        assert secret not in logs
    for path in (folder / "secrets").iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_a_second_run_goes_on_from_there(once: str) -> None:
    """All readings are known, none is new, and everything holds again."""
    assert "26,115 readings: 26,115 known, 0 new" in once
    assert "All of it held" in once


@pytest.mark.parametrize("taken", ["NOTARY_PORT"])
def test_a_taken_port_is_named(tmp_path: Path, taken: str) -> None:
    """The sentence names the port and the variable that changes it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "notary.local.run"],
            cwd=ROOT,
            env={**environment(tmp_path / "var", free_port(), ONCE="1"), taken: str(port)},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode != 0
    assert str(port) in done.stderr
    assert taken in done.stderr
