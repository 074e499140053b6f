# SPDX-License-Identifier: Apache-2.0
"""The file ledger: append-only, linked, signed; damage is noticed and never written over."""

import errno
import json
import multiprocessing
import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import pytest

from notary.core.ledger_entry import LedgerEntry, format_entry
from notary.keys import Signer, load_key, make_key
from notary.ledgers.file import FileLedger
from notary.ledgers.port import Ledger, LedgerRefused, LedgerUnavailable
from tests.ledgers.contract import NOW, LedgerContract, checkpoint


@dataclass
class Place:
    """A ledger's file and its key."""

    file: Path
    signer: Signer

    def open(self) -> FileLedger:
        """As the sealer opens it."""
        return FileLedger(self.file, self.signer.vkey, self.signer)

    def read(self) -> FileLedger:
        """As a process opens it that only reads."""
        return FileLedger(self.file, self.signer.vkey)

    def lines(self) -> list[bytes]:
        """Its lines."""
        return self.file.read_bytes().splitlines(keepends=True)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A place without a ledger yet."""
    signer = make_key("notary.example/file-ledger", tmp_path / "ledger.key")
    return Place(tmp_path / "ledger.ndjson", signer)


@pytest.fixture
def five(place: Place) -> Place:
    """A ledger with the sizes 1 to 5."""
    for size in range(1, 6):
        place.open().submit(checkpoint(size), None, NOW)
    return place


class TestContract(LedgerContract):
    """The file ledger keeps the promises of the port."""

    @pytest.fixture
    def ledger(self, place: Place) -> Ledger:
        """An empty one."""
        return place.open()

    @pytest.fixture
    def reopened(self, place: Place) -> Callable[[], Ledger]:
        """Another process's."""
        return place.open


def refused(place: Place, error: type[Exception] = LedgerRefused) -> None:
    """Neither readers nor the writer go on, and the file stays as it is."""
    before = place.file.read_bytes()
    for call in (
        lambda: place.read().newest("notary.example/log"),
        lambda: place.read().entries(),
        lambda: place.read().confirm(checkpoint(1), None),
        lambda: place.open().confirm(checkpoint(1), None),
        lambda: place.open().submit(checkpoint(9), None, NOW),
    ):
        with pytest.raises(error):
            call()
    assert place.file.read_bytes() == before


# -- crashes


@pytest.mark.parametrize("part", [0.01, 0.2, 0.5, 0.9, 0.999])
def test_a_torn_last_line_is_left_out_and_written_over(five: Place, part: float) -> None:
    """A crash while appending: readers see the whole entries, the next entry replaces it."""
    lines = five.lines()
    torn = lines[4][: max(1, int(len(lines[4]) * part))]
    five.file.write_bytes(b"".join(lines[:4]) + torn)
    assert [entry.size for entry, _ in five.read().entries()] == [1, 2, 3, 4]
    assert five.read().confirm(checkpoint(5), None) == "unknown"
    five.open().submit(checkpoint(5), None, NOW)
    assert five.lines() == lines


def test_a_torn_line_longer_than_the_next_leaves_nothing_behind(five: Place) -> None:
    """What is cut off is cut off whole."""
    lines = five.lines()
    five.file.write_bytes(b"".join(lines[:4]) + b"x" * 5000)
    five.open().submit(checkpoint(5), None, NOW)
    assert five.lines() == lines


# -- damage


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_anywhere_is_noticed(five: Place, seed: int) -> None:
    """In any entry but for the last newline, whose loss makes the line a torn one."""
    dice = random.Random(seed)
    data = bytearray(five.file.read_bytes())
    data[dice.randrange(len(data) - 1)] ^= 1 << dice.randrange(8)
    five.file.write_bytes(data)
    refused(five)


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b"[]\n", b"null\n", b"\xff\n", b'{"note":7}\n'])
@pytest.mark.parametrize("at", [0, 2, 5])
def test_a_line_that_is_no_entry_is_refused(five: Place, line: bytes, at: int) -> None:
    """Nothing is passed over."""
    lines = five.lines()
    five.file.write_bytes(b"".join([*lines[:at], line, *lines[at:]]))
    refused(five)


@pytest.mark.parametrize("left_out", [0, 1, 2, 3])
def test_a_left_out_entry_is_noticed(five: Place, left_out: int) -> None:
    """The next one doesn't link to the one before."""
    lines = five.lines()
    del lines[left_out]
    five.file.write_bytes(b"".join(lines))
    refused(five)


@pytest.mark.parametrize("doubled", [0, 2, 4])
def test_a_doubled_entry_is_noticed(five: Place, doubled: int) -> None:
    """Each entry stands once."""
    lines = five.lines()
    five.file.write_bytes(b"".join([*lines[: doubled + 1], *lines[doubled:]]))
    refused(five)


def test_exchanged_entries_are_noticed(five: Place) -> None:
    """The order is part of what was signed."""
    lines = five.lines()
    lines[1], lines[2] = lines[2], lines[1]
    five.file.write_bytes(b"".join(lines))
    refused(five)


def entry_line(place: Place, signer: Signer, **members: object) -> bytes:
    """An entry that follows on the five, or nearly so."""
    last = json.loads(place.lines()[4])["note"]
    values = {
        "sequence": 5,
        "prev": sha256(last.encode()).digest(),
        "origin_hash": checkpoint(6).origin_hash,
        "size": 6,
        "root": checkpoint(6).root,
        "time": NOW,
        **members,
    }
    return json.dumps({"note": signer.sign(format_entry(LedgerEntry(**values)))}).encode() + b"\n"


def test_an_entry_made_by_hand_can_be_right(five: Place) -> None:
    """What is refused below is refused for its own reason."""
    five.file.write_bytes(five.file.read_bytes() + entry_line(five, five.signer))
    assert five.read().confirm(checkpoint(6), None) == "verified"


@pytest.mark.parametrize("root", [checkpoint(3).root, bytes(32)], ids=["same", "other"])
def test_a_second_entry_for_a_size_is_refused(five: Place, root: bytes) -> None:
    """Somebody with the key forked the log, or something writes that isn't ours."""
    line = entry_line(five, five.signer, size=3, root=root)
    five.file.write_bytes(five.file.read_bytes() + line)
    refused(five)


@pytest.mark.parametrize("members", [{"sequence": 4}, {"sequence": 6}, {"prev": bytes(32)}])
def test_an_unlinked_entry_is_refused(five: Place, members: dict[str, object]) -> None:
    """Signed with the right key, and linked to nothing."""
    five.file.write_bytes(five.file.read_bytes() + entry_line(five, five.signer, **members))
    refused(five)


def test_an_entry_by_another_key_is_refused(five: Place, tmp_path: Path) -> None:
    """Also one of the same name."""
    other = make_key(five.signer.name, tmp_path / "other.key")
    five.file.write_bytes(five.file.read_bytes() + entry_line(five, other))
    refused(five)


def test_a_reader_with_another_key_is_refused(five: Place, tmp_path: Path) -> None:
    """A file of another ledger in the place of ours."""
    other = make_key(five.signer.name, tmp_path / "other.key")
    with pytest.raises(LedgerRefused):
        FileLedger(five.file, other.vkey).entries()


def test_a_file_that_became_shorter_is_noticed_while_it_runs(five: Place) -> None:
    """A process that read it before doesn't take the shorter one for good."""
    ledger, reader = five.open(), five.read()
    ledger.newest("x")
    reader.newest("x")
    five.file.write_bytes(b"".join(five.lines()[:3]))
    before = five.file.read_bytes()
    with pytest.raises(LedgerRefused, match="became shorter"):
        ledger.submit(checkpoint(6), None, NOW)
    with pytest.raises(LedgerRefused, match="became shorter"):
        reader.confirm(checkpoint(1), None)
    assert five.file.read_bytes() == before


def test_a_file_that_was_exchanged_is_noticed_while_it_runs(five: Place, tmp_path: Path) -> None:
    """Another history of the same length and key in its place isn't written on."""
    twin = Place(tmp_path / "twin.ndjson", five.signer)
    for size in (1, 2, 3, 4, 6):
        twin.open().submit(checkpoint(size), None, NOW)
    ledger = five.open()
    ledger.newest("x")
    twin.file.rename(five.file)
    before = five.file.read_bytes()
    with pytest.raises(LedgerRefused):
        ledger.submit(checkpoint(7), None, NOW)
    assert five.file.read_bytes() == before


# -- who may, and who is there


def test_a_reader_writes_nothing(five: Place) -> None:
    """Without the key there is no entry, and no file is made either."""
    before = five.file.read_bytes()
    with pytest.raises(LedgerRefused):
        five.read().submit(checkpoint(6), None, NOW)
    assert five.file.read_bytes() == before


def test_a_missing_file_is_not_an_empty_ledger(place: Place) -> None:
    """A reader finds no ledger: it can't tell, and says so."""
    with pytest.raises(LedgerUnavailable):
        place.read().newest("notary.example/log")
    assert not place.file.exists()


def test_a_missing_folder_is_named(tmp_path: Path, place: Place) -> None:
    """The place of the ledger isn't mounted: try again later."""
    lost = FileLedger(tmp_path / "nowhere" / "l.ndjson", place.signer.vkey, place.signer)
    with pytest.raises(LedgerUnavailable, match=r"nowhere/l\.ndjson"):
        lost.submit(checkpoint(1), None, NOW)


def test_a_reader_sees_what_is_appended_later(five: Place) -> None:
    """It reads on from where it was."""
    reader = five.read()
    assert reader.confirm(checkpoint(6), None) == "unknown"
    five.open().submit(checkpoint(6), None, NOW)
    assert reader.confirm(checkpoint(6), None) == "verified"


def _submit_all(file: str, key: str, sizes: list[int]) -> None:
    signer = load_key(Path(key))
    ledger = FileLedger(Path(file), signer.vkey, signer)
    for size in sizes:
        ledger.submit(checkpoint(size), None, NOW)


def test_processes_that_append_at_once_leave_one_chain(place: Place, tmp_path: Path) -> None:
    """Three processes with the same sizes: each size once, all linked."""
    spawn = multiprocessing.get_context("spawn")
    key = str(tmp_path / "ledger.key")
    sizes = list(range(1, 25))
    workers = [
        spawn.Process(target=_submit_all, args=(str(place.file), key, sizes[turn:] + sizes[:turn]))
        for turn in (0, 8, 16)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert sorted(entry.size for entry, _ in place.read().entries()) == sizes


@pytest.mark.parametrize("which", ["open", "read"])
def test_threads_of_one_process_may_share_it(place: Place, which: str) -> None:
    """The web process asks from several threads at once, each finding much that is new."""
    writer, ready = place.open(), Barrier(8)
    shared: FileLedger = getattr(place, which)()

    def ask(_: int) -> tuple[int, bytes] | None:
        ready.wait()
        return shared.newest("notary.example/log")

    with ThreadPoolExecutor(8) as threads:
        for turn in range(1, 5):
            for size in range(10 * turn, 10 * turn + 10):
                writer.submit(checkpoint(size), None, NOW)
            assert list(threads.map(ask, range(8))) == [(size, checkpoint(size).root)] * 8
    assert len(place.read().entries()) == 40


def test_what_a_crash_left_unsynced_is_synced_before_it_counts(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written and not fsynced: the next process finds it, and may not take it for durable."""

    def crash(file: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        place.open().submit(checkpoint(1), None, NOW)
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    assert place.open().submit(checkpoint(1), None, NOW) == "0"
    assert len(synced) == 1


def test_what_the_disk_did_not_take_is_not_found_there_later(
    five: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed fsync the kernel says yes to the next one, and has forgotten the bytes."""
    before = five.file.read_bytes()

    def fails(file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    ledger = five.open()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(LedgerUnavailable, match="can't be written: Input/output error"):
            ledger.submit(checkpoint(6), None, NOW)
    assert five.file.read_bytes() == before
    assert ledger.confirm(checkpoint(6), None) == "unknown"
    assert ledger.submit(checkpoint(6), None, NOW) == "5"


def test_a_disk_that_takes_a_part_of_an_entry_is_named(
    five: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full one says so by writing less."""
    before, real = five.file.read_bytes(), os.pwrite
    ledger = five.open()
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda file, data, at: real(file, data[:20], at))
        with pytest.raises(LedgerUnavailable, match="No space left"):
            ledger.submit(checkpoint(6), None, NOW)
    assert five.file.read_bytes() == before
