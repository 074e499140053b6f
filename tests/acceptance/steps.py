# SPDX-License-Identifier: Apache-2.0
"""One round of seal, sign and anchor in a process that kills itself at a step."""

import multiprocessing
import os
import signal
from collections.abc import Callable

from notary.config import Settings
from notary.core.policy import SealingPolicy
from notary.keys import Signer, load_key
from notary.ledgers.file import FileLedger
from notary.store.pool import Transaction
from notary.usecases import log_writing, marks, seal
from notary.usecases.anchor import anchor
from notary.usecases.second_root import load_second_root
from notary.usecases.sign import sign_newest
from notary.wiring import clock, connect

OWNERS: dict[str, object] = {
    "append_leaf": log_writing,
    "_copy_runs": seal,
    "raise_to": marks.MarkFile,
    "_write": marks.MarkFile,
    "replace": os,
    "sign": Signer,
    "submit": FileLedger,
    "confirm": FileLedger,
    "ftruncate": os,
    "pwrite": os,
}
QUERIES = (
    *("add_batch", "advance_log", "add_checkpoint", "set_note"),
    *("note_ledger", "add_anchor", "try_anchor", "anchor_submitted", "move_anchor"),
)
STEPS = (*QUERIES, *OWNERS)

# Children of a server that has imported all this and nothing else: quick, and as alone as new.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])


def _around(real: Callable[..., object], when: str, here: Callable[..., bool]) -> object:
    def call(*values: object, **more: object) -> object:
        if when == "before" and here(*values):
            os.kill(os.getpid(), signal.SIGKILL)
        done = real(*values, **more)
        if when == "after" and here(*values):
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    return call


def go(env: dict[str, str], where: str, when: str) -> None:
    """Seal, sign and anchor; be dead before or after the step `where`."""
    owner = OWNERS.get(where)
    if owner is None:
        query = _around(Transaction.do, when, lambda tx, name: bool(name == where))
        setattr(Transaction, "do", query)  # noqa: B010
    else:
        setattr(owner, where, _around(getattr(owner, where), when, lambda *values: True))
    parts = connect(Settings.from_env(env), writes_ledger=True)
    settings, policy = parts.settings, SealingPolicy(1, parts.settings.seal_age)
    seal.Sealer(parts.pool, parts.gate, policy, load_second_root()).seal_due(clock())
    sign_newest(parts.pool, parts.gate, parts.marks, load_key(settings.log_key), clock())
    for ledger in parts.ledgers:
        anchor(parts.pool, parts.gate, ledger, settings.anchor_interval, clock)


def step(env: dict[str, str], where: str, when: str) -> int | None:
    """Run `go` in a process of its own and tell how it ended (-9: killed)."""
    process = FORKS.Process(target=go, args=(env, where, when))
    process.start()
    process.join(60)
    return process.exitcode
