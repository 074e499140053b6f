# SPDX-License-Identifier: Apache-2.0
"""What runs on this machine: from /proc where there is one, else from `ps`."""

import os
import signal
import subprocess
import time
from pathlib import Path

_PROC = Path("/proc")


def is_running(pid: int) -> bool:
    """Tell whether a process has this number, whoever's it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def wait_for_end(pid: int, timeout_seconds: float) -> bool:
    """Wait for the end of a process that isn't our child; False when it still runs."""
    deadline = time.monotonic() + timeout_seconds
    while is_running(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def command_line(pid: int) -> str:
    """Tell what a process was started as; empty when it is gone."""
    if not _has_proc():
        return _ps("-p", str(pid), "-o", "args=")
    try:
        command = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return command.replace(b"\0", b" ").decode("utf-8", "surrogateescape")


def parents() -> dict[int, int]:
    """Tell each running process's parent."""
    if not _has_proc():
        rows = map(str.split, _ps("-A", "-o", "pid=,ppid=").splitlines())
        return {int(pid): int(parent) for pid, parent in rows}
    found = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                # The name in brackets may hold anything, brackets and spaces too.
                after_name = (entry / "stat").read_text(errors="replace").rpartition(")")[2]
            except (FileNotFoundError, ProcessLookupError):
                continue
            found[int(entry.name)] = int(after_name.split()[1])
    return found


def descendants(pid: int) -> list[int]:
    """List the processes that a process started, and those that these started."""
    tree = parents()
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in tree.items() if its_parent == parent]
    return found[1:]


def kill_tree(pid: int) -> None:
    """Kill a process and its descendants; it is held first, so that it starts no more."""
    _signal(pid, signal.SIGSTOP)
    for child in descendants(pid):
        _signal(child, signal.SIGKILL)
    _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _has_proc() -> bool:
    return (_PROC / "self" / "stat").exists()


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True).stdout
