# SPDX-License-Identifier: Apache-2.0
"""Data Packages over HTTP: each resource a version, and no trick of a ZIP file works."""

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from notary.core.receipt import verify_receipt
from tests.api.city import City, problem_of
from tests.usecases.world import new_department

ZIP = "application/zip"
TABLE = b"id,name\n1,a\n2,b\n"


def packed(
    resources: Any, files: dict[str, bytes] | None = None, descriptor: bytes | None = None
) -> bytes:
    """A ZIP file with a descriptor of these resources."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        text = json.dumps({"name": "p", "resources": resources}).encode()
        archive.writestr("datapackage.json", text if descriptor is None else descriptor)
        for name, data in (files if files is not None else {"t.csv": TABLE}).items():
            archive.writestr(name, data)
    return out.getvalue()


def hand_in(city: City, body: bytes, dataset: str = "weather", key: str | None = None) -> Any:
    """Post a package; its answer."""
    return city.post(f"/v1/datasets/{dataset}/packages", body, key=key or city.key, type=ZIP)


def told(city: City, body: bytes, dataset: str = "weather", key: str | None = None) -> list[Any]:
    """What was answered, line by line."""
    answer = hand_in(city, body, dataset, key)
    assert answer.status_code == 202, answer.data
    return [json.loads(line) for line in answer.data.splitlines()]


def one(city: City, resource: Any, **more: Any) -> Any:
    """What became of the only resource of a package."""
    city.open_dataset()
    _, found = told(city, packed([resource], **more))
    return found


def test_each_resource_is_a_version_of_its_own_dataset(city: City) -> None:
    """With the package's receipt and its own; the next package brings the next versions."""
    city.open_dataset(licence="CC0")
    resources = [
        {"name": "air", "path": "t.csv", "title": "Air quality", "bytes": len(TABLE)},
        {"name": "notes", "path": "sub/notes.pdf", "mediatype": "application/pdf"},
        {"name": "lines", "path": "l.ndjson", "mediatype": "text/json"},
    ]
    files = {"t.csv": TABLE, "sub/notes.pdf": b"%PDF", "l.ndjson": b"[1,2,3]"}
    body = packed(resources, files)
    whole, air, notes, lines = told(city, body)
    assert whole["digest"] == hashlib.sha256(body).hexdigest()
    assert (air["dataset"], air["profile"], air["rows"]) == ("weather.air", "csv-v1", 3)
    assert (notes["dataset"], notes["profile"]) == ("weather.notes", "none")
    assert (lines["profile"], lines["rows"]) == ("ndjson-v1", 3)
    assert "hash" not in air
    assert "bytes" not in air
    shown = city.ask("/v1/datasets/weather.air", key=city.key).get_json()
    assert (shown["label"], shown["licence"], shown["open"]) == ("Air quality", "CC0", True)
    city.world.settle()
    trust = city.ask("/trust.json").data
    verify_receipt(city.ask(air["links"]["receipt"]).data, trust, TABLE)
    verify_receipt(city.ask(whole["links"]["receipt"]).data, trust, body)
    assert city.ask(air["links"]["self"]).get_json()["name"] == "t.csv"
    again = told(city, packed(resources, {**files, "t.csv": TABLE + b"3,c\n"}))
    assert [line["version"] for line in again] == [2, 2, 1, 1]
    assert [line["duplicate"] for line in again] == [False, False, True, True]
    assert city.world.audit().findings == ()


def test_resources_of_a_closed_dataset_are_closed(city: City) -> None:
    """Under random ids, which the same resource finds again."""
    closed = city.closed_dataset()
    resource = {"name": "air", "path": "t.csv"}
    _, first = told(city, packed([resource]), closed)
    _, again = told(city, packed([resource], {"t.csv": b"x\n"}), closed)
    assert first["dataset"] == again["dataset"]
    assert first["dataset"].startswith("d.")
    assert again["version"] == 2
    problem_of(city.ask(first["links"]["self"], key=city.other_key), 404, "not-found")
    assert city.ask(first["links"]["self"], key=city.key).status_code == 200


BLOB = hashlib.sha1(b"blob %d\0" % len(TABLE) + TABLE).hexdigest()
HASHES = {
    hashlib.md5(TABLE).hexdigest(): "matches",
    "md5:" + hashlib.md5(TABLE).hexdigest().upper(): "matches",
    "sha1:" + hashlib.sha1(TABLE).hexdigest(): "matches",
    "sha256:" + hashlib.sha256(TABLE).hexdigest(): "matches",
    "SHA-256:" + hashlib.sha256(TABLE).hexdigest(): "matches",
    "sha512:" + hashlib.sha512(TABLE).hexdigest(): "matches",
    "sha1:" + BLOB: "git-blob-id",
    "sha1:" + "0" * 40: "differs",
    hashlib.md5(b"").hexdigest(): "differs",
    "sha256:" + hashlib.sha1(TABLE).hexdigest(): "unknown",
    hashlib.sha256(TABLE).hexdigest(): "unknown",
    "crc32:00000000": "unknown",
    "sha1:": "unknown",
    "": "unknown",
    "no hash": "unknown",
}


@pytest.mark.parametrize("declared", HASHES)
def test_a_declared_hash_is_compared_and_told(city: City, declared: str) -> None:
    """It matches, differs, is git's id of the file, or is none that is known."""
    found = one(city, {"name": "air", "path": "t.csv", "hash": declared})["hash"]
    assert (found["declared"], found["result"]) == (declared, HASHES[declared])
    assert (found["found"] is None) == (found["result"] == "unknown")


def test_a_declared_size_that_is_wrong_is_told(city: City) -> None:
    """Beside the real one."""
    found = one(city, {"name": "air", "path": "t.csv", "bytes": 7})
    assert found["bytes"] == {"declared": 7, "found": len(TABLE)}


def test_a_table_that_cannot_be_cut_is_a_version_without_rows(city: City) -> None:
    """And it is told why; its hash is compared all the same."""
    bad = b'a,b\n1,x"y\n'
    declared = "sha256:" + hashlib.sha256(bad).hexdigest()
    resource = {"name": "air", "path": "t.csv", "hash": declared}
    found = one(city, resource, files={"t.csv": bad})
    assert (found["profile"], found["version"]) == ("none", 1)
    assert "Row 1" in found["rows_refused"]
    assert found["hash"]["result"] == "matches"


@pytest.mark.parametrize(
    "path",
    [
        *("../t.csv", "/t.csv", "a/../t.csv", "a//b", ".", "", "http://x.example/t.csv"),
        *("file:///etc/passwd", ["t.csv", "t.csv"], 7, None, {"a": 1}, "a\x7fb", "t.csv/"),
    ],
)
def test_nothing_outside_of_the_package_is_a_resource(city: City, path: object) -> None:
    """Neither a path that leads out, nor an address, nor several files; nothing is fetched."""
    found = one(city, {"name": "air", "path": path})
    assert found["refused"] == "resource-refused"
    assert "not one file inside" in found["detail"]


@pytest.mark.parametrize("resource", [7, None, [], {}, {"name": "x"}, {"name": "x", "data": [1]}])
def test_what_is_no_resource_is_refused(city: City, resource: object) -> None:
    """And costs only itself."""
    city.open_dataset()
    _, bad, good = told(city, packed([resource, {"name": "air", "path": "t.csv"}]))
    assert bad["refused"] == "resource-refused"
    assert good["version"] == 1


def test_a_file_that_is_not_there_and_a_name_twice_are_refused(city: City) -> None:
    """Each with its sentence."""
    city.open_dataset()
    resource = {"name": "air", "path": "t.csv"}
    _, first, twice, missing = told(
        city, packed([resource, resource, {"name": "x", "path": "none.csv"}])
    )
    assert "refused" not in first
    assert "twice" in twice["detail"]
    assert "none.csv" in missing["detail"]


def damage(body: bytes, change: Callable[[bytearray, int], None]) -> bytes:
    """Change the local header or data of `t.csv`, whose place is given."""
    changed = bytearray(body)
    change(changed, body.index(b"PK\x03\x04", 4))
    return bytes(changed)


DAMAGES: dict[str, Callable[[bytearray, int], None]] = {
    "data": lambda body, at: body.__setitem__(at + 37, body[at + 37] ^ 0x55),
    "name": lambda body, at: body.__setitem__(at + 30, 0x7A),
    "end": lambda body, at: body.__setitem__(slice(at + 45, at + 48), b"\xff\xff\xff"),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_file_of_a_package_is_refused(city: City, what: str) -> None:
    """Its check sum, its header or its packing is wrong."""
    city.open_dataset()
    body = damage(packed([{"name": "air", "path": "t.csv"}]), DAMAGES[what])
    _, found = told(city, body)
    assert found["refused"] == "resource-refused"
    assert city.ask("/v1/datasets/weather.air/versions").get_json()["items"] == []


def test_a_file_that_swells_is_refused(city: City) -> None:
    """Packed small, unpacked larger than the limit: nothing of it stays."""
    services = city.app.extensions["city-notary"]
    object.__setattr__(services, "max_version_bytes", 1 << 20)
    city.open_dataset()
    files = {"t.csv": b"a\n" * (1 << 20), "s.csv": TABLE}
    resources = [{"name": "air", "path": "t.csv"}, {"name": "small", "path": "s.csv"}]
    _, bad, good = told(city, packed(resources, files))
    assert "larger" in bad["detail"]
    assert good["version"] == 1
    assert city.world.rows("SELECT 1 FROM uploads") == []


def huge_directory() -> bytes:
    """The end of a ZIP file that says that its directory has 4 GiB."""
    return b"x" * 100 + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 0xFFFFFFF0, 0, 0)


def huge_directory_64() -> bytes:
    """The same in the form for large files."""
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 1 << 40, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    return record + locator + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 9, 0, 0)


NO_PACKAGES = {
    "nothing": (b"", "no ZIP file"),
    "text": (b"a,b\n", "no ZIP file"),
    "the beginning of one": (packed([])[:60], "no ZIP file"),
    "its end alone": (b"PK\x05\x06" + bytes(18), "no datapackage.json"),
    "a huge directory": (huge_directory(), "too many"),
    "a huge directory of 64 bits": (huge_directory_64(), "too many"),
    "no resources": (packed([]), "no list"),
    "1,001 resources": (packed([{}] * 1001), "no list"),
    "resources that are none": (packed({"a": 1}), "no list"),
    "no JSON": (packed([], descriptor=b"{"), "can't be read"),
    "a list": (packed([], descriptor=b"[]"), "can't be read"),
    "deep JSON": (packed([], descriptor=b"[" * 100_000), "can't be read"),
    "a huge descriptor": (packed([], descriptor=b" " * (9 << 20)), "can't be read"),
}


@pytest.mark.parametrize("what", NO_PACKAGES)
def test_what_is_no_package_is_no_version_either(city: City, what: str) -> None:
    """Refused whole, in words, with nothing left of it."""
    city.open_dataset()
    body, words = NO_PACKAGES[what]
    problem = problem_of(hand_in(city, body), 422, "package-refused")
    assert words in problem["detail"]
    assert city.world.rows("SELECT 1 FROM versions UNION ALL SELECT 1 FROM uploads") == []


def test_only_a_zip_file_is_taken(city: City) -> None:
    """Any other media type is refused before a byte is read."""
    city.open_dataset()
    answer = city.post("/v1/datasets/weather/packages", b"{}", key=city.key)
    problem_of(answer, 415, "unsupported-media-type")


def test_a_key_that_may_not_make_datasets_fills_those_that_are_there(city: City) -> None:
    """For a new one it is told which scope is missing; of others' datasets none is touched."""
    city.open_dataset()
    resources = [{"name": "air", "path": "t.csv"}]
    told(city, packed(resources))
    pool, now = city.world.pool, city.world.now
    from notary.usecases import api_keys

    writer = api_keys.add_key(pool, api_keys.NewKey("water-works", ["write"], days=9), now)
    files = {"t.csv": TABLE + b"3,c\n", "u.csv": TABLE}
    body = packed([*resources, {"name": "new", "path": "u.csv"}], files)
    _, air, new = told(city, body, key=writer)
    assert air["version"] == 2
    assert new["refused"] == "scope-missing"
    stranger = new_department(pool, "harbour", now)
    made = city.post(
        "/v1/datasets", {"id": "weather.new", "label": "x", "open": True}, key=stranger
    )
    assert made.status_code == 201
    _, _, new = told(city, packed([*resources, {"name": "new", "path": "t.csv"}]))
    assert new["refused"] == "name-taken"
    problem_of(hand_in(city, body, key=stranger), 404, "not-found")
