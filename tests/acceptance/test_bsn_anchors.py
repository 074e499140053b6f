# SPDX-License-Identifier: Apache-2.0
"""
The story of a block: a notary whose records must reach a channel of BSN (behind the mock of a PCN
gateway), and a citizen who checks the receipt from files alone.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from notary.config import Settings
from notary.core import canonical
from notary.local.build_verifier import build
from notary.local.postgres import Postgres
from notary.usecases.prove import NotYet
from notary.wiring import connect
from tests.acceptance.verifying import verify as said_of
from tests.bsn.files import make_network, make_table, write_files
from tests.bsn.gateway import MockGateway
from tests.conftest import new_database
from tests.ledgers.bsn.place import make_chain
from tests.usecases.world import World


@dataclass
class Town:
    """The notary, the place of its files, and the gateway."""

    world: World
    folder: Path
    gateway: MockGateway
    dataset: str

    def receipt(self) -> str:
        """The receipt of the first record, anchored."""
        proof = self.world.prover().receipt(self.dataset, "s0", 0, caller=None, until="anchored")
        return proof.text

    def bent(self, **changes: Any) -> str:
        """That receipt with other evidence of the channel."""
        receipt = json.loads(self.receipt())
        anchor = next(one for one in receipt["anchors"] if one["ledger"] == "bsn")
        anchor["evidence"] |= changes
        return canonical.dumps(receipt)

    def evidence(self) -> dict[str, str]:
        """That receipt's evidence of the channel."""
        anchors = json.loads(self.receipt())["anchors"]
        return next(one["evidence"] for one in anchors if one["ledger"] == "bsn")

    def verify(self, receipt: str, *options: str, pyz: Path | None = None) -> tuple[int, str]:
        """What the verifier says, in a process that has nothing but files."""
        return said_of(self.folder, receipt, self.world.parts.trust(), *options, pyz=pyz)


@pytest.fixture
def town(postgres: Postgres, tmp_path: Path) -> Iterator[Town]:
    """A notary whose notary.toml leads to the gateway; it cuts blocks when it is told to."""
    network = make_network()
    chain = make_chain(network)
    chain.delay_seconds = None
    gateway = MockGateway(chain)
    write_files(tmp_path, network, gateway.access, gateway.key)
    table = {**make_table(network, gateway.url), "required": True}
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in table.items()]
    (tmp_path / "notary.toml").write_text("[[ledgers]]\n" + "".join(lines))
    made = World.make(tmp_path, new_database(postgres))
    made.close()
    env = {**made.env, "NOTARY_CONFIG": str(tmp_path / "notary.toml")}
    world = World(
        connect(Settings.from_env(env), writes_ledger=True), env, made.caller, made.api_key
    )
    town = Town(world, tmp_path, gateway, world.dataset("weather"))
    world.add(town.dataset, 5, sources=1)
    yield town
    world.close()
    gateway.close()


@pytest.fixture
def anchored(town: Town) -> Town:
    """With an anchor in a block."""
    town.world.settle()
    town.gateway.chain.cut()
    town.world.pass_by(60)
    town.world.anchor()
    return town


def test_a_record_is_anchored_once_its_block_is_there(town: Town) -> None:
    """Not when the gateway says that it was taken."""
    town.world.settle()
    for _ in range(3):
        town.world.pass_by(60)
        assert [moved.state for moved in town.world.anchor()][-1] == "submitted"
        with pytest.raises(NotYet):
            town.receipt()
    town.gateway.chain.cut()
    town.world.pass_by(60)
    town.world.anchor()
    assert {one["ledger"] for one in json.loads(town.receipt())["anchors"]} == {"file", "bsn"}
    assert town.world.audit().findings == ()


def test_the_block_is_held_from_files_alone(anchored: Town) -> None:
    """By the creator's organisation; the file ledger's stays the notary's own word."""
    code, said = anchored.verify(anchored.receipt())
    assert code == 0, said
    (line,) = [line for line in said.splitlines() if "bsn-fabric" in line]
    assert "[x]" in line
    assert "OrgaNodeMSP" in line
    _, told = anchored.verify(anchored.receipt(), "--json")
    checks = [check for check in json.loads(told)["checks"] if check["code"] == "anchor"]
    assert {check["facts"]["ledger"]: check["status"] for check in checks} == {
        "bsn": "held",
        "file": "own-word",
    }


def test_without_the_package_it_is_not_checked(anchored: Town, tmp_path: Path) -> None:
    """And said with the command that would; the rest of the receipt is checked."""
    pyz = build(tmp_path / "verify.pyz")
    code, said = anchored.verify(anchored.receipt(), pyz=pyz)
    assert code == 0, said
    (line,) = [line for line in said.splitlines() if "bsn-fabric" in line]
    assert "[ ]" in line
    assert "pip install city-notary" in said


def test_a_block_with_one_bit_changed_refuses_the_receipt(anchored: Town) -> None:
    """Wherever it lies; and so does another transaction's id."""
    block = base64.b64decode(anchored.evidence()["block"])
    for place in range(0, len(block), len(block) // 12):
        bent = bytearray(block)
        bent[place] ^= 4
        text = anchored.bent(block=base64.b64encode(bent).decode())
        code, said = anchored.verify(text, "--json")
        assert (code, json.loads(said)["code"]) == (1, "receipt-refused.ledger-evidence")
    code, said = anchored.verify(anchored.bent(tx="0" * 64), "--json")
    assert (code, json.loads(said)["code"]) == (1, "receipt-refused.ledger-evidence")


def test_the_block_of_another_size_refuses_the_receipt(anchored: Town) -> None:
    """True in itself, and not of this checkpoint."""
    receipt = anchored.receipt()
    anchored.world.add(anchored.dataset, 2, seed=9)
    anchored.world.pass_by(7200)
    anchored.world.settle()
    anchored.gateway.chain.cut()
    anchored.world.pass_by(60)
    anchored.world.anchor()
    rows = anchored.world.rows(
        "SELECT evidence FROM anchors WHERE ledger = 'bsn' ORDER BY size DESC LIMIT 1"
    )
    other = json.loads(receipt)
    anchor = next(one for one in other["anchors"] if one["ledger"] == "bsn")
    assert anchor["evidence"] != json.loads(str(rows[0][0]))
    anchor["evidence"] = json.loads(str(rows[0][0]))
    code, said = anchored.verify(canonical.dumps(other), "--json")
    assert (code, json.loads(said)["code"]) == (1, "receipt-refused.ledger-other")


def test_a_day_without_the_gateway_costs_its_anchors_alone(town: Town) -> None:
    """Records are sealed and signed all the same; one anchor covers the day."""
    town.gateway.is_down = True
    for seed in range(3):
        town.world.add(town.dataset, 2, seed=seed + 1)
        town.world.settle()
        town.world.pass_by(7200)
    town.gateway.is_down = False
    town.world.anchor()
    town.gateway.chain.cut()
    for _ in range(3):
        town.world.pass_by(7200)
        town.world.anchor()
        town.gateway.chain.cut()
    rows = town.world.rows("SELECT size, state FROM anchors WHERE ledger = 'bsn' ORDER BY size")
    assert rows[-1] == (town.world.size(), "verified")
    assert len(town.gateway.chain.placed) == len(rows) == 2
    assert town.verify(town.receipt())[0] == 0
