# SPDX-License-Identifier: Apache-2.0
"""Versions are accepted whole or not at all, and sealed one batch each."""

import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from notary.core.descriptor import parse_descriptor
from notary.core.errors import MalformedText, NotaryError
from notary.core.hashing import EMPTY_ROOT
from notary.core.receipt import row_leaf
from notary.core.row_profiles import row_cutter
from notary.core.rows import MalformedRows
from notary.core.tree import root
from notary.usecases.accept import ClockBehind, KeyReused
from notary.usecases.seal_versions import both_roots
from notary.usecases.second_root import RootsDisagree, load_second_root
from notary.usecases.version_upload import (
    PART_BYTES,
    FileTooLarge,
    UploadLost,
    in_parts,
    sweep_uploads,
)
from notary.usecases.versions import CorrectionRefused, VersionOnce
from tests.core import reference
from tests.usecases.tables import CSV, JSON, NDJSON, publish, table
from tests.usecases.world import World

LEFT = ("uploads", "versions", "version_parts", "version_tiles")


def left(world: World) -> list[object]:
    """How many rows each table of versions has."""
    return [world.rows(f"SELECT count(*) FROM {name}")[0][0] for name in LEFT]


def descriptor(world: World, index: int = 0) -> dict[str, object]:
    """A batch's descriptor by its members."""
    text = str(world.rows("SELECT descriptor FROM batches WHERE index = %s", index)[0][0])
    parse_descriptor(text)
    members: dict[str, object] = json.loads(text)
    return members


def test_a_version_is_a_batch_with_the_root_over_its_rows(world: World) -> None:
    """Its digest is the file's, its number 1, its profile csv-v1."""
    air, file = world.dataset("air"), table(1000)
    first, again = publish(world, air, file, name="air.csv"), publish(world, air, file)
    assert (first.version, first.is_new, again.version, again.is_new) == (1, True, 1, False)
    world.settle()
    cutter = row_cutter("csv-v1")
    rows = [row for _, row in cutter.feed(file) + cutter.finish()]
    found = descriptor(world)
    assert found["root"] == root([row_leaf("csv-v1", b"", row) for row in rows]).hex()
    assert found["digest"] == hashlib.sha256(file).hexdigest()
    assert (found["version"], found["profile"], found["count"]) == (1, "csv-v1", 1001)
    assert found["first"] == found["last"]
    assert "corrects" not in found
    assert world.audit().findings == ()


def test_a_closed_version_has_a_commitment_and_salted_leaves(world: World) -> None:
    """Nothing in the log is a function of the file without its salt."""
    wages, file = world.dataset(None), table(300)
    publish(world, wages, file)
    world.settle()
    found = descriptor(world)
    assert "digest" not in found
    assert found["commitment"] != hashlib.sha256(file).hexdigest()
    salt = bytes(world.rows("SELECT salt FROM versions")[0][0])  # type: ignore[call-overload]
    assert found["commitment"] == hashlib.sha256(salt + file).hexdigest()
    cutter = row_cutter("csv-v1")
    rows = [row for _, row in cutter.feed(file) + cutter.finish()]
    assert found["root"] != root([row_leaf("csv-v1", b"", row) for row in rows]).hex()
    assert publish(world, wages, file).is_new is False
    assert world.audit().findings == ()


@pytest.mark.parametrize(
    ("type_", "file", "profile", "count"),
    [
        (CSV, b"a,b\n1,2", "csv-v1", 2),
        (CSV, b"a,b", "csv-v1", 1),
        (CSV, b"", "csv-v1", 0),
        (NDJSON, b"", "ndjson-v1", 0),
        (NDJSON, b'{"a":1}\n2\n', "ndjson-v1", 2),
        (JSON, b'[{"a":1},2]', "ndjson-v1", 2),
        (JSON, b'{"a":1}', "none", 0),
        ("text/json", b"[1]", "ndjson-v1", 1),
        (JSON, b" ", "none", 0),
        (JSON, b"", "none", 0),
        ("application/pdf", b"%PDF\x00\xff", "none", 0),
        ("application/pdf", b"", "none", 0),
    ],
)
def test_the_media_type_says_how_a_file_is_cut(
    world: World, type_: str, file: bytes, profile: str, count: int
) -> None:
    """Also where there is nothing in it; without rows the root is that of nothing."""
    publish(world, world.dataset("air"), file, type_)
    world.settle()
    found = descriptor(world)
    assert (found["profile"], found["count"]) == (profile, count)
    assert (found["root"] == EMPTY_ROOT.hex()) == (count == 0)
    assert world.audit().findings == ()


def test_versions_count_from_one_and_correct_earlier_ones(world: World) -> None:
    """Each batch of its own, in their order, linked like all batches of the dataset."""
    air = world.dataset("air")
    publish(world, air, table(3))
    world.add(air, 5)
    publish(world, air, table(4), corrects=1, reason="Station 3 was left out.")
    publish(world, air, table(4).replace(b"\r", b""), corrects=1, reason="Line ends.")
    assert len(world.seal()) == 4
    found = [descriptor(world, index) for index in range(4)]
    assert [batch["kind"] for batch in found].count("version") == 3
    versions = [batch for batch in found if batch["kind"] == "version"]
    assert [batch["version"] for batch in versions] == [1, 2, 3]
    assert [batch.get("corrects") for batch in versions] == [None, 1, 1]
    assert "Station" not in json.dumps(found)
    assert world.audit().findings == ()


@pytest.mark.parametrize(
    ("corrects", "reason"), [(7, "why"), (0, "why"), (1, None), (None, "why"), (2, "itself")]
)
def test_a_correction_names_a_version_and_why(
    world: World, corrects: int | None, reason: str | None
) -> None:
    """Refused before a byte is read."""
    air = world.dataset("air")
    publish(world, air, b"a\n")

    def never() -> Iterator[bytes]:
        raise AssertionError("read")
        yield b""

    with pytest.raises(CorrectionRefused):
        publish(world, air, never(), corrects=corrects, reason=reason)
    assert left(world)[:2] == [0, 1]


@pytest.mark.parametrize("said", [{"name": "a\nb"}, {"name": "x" * 256}, {"type_": "Text"}])
def test_what_is_said_of_a_file_is_checked(world: World, said: dict[str, str]) -> None:
    """Before a byte is read."""
    with pytest.raises(MalformedText):
        publish(world, world.dataset("air"), b"a\n", **said)  # type: ignore[arg-type]
    assert left(world) == [0, 0, 0, 0]


def broken(file: bytes, error: Exception) -> Iterator[bytes]:
    """A sender who goes away in the middle."""
    yield file
    raise error


def test_an_interrupted_upload_leaves_nothing(world: World) -> None:
    """Although parts of it were durable already; the next one is version 1."""
    air, file = world.dataset("air"), table(4_000, width=300)
    assert len(file) > PART_BYTES
    with pytest.raises(ConnectionResetError):
        publish(world, air, broken(file, ConnectionResetError()))
    assert left(world) == [0, 0, 0, 0]
    assert publish(world, air, file).version == 1
    world.settle()
    assert world.audit().findings == ()


def test_what_a_crash_left_is_swept_away(world: World) -> None:
    """And an upload that is under way is left alone, and lost where it took too long."""
    air, file = world.dataset("air"), table(4_000, width=300)
    sender = broken(file, RuntimeError())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("notary.usecases.version_upload.Upload.abandon", lambda self: None)
        with pytest.raises(RuntimeError):
            publish(world, air, sender)
    assert left(world)[0] == 1
    assert left(world)[2] == 1
    assert world.audit().findings == ()
    assert sweep_uploads(world.pool, world.now) == 0

    def slow() -> Iterator[bytes]:
        yield file
        assert sweep_uploads(world.pool, world.now + timedelta(seconds=1)) == 2
        yield file

    with pytest.raises(UploadLost):
        publish(world, air, slow())
    assert left(world) == [0, 0, 0, 0]


def test_an_upload_swept_away_after_its_last_part_leaves_no_tiles(world: World) -> None:
    """The tiles of its last rows come after the last part, and touch the upload too."""
    air, file = world.dataset("air"), (b"a," + b"b" * 253 + b"\n") * (PART_BYTES // 256)

    def slow() -> Iterator[bytes]:
        yield file
        assert sweep_uploads(world.pool, world.now + timedelta(seconds=1)) == 1

    with pytest.raises(UploadLost):
        publish(world, air, slow())
    assert left(world) == [0, 0, 0, 0]
    assert world.audit().findings == ()


def test_a_file_that_cannot_be_cut_is_refused_whole(world: World) -> None:
    """With its row and place, however far behind the first parts it lies."""
    file = table(4_000, width=300)
    with pytest.raises(MalformedRows) as refusal:
        publish(world, world.dataset("air"), file + b'7,"x" y\r\n')
    assert refusal.value.facts["row"] == 4_001
    assert refusal.value.facts["offset"] == len(file) + 5
    assert left(world) == [0, 0, 0, 0]


def test_a_file_has_its_limit(world: World) -> None:
    """One byte more is refused, and nothing of it stays."""
    air = world.dataset("air")
    with pytest.raises(FileTooLarge):
        publish(world, air, table(100), limit=len(table(100)) - 1)
    assert left(world) == [0, 0, 0, 0]
    assert publish(world, air, table(100), limit=len(table(100))).is_new


def test_two_at_once_get_numbers_of_their_own(world: World) -> None:
    """Same file: one version; different files: as many, without a gap."""
    air = world.dataset("air")
    files = [table(2000, seed) for seed in (0, 1, 1, 2)]
    barrier = threading.Barrier(len(files))

    def pieces(file: bytes) -> Iterator[bytes]:
        yield file[:1000]
        barrier.wait()
        yield file[1000:]

    found: list[int] = []
    threads = [
        threading.Thread(target=lambda f=f: found.append(publish(world, air, pieces(f)).version))
        for f in files
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [row[0] for row in world.rows("SELECT version FROM versions ORDER BY version")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert set(found) == set(numbers)
    assert len(numbers) in (3, 4)  # the two equal ones may have another between them
    assert left(world)[0] == 0
    world.settle()
    assert world.audit().findings == ()


def test_the_same_bytes_cut_otherwise_are_another_version(world: World) -> None:
    """For their rows are others."""
    air = world.dataset("air")
    publish(world, air, b"1\n2\n", "application/octet-stream")
    assert publish(world, air, b"1\n2\n", CSV).version == 2
    assert publish(world, air, b"1\n2\n", NDJSON).version == 3


def test_an_idempotency_key_is_for_one_file(world: World) -> None:
    """A repeat gets the first answer, also after other versions; another file is refused."""
    air = world.dataset("air")
    once = VersionOnce(world.caller.key_id, "june", b"s" * 32)
    assert publish(world, air, b"a\n", once=once).version == 1
    publish(world, air, b"b\n")
    again = publish(world, air, b"a\n", once=once)
    assert (again.version, again.is_new) == (1, False)
    for other in (b"b\n", b"c\n"):
        with pytest.raises(KeyReused):
            publish(world, air, other, once=once)
    with pytest.raises(KeyReused):
        publish(world, air, b"a\n", once=once, name="other.csv")
    assert left(world)[:2] == [0, 2]


def test_a_refused_file_leaves_its_idempotency_key_free(world: World) -> None:
    """So that the mended file can be sent under it."""
    air = world.dataset("air")
    once = VersionOnce(world.caller.key_id, "june", b"s" * 32)
    with pytest.raises(NotaryError):
        publish(world, air, b'a"\n', once=once)
    assert publish(world, air, b"a\n", once=once).version == 1


def test_a_version_is_received_when_all_of_it_is_there(world: World) -> None:
    """And an upload that goes on for hours is not swept away as long as something comes."""
    air, begun = world.dataset("air"), world.now

    def slow() -> Iterator[bytes]:
        for _ in range(3):
            yield (b"a" * 255 + b"\n") * (PART_BYTES // 256)
            world.pass_by(3000)
            assert sweep_uploads(world.pool, world.now - timedelta(hours=1)) == 0

    publish(world, air, slow())
    assert world.rows("SELECT received FROM versions") == [(begun + timedelta(seconds=9000),)]


def test_received_never_goes_back(world: World) -> None:
    """A clock a little behind is lifted; one more than a minute behind accepts nothing."""
    air = world.dataset("air")
    publish(world, air, b"a\n")
    world.pass_by(-30)
    publish(world, air, b"b\n")
    world.pass_by(-31)
    with pytest.raises(ClockBehind):
        publish(world, air, b"c\n")
    times = world.rows("SELECT received FROM versions ORDER BY version")
    assert times[0] == times[1]


def test_parts_are_whole_but_the_last_one() -> None:
    """However the pieces come."""
    file = bytes(range(256)) * 9000
    for step in (1 << 16, PART_BYTES, 3 * PART_BYTES + 7, 999):
        parts = list(in_parts(file[at : at + step] for at in range(0, len(file), step)))
        assert b"".join(parts) == file
        assert [len(part) for part in parts[:-1]] == [PART_BYTES] * (len(parts) - 1)
    assert list(in_parts([b"", b""])) == []


@pytest.mark.parametrize("size", [0, 1, 255, 65_535, 65_536, 65_537, 131_072, 140_000])
def test_both_roots_of_a_tree_in_pieces_are_that_of_the_whole(size: int) -> None:
    """The second one is merkletools' over subtrees, and over their roots."""
    leaves = [n.to_bytes(32, "big") for n in range(size)]
    pieces = [leaves[at : at + 16_384] for at in range(0, size, 16_384)]
    assert both_roots(pieces, load_second_root()) == (size, root(leaves))
    if size in (1, 255):
        assert both_roots(pieces, None)[1] == reference.mth(leaves)


@pytest.mark.parametrize("wrong", [0, 1])
def test_sealing_stops_where_the_roots_of_a_version_disagree(world: World, wrong: int) -> None:
    """Whether a subtree's or the one over all; nothing of it is in the log."""
    air = world.dataset("air")
    publish(world, air, table(70_000))
    second, calls = load_second_root(), []

    def other(leaves: object) -> bytes:
        calls.append(leaves)
        return bytes(32) if len(calls) - 1 == wrong else second(leaves)  # type: ignore[arg-type]

    with pytest.raises(RootsDisagree):
        world.sealer(second=other).seal_due(world.now)
    assert world.size() == 0


def test_sealing_stops_where_a_stored_leaf_was_changed(world: World) -> None:
    """An anchored root can't be withdrawn."""
    publish(world, world.dataset("air"), table(300))
    changed = "UPDATE version_tiles SET data = set_byte(data, 40, 7) WHERE level = 0 AND index = 0"
    assert world.change(changed) == 1
    with pytest.raises(RootsDisagree):
        world.seal()
    assert world.size() == 0
