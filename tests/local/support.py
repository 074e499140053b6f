# SPDX-License-Identifier: Apache-2.0
"""What the tests of the embedded servers share."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from notary.local.place import servant
from notary.local.ports import LOOPBACK

ROOT = Path(__file__).parents[2]

# A parent that starts a server in the folder given, tells its process and port, and waits.
PARENT = """
import sys, time
from pathlib import Path
from typing import Any
from notary.local.{module} import {name} as Server
server = Server.open(Path(sys.argv[1]){more})
print(server.pid, server.port, flush=True)
time.sleep(600)
"""


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    """One query, committed."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        rows = cursor.fetchall() if cursor.description else []
        connection.commit()
        return rows


def as_servant() -> dict[str, Any]:
    """For subprocess: the user that servers run as."""
    account = servant()
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


@contextmanager
def listener() -> Iterator[int]:
    """A foreign program that listens on a port."""
    with socket.create_server((LOOPBACK, 0)) as holder:
        yield holder.getsockname()[1]


@contextmanager
def parent_of(
    module: str, name: str, folder: Path, more: str = ""
) -> Iterator[tuple["subprocess.Popen[str]", int, int]]:
    """Another process that runs a server; yields it with the server's process and port."""
    code = PARENT.format(module=module, name=name, more=more)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        pid, port = process.stdout.readline().split()
        yield process, int(pid), int(port)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def eventually(holds: Callable[[], bool]) -> bool:
    """Wait for something that must become true; three minutes are far more than it takes."""
    deadline = time.monotonic() + 180
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
