# SPDX-License-Identifier: Apache-2.0
"""The contract that is shipped is what Solidity's compiler makes of the source that is shown."""

import shutil
from pathlib import Path

import pytest

from notary.local.build_contract import ARTEFACT, FETCHED, SOURCE, compiled, main
from notary.local.errors import LocalError, PartMissing

TEXT = SOURCE.read_text(encoding="utf-8")


@pytest.mark.needs("npm")
def test_the_artefact_is_what_the_compiler_makes_of_the_source() -> None:
    """To the byte; after a change of the source: `make contract`."""
    assert compiled(TEXT) == ARTEFACT.read_text(encoding="utf-8")


@pytest.mark.needs("npm")
def test_another_source_is_another_artefact() -> None:
    """By one unit of a bound; so the test above would see it."""
    other = compiled(TEXT.replace("MAX_PATH = 63", "MAX_PATH = 64"))
    assert other != ARTEFACT.read_text(encoding="utf-8")


@pytest.mark.needs("npm")
@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("pragma solidity 0.8.37", "pragma solidity 0.8.36", "requires different compiler version"),
        ("bytes32 sr = fr;", "bytes32 sr = fr; uint256 unused;", "Unused local variable"),
    ],
)
def test_what_the_compiler_says_is_told(old: str, new: str, says: str) -> None:
    """Errors, and warnings too: with none of them a contract is shipped."""
    assert old in TEXT
    with pytest.raises(LocalError, match=says):
        compiled(TEXT.replace(old, new))


def test_without_node_the_reader_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence, and the artefact stays."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(PartMissing, match="apt-get install n"):
        compiled(TEXT)


def test_a_failed_build_leaves_the_artefact(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """`make contract` ends with the sentence and with 1."""
    before = ARTEFACT.read_bytes()
    monkeypatch.chdir(tmp_path)
    (tmp_path / FETCHED).mkdir(parents=True)
    (tmp_path / FETCHED / "solc-0.8.37.tgz").write_bytes(b"not the compiler")
    assert main() == 1
    assert "is not the archive that is expected" in capsys.readouterr().err
    assert ARTEFACT.read_bytes() == before
