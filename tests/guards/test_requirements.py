# SPDX-License-Identifier: Apache-2.0
"""What is installed is pinned, by hash, from wherever the user's own pip gets it."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z,]+\])?==(\S+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    """The pinned versions of one file."""
    return dict(PIN.findall((ROOT / "requirements" / name).read_text()))


def wanted(group: list[str]) -> set[str]:
    """The names that a list of requirements asks for."""
    names = {re.split(r"[\[<>=!~ ;]", line)[0].lower() for line in group}
    return names - {"city-notary"}


def project() -> dict[str, object]:
    """The table [project] of pyproject.toml."""
    found = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_requirement_is_pinned_by_version_and_hash(path: Path) -> None:
    """No other release, and no other file of that release, can come in its place."""
    text = re.sub(r"\\\n", " ", path.read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert lines
    for line in lines:
        assert PIN.match(line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", line), line


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_requirement_names_a_place(path: Path) -> None:
    """No registry, no address, no folder: the user's own pip knows where to look."""
    for line in path.read_text().splitlines():
        assert "//" not in line, line
        assert not re.search(r"index-url|find-links|trusted-host|file:", line), line


def test_the_locks_hold_everything_that_the_project_asks_for() -> None:
    """After a new dependency, `make lock`."""
    table = project()
    dependencies, extras = table["dependencies"], table["optional-dependencies"]
    assert isinstance(dependencies, list)
    assert isinstance(extras, dict)
    assert wanted([*dependencies, *extras["local"]]) <= set(pins("run.txt"))
    every = [line for extra in extras.values() for line in extra]
    assert wanted([*dependencies, *every]) <= set(pins("dev.txt"))


def test_tests_run_on_what_is_delivered() -> None:
    """A package of both locks has the same version in both."""
    run, dev = pins("run.txt"), pins("dev.txt")
    assert run.items() <= dev.items()


def test_no_requirement_has_an_upper_bound_or_is_merkletools() -> None:
    """Newer releases may be used; the second root can't be a plain dependency (pysha3)."""
    table = project()
    assert table["requires-python"] == ">=3.11"
    text = (ROOT / "pyproject.toml").read_text()
    dependencies, extras = table["dependencies"], table["optional-dependencies"]
    assert isinstance(dependencies, list)
    assert isinstance(extras, dict)
    for line in [*dependencies, *(one for extra in extras.values() for one in extra)]:
        assert not re.search(r"[<~]|==", line), line
        assert "merkletools" not in line
    assert 'license = "Apache-2.0"' in text
