# SPDX-License-Identifier: Apache-2.0
"""A copy of a ledger's own file, held against what the notary shows."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from notary.core.ledger_entry import LedgerEntry
from notary.monitor.errors import MonitorRefused
from tests.core import growing, reference
from tests.core.maker import LEDGER, ORIGIN, OTHER_LEDGER, City, ledger_note, make
from tests.core.signing import Signer
from tests.monitor.shown import Shown, Watch, after
from tests.outside.raw import Raw


class Ledger:
    """A file ledger, as its keeper writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[LedgerEntry] = []
        self.notes: list[str] = []
        path.write_text("")

    def add(self, city: City, size: int, origin: str = ORIGIN, by: Signer = LEDGER) -> None:
        """One more entry, for that size of the city's log."""
        entry = LedgerEntry(
            sequence=len(self.notes),
            prev=sha256(self.notes[-1].encode()).digest() if self.notes else bytes(32),
            origin_hash=sha256(origin.encode()).digest(),
            size=size,
            root=reference.mth(city.log_leaves(size)),
            time=city.now,
        )
        self.notes.append(ledger_note(entry, by))
        self.write()

    def write(self) -> None:
        """The file, a line for each entry."""
        self.path.write_text("".join(json.dumps({"note": note}) + "\n" for note in self.notes))


@pytest.fixture
def city() -> City:
    """Five batches, of which three are shown."""
    return make(rounds=5)


@pytest.fixture
def shown(city: City) -> Shown:
    """What is shown of it."""
    made = Shown(city)
    made.size = 3
    return made


@pytest.fixture
def server(shown: Shown) -> Iterator[Raw]:
    """It, over HTTP."""
    with Raw(shown, keeps=True) as running:
        yield running


@pytest.fixture
def ledger(tmp_path: Path, city: City) -> Ledger:
    """Entries for sizes 1 and 3, and one of another log between."""
    made = Ledger(tmp_path / "ledger.ndjson")
    made.add(city, 1)
    made.add(make(rounds=4), 4, origin="other.example/log")
    made.add(city, 3)
    return made


@pytest.fixture
def watch(tmp_path: Path, ledger: Ledger) -> Watch:
    """A monitor with a copy of the ledger's file."""
    return Watch(tmp_path / "state", ledger_files=(ledger.path,), anchor_within=600.0)


def test_what_is_on_the_ledger_is_anchored(
    watch: Watch, server: Raw, shown: Shown, ledger: Ledger
) -> None:
    """Whether or not the notary lists it; only what is new is read again."""
    assert watch.look(server, after(shown.city)) == []
    assert watch.look(server, after(shown.city, minutes=20)) == []
    assert watch.report().not_checked == ()
    shown.size = 5
    ledger.add(shown.city, 5)
    assert watch.look(server, after(shown.city, minutes=30)) == []
    assert watch.look(server, after(shown.city, minutes=50)) == []


def test_a_state_that_the_ledger_holds_and_nobody_is_shown_is_hidden(
    watch: Watch, server: Raw, shown: Shown, ledger: Ledger
) -> None:
    """Until it is shown."""
    ledger.add(shown.city, 5)
    assert watch.look(server, after(shown.city)) == ["hidden"]
    assert watch.report().alarms[0].facts == {"ledger": "file", "size": 5, "shown": 3}
    shown.size = 5
    assert watch.look(server, after(shown.city)) == []


def test_a_ledger_that_holds_another_log_shows_it_for_good(
    watch: Watch, server: Raw, shown: Shown, ledger: Ledger
) -> None:
    """The root of one size is another one there."""
    shown.city = growing.liar(at=2, size=5)
    assert watch.look(server, after(shown.city)) == ["other-anchor"]
    assert watch.report().alarms[0].facts["size"] == 3


def _altered(ledger: Ledger) -> None:
    ledger.notes[1] = ledger.notes[1].replace("\n4\n", "\n2\n")


def _left_out(ledger: Ledger) -> None:
    del ledger.notes[1]


def _doubled(ledger: Ledger) -> None:
    ledger.notes.insert(1, ledger.notes[1])


def _by_another(ledger: Ledger) -> None:
    ledger.notes.pop()
    ledger.add(make(rounds=3), 3, by=OTHER_LEDGER)


def _no_note(ledger: Ledger) -> None:
    ledger.path.write_text(ledger.path.read_text() + "[7]\n")


@pytest.mark.parametrize("lie", [_altered, _left_out, _doubled, _by_another, _no_note])
def test_a_ledger_that_was_changed_is_told(
    watch: Watch, server: Raw, shown: Shown, ledger: Ledger, lie: Callable[[Ledger], None]
) -> None:
    """An entry that isn't signed, or doesn't follow the one before."""
    lie(ledger)
    if lie is not _no_note:
        ledger.write()
    assert watch.look(server, after(shown.city)) == ["other-anchor"]
    assert watch.report().alarms[0].facts["what"] == "file"


def test_a_line_that_is_being_written_is_read_next_time(
    watch: Watch, server: Raw, shown: Shown, ledger: Ledger
) -> None:
    """Half a line is no fault."""
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole[:-20])
    assert watch.look(server, after(shown.city)) == []
    ledger.path.write_bytes(whole)
    assert watch.look(server, after(shown.city, hours=2)) == []


def test_a_ledger_that_holds_nothing_yet_is_no_fault(
    watch: Watch, server: Raw, shown: Shown, ledger: Ledger
) -> None:
    """It is the first there is."""
    ledger.path.write_text("")
    begin = after(shown.city)
    assert watch.look(server, begin) == []
    assert watch.look(server, begin + timedelta(hours=1)) == ["late-anchor"]


@pytest.mark.parametrize("content", [None, b"", b"{}\n", b"\xff\n", b"[" * 100_000])
def test_a_file_of_no_ledger_is_refused(
    tmp_path: Path, server: Raw, shown: Shown, content: bytes | None
) -> None:
    """Before anything is asked: its name was mistyped."""
    path = tmp_path / "other.txt"
    if content is not None:
        path.write_bytes(content)
    watch = Watch(tmp_path / "state", ledger_files=(path,))
    if content == b"":
        assert watch.look(server, after(shown.city)) == []
        return
    with pytest.raises(MonitorRefused) as refused:
        watch.look(server, after(shown.city))
    assert refused.value.reason == ("no-file" if content is None else "ledger-file")
    assert shown.asked == []
