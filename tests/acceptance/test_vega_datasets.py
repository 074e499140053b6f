# SPDX-License-Identifier: Apache-2.0
"""
73 files of US agencies go in as the Data Package that they are: npm `vega-datasets` 3.2.1.

Each declared hash that doesn't match is told (none is the file's SHA-1: all are ids of git
blobs); every CSV and JSON table gets versions, receipts of rows and a check of the whole file.
"""

import io
import json
import tarfile
import zipfile
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notary.core.receipt import verify_receipt
from notary.core.row_profiles import row_cutter
from notary.local.npm import NpmPackage
from tests.acceptance.sealers import ROOT
from tests.api.city import City
from tests.usecases.world import World

pytestmark = pytest.mark.needs("npm")
VEGA = NpmPackage(
    "vega-datasets@3.2.1",
    "vega-datasets-3.2.1.tgz",
    "sha512-lTSwZA6yq6qSU2YZm+6bqILiIvTPPxn4itir7jPGFmHIdPvUfQ9pCzzcrklYywMJgLUbaIeSkZQdiJd6wBxPug==",
)
RESOURCES = 73
LARGEST = 1_000_000
"""Files of more bytes go in in long runs alone."""
OBJECTS = {"topojson", "geojson"}
"""JSON files that are one object by their format, and so no tables."""


def data_package(archive: Path) -> tuple[bytes, dict[str, bytes]]:
    """The package as one ZIP file, its files where its descriptor says that they are."""
    files: dict[str, bytes] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member)
            name = member.name.removeprefix("package/").removeprefix("data/")
            if file is not None and (member.name.startswith("package/data/") or "/" not in name):
                files[name] = file.read()
    descriptor = json.loads(files["datapackage.json"])
    wanted = {"datapackage.json", *(resource["path"] for resource in descriptor["resources"])}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name in sorted(wanted):
            packed.writestr(name, files[name])
    return out.getvalue(), {name: files[name] for name in wanted}


@pytest.fixture(scope="module")
def package() -> tuple[bytes, dict[str, bytes]]:
    """The ZIP file and the files in it."""
    return data_package(VEGA.fetch(ROOT / "var" / "data"))


def lines(data: bytes) -> Iterator[Any]:
    """An answer of NDJSON."""
    return map(json.loads, data.splitlines())


def test_the_whole_package_goes_in_and_every_table_is_proved(
    world: World, package: tuple[bytes, dict[str, bytes]], long: bool
) -> None:
    """Hashes told, versions made, rows and whole files verified; the audit is clean."""
    packed, files = package
    assert len(files) == RESOURCES + 1
    if not long:
        files = {name: file for name, file in files.items() if len(file) <= LARGEST}
        packed = repacked(files, [name for name in files if name != "datapackage.json"])
    resources = len(files) - 1
    city = City(world)
    city.open_dataset("vega")
    answer = city.post("/v1/datasets/vega/packages", packed, key=city.key, type="application/zip")
    assert answer.status_code == 202, answer.data
    whole, *told = lines(answer.data)
    assert (whole["version"], whole["profile"]) == (1, "none")
    assert len(told) == resources > 50
    assert [one.get("refused") for one in told] == [None] * resources
    assert [one.get("rows_refused") for one in told] == [None] * resources
    assert [one["hash"]["result"] for one in told] == ["git-blob-id"] * resources
    assert all("bytes" not in one for one in told)  # the declared sizes are right
    world.settle()
    trust = city.ask("/trust.json").data
    kinds: Counter[str] = Counter()
    rows = proofs = 0
    for one in told:
        file = files[one["path"]]
        ending = one["path"].rpartition(".")[2]
        kinds[f"{ending} {one['profile']}"] += 1
        assert city.ask(one["links"]["file"]).data == file
        receipt = city.ask(one["links"]["receipt"]).data
        verify_receipt(receipt, trust, file)
        cutter = row_cutter(one["profile"])
        wanted = [row for _, row in cutter.feed(file) + cutter.finish()]
        assert len(wanted) == one["rows"]
        rows += len(wanted)
        for number in {0, 1, 255, 256, len(wanted) // 2, len(wanted) - 1} & set(range(len(wanted))):
            path = f"{one['links']['self']}/rows/{number}"
            row = b64decode(city.ask(path).get_json()["bytes_base64"])
            assert row == wanted[number]
            proof = city.ask(f"{path}/receipt").data
            assert len(proof) < 6000 + 2 * len(row)
            verify_receipt(proof, trust, row)
            proofs += 1
    print(f"{resources} files: {dict(kinds)}; {rows:,} rows, {proofs} of them proved")
    assert kinds["csv csv-v1"] == sum(name.endswith(".csv") for name in files) >= 20
    tables = [one for one in told if one["profile"] == "ndjson-v1"]
    objects = [name for name in files if name.endswith(".json") and not is_array(files[name])]
    jsons = sum(name.endswith(".json") for name in files)
    assert len(tables) + len(objects) == jsons > 35  # the descriptor is an object too
    assert world.audit().findings == ()


def is_array(file: bytes) -> bool:
    """Whether a JSON file is a table."""
    return isinstance(json.loads(file), list)


def test_the_same_package_again_makes_no_version(
    world: World, package: tuple[bytes, dict[str, bytes]]
) -> None:
    """Nor with one file changed more than one."""
    _, files = package
    names = ["stocks.csv", "cars.json"]
    small = repacked(files, names)
    city = City(world)
    city.open_dataset("vega")
    counts = []
    for body in (small, small, repacked({**files, "cars.json": b"[1]"}, names)):
        answer = city.post("/v1/datasets/vega/packages", body, key=city.key, type="application/zip")
        told = list(lines(answer.data))
        counts.append([one["duplicate"] for one in told])
    assert counts[:2] == [[False] * 3, [True] * 3]
    assert sorted(counts[2]) == [False, False, True]  # the package, and that file


def repacked(files: dict[str, bytes], names: list[str]) -> bytes:
    """A package of some of the files."""
    descriptor = json.loads(files["datapackage.json"])
    descriptor["resources"] = [one for one in descriptor["resources"] if one["path"] in names]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("datapackage.json", json.dumps(descriptor))
        for name in names:
            packed.writestr(name, files[name])
    return out.getvalue()
