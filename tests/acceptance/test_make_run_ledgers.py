# SPDX-License-Identifier: Apache-2.0
"""`make run LEDGER=...`: one more ledger beside the file ledger, and what is said of it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from notary.local.ports import free_port
from tests.acceptance.first_run import ROOT, environment

pytestmark = pytest.mark.needs("mosquitto")


def run(folder: Path, seconds: int, **more: str) -> "subprocess.CompletedProcess[str]":
    """One run that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "notary.local.run"],
        cwd=ROOT,
        env=environment(folder / "var", free_port(), ONCE="1", **more),
        capture_output=True,
        text=True,
        timeout=seconds,
    )


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"LEDGER": "gold"}, "LEDGER=gold is not known"),
        ({"LEDGER": "evm", "NOTARY_CONFIG": "my.toml"}, "unset NOTARY_CONFIG"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    tmp_path: Path, more: dict[str, str], word: str
) -> None:
    """Before anything is notarised; nothing goes on running."""
    done = run(tmp_path, 120, **more)
    assert done.returncode != 0
    assert word in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
@pytest.mark.needs("anvil")
def test_a_chain_is_brought_up_and_the_receipt_is_held_against_it(tmp_path: Path) -> None:
    """Contract, anchors, what the contract refuses, the receipt; the next run goes on there."""
    said = [run(tmp_path, 400, LEDGER="evm") for _ in range(2)]
    contracts = set()
    for done in said:
        assert done.returncode == 0, done.stdout + done.stderr
        assert "  [x] Ledger anvil (evm): the log of size" in done.stdout
        assert "  [ ] Ledger anvil (evm), log of size" in done.stdout
        assert "another root for that size, it refuses: OtherRoot(" in done.stdout
        assert "a larger size without a proof, it says WrongPathLength(0, " in done.stdout
        assert "All of it held" in done.stdout
        contracts |= set(re.findall(r"contract AppendOnlyLog (0x\w+)", done.stdout))
    assert len(contracts) == 1
    var = tmp_path / "var"
    receipt = json.loads((var / "receipt.json").read_text())
    (anchor,) = [anchor for anchor in receipt["anchors"] if anchor["kind"] == "evm"]
    assert anchor["evidence"].keys() == {"header", "index", "log", "proof"}
    key = (var / "secrets" / "evm.key").read_text().strip()
    logs = "".join(path.read_text() for path in var.rglob("*.log"))
    assert key not in logs + "".join(done.stdout + done.stderr for done in said)


@pytest.mark.long
def test_a_mock_of_bsns_gateway_is_brought_up_and_called_a_mock(tmp_path: Path) -> None:
    """It carries a block that is checked offline; the next run goes on with the channel."""
    for _ in range(2):
        done = run(tmp_path, 400, LEDGER="bsn")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "a MOCK of BSN's PCN gateway" in done.stdout
        assert "no live network of BSN was asked" in done.stdout
        assert "  [x] Ledger bsn (bsn-fabric): the log of size" in done.stdout
        assert "  [ ] Ledger bsn (bsn-fabric), log of size" in done.stdout
        assert "REFUSED. The evidence of a ledger" in done.stdout
        assert "All of it held" in done.stdout
    var = tmp_path / "var"
    receipt = json.loads((var / "receipt.json").read_text())
    assert {anchor["kind"] for anchor in receipt["anchors"]} == {"file", "bsn-fabric"}
    key = (var / "bsn" / "access.pem").read_text().splitlines()[1]
    logs = "".join(path.read_text() for path in var.rglob("*.log"))
    assert key not in logs + done.stdout + done.stderr
