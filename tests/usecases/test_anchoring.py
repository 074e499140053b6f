# SPDX-License-Identifier: Apache-2.0
"""Ledgers of others side by side: what closes the gate, and who waits for whom."""

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from notary.ledgers.port import LedgerRefused
from notary.usecases.anchor import look_back
from notary.usecases.anchor_look import retry_ledger
from notary.usecases.anchoring import Anchors
from notary.usecases.gate import Gate
from notary.usecases.marks import StateRefused
from notary.usecases.recover_look import find_gap
from tests.usecases.remote_ledger import AWAY, FORK, HOUR, Remote, far, grow, grown, states, step
from tests.usecases.world import World

__all__ = ["far", "grown"]


@pytest.fixture
def said() -> list[dict[str, object]]:
    """What was said to the operator."""
    return []


@pytest.fixture
def anchors(grown: World, far: Remote, said: list[dict[str, object]]) -> Iterator[Anchors]:
    """The ledgers as the sealer asks them."""

    def say(event: str, /, **facts: object) -> None:
        said.append(facts)

    made = Anchors(grown.pool, grown.gate, grown.parts.ledgers, HOUR, lambda: grown.now, say)
    yield made
    made.wait(60)


def test_a_ledger_that_knows_more_than_the_database_closes_the_gate(
    grown: World, far: Remote
) -> None:
    """For every process that runs, and for those that start; until it says something else."""
    other = Gate(grown.pool, grown.marks, grown.parts.ledgers)
    other.open()
    step(grown, far)
    far.holds = (99, bytes(32))
    look_back(grown.pool, far, lambda: grown.now)
    with pytest.raises(StateRefused, match="the ledger far"):
        other.hear()
    with pytest.raises(StateRefused, match="the ledger far"):
        other.open()
    with pytest.raises(StateRefused, match="the ledger far"):
        Gate(grown.pool, grown.marks, grown.parts.ledgers).open()
    far.holds = None  # a process that asked nobody itself
    with pytest.raises(StateRefused, match="the ledger far"):
        Gate(grown.pool, grown.marks, grown.parts.ledgers).open()
    far.holds = (1, bytes(grown.checkpoints()[0][1]))  # type: ignore[arg-type]
    look_back(grown.pool, far, lambda: grown.now)
    other.open()


def test_another_root_on_a_ledger_closes_the_gate(grown: World, far: Remote) -> None:
    """A fork: nothing is accepted any more."""
    far.holds = (1, bytes(32))
    step(grown, far)
    with pytest.raises(StateRefused, match="different roots"):
        Gate(grown.pool, grown.marks, grown.parts.ledgers).open()


def test_a_ledger_that_can_not_be_reached_closes_nothing(grown: World, far: Remote) -> None:
    """Nobody waits for the network."""
    for name in ("submit", "confirm", "evidence"):
        far.instead[name] = lambda: AWAY
    step(grown, far)
    look_back(grown.pool, far, lambda: grown.now)
    Gate(grown.pool, grown.marks, grown.parts.ledgers).open()


def test_a_ledger_that_was_taken_out_closes_nothing(grown: World, far: Remote) -> None:
    """A person decided so."""
    step(grown, far)
    far.holds = (99, bytes(32))
    look_back(grown.pool, far, lambda: grown.now)
    grown.parts.ledgers.remove(far)
    Gate(grown.pool, grown.marks, grown.parts.ledgers).open()


def test_a_slow_ledger_holds_up_no_other(grown: World, far: Remote, anchors: Anchors) -> None:
    """`turn` comes back at once, sealing and signing go on, and so does the other ledger."""
    answered, asked = threading.Event(), threading.Event()

    def wait() -> None:
        asked.set()
        answered.wait(60)

    far.instead["submit"] = wait
    anchors.turn(grown.now)
    assert asked.wait(60)
    for _ in range(3):
        grow(grown)
        grown.pass_by(3600)
        anchors.turn(grown.now)
        turn = next(turn for turn in anchors._turns if turn.ledger.name == "file")
        turn.wait(60)
    assert far.asked == ["submit"]
    assert [size for size, _ in states(grown, "file")][-1] == 4
    answered.set()
    anchors.wait(60)
    assert states(grown)[0] == (1, "verified")


def test_a_refusal_is_said_once_and_by_each_process(
    grown: World, far: Remote, anchors: Anchors, said: list[dict[str, object]]
) -> None:
    """Not in each round."""
    far.instead["submit"] = lambda: FORK
    for _ in range(4):
        anchors.turn(grown.now)
        anchors.wait(60)
        grown.pass_by(3600)
        grow(grown)
    told = [facts for facts in said if facts["ledger"] == "far"]
    assert told == [{"ledger": "far", "size": 1, "state": "failed", "error": FORK.detail}]
    again: list[dict[str, object]] = []
    ledgers = [far]
    other = Anchors(
        grown.pool, grown.gate, ledgers, HOUR, lambda: grown.now,
        lambda _, /, **facts: again.append(facts),
    )  # fmt: skip
    other.turn(grown.now)
    assert again == told


def test_what_a_ledger_holds_is_looked_at_before_anything_is_sealed(
    grown: World, far: Remote, anchors: Anchors
) -> None:
    """An older database that mark and file agree with: only the far ledger knows."""
    step(grown, far)
    far.holds = (99, bytes(32))
    with pytest.raises(StateRefused, match="the ledger far"):
        anchors.begin()
    assert far.asked[-1] == "confirm"


def test_while_the_gate_is_closed_nothing_is_handed_over(
    grown: World, far: Remote, anchors: Anchors
) -> None:
    """Only what closed it is asked, now and then; what it takes back opens the gate."""
    step(grown, far)
    grow(grown)
    far.holds = (99, bytes(32))
    with suppress(StateRefused):
        anchors.begin()
    grown.pass_by(86_400)
    anchors.turn(grown.now)
    anchors.wait(60)
    assert states(grown) == [(1, "verified")]
    far.holds = (1, bytes(grown.checkpoints()[0][1]))  # type: ignore[arg-type]
    grown.pass_by(61)
    anchors.turn(grown.now)
    anchors.wait(60)
    anchors.turn(grown.now)
    anchors.wait(60)
    assert states(grown)[-1] == (2, "verified")


def test_a_recovery_does_not_wait_for_a_ledger_of_others(grown: World, far: Remote) -> None:
    """One that can't tell stands in nobody's way; one that holds another root does."""
    step(grown, far)
    for answer in (AWAY, "unknown"):
        far.instead["confirm"] = lambda answer=answer: answer
        find_gap(grown.pool, grown.marks, grown.parts.ledgers, ())
    far.instead["confirm"] = lambda: FORK
    with pytest.raises(LedgerRefused):
        find_gap(grown.pool, grown.marks, grown.parts.ledgers, ())


def test_a_persons_word_forgets_what_a_ledger_was_heard_to_hold(grown: World, far: Remote) -> None:
    """A node that lied is a thing of the past; it is asked anew."""
    step(grown, far)
    far.holds = (99, bytes(32))
    look_back(grown.pool, far, lambda: grown.now)
    gate = Gate(grown.pool, grown.marks, grown.parts.ledgers)
    with pytest.raises(StateRefused):
        gate.open()
    far.holds = None
    retry_ledger(grown.pool, "far", grown.now)
    gate.open()


@pytest.mark.parametrize("noted", [True, False], ids=["row", "no-row"])
def test_an_older_database_in_which_nothing_is_anchored_yet_is_known_by_the_ledger(
    grown: World, far: Remote, anchors: Anchors, noted: bool
) -> None:
    """Restored from before the first anchor, mark and file with it: only the far ledger knows."""
    if noted:
        far.instead["submit"] = lambda: AWAY
        step(grown, far)
        far.instead.clear()
    far.holds = (99, bytes(32))
    far.instead["confirm"] = lambda: LedgerRefused("The ledger holds size 99.")
    with pytest.raises(StateRefused, match="the ledger far"):
        anchors.begin()


def test_a_ledger_that_holds_nothing_yet_is_asked_and_nothing_is_wrong(
    grown: World, far: Remote, anchors: Anchors
) -> None:
    """It need not hold what was never handed to it."""
    anchors.begin()
    assert far.asked == ["confirm"]
    assert look_back(grown.pool, far, lambda: grown.now) is None


def test_ledgers_that_hang_delay_a_start_once_and_for_a_moment(
    grown: World, far: Remote, anchors: Anchors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then sealing begins without their word; they are left to their threads."""
    monkeypatch.setattr("notary.usecases.anchoring.LOOK_SECONDS", 0.1)
    step(grown, far)
    answered = threading.Event()
    far.instead["confirm"] = lambda: answered.wait(60) and None
    anchors.begin()
    anchors.begin()
    anchors.turn(grown.now)
    assert far.asked[-1] == "confirm"
    answered.set()
