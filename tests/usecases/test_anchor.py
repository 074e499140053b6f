# SPDX-License-Identifier: Apache-2.0
"""Anchor: each step is committed before the next; a ledger's trouble is only its own."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from notary.keys import make_key
from notary.ledgers.file import FileLedger
from notary.ledgers.port import (
    Anchorable,
    AnchorState,
    Ledger,
    LedgerRefused,
    LedgerUnavailable,
    anchorable,
)
from notary.usecases.anchor import Anchored, anchor
from notary.usecases.marks import StateRefused
from tests.usecases.power_cuts import PowerCut, cut_commit
from tests.usecases.remote_ledger import grown
from tests.usecases.world import ORIGIN, World

__all__ = ["grown"]

HOUR = timedelta(hours=1)


def grow(world: World, seed: int) -> None:
    """One more batch, signed."""
    world.add("weather", 5, seed=seed)
    world.seal()
    world.sign()


def step(world: World, ledger: Ledger, interval: timedelta = HOUR) -> list[Anchored]:
    """What the sealer does now on one ledger."""
    return anchor(world.pool, world.gate, ledger, interval, lambda: world.now)


def anchors(world: World) -> list[tuple[object, ...]]:
    """(ledger, size, state) of all anchors."""
    return world.rows("SELECT ledger, size, state FROM anchors ORDER BY ledger, size")


def entries(world: World) -> list[int]:
    """The sizes that the file ledger holds, in its order."""
    return [entry.size for entry, _ in world.ledger.entries()]


def test_the_newest_checkpoint_is_anchored_and_read_back(grown: World) -> None:
    """Verified means: the evidence is the ledger's entry for this very root."""
    assert grown.anchor() == [Anchored("file", 1, "verified")]
    size, root, _ = grown.checkpoints()[0]
    assert isinstance(root, bytes)
    evidence = json.loads(str(grown.rows("SELECT evidence FROM anchors")[0][0]))
    assert evidence == grown.ledger.evidence(anchorable(ORIGIN, 1, root), None)
    assert (size, entries(grown)) == (1, [1])


def test_nothing_new_is_not_anchored_again(grown: World) -> None:
    """Anchored once, a checkpoint costs nothing more."""
    grown.anchor()
    assert grown.anchor() == []
    assert entries(grown) == [1]


def test_an_unsigned_checkpoint_is_not_anchored(grown: World) -> None:
    """A root that isn't signed yet goes nowhere."""
    grown.change("UPDATE checkpoints SET note = NULL")
    assert grown.anchor() == []
    assert entries(grown) == []


def test_an_empty_log_is_not_anchored(world: World) -> None:
    """There is nothing to note."""
    assert world.anchor() == []


def test_an_interval_takes_only_the_newest(grown: World) -> None:
    """Between two anchors the checkpoints in between are left out; one covers them all."""
    step(grown, grown.ledger)
    for seed in range(2, 5):
        grow(grown, seed)
        grown.pass_by(60)
        assert step(grown, grown.ledger) == []
    grown.pass_by(3600)
    step(grown, grown.ledger)
    assert entries(grown) == [1, 4]


def test_a_closed_gate_anchors_nothing(grown: World) -> None:
    """What can't be trusted here is not made permanent elsewhere."""
    grown.marks.path.unlink()
    with pytest.raises(StateRefused):
        grown.again().anchor()
    assert anchors(grown) == []


# -- a ledger with moods: a real file ledger whose answers are held back


class Moody:
    """A second file ledger, called `city`, that is away or refuses when it is told to."""

    def __init__(self, ledger: FileLedger) -> None:
        self.ledger = ledger
        self.name, self.kind, self.own_word, self.required = "city", "file", True, False
        self.remembers = True
        self.interval: timedelta | None = None
        self.mood: Exception | None = None
        self.after = False
        self.slow_states: list[AnchorState] = []

    def submit(self, checkpoint: Anchorable, reference: str | None, now: datetime) -> str:
        if self.mood is not None and not self.after:
            raise self.mood
        reference = self.ledger.submit(checkpoint, reference, now)
        if self.mood is not None:
            raise self.mood
        return reference

    def confirm(self, checkpoint: Anchorable, reference: str | None) -> AnchorState:
        if self.mood is not None:
            raise self.mood
        if self.slow_states:
            return self.slow_states.pop(0)
        return self.ledger.confirm(checkpoint, reference)

    def evidence(self, checkpoint: Anchorable, reference: str | None) -> Mapping[str, object]:
        return self.ledger.evidence(checkpoint, reference)

    def newest(self, origin: str) -> tuple[int, bytes] | None:
        return None if self.mood is not None else self.ledger.newest(origin)

    def trust(self) -> Mapping[str, object]:
        return self.ledger.trust()

    def probe(self) -> Mapping[str, object]:
        return self.ledger.probe()


@pytest.fixture
def moody(grown: World, tmp_path: Path) -> Moody:
    """The second ledger, put in before the first."""
    signer = make_key("city.example/ledger", tmp_path / "city.key")
    ledger = Moody(FileLedger(tmp_path / "city.ndjson", signer.vkey, signer))
    grown.parts.ledgers.insert(0, ledger)
    return ledger


def test_a_ledger_that_is_away_costs_only_its_own_anchors(grown: World, moody: Moody) -> None:
    """The other ledger is anchored; this one is `unknown`, never `failed`."""
    moody.mood = LedgerUnavailable("The network is down.")
    assert grown.anchor() == [
        Anchored("city", 1, "unknown", "The network is down."),
        Anchored("file", 1, "verified"),
    ]
    assert anchors(grown) == [("city", 1, "unknown"), ("file", 1, "verified")]


def test_a_ledger_that_comes_back_catches_up_with_one_anchor(grown: World, moody: Moody) -> None:
    """What stayed open is handed over again, and the newest covers the rest."""
    moody.mood = LedgerUnavailable("The network is down.")
    grown.anchor()
    grow(grown, 2)
    grow(grown, 3)
    grown.anchor()
    moody.mood = None
    grown.anchor()
    assert anchors(grown) == [
        ("city", 1, "verified"),
        ("city", 3, "verified"),
        ("file", 1, "verified"),
        ("file", 3, "verified"),
    ]
    assert [entry.size for entry, _ in moody.ledger.entries()] == [1, 3]


def test_a_time_out_after_the_ledger_took_it_is_found_out(grown: World, moody: Moody) -> None:
    """Nobody knows whether it arrived: it is handed over again, and stands there once."""
    moody.mood, moody.after = LedgerUnavailable("Timed out."), True
    assert grown.anchor()[0].state == "unknown"
    moody.mood = None
    assert grown.anchor()[0].state == "verified"
    assert [entry.size for entry, _ in moody.ledger.entries()] == [1]


def test_a_refusal_is_failed_and_not_tried_again(grown: World, moody: Moody) -> None:
    """A person must look; the sealer doesn't go on at it."""
    moody.mood = LedgerRefused("Another root is noted.")
    assert grown.anchor()[0] == Anchored("city", 1, "failed", "Another root is noted.")
    moody.mood = None
    grow(grown, 2)
    for _ in range(2):
        assert grown.anchor()[0] == Anchored("city", 1, "failed", "Another root is noted.")
    assert moody.ledger.entries() == []
    assert ("file", 2, "verified") in anchors(grown)
    assert grown.rows("SELECT error FROM anchors WHERE ledger = 'city'") == [
        ("Another root is noted.",)
    ]


def test_finality_is_waited_for(grown: World, moody: Moody) -> None:
    """Submitted, committed, verified: each state is kept, nothing is submitted again."""
    moody.slow_states = ["submitted", "committed"]
    states = [grown.anchor()[0].state for _ in range(2)]
    grown.anchor()
    assert states == ["submitted", "committed"]
    assert grown.rows("SELECT state, attempts FROM anchors WHERE ledger = 'city'") == [
        ("verified", 1)
    ]


def test_a_verified_anchor_never_changes(grown: World) -> None:
    """Not even to failed: the evidence is out."""
    grown.anchor()
    before = grown.rows("SELECT * FROM anchors")
    with grown.pool.transaction() as tx:
        moved = tx.do(
            "move_anchor",
            ledger="file",
            size=1,
            state="failed",
            refused=True,
            evidence="{}",
            error="x",
            now=grown.now,
        )
    assert moved == 0
    assert grown.rows("SELECT * FROM anchors") == before


# -- a ledger that went back


@pytest.mark.parametrize("kept", [0, 1], ids=["lost", "older"])
def test_a_ledger_that_was_set_back_is_not_written_on(grown: World, kept: int) -> None:
    """Else the file ledger itself would have two second entries: both signed, both linked."""
    grown.anchor()
    grow(grown, 2)
    grown.anchor()
    grow(grown, 3)
    file = grown.parts.settings.ledger_file
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:kept]))
    other = grown.again()
    (stopped,) = other.anchor()
    assert (stopped.size, stopped.state) == (2, "unknown")
    assert stopped.error is not None
    assert "restore it" in stopped.error
    assert file.read_bytes() == b"".join(lines[:kept])
    assert any("ledger doesn't hold it" in finding for finding in other.audit().findings)
    # Accepting goes on: nothing is known outside that the database doesn't hold.
    assert len(other.add("weather", 2, seed=8)) == 2
    file.write_bytes(b"".join(lines))
    again = grown.again()
    assert [anchored.state for anchored in again.anchor()] == ["verified"]
    assert entries(again) == [1, 2, 3]
    for world in (other, again):
        world.close()


# -- crashes


def cut_ledger(patch: pytest.MonkeyPatch, method: str, *, after: bool) -> None:
    real = getattr(FileLedger, method)

    def cut(*values: object) -> object:
        if after:
            real(*values)
        raise PowerCut

    patch.setattr(FileLedger, method, cut)


CUTS: list[tuple[Callable[..., None], str]] = [
    (cut_commit, "note_ledger"),
    (cut_commit, "add_anchor"),
    (cut_commit, "try_anchor"),
    (cut_ledger, "submit"),
    (cut_commit, "anchor_submitted"),
    (cut_ledger, "confirm"),
    (cut_ledger, "evidence"),
    (cut_commit, "move_anchor"),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("cut", "what"), CUTS, ids=[what for _, what in CUTS])
def test_cut_off_between_any_two_steps(
    grown: World, cut: Callable[..., None], what: str, after: bool
) -> None:
    """The next process takes the anchor up where it stands; the ledger has it once."""
    with pytest.MonkeyPatch.context() as patch:
        cut(patch, what, after=after)
        with pytest.raises(PowerCut):
            grown.anchor()
    other = grown.again()
    other.anchor()
    assert anchors(other) == [("file", 1, "verified")]
    assert entries(other) == [1]
    assert other.audit().findings == ()
    other.close()


def test_torn_by_a_crash_the_ledger_is_mended_by_the_same_anchor(grown: World) -> None:
    """Half a line was written: the next try cuts it off and writes it whole."""
    grown.anchor()
    file = grown.parts.settings.ledger_file
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    grown.change("UPDATE anchors SET state = 'built', evidence = NULL")
    other = grown.again()
    assert other.anchor() == [Anchored("file", 1, "verified")]
    assert entries(other) == [1]
    assert other.audit().findings == ()
    other.close()
