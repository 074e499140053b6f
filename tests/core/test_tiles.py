# SPDX-License-Identifier: Apache-2.0
"""Tiles are those of C2SP tlog-tiles, and proofs read from them equal the tree's own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notary.core import tiles, tree
from notary.core.errors import MalformedProof, MalformedTile
from notary.core.hashing import EMPTY_ROOT
from notary.core.tree import Tree
from tests.core import reference

LEAVES = reference.made_up_leaves(70_000)
SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 300, 511, 512, 513, 1000]
FULL = Tree(LEAVES)


class Shelf:
    """All tiles of one tree; remembers what was read, and cuts a wider tile as asked."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.tiles = {(level, index): data for level, index, data in tiles.tiles_of(leaves)}
        self.read: list[tuple[int, int, int]] = []

    def __call__(self, level: int, index: int, width: int) -> bytes:
        self.read.append((level, index, width))
        return self.tiles[level, index][: width * 32]


def test_widths_are_those_of_the_specification() -> None:
    """Its example of 70,000 leaves; a complete level has no partial tile."""
    assert tiles.widths(70_000) == [(273, 112), (1, 17), (0, 1)]
    assert tiles.widths(256) == [(1, 0), (0, 1)]
    assert tiles.widths(0) == []


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 1000, 65_536, 70_000])
def test_each_tile_holds_the_roots_of_complete_subtrees(size: int) -> None:
    """Names, widths and hashes follow the specification's formula, level by level."""
    leaves = LEAVES[:size]
    want = {}
    for level, (full, partial) in enumerate(tiles.widths(size)):
        for index in range(full + (partial > 0)):
            width = 256 if index < full else partial
            span = 256**level
            starts = range(index * 256 * span, (index * 256 + width) * span, span)
            roots = [bytes(tree.root(leaves[start : start + span])) for start in starts]
            want[level, index] = b"".join(roots)
    assert Shelf(leaves).tiles == want


def test_tiles_of_a_tree_and_of_its_leaves_are_the_same() -> None:
    """Whoever has the tree already need not build it again."""
    leaves = LEAVES[:1000]
    assert list(tiles.tiles_of(Tree(leaves))) == list(tiles.tiles_of(leaves))


@pytest.mark.parametrize("size", SIZES)
def test_proofs_from_tiles_equal_those_of_the_tree(size: int) -> None:
    """Root, every inclusion path and every consistency path."""
    leaves = LEAVES[:size]
    shelf, kept = Shelf(leaves), Tree(leaves)
    cache: tiles.Cache = {}
    assert tiles.root_from_tiles(shelf, size) == kept.root
    for index in range(size):
        path = tiles.inclusion_path_from_tiles(shelf, index, size, cache=cache)
        assert path == kept.inclusion_path(index)
        path = tiles.consistency_path_from_tiles(shelf, index + 1, size, cache=cache)
        assert path == kept.consistency_path(index + 1)


@pytest.mark.parametrize("height", [1, 4, 8])
@pytest.mark.parametrize("size", [*SIZES, 70_000])
def test_a_path_is_the_same_from_tiles_of_any_height(height: int, size: int) -> None:
    """A store may cut its trees lower than the log's tiles."""
    grown = Tree(LEAVES[:size])

    def read(level: int, index: int, width: int) -> bytes:
        start = index << height
        return b"".join(grown.complete(level * height)[start : start + width])

    for index in {0, size // 3, size - 1}:
        path = tiles.inclusion_path_from_tiles(read, index, size, height=height)
        assert path == grown.inclusion_path(index)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_tiles_of_a_grown_tree_prove_its_earlier_sizes(data: st.DataObject) -> None:
    """Without a cache and with one that serves all sizes, in a tree of 70,000 leaves."""
    size = data.draw(st.integers(1, 70_000))
    index = data.draw(st.integers(0, size - 1))
    earlier = Tree(LEAVES[:size])
    assert tiles.root_from_tiles(GROWN, size) == earlier.root
    for cache in (None, CACHE):
        path = tiles.inclusion_path_from_tiles(GROWN, index, size, cache=cache)
        assert path == earlier.inclusion_path(index)
        path = tiles.consistency_path_from_tiles(GROWN, index + 1, size, cache=cache)
        assert path == earlier.consistency_path(index + 1)


GROWN = Shelf(LEAVES)
CACHE: tiles.Cache = {}


def test_each_tile_is_read_once_and_only_where_it_is_needed() -> None:
    """One record of 65,536 needs two tiles, one of 70,000 three more at the right edge."""
    shelf = Shelf(LEAVES)
    tiles.inclusion_path_from_tiles(shelf, 12_345, 65_536)
    assert sorted(shelf.read) == [(0, 48, 256), (1, 0, 256)]
    shelf.read.clear()
    tiles.inclusion_path_from_tiles(shelf, 12_345, 70_000)
    want = [(0, 48, 256), (0, 273, 112), (1, 0, 256), (1, 1, 17)]
    assert sorted(shelf.read) == want
    shelf.read.clear()
    tiles.root_from_tiles(shelf, 70_000)
    assert sorted(shelf.read) == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]


def test_a_cached_tile_is_not_read_again() -> None:
    """The second receipt of a batch costs no reading."""
    shelf = Shelf(LEAVES)
    cache: tiles.Cache = {}
    first = tiles.inclusion_path_from_tiles(shelf, 12_345, 65_536, cache=cache)
    shelf.read.clear()
    assert tiles.inclusion_path_from_tiles(shelf, 12_345, 65_536, cache=cache) == first
    neighbour = tiles.inclusion_path_from_tiles(shelf, 12_346, 65_536, cache=cache)
    assert neighbour == FULL_BATCH.inclusion_path(12_346)
    assert shelf.read == []


FULL_BATCH = Tree(LEAVES[:65_536])


def test_an_empty_tree_is_read_from_no_tile() -> None:
    """Its root is the hash of nothing."""
    shelf = Shelf([])
    assert tiles.root_from_tiles(shelf, 0) == EMPTY_ROOT
    assert shelf.read == []


@pytest.mark.parametrize(
    "wrong",
    [
        lambda tile: b"",
        lambda tile: tile[:-1],
        lambda tile: tile[:-32],
        lambda tile: tile + b"\x00",
        lambda tile: tile + tile[:32],
        lambda tile: bytearray(tile),
        lambda tile: memoryview(tile),
        lambda tile: None,
        lambda tile: tile.hex(),
    ],
)
def test_a_tile_of_another_length_is_refused(wrong: object) -> None:
    """Cut, lengthened, or not bytes at all."""
    shelf = Shelf(LEAVES[:300])

    def read(level: int, index: int, width: int) -> bytes:
        return wrong(shelf(level, index, width))  # type: ignore[operator, no-any-return]

    with pytest.raises(MalformedTile):
        tiles.root_from_tiles(read, 300)
    with pytest.raises(MalformedTile):
        tiles.inclusion_path_from_tiles(read, 3, 300)
    with pytest.raises(MalformedTile):
        tiles.consistency_path_from_tiles(read, 3, 300)


def test_a_changed_tile_leads_to_another_root() -> None:
    """Tiles are believed, so the root that comes out has to be compared with a signed one."""
    shelf = Shelf(LEAVES[:300])
    for key, tile in list(shelf.tiles.items()):
        if key == (0, 0):
            continue  # its root is read from the level above
        shelf.tiles[key] = bytes([tile[0] ^ 1]) + tile[1:]
        assert tiles.root_from_tiles(shelf, 300) != tree.root(LEAVES[:300])
        shelf.tiles[key] = tile


def test_what_a_reader_raises_goes_through() -> None:
    """A missing tile stays the reader's own error."""
    with pytest.raises(KeyError):
        tiles.root_from_tiles(Shelf(LEAVES[:10]), 300)


@pytest.mark.parametrize("size", [-1, 2**63, True, 1.0, "1", None])
def test_a_size_that_is_none_is_refused(size: object) -> None:
    """Before any tile is read."""
    shelf = Shelf(LEAVES[:10])
    with pytest.raises(MalformedProof):
        tiles.widths(size)  # type: ignore[arg-type]
    with pytest.raises(MalformedProof):
        tiles.root_from_tiles(shelf, size)  # type: ignore[arg-type]
    with pytest.raises(MalformedProof):
        tiles.inclusion_path_from_tiles(shelf, 20, size)  # type: ignore[arg-type]
    with pytest.raises(MalformedProof):
        tiles.consistency_path_from_tiles(shelf, 0, size)  # type: ignore[arg-type]
    assert shelf.read == []


PATHS = [
    ((0, 0, 256), "tile/0/000"),
    ((0, 0, 1), "tile/0/000.p/1"),
    ((1, 999, 255), "tile/1/999.p/255"),
    ((0, 1000, 256), "tile/0/x001/000"),
    ((63, 1_234_067, 5), "tile/63/x001/x234/067.p/5"),
    ((8, 2**63 - 1, 256), "tile/8/x009/x223/x372/x036/x854/x775/807"),
]


@pytest.mark.parametrize(("place", "text"), PATHS)
def test_names_of_tiles_are_those_of_the_specification(
    place: tuple[int, int, int], text: str
) -> None:
    """Groups of three digits, x before all but the last, the width of a partial tile."""
    assert tiles.tile_path(*place) == text
    assert tiles.parse_tile_path(text) == place
    entries = "tile/entries/" + text.split("/", 2)[2]
    assert tiles.entries_path(*place[1:]) == entries
    assert tiles.parse_entries_path(entries) == place[1:]


@given(st.integers(0, 63), st.integers(0, 2**63 - 1), st.integers(1, 256))
def test_names_of_tiles_are_read_back(level: int, index: int, width: int) -> None:
    """For every tile that there can be."""
    place = (level, index, width)
    assert tiles.parse_tile_path(tiles.tile_path(*place)) == place
    assert tiles.parse_entries_path(tiles.entries_path(index, width)) == (index, width)


WRONG_ENDINGS = [
    "",
    "0",
    "00",
    "0000",
    "1000",
    "x000/000",
    "x000/x001/000",
    "001/000",
    "x001",
    "x001/",
    "x001/x000",
    "X001/000",
    "x1/000",
    "000.p/0",
    "000.p/256",
    "000.p/999",
    "000.p/01",
    "000.p/1000",
    "000.p/",
    "000.p",
    "000.q/1",
    "000.p/-1",
    "000.p/1/",
    "000\n",
    "000.p/1\n",
    " 000",
    "-01",
    "+01",
    "0_0",
    "٠٠٠",
    "000/../001",
    "x001/../000",
    "%30%30%30",
    "x009/x223/x372/x036/x854/x775/808",
    "x999/x999/x999/x999/x999/x999/999",
    "x001/" * 2000 + "000",
]


@pytest.mark.parametrize("ending", WRONG_ENDINGS, ids=lambda text: repr(text[:40]))
def test_another_spelling_of_a_tile_is_refused(ending: str) -> None:
    """One tile has one name, so caches and mirrors cannot be led apart."""
    with pytest.raises(MalformedTile):
        tiles.parse_tile_path("tile/0/" + ending)
    with pytest.raises(MalformedTile):
        tiles.parse_entries_path("tile/entries/" + ending)


@pytest.mark.parametrize("level", ["", "64", "00", "01", "-1", "x0", "100", "entries", "0.0"])
def test_a_level_outside_0_to_63_is_refused(level: str) -> None:
    """Also with a leading zero, or as entries."""
    with pytest.raises(MalformedTile):
        tiles.parse_tile_path(f"tile/{level}/000")


@pytest.mark.parametrize("start", ["/tile/0/", "tiles/0/", "tile//", "TILE/0/", "tile/8/0/", "0/"])
def test_a_path_that_does_not_begin_as_a_tile_is_refused(start: str) -> None:
    """The address of the log is cut off by the caller."""
    with pytest.raises(MalformedTile):
        tiles.parse_tile_path(start + "000")


@pytest.mark.parametrize(
    "place",
    [
        (-1, 0, 256),
        (64, 0, 256),
        (True, 0, 256),
        (0, -1, 256),
        (0, 2**63, 256),
        (0, False, 256),
        (0, 0.0, 256),
        (0, 0, 0),
        (0, 0, 257),
        (0, 0, True),
        (0, 0, "1"),
    ],
)
def test_a_tile_that_cannot_be_has_no_name(place: tuple[int, int, int]) -> None:
    """Level, index and width are checked before they are written."""
    with pytest.raises(MalformedTile):
        tiles.tile_path(*place)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_bundles_are_read_back(entries: list[bytes]) -> None:
    """Whatever bytes the entries are made of, empty ones too."""
    assert tiles.parse_bundle(tiles.format_bundle(entries)) == entries


def test_the_longest_entry_fits_and_one_byte_more_does_not() -> None:
    """65,535 bytes is what 16 bits can say."""
    longest = b"x" * 65_535
    assert tiles.parse_bundle(tiles.format_bundle([longest, b""])) == [longest, b""]
    with pytest.raises(MalformedTile):
        tiles.format_bundle([longest + b"x"])


@pytest.mark.parametrize("count", [0, 257])
def test_a_bundle_has_1_to_256_entries(count: int) -> None:
    """As a tile has 1 to 256 hashes."""
    with pytest.raises(MalformedTile):
        tiles.format_bundle([b"x"] * count)
    with pytest.raises(MalformedTile):
        tiles.parse_bundle(b"\x00\x01x" * count)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", b"\x00\x01", b"\x00\x02x", b"\x00\x01xy", b"\x00\x01x\x00", b"\xff\xffx"],
)
def test_a_bundle_that_is_cut_is_refused(data: bytes) -> None:
    """No entry is shorter than its length says, and nothing follows the last."""
    with pytest.raises(MalformedTile):
        tiles.parse_bundle(data)
