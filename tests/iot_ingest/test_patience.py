# SPDX-License-Identifier: Apache-2.0
"""What is tried again, what is halved, and in which order; the accepting side is a script."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Timer

import pytest

from iot_ingest import patience as patience_module
from iot_ingest.patience import Broken, GaveUp, Patience, PatientAcceptor
from notary.store.errors import LaneBusy, StoreUnavailable
from notary.usecases.accept import ClockBehind
from notary.usecases.marks import StateRefused
from notary.usecases.reading import Acceptance, Outcome, Reading

NOW = datetime(2031, 1, 1, tzinfo=UTC)


class Script:
    """Accepts in its way: raises for poison, None for a source in `held`."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.held: set[str] = set()
        self.free_after: set[bytes] = set()
        self.errors: list[Exception] = []
        self.times: list[datetime] = []

    def accept_free(self, readings: Sequence[Reading], now: datetime) -> list[Outcome | None]:
        """One transaction."""
        self.times.append(now)
        if self.errors:
            raise self.errors.pop(0)
        if any(one.payload == b"poison" for one in readings):
            raise ValueError("poison")
        answers: list[Outcome | None] = []
        for one in readings:
            if one.source in self.held:
                answers.append(None)
                continue
            self.taken.append(one.payload)
            answers.append(Acceptance("d", one.source, 0, 0, b"", now))
        if any(one.payload in self.free_after for one in readings):
            self.held.clear()
        return answers


@pytest.fixture
def script() -> Script:
    """A script to be written."""
    return Script()


def patient(script: Script, patience: Patience) -> PatientAcceptor:
    """With a clock that goes on with each look."""
    return PatientAcceptor(
        script, patience, lambda: NOW + timedelta(seconds=len(script.times)), lambda error: None
    )


def reading(source: str, payload: bytes) -> Reading:
    """A reading."""
    return Reading("d", source, payload, "x/y", "acl")


def test_what_was_put_aside_is_not_overtaken_while_a_batch_is_halved(script: Script) -> None:
    """The lane becomes free in between; the source's later reading has to wait all the same."""
    script.held = {"h"}
    script.free_after = {b"1"}
    asked = [reading("h", b"h1"), reading("x", b"1"), reading("p", b"poison"), reading("h", b"h2"),
             reading("x", b"2")]  # fmt: skip
    answers = patient(script, Patience()).accept(asked)
    assert [type(answer) for answer in answers] == [
        type(None),
        Acceptance,
        Broken,
        type(None),
        Acceptance,
    ]
    assert script.taken == [b"1", b"2"]


def test_only_the_broken_ones_are_broken(script: Script) -> None:
    """Wherever they stand, however many."""
    for bad in ({0}, {7}, {3, 4}, {0, 15}, set(range(16))):
        asked = [reading("s", b"poison" if i in bad else b"good") for i in range(16)]
        answers = patient(script, Patience()).accept(asked)
        assert {i for i, answer in enumerate(answers) if isinstance(answer, Broken)} == bad


@pytest.mark.parametrize(
    "error", [StoreUnavailable(), LaneBusy(), StateRefused("no", reason="x"), ClockBehind()]
)
def test_what_passes_is_tried_again_with_a_new_look_at_the_clock(
    script: Script, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And never halved; the problem is said meanwhile and forgotten then."""
    monkeypatch.setattr(patience_module, "FIRST_PAUSE_SECONDS", 0.001)
    patience = Patience()
    script.errors = [error] * 5
    answers = patient(script, patience).accept([reading("s", b"1"), reading("s", b"2")])
    assert len(answers) == 2
    assert script.taken == [b"1", b"2"]
    assert len(set(script.times)) == 6
    assert patience.problem is None


def test_told_to_leave_it_gives_up_waiting(script: Script) -> None:
    """Also in the middle of a long pause; the problem stays told."""
    patience = Patience()
    script.errors = [StateRefused("closed", reason="x")] * 1000
    Timer(0.05, patience.leave).start()
    with pytest.raises(GaveUp):
        patient(script, patience).accept([reading("s", b"1")])
    assert patience.problem == "state-refused: closed"
    assert script.taken == []
