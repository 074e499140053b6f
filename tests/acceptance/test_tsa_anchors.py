# SPDX-License-Identifier: Apache-2.0
"""
The story of a stamp: a notary with its own file and two time-stamping authorities, one that
records must reach and one that is down; and a citizen who checks the receipt from files alone.
"""

import base64
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from notary.config import Settings
from notary.core import canonical
from notary.local.build_verifier import build
from notary.local.postgres import Postgres
from notary.usecases.prove import NotYet
from notary.wiring import connect
from tests.acceptance.verifying import verify as said_of
from tests.conftest import new_database
from tests.tsa.authority import Authority
from tests.usecases.world import World

pytestmark = pytest.mark.needs("openssl")

TOML = """\
[[ledgers]]
name = "city-tsa"
kind = "rfc3161"
url = "{first}"
root_file = "first/root.pem"
required = true
interval_seconds = 3600

[[ledgers]]
name = "second-tsa"
kind = "rfc3161"
url = "{second}"
root_file = "second/root.pem"
timeout_seconds = 2
"""


@dataclass
class Town:
    """The notary, the place of its files, and its second authority, which nobody serves yet."""

    world: World
    folder: Path
    second: Authority
    dataset: str

    def receipt(self) -> str:
        """The receipt of the first record, anchored."""
        proof = self.world.prover().receipt(self.dataset, "s0", 0, caller=None, until="anchored")
        return proof.text

    def states(self) -> dict[str, str]:
        """How far the newest anchor on each authority is."""
        rows = self.world.rows(
            "SELECT ledger, state FROM anchors WHERE ledger <> 'file' ORDER BY size"
        )
        return {str(ledger): str(state) for ledger, state in rows}


@pytest.fixture
def town(postgres: Postgres, tmp_path: Path) -> Iterator[Town]:
    """The second authority is down."""
    first = Authority.make(tmp_path / "first", "City TSA")
    second = Authority.make(tmp_path / "second", "Second TSA")
    made = World.make(tmp_path, new_database(postgres))
    made.close()
    with first.serve() as address, closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, and never listened at
        toml = TOML.format(first=address, second=f"http://127.0.0.1:{nobody.getsockname()[1]}/tsa")
        (tmp_path / "notary.toml").write_text(toml)
        env = {**made.env, "NOTARY_CONFIG": str(tmp_path / "notary.toml")}
        parts = connect(Settings.from_env(env), writes_ledger=True)
        world = World(parts, env, made.caller, made.api_key)
        town = Town(world, tmp_path, second, world.dataset("weather"))
        world.add(town.dataset, 5, sources=1)
        yield town
        world.close()


def verify(town: Town, receipt: str, *options: str, pyz: Path | None = None) -> tuple[int, str]:
    """What the verifier says of a receipt, in a process that has nothing but files."""
    return said_of(town.folder, receipt, town.world.parts.trust(), *options, pyz=pyz)


def test_a_record_is_anchored_by_the_authority_that_it_must_reach(town: Town) -> None:
    """Not before; the other one costs nothing but its own anchors."""
    town.world.seal()
    town.world.sign()
    with pytest.raises(NotYet):
        town.receipt()
    told = {moved.ledger: moved for moved in town.world.anchor()}
    assert told["city-tsa"].state == "verified"
    assert (told["second-tsa"].state, town.states()["second-tsa"]) == ("unknown", "unknown")
    assert "127.0.0.1" in str(told["second-tsa"].error)
    anchors = json.loads(town.receipt())["anchors"]
    assert [anchor["ledger"] for anchor in anchors] == ["city-tsa", "file"]
    assert town.world.audit().findings == ()


def test_the_authoritys_time_is_held_from_files_alone(town: Town) -> None:
    """By the authority's name; the file ledger's stays the notary's own word."""
    town.world.settle()
    code, said = verify(town, town.receipt())
    assert code == 0
    (line,) = [line for line in said.splitlines() if "city-tsa" in line]
    assert "[x]" in line
    assert "CN=City TSA,O=City of Example" in line
    _, told = verify(town, town.receipt(), "--json")
    checks = [check for check in json.loads(told)["checks"] if check["code"] == "anchor"]
    assert {check["facts"]["ledger"]: check["status"] for check in checks} == {
        "city-tsa": "held",
        "file": "own-word",
    }


def test_an_authority_that_comes_back_catches_up(town: Town, tmp_path: Path) -> None:
    """With what was under way and one for the newest; receipts carry both then."""
    for seed in range(3):
        town.world.add(town.dataset, 2, seed=seed + 1)
        town.world.settle()
        town.world.pass_by(7200)
    with town.second.serve() as address:
        toml = (tmp_path / "notary.toml").read_text()
        port = toml.partition('name = "second-tsa"')[2].partition('url = "')[2].partition('"')[0]
        (tmp_path / "notary.toml").write_text(toml.replace(port, address))
        town.world.close()
        town.world = town.world.again()
        town.world.parts = connect(Settings.from_env(town.world.env), writes_ledger=True)
        for _ in range(3):
            town.world.pass_by(7200)
            town.world.anchor()
    assert town.states() == {"city-tsa": "verified", "second-tsa": "verified"}
    anchors = json.loads(town.receipt())["anchors"]
    assert [anchor["ledger"] for anchor in anchors] == ["city-tsa", "file", "second-tsa"]
    assert verify(town, town.receipt())[0] == 0
    assert len(town.second.stamped) == 2


def test_an_operator_looks_at_an_authority(town: Town) -> None:
    """Before anything is anchored, and at what was: whose clock it is, and that all holds."""
    town.world.settle()
    code, said = notary(town, "anchors", "test", "city-tsa")
    assert code == 0
    assert "CN=City TSA,O=City of Example" in said
    code, said = notary(town, "anchors", "test", "second-tsa")
    assert code != 0
    assert "127.0.0.1" in said
    code, said = notary(town, "anchors", "verify", "city-tsa")
    assert code == 0
    assert "offline: checked; online: not checked" in said  # it keeps nothing to be asked for
    assert "1 anchors, 0 do not hold" in said


def notary(town: Town, *arguments: str) -> tuple[int, str]:
    """A command of the operator's."""
    done = subprocess.run(
        [sys.executable, "-m", "notary.cli", *arguments],
        cwd=town.folder, env=town.world.env, capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode, (done.stdout + done.stderr).decode()


def test_without_the_package_it_is_not_checked(town: Town, tmp_path: Path) -> None:
    """And said with the command that would; the rest of the receipt is checked."""
    town.world.settle()
    code, said = verify(town, town.receipt(), pyz=build(tmp_path / "verify.pyz"))
    assert code == 0
    (line,) = [line for line in said.splitlines() if "city-tsa" in line]
    assert "[ ]" in line
    assert "pip install 'city-notary[rfc3161]'" in said


def test_a_forged_stamp_refuses_the_receipt(town: Town) -> None:
    """One octet of the token is enough; and so is another checkpoint's token."""
    town.world.settle()
    receipt = json.loads(town.receipt())
    anchor = next(one for one in receipt["anchors"] if one["ledger"] == "city-tsa")
    token = bytearray(base64.b64decode(anchor["evidence"]["token"]))
    token[len(token) // 2] ^= 1
    anchor["evidence"] = {"token": base64.b64encode(token).decode()}
    code, said = verify(town, canonical.dumps(receipt), "--json")
    assert (code, json.loads(said)["code"]) == (1, "receipt-refused.ledger-evidence")
    town.world.add(town.dataset, 2, seed=9)
    town.world.pass_by(7200)
    town.world.settle()
    rows = town.world.rows(
        "SELECT evidence FROM anchors WHERE ledger = 'city-tsa' ORDER BY size DESC LIMIT 1"
    )
    anchor["evidence"] = json.loads(str(rows[0][0]))
    code, said = verify(town, canonical.dumps(receipt), "--json")
    assert (code, json.loads(said)["code"]) == (1, "receipt-refused.ledger-other")
