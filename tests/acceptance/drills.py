# SPDX-License-Identifier: Apache-2.0
"""The drills of docs/operations.md: their very lines, in one shell's surroundings."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.acceptance.test_docs import matches, steps
from tests.usecases.world import World

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def lines_of(name: str) -> list[tuple[str, str]]:
    """Commands of a drill, each with the output that the page shows."""
    text = PAGE.read_text(encoding="utf-8")
    (body,) = re.findall(rf"^```console {name}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return steps(body)


class Operator:
    """Who pastes the lines, in a folder with the notary's settings in the environment."""

    def __init__(self, world: World, folder: Path, programs: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        bin_folder = folder / "bin"
        bin_folder.mkdir(exist_ok=True)
        notary = bin_folder / "notary"
        notary.write_text(f'#!/bin/sh\nexec {sys.executable} -m notary.cli "$@"\n')
        notary.chmod(0o755)
        path = f"{bin_folder}:{programs}:{os.environ['PATH']}"
        self._env = {**os.environ, **world.env, "PATH": path, "LANG": "C.UTF-8"}
        self._env["PYTHONPATH"] = str(Path(__file__).parents[2])
        (folder / "database.url").write_text(world.env["NOTARY_DATABASE_URL"])

    def run(self, command: str) -> str:
        """Paste one line and return what it says."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        return done.stdout

    def paste(self, name: str, where: str = "", here: str = "") -> None:
        """All lines of a drill; each gives what the page shows. `where` stands as `here`."""
        for command, shown in lines_of(name):
            got = self.run(command.replace(where, here) if where else command)
            assert matches(shown, got), f"{command}\nshows: {shown}\ngave:  {got}"
