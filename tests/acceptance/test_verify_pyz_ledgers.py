# SPDX-License-Identifier: Apache-2.0
"""`verify.pyz` reads evidence of chains without any package, and says what the other kinds need."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from notary.core import canonical
from notary.evidence import MODULES
from notary.local.build_verifier import build
from tests.core.maker import make, trust
from tests.evidence.chain import LEDGER, evm_anchor
from tests.vectors import generate_evm

CASES = Path(generate_evm.__file__).with_name("evm.json")
PROGRAM = """
import json, sys
sys.path.insert(0, {pyz!r})
from notary.core.errors import NotaryError
from notary.core.trust import LedgerTrust
from notary.evidence import __file__ as place, check_evidence
assert {pyz!r} in place
file, told = json.load(sys.stdin), []
for case in file["cases"]:
    anchor, ledger = case["anchor"], case["ledger"]
    listed = LedgerTrust(ledger["id"], ledger["kind"], ledger)
    root = bytes.fromhex(anchor["root"])
    try:
        of = (anchor["evidence"], anchor["size"], root, listed, file["origin"])
        found = check_evidence("evm", *of)
        told.append([None, found.status, dict(found.facts)])
    except NotaryError as error:
        told.append([".".join(filter(None, (error.code, error.facts.get("reason")))), None, None])
json.dump(told, sys.stdout)
"""


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("build") / "verify.pyz")


def run(*arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """A Python without packages and without an environment."""
    command = [sys.executable, "-I", "-S", *arguments]
    return subprocess.run(command, env={}, capture_output=True, **more)


def test_the_single_file_gives_the_same_answers_to_evidence_of_chains(pyz: Path) -> None:
    """To every case of the vectors."""
    text = CASES.read_bytes()
    done = run("-c", PROGRAM.format(pyz=str(pyz)), input=text)
    assert (done.returncode, done.stderr) == (0, b"")
    cases = json.loads(text)["cases"]
    for case, told in zip(cases, json.loads(done.stdout), strict=True):
        found = case.get("found", {"status": None, "facts": None})
        assert (case["desc"], told) == (
            case["desc"],
            [case["wantErr"], found["status"], found["facts"]],
        )


def test_each_kind_is_told_checked_or_what_would_check_it(pyz: Path, tmp_path: Path) -> None:
    """The chain's evidence is read; the others name the command that installs what they need."""
    city = make()
    others = [kind for kind in MODULES if kind != "evm"]
    anchors = [
        city.anchor(0) | {"ledger": kind, "kind": kind, "evidence": {"x": 1}} for kind in others
    ]
    receipt = city.receipt("s1", 1) | {"anchors": [evm_anchor(city, 0), *anchors]}
    listed = [LEDGER, *({"id": kind, "kind": kind} for kind in others)]
    (tmp_path / "r").write_text(canonical.dumps(receipt))
    (tmp_path / "t").write_text(canonical.dumps(trust(ledgers=listed)))
    arguments = [str(pyz), "r", "--trust", "t", "--lang", "en"]
    done = run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    out = done.stdout.decode()
    assert "in block 4242 of the chain eip155:31337" in out.replace("4,242", "4242")
    for kind in others:
        assert f"What would check it: {MODULES[kind][1]}" in out
    done = run(*arguments, "--online", "chain=https://node.example", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"the verifier that asks nobody" in done.stderr
