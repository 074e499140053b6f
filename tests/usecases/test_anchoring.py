# SPDX-License-Identifier: Apache-2.0
"""Several ledgers at once: pauses, at most one anchor under way, refusals, and the gate."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from notary.core.proof import verify_consistency
from notary.keys import make_key
from notary.ledgers.file import FileLedger
from notary.ledgers.port import (
    Anchorable,
    AnchorState,
    Ledger,
    LedgerRefused,
    LedgerUnavailable,
)
from notary.store.pool import Transaction
from notary.usecases.anchor import Anchored, anchor, look_back
from notary.usecases.anchor_check import check_anchors
from notary.usecases.anchor_look import (
    get_anchor,
    ledger_status,
    list_anchors,
    list_evidence,
    retry_ledger,
)
from notary.usecases.anchor_work import FIRST_PAUSE, HANDING_OVER, LONGEST_PAUSE, LONGEST_WAIT
from notary.usecases.anchoring import Anchors
from notary.usecases.gate import Gate
from notary.usecases.look import totals
from notary.usecases.marks import StateRefused
from notary.usecases.recover_look import find_gap
from notary.usecases.rights import NotFound
from notary.wiring import surroundings
from tests.usecases.world import World

HOUR = timedelta(hours=1)
AWAY = LedgerUnavailable("The network is down.")
FORK = LedgerRefused("Another root is noted.")


class Remote:
    """A ledger of others: a real file ledger, of which each answer can be made another one."""

    kind = "file"
    own_word = False
    remembers = True
    required = False

    def __init__(self, ledger: FileLedger, name: str = "far") -> None:
        self.ledger, self.name = ledger, name
        self.interval: timedelta | None = None
        self.instead: dict[str, Any] = {}
        self.references: list[str | None] = []
        self.asked: list[str] = []
        self.holds: tuple[int, bytes] | None = None

    def _do(self, name: str, real: Callable[[], Any]) -> Any:
        self.asked.append(name)
        answer = self.instead.get(name)
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else None
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return real() if answer is None else answer

    def submit(self, checkpoint: Anchorable, reference: str | None, now: datetime) -> str:
        self.references.append(reference)
        return str(self._do("submit", lambda: self.ledger.submit(checkpoint, reference, now)))

    def confirm(self, checkpoint: Anchorable, reference: str | None) -> AnchorState:
        state: AnchorState = self._do("confirm", lambda: self.ledger.confirm(checkpoint, reference))
        return state

    def evidence(self, checkpoint: Anchorable, reference: str | None) -> Mapping[str, object]:
        found: Mapping[str, object] = self._do(
            "evidence", lambda: self.ledger.evidence(checkpoint, reference)
        )
        return found

    def newest(self, origin: str) -> tuple[int, bytes] | None:
        return self.holds

    def trust(self) -> Mapping[str, object]:
        return self.ledger.trust()

    def probe(self) -> Mapping[str, object]:
        return self.ledger.probe()


@pytest.fixture
def grown(world: World) -> World:
    """A notary with a signed checkpoint of size 1, not anchored."""
    world.add(world.dataset("weather"), 5)
    world.seal()
    world.sign()
    return world


@pytest.fixture
def far(grown: World, tmp_path: Path) -> Remote:
    """A second ledger, of others."""
    signer = make_key("far.example/ledger", tmp_path / "far.key")
    ledger = Remote(FileLedger(tmp_path / "far.ndjson", signer.vkey, signer))
    grown.parts.ledgers.append(ledger)
    return ledger


def grow(world: World) -> None:
    """One more batch, signed."""
    world.add("weather", 3, seed=world.size() + 1)
    world.seal()
    world.sign()


def step(world: World, ledger: Ledger, seconds: float = 0, **more: Any) -> list[Anchored]:
    """What the sealer does on one ledger so many seconds later."""
    world.pass_by(seconds)
    return anchor(world.pool, world.gate, ledger, HOUR, lambda: world.now, **more)


def states(world: World, ledger: str = "far") -> list[tuple[object, ...]]:
    """(size, state) of a ledger's anchors."""
    return world.rows("SELECT size, state FROM anchors WHERE ledger = %s ORDER BY size", ledger)


# -- pauses


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


# -- one at a time


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


# -- refusals


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


def test_a_name_that_was_a_ledger_of_another_kind_gets_nothing(grown: World, far: Remote) -> None:
    """Its anchors' evidence is of that kind; it needs another name."""
    step(grown, far)
    grow(grown)
    far.kind = "evm"  # type: ignore[misc]
    (stopped,) = step(grown, far, 3600)
    assert "another name" in str(stopped.error)
    assert states(grown) == [(1, "verified")]
    assert status(grown, "far")["stopped"]


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


# -- what is shown


def status(world: World, name: str) -> dict[str, Any]:
    """How a ledger stands."""
    rows = ledger_status(world.pool, world.parts.ledgers, world.now)
    return next(row for row in rows if row["name"] == name)


def test_a_ledger_stands_in_the_status_before_its_first_anchor(grown: World, far: Remote) -> None:
    """With the age of what it doesn't hold."""
    grown.pass_by(100)
    shown = status(grown, "far")
    assert (shown["size"], shown["unanchored_seconds"]) == (0, 100.0)
    assert (shown["kind"], shown["own_word"], shown["required"]) == ("file", False, False)


def test_a_ledger_that_was_taken_out_breaks_nothing(grown: World, far: Remote) -> None:
    """Its anchors are listed with their kind; receipts and the audit go on without it."""
    grown.anchor()
    grown.parts.ledgers.remove(far)
    rows = list_anchors(grown.pool, grown.parts.ledgers, None, 10)
    assert [(row["ledger"], row["kind"], row["required"]) for row in rows] == [
        ("far", "file", False),
        ("file", "file", True),
    ]
    assert not status(grown, "far")["configured"]
    report = grown.audit()
    assert report.findings == ()
    assert any("far" in sentence for sentence in report.not_checked)
    text = grown.prover().receipt(*record(grown), caller=grown.caller).text
    assert '"ledger":"far"' not in text
    assert '"ledger":"file"' in text


def test_one_anchor_is_shown_or_not_there(grown: World, far: Remote) -> None:
    """By size and ledger."""
    grown.anchor()
    assert get_anchor(grown.pool, grown.parts.ledgers, "far", 1)["state"] == "verified"
    for ledger, size in (("far", 2), ("nowhere", 1)):
        with pytest.raises(NotFound):
            get_anchor(grown.pool, grown.parts.ledgers, ledger, size)


def record(world: World) -> tuple[str, str, int]:
    """A record that is there."""
    return "weather", str(world.rows("SELECT min(name) FROM sources")[0][0]), 0


def test_receipts_carry_every_configured_ledgers_anchor(grown: World, far: Remote) -> None:
    """Also one that came after the receipt was first asked for."""
    grown.parts.ledgers.remove(far)
    grown.anchor()
    grown.parts.ledgers.append(far)
    prover = grown.prover()
    first = prover.receipt(*record(grown), caller=grown.caller)
    assert '"ledger":"far"' not in first.text
    grown.anchor()
    later = prover.receipt(*record(grown), caller=grown.caller)
    assert '"ledger":"far"' in later.text
    assert (first.final, later.final) == (False, True)


# -- the gate


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


# -- threads


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


def test_a_page_of_evidence_ends_before_it_is_too_large(
    grown: World, far: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of other chains are large; each page has one at least, and all pages have all."""
    for _ in range(5):
        grown.anchor()
        grow(grown)
    monkeypatch.setattr("notary.usecases.anchor_look.MOST_BYTES", 2000)
    grown.change("UPDATE anchors SET evidence = %s WHERE size = 3", f'"{"x" * 5000}"')
    after: tuple[int, str] | None = None
    pages = []
    while True:
        rows, count = list_evidence(grown.pool, grown.parts.ledgers, after, 4)
        pages.append([(row["size"], row["ledger"]) for row in rows[:count]])
        assert all(row["evidence"] for row in rows[:count])
        if len(rows) <= count:
            break
        after = pages[-1][-1]
    seen = [one for page in pages for one in page]
    assert seen == [(size, name) for size in range(5, 0, -1) for name in ("far", "file")]
    assert max(map(len, pages)) == 4
    assert [(3, "far")] in pages
    assert [(3, "file")] in pages


def test_a_recovery_does_not_wait_for_a_ledger_of_others(grown: World, far: Remote) -> None:
    """One that can't tell stands in nobody's way; one that holds another root does."""
    step(grown, far)
    for answer in (AWAY, "unknown"):
        far.instead["confirm"] = lambda answer=answer: answer
        find_gap(grown.pool, grown.marks, grown.parts.ledgers, ())
    far.instead["confirm"] = lambda: FORK
    with pytest.raises(LedgerRefused):
        find_gap(grown.pool, grown.marks, grown.parts.ledgers, ())


def test_what_can_not_be_asked_is_not_called_checked_online(grown: World, far: Remote) -> None:
    """A ledger that keeps nothing, one that is away, one that lost it: each is told apart."""
    grown.anchor()

    def online() -> tuple[str, str | None]:
        (checked,) = check_anchors(grown.pool, grown.parts.ledgers, "far")
        assert checked.offline.outcome == "own-word"
        return checked.online.outcome, checked.online.why

    assert online() == ("held", None)
    far.instead["confirm"] = lambda: AWAY
    assert online() == ("not-checked", AWAY.detail)
    assert grown.audit().not_checked == (f"whether far holds size 1: {AWAY.detail}",)
    assert grown.audit().findings == ()
    far.instead["confirm"] = lambda: "unknown"
    assert online() == ("differs", "the ledger says unknown")
    assert grown.audit().findings == ("anchor of size 1 on far: the ledger says unknown",)
    far.remembers = False  # type: ignore[misc]
    assert online()[0] == "not-checked"
    assert grown.audit().findings == ()


def test_totals_count_what_every_required_ledger_has(grown: World, far: Remote) -> None:
    """A record isn't called anchored before, and the age of what waits is that of the slowest."""
    far.required = True  # type: ignore[misc]
    step(grown, grown.ledger)
    before = totals(grown.pool, grown.parts.ledgers)
    assert before["anchored_size"] is None
    assert before["oldest_unanchored"] is not None
    step(grown, far)
    after = totals(grown.pool, grown.parts.ledgers)
    assert (after["anchored_size"], after["oldest_unanchored"]) == (1, None)


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


def test_of_two_sealers_one_hands_over(
    grown: World, far: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read that it is to be handed over; the one that counts the attempt first does."""
    other, real = grown.again(), Transaction.do
    moved: list[Anchored] = []

    def do(tx: Transaction, name: str, /, **values: object) -> int:
        if name == "try_anchor" and not moved:
            moved.append(Anchored("far", 1, "built"))
            moved.extend(step(other, far))
        return real(tx, name, **values)

    monkeypatch.setattr(Transaction, "do", do)
    assert step(grown, far) == []
    assert moved[1:] == [Anchored("far", 1, "verified")]
    assert far.asked.count("submit") == 1
    other.close()


def test_an_audit_finds_evidence_of_others_that_does_not_hold(grown: World, far: Remote) -> None:
    """From itself alone: the ledger is asked about its newest anchor only."""
    for _ in range(3):
        grown.anchor()
        grow(grown)
    grown.change(
        "UPDATE anchors SET evidence = (SELECT evidence FROM anchors WHERE ledger = 'far'"
        " AND size = 1) WHERE ledger = 'far' AND size = 2"
    )
    (finding,) = grown.audit().findings
    assert finding.startswith("anchor of size 2 on far:")


# -- clocks


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


# -- an older database


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


def test_what_is_kept_in_mind_of_anchors_is_bounded(
    grown: World, far: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence of other chains is large; receipts are the same with and without it in mind."""
    grown.anchor()
    prover = grown.prover()
    kept = prover.receipt(*record(grown), caller=grown.caller)
    assert len(prover._batches) == 1
    monkeypatch.setattr("notary.usecases.prove.MAX_BYTES", 10)
    other = grown.prover()
    assert other.receipt(*record(grown), caller=grown.caller) == kept
    assert len(other._batches) == 0


# -- the notary as adapters see it


def test_adapters_are_given_the_growth_of_our_log(grown: World, far: Remote) -> None:
    """Paths that verify, roots that were signed, and where the ledger began."""
    around = surroundings(grown.pool, writes=False)
    assert around.first("far") is None
    for _ in range(4):
        grow(grown)
    grown.anchor()
    roots = {row[0]: row[1] for row in grown.checkpoints()}
    for old, new in ((1, 5), (3, 5), (5, 5), (2, 3)):
        path = around.growth(old, new)
        verify_consistency(old, roots[old], new, roots[new], path)  # type: ignore[index,arg-type]
        assert around.root(new) == roots[new]
    assert (around.first("far"), around.writes) == (5, False)


def test_what_only_a_ledger_knows_is_refused_and_not_made_up(grown: World) -> None:
    """A size beyond our log: an older database, or a node that lies; a person must look."""
    around = surroundings(grown.pool, writes=True)
    for ask in (lambda: around.root(2), lambda: around.growth(1, 1 << 40)):
        with pytest.raises(LedgerRefused, match="our log has only 1"):
            ask()


def test_a_ledger_of_which_nothing_can_be_said_yet_is_left_out_of_the_trust_file(
    grown: World, far: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is kept for ten years claims nothing that isn't known."""

    def listed() -> list[str]:
        members = json.loads(grown.parts.trust())
        return [ledger["id"] for ledger in members["ledgers"]]

    assert listed() == ["file", "far"]

    def unknown(_: Remote) -> Mapping[str, object]:
        raise LedgerUnavailable("Nothing is anchored there yet.")

    monkeypatch.setattr(Remote, "trust", unknown)
    assert listed() == ["file"]
