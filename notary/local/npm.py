# SPDX-License-Identifier: Apache-2.0
"""Data sets that ship as npm packages: fetched by `npm pack`, never installed, checked always."""

import base64
import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from notary.local.errors import PartMissing

PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """
    One version of a package: its name with the version, its archive's name, and what the
    archive's bytes must hash to, as npm writes it.
    """

    name: str
    archive: str
    integrity: str

    def fetch(self, folder: Path) -> Path:
        """
        The archive in `folder`, fetched if it isn't there; its bytes are checked always.

        Raises:
            PartMissing: npm can't get it, or what it got isn't what is expected.
        """
        folder = folder.resolve()  # npm runs in another one
        archive = folder / self.archive
        if not archive.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder) as fresh:
                self._pack(Path(fresh))
                self._check(Path(fresh) / self.archive)
                (Path(fresh) / self.archive).replace(archive)
        self._check(archive)
        return archive

    def _pack(self, folder: Path) -> None:
        npm = shutil.which("npm")
        if npm is None:
            raise PartMissing("npm was not found: apt-get install npm.")
        command = [npm, "pack", self.name, "--ignore-scripts", "--loglevel=error"]
        try:
            done = subprocess.run(
                [*command, f"--pack-destination={folder}"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PartMissing(f"npm did not fetch {self.name} in {PATIENCE_SECONDS} s.") from None
        if done.returncode or not (folder / self.archive).exists():
            raise PartMissing(f"{self.name} can't be fetched by npm:\n{done.stderr.strip()}")

    def _check(self, archive: Path) -> None:
        """Compare the digest, whoever brought the file."""
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != self.integrity:
            raise PartMissing(
                f"{archive} is not the archive that is expected: it hashes to sha512-{digest}, "
                f"and should to {self.integrity}. Remove it, and it is fetched anew."
            )
