# SPDX-License-Identifier: Apache-2.0
"""The broker for a first look: as closed as it can be, and honest about the rest."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from notary.local.errors import StartFailed
from notary.local.knock import lets_in
from notary.local.pip_broker import PipBroker, is_installed
from notary.local.ports import free_port
from notary.local.replay import replay
from tests.acceptance.first_run import ROOT, environment

pytestmark = pytest.mark.needs("iotcore")

USERS = {"notary": "a" * 32, "gateway": "b" * 32}


def test_it_takes_messages_of_its_users_only(tmp_path: Path) -> None:
    """A name with another password, or another name, is not let in."""
    broker = PipBroker.open(tmp_path / "broker", users=USERS)
    try:
        assert replay(broker.url_of("gateway"), [("notary/v1/a/s/up", b"{}")] * 50) == 50
        assert lets_in(broker.port, "gateway", USERS["gateway"])
        assert not lets_in(broker.port, "gateway", USERS["notary"])
        assert not lets_in(broker.port, "stranger", USERS["gateway"])
        assert not broker.durable
    finally:
        broker.stop()


def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    """No other address of this machine reaches it."""
    broker = PipBroker.open(tmp_path / "broker", users=USERS)
    try:
        with (
            pytest.raises(ConnectionRefusedError),
            socket.create_connection(("127.0.0.2", broker.port), 1),
        ):
            pass
    finally:
        broker.stop()


def test_its_passwords_are_in_a_private_file(tmp_path: Path) -> None:
    """Nobody else on the machine reads them."""
    broker = PipBroker.open(tmp_path / "broker", users=USERS)
    broker.stop()
    assert (tmp_path / "broker" / "rumqttd.toml").stat().st_mode & 0o077 == 0
    assert USERS["gateway"] not in (tmp_path / "broker" / "iotcore.log").read_text()


def test_a_stopped_one_is_gone(tmp_path: Path) -> None:
    """Nothing answers on its port any more."""
    broker = PipBroker.open(tmp_path / "broker", users=USERS)
    broker.stop()
    with pytest.raises((OSError, StartFailed)):
        replay(broker.url_of("gateway"), [("a", b"1")])


def test_the_main_job_is_done_with_it(tmp_path: Path, long: bool) -> None:
    """`make run ONCE=1` without mosquitto says so and holds (in the long run of the tests)."""
    if not long:
        assert is_installed()
        return
    done = subprocess.run(
        [sys.executable, "-m", "notary.local.run"],
        cwd=ROOT,
        env=environment(tmp_path / "var", free_port(), ONCE="1", NOTARY_LOCAL_BROKER="pip"),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "serves for a first look" in done.stdout
    assert "26,115 readings: 0 known, 26,115 new" in done.stdout
