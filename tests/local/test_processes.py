# SPDX-License-Identifier: Apache-2.0
"""No child outlives its parent, whatever ends the parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from notary.local import processes
from notary.local.errors import PartMissing, StartFailed
from notary.local.processes import Child, Children
from notary.local.proctable import descendants, is_running
from tests.local.support import ROOT, eventually

# Ignores SIGTERM, and has a child of its own.
STUBBORN = """
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "600"])
print("begun", flush=True)
time.sleep(600)
"""
# Starts two children under `Children`, tells their numbers, and waits.
PARENT = """
import sys, time
from pathlib import Path
from notary.local.processes import Child, Children
with Children() as children:
    for name in ("one", "two"):
        log = Path(sys.argv[1]) / name
        child = children.add(Child.start(name, ["/bin/sleep", "600"], log=log))
        print(child.process.pid, flush=True)
    time.sleep(600)
"""


def python(code: str, name: str, folder: Path) -> Child:
    """Start a piece of Python as a child."""
    return Child.start(name, [sys.executable, "-c", code], log=folder / f"{name}.log")


# What a shell without job control does to what it starts in its background.
IGNORING = ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh"]


@pytest.mark.parametrize("started", [[], IGNORING], ids=["plainly", "ignoring-sigint"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_however_the_parent_ends_its_children_end(
    tmp_path: Path, number: int, started: list[str]
) -> None:
    """A closed terminal, Ctrl-C, a plain kill, and one that can't be caught."""
    with subprocess.Popen(
        [*started, sys.executable, "-c", PARENT, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        children = [int(parent.stdout.readline()) for _ in range(2)]
        assert all(map(is_running, children))
        parent.send_signal(number)
        try:
            assert parent.wait(60) != 0
        finally:
            parent.kill()
    assert eventually(lambda: not any(map(is_running, children)))


def test_the_last_started_is_stopped_first(tmp_path: Path) -> None:
    """Who uses a server is stopped before it."""
    stopped: list[str] = []
    with Children() as children:
        for name in ("database", "broker", "ingest"):
            children.at_end(name, lambda name=name: stopped.append(name))  # type: ignore[misc]
    assert stopped == ["ingest", "broker", "database"]


def test_one_that_can_not_be_stopped_keeps_no_other_from_it(tmp_path: Path) -> None:
    """The failure is told after all others were stopped."""
    child = Child.start("sleep", ["/bin/sleep", "600"], log=tmp_path / "log")

    def fail() -> None:
        raise OSError("won't")

    children = Children()
    children.add(child)
    children.at_end("other", fail)
    with pytest.raises(ExceptionGroup, match="not everything"):
        children.stop()
    assert not child.alive


def test_the_children_are_stopped_when_the_work_fails(tmp_path: Path) -> None:
    """An exception is no reason to leave anything running."""
    child = Child.start("sleep", ["/bin/sleep", "600"], log=tmp_path / "log")

    def work() -> None:
        with Children() as children:
            children.add(child)
            raise LookupError

    with pytest.raises(LookupError):
        work()
    assert not child.alive


def test_the_signals_are_given_back(tmp_path: Path) -> None:
    """After the block, SIGTERM means what it meant before."""
    before = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]
    with Children():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    after = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]
    assert after == before


def test_a_child_that_will_not_stop_is_killed_with_its_own_children(tmp_path: Path) -> None:
    """Waiting for ever would be a stall; killing it alone would leave its child."""
    child = python(STUBBORN, "stubborn", tmp_path)
    child.wait_until(lambda: "begun" in child.said())
    family = [child.process.pid, *descendants(child.process.pid)]
    assert len(family) == 2
    child.stop(timeout_seconds=0.2)
    assert eventually(lambda: not any(map(is_running, family)))


def test_a_child_that_ends_at_once_tells_why(tmp_path: Path) -> None:
    """Its last words and where the rest stands."""
    child = python("raise SystemExit('no such column')", "sealer", tmp_path)
    with pytest.raises(StartFailed, match=r"sealer ended with code 1.*\n.*no such column"):
        child.wait_until(lambda: False)


def test_a_child_that_is_never_ready_is_stopped(tmp_path: Path) -> None:
    """What failed to start must not stay."""
    child = Child.start("sleep", ["/bin/sleep", "600"], log=tmp_path / "log")
    with pytest.raises(StartFailed, match="was not ready"):
        child.wait_until(lambda: False, timeout_seconds=0.1)
    assert not child.alive


def test_words_of_an_earlier_start_are_not_taken_for_its_own(tmp_path: Path) -> None:
    """The log goes on over all starts."""
    (tmp_path / "twice.log").write_text("ready, said the one before\n")
    child = python("print('now me', flush=True)", "twice", tmp_path)
    child.process.wait(60)
    assert child.said() == "now me\n"


def test_a_large_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs of many runs don't fill the disk."""
    monkeypatch.setattr(processes, "_LOG_LIMIT_BYTES", 10)
    (tmp_path / "x.log").write_text("more than ten bytes")
    child = python("print('new', flush=True)", "x", tmp_path)
    child.process.wait(60)
    assert (tmp_path / "x.log").read_text() == "new\n"
    assert (tmp_path / "x.log.old").read_text() == "more than ten bytes"


@pytest.mark.parametrize("program", ["sleep", "/nowhere/sleep"])
def test_a_program_that_is_not_there_is_named(tmp_path: Path, program: str) -> None:
    """No search along a path that the caller didn't choose."""
    with pytest.raises(PartMissing, match=program):
        Child.start("thing", [program, "1"], log=tmp_path / "log")


def test_a_child_gets_nothing_of_ours_but_what_it_is_given(tmp_path: Path) -> None:
    """Neither our environment, when it has its own, nor our standard input."""
    code = "import os, sys; print(sorted(os.environ), repr(sys.stdin.read()), flush=True)"
    child = Child.start(
        "env",
        [sys.executable, "-I", "-c", code],
        log=tmp_path / "log",
        environment={"LC_ALL": "C.UTF-8"},
    )
    child.process.wait(60)
    assert child.said() == "['LC_ALL'] ''\n"
    assert os.environ.get("PATH")
