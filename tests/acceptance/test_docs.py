# SPDX-License-Identifier: Apache-2.0
"""
The lines to paste that open each page for users, run as they stand against a real notary.

In a `console` block a line that begins with `$ ` is run in one shell for the page, the
others are its output; `…` stands for what differs from run to run. A `python` block with a
file name is that file.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.first_run import PATH, ROOT, FirstRun

pytestmark = pytest.mark.needs("mosquitto")

PAGES = [
    "for-citizens.md",
    "for-departments.md",
    "for-gateways.md",
    "for-gateways/acceptances.md",
    "for-gateways/signing.md",
    "for-gateways/simulator.md",
    "for-other-programs.md",
    "operations.md",
]
BLOCK = re.compile(r"^```(console|python \S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, url: str) -> list[tuple[str, str]]:
    """Kind and text of a page's blocks that are run, with the address of this run."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [
        (kind, body.replace("http://127.0.0.1:8460", url)) for kind, body in BLOCK.findall(text)
    ]


def steps(body: str) -> list[tuple[str, str]]:
    """Commands of a console block with the output that the page shows for each."""
    found: list[tuple[str, list[str]]] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return [(command, "\n".join(output)) for command, output in found]


def matches(shown: str, got: str) -> bool:
    """Whether an output is the one that the page shows."""
    pattern = ".*".join(re.escape(part) for part in shown.split("…"))
    return re.fullmatch(pattern, got.strip(), re.DOTALL) is not None


@pytest.fixture
def folder(first_run: FirstRun) -> Path:
    """Where a reader stands: `var` and `.venv` are beside each other."""
    here = first_run.folder.parent
    link = here / ".venv"
    if not link.exists():
        link.symlink_to(Path(sys.prefix))
    return here


@pytest.mark.parametrize("page", PAGES)
def test_the_lines_of_a_page_do_what_it_shows(page: str, folder: Path, first_run: FirstRun) -> None:
    """Pasted in order, each command gives the output that stands below it."""
    found = blocks(page, first_run.url)
    assert any(kind == "console" for kind, _ in found)
    assert any(kind.startswith("python") for kind, _ in found)
    exports = ""
    for kind, body in found:
        if kind != "console":
            (folder / kind.split()[1]).write_text(body, encoding="utf-8")
            continue
        for command, shown in steps(body):
            if command.startswith("export "):
                exports += f"{command}\n"
                continue
            done = subprocess.run(
                ["bash", "-c", exports + command],
                cwd=folder,
                env={"PATH": PATH, "LANG": "C.UTF-8"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=300,
            )
            assert matches(shown, done.stdout), f"{command}\nshows: {shown}\ngave:  {done.stdout}"


def test_ten_lines_of_python_are_about_ten() -> None:
    """No page asks a newcomer to paste a program."""
    for page in PAGES:
        for kind, body in blocks(page, ""):
            if kind.startswith("python"):
                assert len(body.splitlines()) <= 12
