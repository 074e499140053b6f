# SPDX-License-Identifier: Apache-2.0
"""Batches, anchors, and the log as tlog-tiles: what monitors and mirrors read."""

import gzip
import json

import pytest

from notary.core.checkpoint import open_checkpoint
from notary.core.descriptor import parse_descriptor
from notary.core.hashing import leaf_hash
from notary.core.ledger_entry import parse_entry
from notary.core.note import open_note
from notary.core.runs import check_run_list, parse_run, run_leaf
from notary.core.tiles import entries_path, parse_bundle, root_from_tiles, tile_path
from notary.core.tree import root
from tests.api.city import City, problem_of

FOREVER = "public, max-age=31536000, immutable"


def grow(city: City, batches: int) -> None:
    """A log of that many signed batches."""
    for number in range(batches):
        city.record("weather", source=f"s{number % 3}", text=f"reading {number}")
        city.world.pass_by(1)
        city.world.seal()
    city.world.sign()


def test_the_tiles_give_the_root_of_the_checkpoint(city: City) -> None:
    """Every tile under the signed size is served, and together they give the signed root."""
    city.open_dataset()
    grow(city, 5)
    answer = city.ask("/log/checkpoint")
    assert answer.mimetype == "text/plain"
    vkey = json.loads(city.ask("/trust.json").data)["logs"][0]["key"]
    checkpoint, _ = open_checkpoint(answer.data, [vkey])
    assert checkpoint.size == 5

    def read(level: int, index: int, width: int) -> bytes:
        tile = city.ask(f"/log/{tile_path(level, index, width)}")
        assert tile.status_code == 200
        assert tile.mimetype == "application/octet-stream"
        assert tile.headers["Cache-Control"] == FOREVER
        return tile.data

    assert root_from_tiles(read, 5) == checkpoint.root


def test_entries_are_the_descriptors(city: City) -> None:
    """The hash of each entry is the leaf in the tile."""
    city.open_dataset()
    grow(city, 3)
    entries = parse_bundle(city.ask(f"/log/{entries_path(0, 3)}").data)
    tile = city.ask(f"/log/{tile_path(0, 0, 3)}").data
    assert b"".join(leaf_hash(entry) for entry in entries) == tile
    for index, entry in enumerate(entries):
        assert parse_descriptor(entry.decode()).number == index
        assert city.ask(f"/v1/batches/{index}").get_json()["descriptor"] == entry.decode()


def test_nothing_beyond_the_signed_size_is_served(city: City) -> None:
    """A sealed batch shows in the tiles only once it is signed; earlier widths stay."""
    city.open_dataset()
    grow(city, 2)
    city.record("weather", text="later")
    city.world.seal()
    assert city.world.size() == 3
    for path in (tile_path(0, 0, 3), entries_path(0, 3), tile_path(0, 0, 256), tile_path(1, 0, 1)):
        assert city.ask(f"/log/{path}").status_code == 404
    for width in (1, 2):
        assert len(city.ask(f"/log/{tile_path(0, 0, width)}").data) == 32 * width


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/02",
        "tile/00/000",
        "tile/0/000/",
        "tile/0/000.p/1/",
        "tile/0/x000/000",
        "tile/0/0000",
        "tile/-1/000",
        "tile/entries/0",
        "tile/entries/000.p/257",
        "tile/entries/x000/000",
        "tile/entries/",
        "tile/0/000.p/1?x",
        "tile/0/%30%30%30%2ep/1%0a",
    ],
)
def test_a_tile_has_one_name(city: City, path: str) -> None:
    """Other spellings of a tile's name are no names."""
    city.open_dataset()
    grow(city, 1)
    expected = 200 if path == "tile/0/000.p/1?x" else 404
    assert city.ask(f"/log/{path}").status_code == expected


def test_a_batch_is_published_whole(city: City) -> None:
    """Run list and leaf hashes give the roots in the descriptor."""
    city.open_dataset()
    city.world.add("weather", 600, sources=5)
    city.world.settle()
    batch = city.ask("/v1/batches/0").get_json()
    descriptor = parse_descriptor(batch["descriptor"])
    assert leaf_hash(batch["descriptor"].encode()).hex() == batch["leaf"]
    leaves = city.ask(batch["links"]["leaves"])
    assert len(leaves.data) == 32 * 600
    hashes = [leaves.data[at : at + 32] for at in range(0, len(leaves.data), 32)]
    assert root(hashes) == descriptor.root
    lines = city.ask(batch["links"]["runs"]).get_data(as_text=True).splitlines()
    assert root([run_leaf(line) for line in lines]) == descriptor.runs
    check_run_list([parse_run(line) for line in lines], 600)
    assert leaves.headers["Cache-Control"] == FOREVER


def test_long_run_lists_and_leaves_come_in_parts(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that is read in many parts is the same batch."""
    city.open_dataset()
    city.world.add("weather", 900, sources=40)
    city.world.settle()
    whole = [city.ask(f"/v1/batches/0/{part}").data for part in ("runs", "leaves")]
    monkeypatch.setattr("notary.usecases.look.RUNS_AT_ONCE", 7)
    monkeypatch.setattr("notary.usecases.look.TILES_AT_ONCE", 1)
    assert [city.ask(f"/v1/batches/0/{part}").data for part in ("runs", "leaves")] == whole
    assert whole[0].count(b"\n") == 40


def test_a_closed_datasets_batch_shows_no_name(city: City) -> None:
    """Of a closed dataset a batch shows a random id, tags, counts, hashes and times."""
    closed = city.closed_dataset(random_sources=True)
    city.record(closed, source="mrs-smith", text="1200", key="wage-7")
    city.world.settle()
    shown = (
        b"".join(city.ask(f"/v1/batches/0{part}").data for part in ("", "/runs", "/leaves"))
        + city.ask(f"/log/{entries_path(0, 1)}").data
    )
    for secret in (b"mrs-smith", b"1200", b"wage-7", b"Wages", b"water works"):
        assert secret not in shown


def test_states_of_a_batch_are_told_apart(city: City) -> None:
    """Sealed, signed, anchored; and a batch that isn't there."""
    city.open_dataset()
    city.record("weather")
    city.world.seal()
    assert city.ask("/v1/batches/0").get_json()["signed"] is None
    city.world.sign()
    city.world.anchor()
    batch = city.ask("/v1/batches/0").get_json()
    assert batch["signed"]["size"] == 1
    assert batch["anchored"] == [{"ledger": "file", "size": 1, "own_word": True}]
    problem_of(city.ask("/v1/batches/1"), 404, "not-found")
    problem_of(city.ask("/v1/batches/1/runs"), 404, "not-found")


@pytest.mark.parametrize(("language", "word"), [("en", "no outside party"), ("zh", "\u6ca1\u6709")])
def test_the_file_ledger_is_called_our_own_word(city: City, language: str, word: str) -> None:
    """An anchor in the file ledger says that nobody outside has confirmed it."""
    city.open_dataset()
    for _ in range(3):
        grow(city, 1)
        city.world.anchor()
    answer = city.ask(f"/v1/anchors?limit=2&lang={language}")
    page = answer.get_json()
    assert [item["size"] for item in page["items"]] == [3, 2]
    for item in page["items"]:
        assert item["own_word"] is True
        assert word in item["meaning"]
    rest = city.ask(f"/v1/anchors?cursor={page['next']}").get_json()
    assert [item["size"] for item in rest["items"]] == [1]
    assert rest["next"] is None


def test_an_anchors_evidence_is_the_ledgers_note(city: City) -> None:
    """The evidence is signed with the file ledger's key and names this size and root."""
    city.open_dataset()
    grow(city, 1)
    city.world.anchor()
    (item,) = city.ask("/v1/anchors").get_json()["items"]
    trust = json.loads(city.ask("/trust.json").data)
    entry = parse_entry(open_note(item["evidence"]["note"], [trust["ledgers"][0]["key"]]).text)
    assert (entry.size, entry.root.hex()) == (item["size"], item["root"])


def test_one_anchor_is_told_with_its_facts_and_without_secrets(city: City) -> None:
    """Kind, whether it is required, attempts; neither reference nor what the ledger said."""
    city.open_dataset()
    grow(city, 1)
    city.world.anchor()
    city.world.change("UPDATE anchors SET error = 'secret'")
    item = city.ask("/v1/anchors/file/1").get_json()
    assert item == city.ask("/v1/anchors").get_json()["items"][0]
    told = {name: item[name] for name in ("ledger", "kind", "size", "state", "attempts")}
    assert told == {
        "ledger": "file",
        "kind": "file",
        "size": 1,
        "state": "verified",
        "attempts": 1,
    }
    assert (item["required"], item["own_word"], item["refused"]) == (True, True, False)
    assert "secret" not in json.dumps(item)
    assert item.keys().isdisjoint({"reference", "error"})
    for where in ("file/2", "nowhere/1"):
        problem_of(city.ask(f"/v1/anchors/{where}"), 404, "not-found")


def test_what_the_other_specification_says_of_headers(city: City) -> None:
    """C2SP tlog-tiles: types, short and long caching, HEAD, and 404s that nobody keeps."""
    city.open_dataset()
    grow(city, 2)
    answer = city.ask("/log/checkpoint")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=2"
    for path in (tile_path(0, 0, 2), tile_path(0, 0, 1), entries_path(0, 2), entries_path(0, 1)):
        found = city.ask(f"/log/{path}")
        assert found.headers["Content-Type"] == "application/octet-stream"
        assert found.headers["Cache-Control"] == FOREVER
        head = city.ask(f"/log/{path}", method="HEAD")
        assert (head.status_code, head.data) == (200, b"")
        assert head.headers["Content-Length"] == str(len(found.data))
    for path in (tile_path(0, 0, 3), tile_path(0, 0, 256), entries_path(0, 3), tile_path(1, 0, 1)):
        missing = city.ask(f"/log/{path}")
        assert (missing.status_code, missing.headers["Cache-Control"]) == (404, "no-store")


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        (None, False),
        ("", False),
        ("identity", False),
        ("gzip", True),
        ("gzip, identity", True),
        ("br, gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("br", False),
    ],
)
def test_bundles_are_compressed_for_whoever_takes_gzip(
    city: City, accepted: str | None, packed: bool
) -> None:
    """The same bytes under the encoding; a cache keeps the two apart."""
    city.open_dataset()
    grow(city, 3)
    path = f"/log/{entries_path(0, 3)}"
    plain = city.ask(path)
    answer = city.ask(path, headers={} if accepted is None else {"Accept-Encoding": accepted})
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers.get("Content-Encoding") == ("gzip" if packed else None)
    assert (gzip.decompress(answer.data) if packed else answer.data) == plain.data
    assert (len(answer.data) < len(plain.data)) == packed
    assert (answer.headers["ETag"] == plain.headers["ETag"]) != packed
    again = city.ask(
        path,
        headers={"Accept-Encoding": accepted or "", "If-None-Match": answer.headers["ETag"]},
    )
    assert (again.status_code, again.headers["Vary"]) == (304, "Accept-Encoding")


def test_a_tile_has_the_width_that_a_tree_of_that_size_gives_it(city: City) -> None:
    """No partial tile beside a full one is demanded; none is empty; none is too wide."""
    city.open_dataset()
    grow(city, 2)
    for width in ("0", "256", "257", "999", "-1", "1.0", "01"):
        for kind in ("0", "entries"):
            assert city.ask(f"/log/tile/{kind}/000.p/{width}").status_code == 404
