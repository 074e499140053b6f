# SPDX-License-Identifier: Apache-2.0
"""`notary verify --online`: what its user is told of what a node said."""

import json
from pathlib import Path

import pytest

from notary import cli
from notary.core import canonical
from notary.verifier import command as verifier
from tests.core.maker import trust
from tests.evidence.chain import LEDGER
from tests.evidence.nodes import ANCHOR, CITY, HASH, NUMBER, Node, node

__all__ = ["node"]
RECEIPT = CITY.receipt("s1", 1) | {"anchors": [CITY.anchor(0), ANCHOR]}
TRUST = trust(ledgers=[*trust()["ledgers"], LEDGER])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A receipt and a trust file."""
    (tmp_path / "r.json").write_text(canonical.dumps(RECEIPT))
    (tmp_path / "t.json").write_text(canonical.dumps(TRUST))
    return tmp_path


def verify(folder: Path, *options: str) -> int:
    return cli.main(["verify", f"{folder}/r.json", "--trust", f"{folder}/t.json", *options])


def test_the_verdict_says_what_was_asked_of_whom(
    folder: Path, node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not checked without a node, held with one; its address, which has a key, is not repeated."""
    assert verify(folder, "--lang", "en") == 0
    out = capsys.readouterr().out
    line = next(line for line in out.splitlines() if "chain" in line and "evm" in line)
    assert line.startswith("  [ ]")
    assert HASH in line
    assert "--online chain=URL" in line
    assert verify(folder, "--lang", "en", "--online", f"chain={node.url}") == 0
    out = capsys.readouterr().out
    line = next(line for line in out.splitlines() if "chain" in line and "evm" in line)
    assert line.startswith("  [x]")
    assert "The node 127.0.0.1, which you chose, has this very block" in line
    assert "secret" not in out
    assert verify(folder, "--json", "--online", f"chain={node.url}") == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    held = [check for check in checks if check["code"] == "anchor"][1]
    assert (held["status"], held["facts"]["reason"], held["facts"]["block"]) == (
        "held",
        "online",
        NUMBER,
    )


def test_a_dropped_block_is_refused_in_words(
    folder: Path, node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1; nobody says that the file was tampered with."""
    node.instead["eth_getBlockByNumber"] = {"number": hex(NUMBER), "hash": "0x" + "ab" * 32}
    for language, words in (("en", "another block in the place"), ("zh", "另一个区块")):
        assert verify(folder, "--lang", language, "--online", f"chain={node.url}") == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert words in err
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("file=https://x", "file is none"),
        ("nobody=https://x", "nobody is none"),
        ("chain", "is no address"),
        ("chain=http://node.example/secret", "can't be believed"),
        ("chain=https://x y/secret", "is no address"),
    ],
)
def test_what_can_not_be_asked_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], option: str, words: str
) -> None:
    """In one sentence, and exit code 2: the receipt was not looked at."""
    assert verify(folder, "--lang", "en", "--online", option) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err
    assert "secret" not in err


def test_the_verifier_that_asks_nobody_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That is the one in a single file."""
    options = ["--lang", "en", "--online", "chain=https://x"]
    assert verifier.main([f"{folder}/r.json", "--trust", f"{folder}/t.json", *options]) == 2
    assert "the verifier that asks nobody" in capsys.readouterr().err
