# SPDX-License-Identifier: Apache-2.0
"""Rules for every file of the house."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from notary.offline import PARTS

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "notary",
    "iot_ingest",
    "iot_simulator",
    "schemas",
    "bench",
    "tests",
    "tools",
    ".ci",
    "docs",
)
PACKAGES = ("notary", "iot_ingest", "iot_simulator", "schemas")
LICENCE = "SPDX-License-Identifier: Apache-2.0"
# Written apart, or this file would be the first to break its own rule.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|NotImplemented" r"Error")
# 300 lines ask whether it is two things; this many answer it.
LINES = 400


def files(*suffixes: str, folders: tuple[str, ...] = FOLDERS) -> Iterator[Path]:
    """All files of ours that end so, those at the top included."""
    for path in sorted([*ROOT.iterdir(), *(p for f in folders for p in (ROOT / f).rglob("*"))]):
        if path.is_file() and path.suffix in suffixes and "__pycache__" not in path.parts:
            yield path


def test_the_walk_finds_the_house() -> None:
    """A guard that looks at nothing guards nothing."""
    assert len(list(files(".py"))) > 100
    assert len(list(files(".sql"))) > 3


@pytest.mark.parametrize("suffix", [".py", ".sql", ".sol", ".toml", ".yaml", ".cfg"])
def test_every_source_file_names_its_licence(suffix: str) -> None:
    """One SPDX line at its head; sqlite and notary.toml samples in tests are no sources."""
    bare = [
        str(path.relative_to(ROOT))
        for path in files(suffix)
        if LICENCE not in path.read_text(encoding="utf-8")[:300]
    ]
    assert bare == []


def test_nothing_is_left_unfinished() -> None:
    """What isn't done is an issue, not a mark in the source."""
    marked = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files(".py", ".sql", ".sol", ".sh", ".yaml", ".toml", ".cfg")
        for line in path.read_text(encoding="utf-8").splitlines()
        if UNFINISHED.search(line)
    ]
    assert marked == []


def test_no_source_file_is_two_things() -> None:
    """Small files: a long one is split."""
    long = [
        f"{path.relative_to(ROOT)}: {count} lines"
        for path in files(".py", folders=PACKAGES)
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > LINES
    ]
    assert long == []


def test_every_folder_of_code_is_a_package() -> None:
    """A folder without __init__.py would be missing in the wheel."""
    homeless = {
        str(path.parent.relative_to(ROOT))
        for path in files(".py", folders=PACKAGES)
        if path.parent != ROOT and not (path.parent / "__init__.py").exists()
    }
    assert homeless == set()


def imported(path: Path) -> set[str]:
    """The top names of all that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize(
    "part",
    [
        "notary/core",
        "notary/texts",
        "notary/verifier",
        "notary/remembered.py",
        *(f"notary/{part}" for part in PARTS if part.startswith("evidence/")),
    ],
)
def test_what_must_verify_in_ten_years_imports_the_standard_library_alone(part: str) -> None:
    """Any other package could be gone by then; late imports count too."""
    ours = ("notary.core", "notary.texts", "notary.verifier", "notary.remembered")
    ours += ("notary.evidence",) if part.startswith("notary/evidence/") else ()
    found = [ROOT / part] if part.endswith(".py") else sorted((ROOT / part).rglob("*.py"))
    assert found
    for path in found:
        for name in imported(path):
            allowed = name.split(".")[0] in sys.stdlib_module_names or name.startswith(ours)
            assert allowed or name == "notary", f"{path} imports {name}"
