# SPDX-License-Identifier: Apache-2.0
"""The state of a witness: never lost without a word, never turned back, never half written."""

import multiprocessing
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from notary.core.errors import MalformedNote
from notary.keys import KeyRefused, load_key, make_key
from notary.witness import judge
from notary.witness.errors import WitnessRefused
from notary.witness.judge import Witness
from notary.witness.state import Head, State, Turn
from tests.witness.logs import NAME, ORIGIN, TIME, SmallLog, make_state

LOG = SmallLog()
FORKED = SmallLog(turned=6)
FORKING = multiprocessing.get_context("fork")
HEAD = Head(3, bytes(32), TIME, "note")


@pytest.fixture
def state(folder: Path) -> State:
    """A witness that has cosigned six entries of a log."""
    state = make_state(folder / "witness", LOG)
    assert Witness(state).add_checkpoint(LOG.request(0, 6), TIME).status == 200
    return state


def head(state: State) -> Head:
    """What it has."""
    with state.look() as look:
        found = look.head(ORIGIN)
    assert found is not None
    return found


# -- making and opening


def test_a_folder_is_its_owners_alone(state: State) -> None:
    """Key and state are readable by nobody else."""
    modes = {path.name: path.stat().st_mode & 0o777 for path in state.folder.iterdir()}
    assert modes == {"witness.key": 0o600, "witness.db": 0o600}
    assert state.folder.stat().st_mode & 0o777 == 0o700


def test_what_was_kept_is_found_again(state: State) -> None:
    """After the process ended."""
    assert head(State.open(state.folder)) == head(state)


def test_a_second_witness_in_one_folder_is_refused(state: State) -> None:
    """The first one stays."""
    before = head(state)
    with pytest.raises(WitnessRefused, match="already"):
        State.make(state.folder, "another.example")
    assert head(State.open(state.folder)) == before
    assert State.open(state.folder).cosigner.name == NAME


def test_a_lost_state_is_not_replaced_under_the_same_key(state: State) -> None:
    """A witness that forgot what it cosigned could be made to cosign a fork."""
    (state.folder / "witness.db").unlink()
    with pytest.raises(WitnessRefused, match="never replaced"):
        State.open(state.folder)
    with pytest.raises(KeyRefused):
        State.make(state.folder, NAME)
    with pytest.raises(WitnessRefused), state.turn():
        pytest.fail("there is nothing to turn to")
    assert not (state.folder / "witness.db").exists()


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nend", "zero\0"])
def test_a_name_that_is_none_is_refused(folder: Path, name: str) -> None:
    """Before anything is made."""
    with pytest.raises(MalformedNote):
        State.make(folder / "w", name)
    State.make(folder / "w", NAME)


def test_a_key_that_others_may_read_is_refused(state: State) -> None:
    """It may have been copied."""
    (state.folder / "witness.key").chmod(0o640)
    with pytest.raises(KeyRefused):
        State.open(state.folder)


def test_the_key_of_a_log_is_no_witnesss(state: State) -> None:
    """The two kinds of key files are never taken for each other."""
    file = state.folder / "witness.key"
    text = file.read_text()
    with pytest.raises(KeyRefused):
        load_key(file)
    file.unlink()
    make_key(text.split("+")[2], file)
    with pytest.raises(KeyRefused):
        State.open(state.folder)


@pytest.mark.parametrize("content", [b"", b"no database" * 1000, None])
def test_what_is_no_state_is_refused(state: State, content: bytes | None) -> None:
    """Empty, damaged, or of another version."""
    file = state.folder / "witness.db"
    if content is None:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA user_version = 2")
    else:
        file.write_bytes(content)
    with pytest.raises(WitnessRefused):
        State.open(state.folder)


# -- one step


def test_what_an_error_broke_off_is_undone(state: State) -> None:
    """Whatever it was."""
    before = head(state)
    with pytest.raises(ZeroDivisionError), state.turn() as turn:  # noqa: PT012
        turn.put_head(ORIGIN, HEAD)
        raise ZeroDivisionError
    assert head(state) == before


@pytest.mark.parametrize("of", ["threads", "processes"])
def test_of_two_futures_one_alone_is_cosigned(state: State, of: str) -> None:
    """
    A log and its fork are handed in at once by two each: check and store are one step, so only
    one of both ever gets cosignatures, and each of its sizes gets one.
    """
    barrier: Any = Barrier(4) if of == "threads" else FORKING.Barrier(4)
    pipes = [FORKING.Pipe(duplex=False) for _ in range(4)]
    workers: list[Any] = [
        (Thread if of == "threads" else FORKING.Process)(
            target=_grow, args=(state, log, barrier, end)
        )
        for log, (_, end) in zip((LOG, FORKED, LOG, FORKED), pipes, strict=True)
    ]
    for worker in workers:
        worker.start()
    one, two, three, four = (end.recv() for end, _ in pipes)
    for worker in workers:
        worker.join()
    true, lie = one + three, two + four
    assert bool(true) != bool(lie)
    assert set(true or lie) == set(range(7, 17))
    won = LOG if true else FORKED
    assert head(state).note.startswith(won.text(16) + "\n")


def _grow(state: State, log: SmallLog, barrier: Any, end: Any) -> None:
    """Hand in sizes 7 to 16 from what the witness says that it has; tell what was cosigned."""
    witness, got = Witness(state), []
    barrier.wait()
    try:
        for size in range(7, 17):
            answer = witness.add_checkpoint(log.request(size - 1, size), TIME)
            while answer.status == 409 and int(answer.body) < size:
                answer = witness.add_checkpoint(log.request(int(answer.body), size), TIME)
            if answer.status == 200:
                got.append(size)
    finally:
        end.send(got)


def die_at(moment: str, state: State) -> None:
    """A process that cosigns size 7 is killed (kill -9) at a moment."""
    reached, end = FORKING.Pipe(duplex=False)
    process = FORKING.Process(target=_pause_at, args=(moment, state, end))
    process.start()
    assert reached.recv() == moment
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL


def _pause_at(moment: str, state: State, end: Any) -> None:
    def pause() -> None:
        end.send(moment)
        signal.pause()

    put_head = Turn.put_head

    def put(turn: Turn, origin: str, head: Head) -> None:
        if moment == "checked":
            pause()
        put_head(turn, origin, head)
        if moment == "stored":
            pause()

    def line(signature: Any) -> str:
        pause()
        return ""

    Turn.put_head = put  # type: ignore[method-assign]
    judge.signature_line = line  # type: ignore[attr-defined]
    Witness(state).add_checkpoint(LOG.request(6, 7), TIME)


@pytest.mark.parametrize("moment", ["checked", "stored"])
def test_killed_before_the_end_of_its_turn_nothing_was_cosigned(state: State, moment: str) -> None:
    """No cosignature left the house, so another future is as good; the lock is gone too."""
    before = head(state)
    die_at(moment, state)
    witness = Witness(State.open(state.folder))
    assert head(state) == before
    assert witness.add_checkpoint(FORKED.request(6, 7), TIME).status == 200
    assert witness.add_checkpoint(LOG.request(7, 8), TIME).status == 422


def test_killed_before_its_answer_it_stands_by_what_it_stored(state: State) -> None:
    """The cosignature may have been seen: the same one is given again, another future is not."""
    die_at("committed", state)
    witness = Witness(State.open(state.folder))
    assert witness.add_checkpoint(FORKED.request(6, 7), TIME).body == "7\n"
    assert witness.add_checkpoint(FORKED.request(7, 7), TIME).status == 422
    assert witness.add_checkpoint(LOG.request(7, 7), TIME).status == 200
