# SPDX-License-Identifier: Apache-2.0
"""
Become another program that does not outlive its parent.

Run as `python -I -S tether.py PARENT SIGNAL UID GID COMMAND...`: drops to the user and
group (-1: stays), asks Linux to send the signal when the parent ends, however that
ends, and then turns into the command, keeping the process id. On other systems the
command starts all the same; there only a killed parent leaves it behind.

A file by itself, because code between fork and exec must not run in a threaded process.
Linux sends the signal when the *thread* that started the child ends: start children
from the main thread.
"""

import os
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def ties() -> Callable[[int], None]:
    """
    Find what asks Linux for a signal at the parent's end.

    Found while still the first user: the next one may not be able to read the library.
    """
    if not sys.platform.startswith("linux"):
        return lambda signal_number: None
    import ctypes

    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def tie(signal_number: int) -> None:
        if prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")

    return tie


def main(arguments: list[str]) -> None:
    """Drop privileges, tie, and turn into the command."""
    parent, signal_number, uid, gid = map(int, arguments[:4])
    command = arguments[4:]
    tie = ties()
    if gid >= 0:
        os.setgroups([])
        os.setgid(gid)
    if uid >= 0:
        os.setuid(uid)
    # After the change of user, which would undo it.
    tie(signal_number)
    if os.getppid() != parent:
        sys.exit("The parent ended before its child began.")
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
