# SPDX-License-Identifier: Apache-2.0
"""One ledger of others, step by step: pauses, at most one anchor under way, refusals, evidence."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise

import pytest

from notary.ledgers.port import LedgerUnavailable
from notary.store.pool import Transaction
from notary.usecases.anchor import Anchored
from notary.usecases.anchor_look import retry_ledger
from notary.usecases.anchor_work import FIRST_PAUSE, HANDING_OVER, LONGEST_PAUSE, LONGEST_WAIT
from notary.usecases.rights import NotFound
from tests.usecases.remote_ledger import AWAY, FORK, Remote, far, grow, grown, states, status, step
from tests.usecases.world import World

__all__ = ["far", "grown"]


def test_pauses_grow_while_a_ledger_is_down(grown: World, far: Remote) -> None:
    """Never busy, never longer than the longest; by the row alone: a restart changes nothing."""
    far.instead["submit"] = lambda: AWAY
    assert step(grown, far)[0].state == "unknown"
    pause = FIRST_PAUSE.total_seconds()
    for _ in range(14):
        far.asked.clear()
        assert step(grown, far, pause - 0.1) == []
        assert far.asked == []
        assert step(grown, far, 0.1)[0].state == "unknown"
        assert far.asked == ["submit"]
        pause = min(pause * 2, LONGEST_PAUSE.total_seconds())
    assert pause == LONGEST_PAUSE.total_seconds()


def test_finality_is_asked_for_with_growing_pauses(grown: World, far: Remote) -> None:
    """A chain that takes an hour isn't asked each second of it, nor left alone for long."""
    far.instead["confirm"] = lambda: "committed"
    step(grown, far)
    asked: list[int] = []
    for second in range(0, 1500, 5):
        far.asked.clear()
        step(grown, far, 5)
        asked += [second] * len(far.asked)
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert gaps == sorted(gaps)
    assert (gaps[0], gaps[-1]) == (5, LONGEST_WAIT.total_seconds())


def test_a_time_out_while_reading_back_does_not_hand_over_again(grown: World, far: Remote) -> None:
    """It was handed over, and stays so: state and reference are kept, and the error is told."""
    far.instead["confirm"] = lambda: AWAY
    assert step(grown, far) == [Anchored("far", 1, "submitted", AWAY.detail)]
    far.instead.clear()
    assert step(grown, far, 60) == [Anchored("far", 1, "verified")]
    assert far.asked.count("submit") == 1
    assert grown.rows("SELECT reference, error, attempts FROM anchors WHERE ledger = 'far'") == [
        ("0", None, 1)
    ]


def test_what_a_ledger_can_not_tell_any_more_is_handed_over_again(
    grown: World, far: Remote
) -> None:
    """With the reference that is known: a transaction that fell out of its chain, say."""
    far.instead["confirm"] = ["submitted", "unknown"]
    assert [step(grown, far, 60)[0].state for _ in range(3)] == ["submitted", "unknown", "verified"]
    assert far.references == [None, "0"]


def test_the_reference_is_kept_at_once(grown: World, far: Remote) -> None:
    """Whatever happens while it is read back."""

    def cut() -> None:
        raise KeyboardInterrupt

    far.instead["confirm"] = cut
    with pytest.raises(KeyboardInterrupt):
        step(grown, far)
    assert grown.rows("SELECT state, reference FROM anchors WHERE ledger = 'far'") == [
        ("submitted", "0")
    ]


def test_after_a_crash_while_handing_over_it_is_left_alone_for_a_while(
    grown: World, far: Remote
) -> None:
    """Another sealer may be at it; then it is handed over again."""

    def cut() -> None:
        raise KeyboardInterrupt

    far.instead["submit"] = cut
    with pytest.raises(KeyboardInterrupt):
        step(grown, far)
    far.instead.clear()
    assert step(grown, far, HANDING_OVER.total_seconds() - 1) == []
    assert step(grown, far, 1) == [Anchored("far", 1, "verified")]


@pytest.mark.parametrize("stray", [KeyError("result"), ValueError("0x"), RecursionError()])
@pytest.mark.parametrize("where", ["submit", "confirm", "evidence"])
def test_an_adapter_that_stumbles_costs_only_its_anchors(
    grown: World, far: Remote, where: str, stray: Exception
) -> None:
    """Its fault is told, the state is never `failed`, and it goes on afterwards."""
    far.instead[where] = lambda: stray
    (moved,) = step(grown, far)
    assert moved.state == ("unknown" if where == "submit" else "submitted")
    assert f"The adapter failed: {type(stray).__name__}" in str(moved.error)
    far.instead.clear()
    assert step(grown, far, 60)[0].state == "verified"


def test_a_ledger_that_was_down_for_a_day_has_one_anchor_open_and_catches_up_with_one(
    grown: World, far: Remote
) -> None:
    """However many intervals passed."""
    far.instead["submit"] = lambda: AWAY
    for _ in range(6):
        step(grown, far, 4 * 3600)
        grow(grown)
    assert states(grown) == [(1, "unknown")]
    far.instead.clear()
    assert [one.size for one in step(grown, far, 3600)] == [1, 7]
    assert states(grown) == [(1, "verified"), (7, "verified")]


def test_each_ledger_has_its_own_interval(grown: World, far: Remote) -> None:
    """Its own before the notary's."""
    far.interval = timedelta(hours=6)
    for _ in range(12):
        step(grown, far)
        step(grown, grown.ledger)
        grow(grown)
        grown.pass_by(3600)
    assert [size for size, _ in states(grown)] == [1, 7]
    assert len(states(grown, "file")) == 12


def test_an_overtaken_anchor_is_over_and_stops_nothing(grown: World, far: Remote) -> None:
    """A larger size is there: nothing is wrong, the next one follows at its interval."""
    far.instead["confirm"] = ["failed"]
    (moved,) = step(grown, far)
    assert (moved.state, "larger size" in str(moved.error)) == ("failed", True)
    grow(grown)
    assert step(grown, far, 60) == []
    assert step(grown, far, 3600) == [Anchored("far", 2, "verified")]
    assert not status(grown, "far")["stopped"]


@pytest.mark.parametrize("where", ["submit", "confirm", "evidence"])
def test_a_refusal_stops_that_ledger_until_a_person_has_looked(
    grown: World, far: Remote, where: str
) -> None:
    """Nothing more is handed to it, for days; then it is taken up where it stood."""
    far.instead[where] = lambda: FORK
    assert step(grown, far) == [Anchored("far", 1, "failed", FORK.detail)]
    far.instead.clear()
    far.asked.clear()
    for _ in range(3):
        grow(grown)
        assert step(grown, far, 86_400) == [Anchored("far", 1, "failed", FORK.detail)]
        assert step(grown, far, at_once=True)[0].state == "failed"
    assert far.asked == []
    assert status(grown, "far")["stopped"]
    assert retry_ledger(grown.pool, "far", grown.now) == 1
    assert [one.size for one in step(grown, far)] == [1, 4]
    assert not status(grown, "far")["stopped"]


def test_what_waits_after_a_failure_goes_on_at_once_by_a_persons_word(
    grown: World, far: Remote
) -> None:
    """Who has mended the cause need not wait five minutes; pauses begin anew."""
    far.instead["submit"] = lambda: AWAY
    for _ in range(12):
        step(grown, far, LONGEST_PAUSE.total_seconds())
    assert step(grown, far) == []
    assert retry_ledger(grown.pool, "far", grown.now) == 1
    assert step(grown, far)[0].state == "unknown"
    assert step(grown, far, FIRST_PAUSE.total_seconds())[0].state == "unknown"
    far.instead.clear()
    assert retry_ledger(grown.pool, "far", grown.now) == 1
    assert step(grown, far)[0].state == "verified"
    assert retry_ledger(grown.pool, "far", grown.now) == 0


def test_a_name_that_was_a_ledger_of_another_kind_gets_nothing(grown: World, far: Remote) -> None:
    """Its anchors' evidence is of that kind; it needs another name."""
    step(grown, far)
    grow(grown)
    far.kind = "evm"  # type: ignore[misc]
    (stopped,) = step(grown, far, 3600)
    assert "another name" in str(stopped.error)
    assert states(grown) == [(1, "verified")]
    assert status(grown, "far")["stopped"]
    assert status(grown, "far")["error"] == stopped.error


def test_nothing_is_retried_on_a_ledger_that_never_was(grown: World) -> None:
    """A slip of the pen changes nothing."""
    with pytest.raises(NotFound):
        retry_ledger(grown.pool, "nowhere", grown.now)


def test_a_ledger_of_others_that_lost_an_anchor_gets_the_next_one(
    grown: World, far: Remote
) -> None:
    """It isn't ours to restore: that is told, and the newest covers what was lost."""
    step(grown, far)
    grow(grown)
    far.instead["confirm"] = ["unknown"]
    assert step(grown, far, 3600) == [Anchored("far", 2, "verified")]
    assert "no longer holds size 1" in str(status(grown, "far")["error"])


@pytest.mark.parametrize("answer", [None, AWAY], ids=["taken", "time-out"])
def test_of_two_sealers_one_hands_over(
    grown: World,
    far: Remote,
    monkeypatch: pytest.MonkeyPatch,
    answer: LedgerUnavailable | None,
) -> None:
    """
    Both have read that it is to be handed over; the one that counts the attempt first does. Where
    that one came to no answer the attempt is all that tells the other of it.
    """
    other, real = grown.again(), Transaction.do
    far.instead["submit"] = [answer]
    moved: list[Anchored] = []

    def do(tx: Transaction, name: str, /, **values: object) -> int:
        if name == "try_anchor" and not moved:
            moved.append(Anchored("far", 1, "built"))
            moved.extend(step(other, far))
        return real(tx, name, **values)

    monkeypatch.setattr(Transaction, "do", do)
    assert step(grown, far) == []
    assert [one.state for one in moved[1:]] == ["verified" if answer is None else "unknown"]
    assert far.asked.count("submit") == 1
    other.close()


@pytest.mark.parametrize("moment", ["begun", "under way", "not answering"])
def test_a_clock_that_was_years_ahead_for_a_moment_stops_no_anchor(
    grown: World, far: Remote, moment: str
) -> None:
    """What it noted is not waited for: nobody would live to see the next anchor."""
    if moment == "under way":
        far.instead["submit"] = lambda: AWAY
    if moment == "not answering":
        step(grown, far)
        grow(grown)
        far.instead["confirm"] = lambda: AWAY
    step(grown, far, 10 * 365 * 86_400)
    far.instead.clear()
    grown.now -= timedelta(days=10 * 365)
    grow(grown)
    for _ in range(3):
        step(grown, far, 3600 if moment == "not answering" else 1)
    assert states(grown)[-1] == (grown.size(), "verified")


def test_a_clock_that_is_a_little_behind_waits_as_always(grown: World, far: Remote) -> None:
    """Two machines' clocks differ: the pause of one counts for the other."""
    step(grown, far)
    grow(grown)
    assert step(grown, far, -300) == []


@pytest.mark.parametrize("evidence", [{}, {"note": ""}, {"note": 7}, {"note": None, "more": "x"}])
def test_evidence_that_a_stranger_would_refuse_is_never_kept(
    grown: World, far: Remote, evidence: Mapping[str, object]
) -> None:
    """Whatever the adapter believes: it would stand in receipts for good."""
    far.instead["evidence"] = lambda: evidence
    (moved,) = step(grown, far)
    assert (moved.state, "does not hold" in str(moved.error)) == ("submitted", True)
    far.instead.clear()
    assert step(grown, far, 60) == [Anchored("far", 1, "verified")]


def test_evidence_of_an_earlier_checkpoint_is_never_kept(grown: World, far: Remote) -> None:
    """A replayed answer that the adapter believed."""
    step(grown, far)
    (old,) = [note for _, note in far.ledger.entries()]
    grow(grown)
    far.instead["evidence"] = lambda: {"note": old}
    (moved,) = step(grown, far, 3600)
    assert (moved.size, moved.state) == (2, "submitted")
    assert grown.rows("SELECT evidence FROM anchors WHERE ledger = 'far' AND size = 2") == [(None,)]
