# SPDX-License-Identifier: Apache-2.0
"""
`make run`'s witness: a second party on the same machine, with its own key, state and process.

It gets nothing of the notary's but the public key of its log, and the notary nothing but its
answers. On one machine that shows the way; it counts once another party runs it.
"""

import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from notary.core.trust import LogKey
from notary.local.ports import free_port, is_free
from notary.local.processes import Child
from notary.witness.command import add_keys
from notary.witness.state import State


class SecondParty:
    """A witness in a folder of its own."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder = folder
        self._log = log
        if (folder / "witness.db").exists():
            self._state = State.open(folder)
        else:
            self._state = State.make(folder, f"witness.localhost/{secrets.token_hex(4)}")
        self._port = _kept_port(folder / "port")

    @property
    def name(self) -> str:
        """Under which it cosigns."""
        return self._state.cosigner.name

    def start(self, keys: Sequence[LogKey]) -> Child:
        """Know the log of those keys, and serve; returns once it answers."""
        add_keys(self._state, keys)
        command = [sys.executable, "-m", "notary.cli", "witness", "run"]
        command += ["--state", str(self._folder), "--port", str(self._port)]
        # None of the notary's settings: it is another party.
        env = {name: value for name, value in os.environ.items() if not name.startswith("NOTARY_")}
        child = Child.start("witness", command, log=self._log, environment=env)
        child.wait_until(lambda: not is_free(self._port))
        return child

    def policy(self) -> str:
        """A policy that asks for its cosignature."""
        vkey, url = self._state.cosigner.verifier.vkey, f"http://127.0.0.1:{self._port}"
        return f"witness second-party {vkey} {url}\nquorum second-party\n"


def _kept_port(file: Path) -> int:
    """The port of the last time where it is free, else another one."""
    if file.exists():
        kept = int(file.read_text(encoding="ascii"))
        if is_free(kept):
            return kept
    port = free_port()
    file.write_text(f"{port}\n", encoding="ascii")
    return port
