# SPDX-License-Identifier: Apache-2.0
"""The archive of the motes: nothing but the expected bytes is ever read."""

from pathlib import Path

import pytest

from notary.local import motes
from notary.local.errors import PartMissing


def npm(folder: Path, does: str) -> Path:
    """A program of that name that does something else."""
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    return folder


def test_an_archive_that_was_exchanged_is_refused(tmp_path: Path) -> None:
    """One other bit, or another file under its name."""
    (tmp_path / motes.ARCHIVE).write_bytes(b"something else")
    with pytest.raises(PartMissing, match="not the archive that is expected"):
        motes.fetch_motes(tmp_path)


@pytest.mark.parametrize(
    ("does", "told"),
    [
        (f"echo other > {motes.ARCHIVE}", "not the archive that is expected"),
        ("echo 'no such package' >&2; exit 1", "no such package"),
        ("exit 0", "can't be fetched"),
    ],
)
def test_what_npm_brings_is_kept_only_if_it_is_the_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, told: str
) -> None:
    """Another archive, a failure, nothing at all: a sentence, and no file stays."""
    monkeypatch.setenv("PATH", f"{npm(tmp_path, does)}:/usr/bin:/bin")
    with pytest.raises(PartMissing, match=told):
        motes.fetch_motes(tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


def test_without_npm_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PartMissing, match="apt-get install npm"):
        motes.fetch_motes(tmp_path / "data")
