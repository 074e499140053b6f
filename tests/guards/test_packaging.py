# SPDX-License-Identifier: Apache-2.0
"""The wheel holds all that the notary needs at work, and nothing else."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("notary", "iot_ingest", "iot_simulator", "schemas")
SOURCES = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel that was built of a clean copy, with no network."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        shutil.copy(ROOT / name, folder)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet",
         "--no-deps", "--no-build-isolation", "--no-index", "-w", folder / "dist", folder],
        capture_output=True,
        text=True,
        cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (folder / "dist").glob("city_notary-*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def test_every_file_of_the_packages_is_in_the_wheel(wheel: set[str]) -> None:
    """Queries, migrations, catalogues, templates and styles too."""
    ours = {
        str(path.relative_to(ROOT))
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {Path(name).suffix for name in ours} >= {".py", ".sql", ".json", ".html"}
    assert ours - wheel == set()


def test_nothing_else_is_in_the_wheel(wheel: set[str]) -> None:
    """No tests, no state, no secrets of who built it."""
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_licence_travels_with_it(wheel: set[str]) -> None:
    """Apache-2.0 demands a copy for everyone who gets the work."""
    assert any(name.endswith("/licenses/LICENSE") for name in wheel)
