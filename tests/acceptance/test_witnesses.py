# SPDX-License-Identifier: Apache-2.0
"""Two witnesses, each a process with its own key and state, beside a sealer at work."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from proofbundle.checkpoint import verify_witnessed_checkpoint
from tlog_scales import signing, tlog

from notary.config import Settings
from notary.core.hashing import digest
from notary.core.note import parse_note
from notary.core.receipt import verify_receipt
from notary.local.ports import free_port, is_free
from notary.local.postgres import Postgres
from notary.usecases import look
from notary.usecases.witness_look import witness_status
from notary.usecases.witness_rule import load_rule
from notary.usecases.witnessing import Witnesses
from notary.wiring import connect
from notary.witness.command import add_log
from notary.witness.state import State
from tests.acceptance.sealers import ROOT, SealerProcess, now, settled, wait_for
from tests.acceptance.test_docs import matches, steps
from tests.conftest import new_database
from tests.usecases.servers import world as made_world
from tests.usecases.world import ORIGIN, World

world = made_world


class WitnessProcess:
    """`notary witness`, by somebody who has nothing of the notary but its trust file."""

    def __init__(self, folder: Path, name: str, trust: Path) -> None:
        self.name, self._folder, self.port = name, folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        state = State.make(folder, name)
        assert list(add_log(state, str(trust)))
        self.vkey = state.cosigner.verifier.vkey
        self.start()

    def run(self, what: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """One command to its end."""
        return subprocess.run(
            self._command(what, *arguments), cwd=ROOT, env=_bare(), capture_output=True, text=True
        )

    def start(self) -> None:
        """Serve."""
        self._process = subprocess.Popen(
            self._command("run", "--port", str(self.port)),
            cwd=ROOT,
            env=_bare(),
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(f"{self.name} serves", lambda: not is_free(self.port))

    def kill(self) -> None:
        """As a power cut would: with all its workers."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        wait_for(f"{self.name} is gone", lambda: is_free(self.port))

    def checkpoint(self) -> str:
        """What it shows to everybody."""
        url = f"{self.url}/{digest(ORIGIN.encode()).hex()}/checkpoint"
        with urllib.request.urlopen(url, timeout=120) as answer:
            return str(answer.read().decode())

    def _command(self, what: str, *arguments: str) -> list[str]:
        command = [sys.executable, "-m", "notary.cli", "witness", what]
        return [*command, "--state", str(self._folder), *arguments]


def _bare() -> dict[str, str]:
    """None of a notary's settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("NOTARY_")}


@pytest.fixture
def city(world: World, tmp_path: Path) -> Iterator[tuple[World, list[WitnessProcess]]]:
    """A notary on the real clock, whose policy asks for the cosignatures of two witnesses."""
    world.now = now()
    world.dataset("weather")
    trust = tmp_path / "trust.json"
    trust.write_text(world.parts.trust())
    witnesses = [
        WitnessProcess(tmp_path / name, f"{name}.example", trust) for name in ("paper", "harbour")
    ]
    policy = tmp_path / "policy"
    lines = "".join(f"witness {one.name} {one.vkey} {one.url}\n" for one in witnesses)
    members = " ".join(one.name for one in witnesses)
    policy.write_text(f"{lines}group both all {members}\nquorum both\n")
    world.env["NOTARY_WITNESS_POLICY"] = str(policy)
    yield world, witnesses
    for one in witnesses:
        os.killpg(one._process.pid, signal.SIGKILL)
        one._process.wait()


def grow(world: World) -> int:
    """A batch that the sealer at work seals, signs and anchors; the size of the log."""
    size = world.size()
    world.now = now()
    world.add("weather", 6, seed=size)
    wait_for("it is sealed and anchored", lambda: world.size() > size and settled(world))
    return world.size()


def _name(world: World) -> str:
    """Of its database."""
    return str(urlsplit(world.env["NOTARY_DATABASE_URL"]).path.strip("/"))


def shown(world: World) -> int:
    """The checkpoint that everybody is shown."""
    found = look.newest_checkpoint(world.pool)
    return 0 if found is None else int(found["size"])


def standing(world: World) -> dict[str, Any]:
    """The problem of each witness, as /statusz tells."""
    return {item["name"]: item["problem"] for item in witness_status(world.pool)["items"]}


def last_receipt(world: World) -> str:
    """A receipt of the newest batch."""
    source, n = world.rows(
        "SELECT s.name, r.first FROM runs r JOIN sources s ON s.id = r.source"
        " ORDER BY r.batch DESC, r.position LIMIT 1"
    )[0]
    prover = world.prover()
    return prover.receipt("weather", str(source), int(str(n)), caller=None, until="witnessed").text


def test_two_witnesses_stand_behind_a_receipt(
    city: tuple[World, list[WitnessProcess]], tmp_path: Path
) -> None:
    """
    Both cosign; the receipt demands both, and programs of others find their cosignatures good.
    One is killed: closed, what it hasn't signed isn't shown, open it is. It catches up at last.
    """
    world, (paper, harbour) = city
    with SealerProcess(world.env, tmp_path / "sealer.log") as sealer:
        size = grow(world)
        wait_for("it is shown", lambda: shown(world) == size)
        receipt, trust = last_receipt(world), world.parts.trust()
        held = {check.code: check for check in verify_receipt(receipt, trust).checks}
        assert held["witnesses"].facts["count"] == held["witnesses"].facts["want"] == 2
        assert held["time"].status == "held"
        note = json.loads(receipt)["checkpoint"]
        _check_by_others(note, world.signer.vkey, [paper.vkey, harbour.vkey])
        assert parse_note(harbour.checkpoint()).text == parse_note(note).text
        harbour.kill()
        larger = grow(world)
        wait_for("harbour is missed", lambda: standing(world)["harbour.example"] == "away")
        wait_for("paper has signed", lambda: f"\n{larger}\n" in paper.checkpoint())
        assert shown(world) == size
        assert sealer.stop() == 0
    world.env["NOTARY_WITNESS_FAIL"] = "open"
    with SealerProcess(world.env, tmp_path / "open.log") as sealer:
        wait_for("it is shown", lambda: shown(world) == larger)
        assert sealer.stop() == 0
    world.env["NOTARY_WITNESS_FAIL"] = "closed"
    harbour.start()
    with SealerProcess(world.env, tmp_path / "again.log") as sealer:
        wait_for("it is witnessed", lambda: witness_status(world.pool)["witnessed_size"] == larger)
        assert sealer.stop() == 0
    verify_receipt(last_receipt(world), trust)
    assert world.audit().findings == ()
    assert harbour.run("show").returncode == 0


def _check_by_others(note: str, log: str, witnesses: list[str]) -> None:
    """PyPI proofbundle and tlog-scales on the same note, and on one with another size."""
    found = verify_witnessed_checkpoint(note, log, witnesses, threshold=2)
    assert found["ok"], found
    theirs = tlog.Checkpoint.from_text(note)
    for key in (log, *witnesses):
        theirs.verify(signing.Vkey.from_string(key))
    text = parse_note(note).text
    size = int(text.split("\n")[1])
    other = note.replace(f"\n{size}\n", f"\n{size + 1}\n", 1)
    assert not verify_witnessed_checkpoint(other, log, witnesses, threshold=2)["ok"]


@pytest.mark.parametrize("fail", ["closed", "open"])
def test_a_notary_that_was_set_back_whole_is_stopped_by_its_witnesses(
    city: tuple[World, list[WitnessProcess]], postgres: Postgres, tmp_path: Path, fail: str
) -> None:
    """
    Database, mark and ledger are restored from one old copy, and the operator says that nothing
    is missing. Nobody but the witnesses remembers more: closed or open, nothing more is signed.
    """
    world, witnesses = city
    world.env["NOTARY_WITNESS_FAIL"] = fail
    with SealerProcess(world.env, tmp_path / "sealer.log") as sealer:
        size = grow(world)
        wait_for("it is witnessed", lambda: witness_status(world.pool)["witnessed_size"] == size)
        assert sealer.stop() == 0
    world.pool.close()
    old = tmp_path / "old"
    for name in ("state", "ledger"):
        shutil.copytree(tmp_path / name, old / name)
    env = {
        **world.env,
        "NOTARY_DATABASE_URL": new_database(postgres, _name(world)),
        "NOTARY_STATE": str(old / "state"),
        "NOTARY_LEDGER_DIR": str(old / "ledger"),
    }
    world.parts = connect(Settings.from_env(world.env), writes_ledger=True)
    with SealerProcess(world.env, tmp_path / "on.log") as sealer:
        grow(world)
        seen = grow(world)
        wait_for("it is witnessed", lambda: witness_status(world.pool)["witnessed_size"] == seen)
        assert sealer.stop() == 0
    adopt = [sys.executable, "-m", "notary.cli", "adopt", "--nothing-is-missing"]
    subprocess.run(adopt, cwd=ROOT, env={**os.environ, **env}, check=True, capture_output=True)
    parts = connect(Settings.from_env(env), writes_ledger=True)
    restored = replace(world, parts=parts, env=env)
    with SealerProcess(env, tmp_path / "restored.log") as sealer:
        restored.now = now()
        restored.add("weather", 6, seed=99)
        wait_for("it is caught", lambda: "fork" in standing(restored).values())
        wait_for("it stops", lambda: any(line["event"] == "stopped" for line in sealer.said()))
        assert sealer.stop() == 0
    assert witness_status(restored.pool)["alarm"]
    assert shown(restored) == size
    assert restored.checkpoints()[-1][0] == size
    assert [one.checkpoint().split("\n")[1] for one in witnesses] == [str(seen)] * 2
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{witnesses[0].url}/", timeout=5)
    restored.close()


def test_the_page_for_witnesses_does_what_it_shows(world: World, tmp_path: Path) -> None:
    """Its lines, pasted in order by somebody with a trust file, and a log that asks meanwhile."""
    port = free_port()
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "notary").write_text(f'#!/bin/sh\nexec {sys.executable} -m notary.cli "$@"\n')
    (bin_folder / "notary").chmod(0o755)
    env = {**_bare(), "PATH": f"{bin_folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    (tmp_path / "trust.json").write_text(world.parts.trust())
    world.dataset("weather")
    world.add("weather", 5)
    world.settle()
    page = (
        (ROOT / "docs" / "for-witnesses.md").read_text(encoding="utf-8").replace("8461", f"{port}")
    )
    (body,) = re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    try:
        for command, shown in steps(body.replace("8461", str(port))):
            is_run = command.endswith("&")
            if is_run:
                command = command.replace("run", f"run --port {port}", 1) + " echo $! > pid"
            done = subprocess.run(
                ["bash", "-c", command], cwd=tmp_path, env=env, capture_output=True, text=True
            )
            assert matches(shown, done.stdout), f"{command}\n{done.stdout}{done.stderr}"
            if is_run:
                wait_for("it serves", lambda: not is_free(port))
                _ask(world, tmp_path, port)
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)


def _ask(world: World, folder: Path, port: int) -> None:
    """The operator has got the witness's key and address, and its log asks once."""
    vkey = State.open(folder / "var" / "witness").cosigner.verifier.vkey
    path = folder / "policy"
    path.write_text(f"witness w {vkey} http://127.0.0.1:{port}\nquorum w\n")
    rule = load_rule(path, fails_open=False)
    world.now = now()
    asker = Witnesses(world.pool, rule, world.marks.log_keys, now, lambda event, /, **facts: None)
    asker.turn(world.now)
    asker.wait(120)
    assert shown(world) == 1
