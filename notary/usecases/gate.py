# SPDX-License-Identifier: Apache-2.0
"""
The gate: accepting, sealing and signing stay closed until all high-water marks agree
with this incarnation of the database (DESIGN, invariant 2).
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from notary.core.errors import MalformedNote
from notary.core.note import Signature, parse_note
from notary.ledgers.port import Ledger
from notary.store.migrations import check_at_head
from notary.store.pool import Pool, Transaction
from notary.usecases.marks import Incarnation, Mark, MarkFile, StateRefused

MINIMUM_SERVER = 150000
HEAR_SECONDS = 5.0
"""So often a process that runs looks at what the ledgers of others were heard to hold."""

CLOSED = (
    " Nothing is accepted. Restore the newest state of the database; if this is it and "
    "nothing accepted is missing from it, say so with `notary adopt`."
)


@dataclass(frozen=True, slots=True)
class OpenLog:
    """The log that the gate opened for: `chain` is the one that new records join."""

    origin: str
    vkey: str
    chain: int
    incarnation: Incarnation


class Gate:
    """
    Opens once the facts agree, and looks at each new connection of the pool again.

    A database that was exchanged under a running service is noticed at the next
    connection (`pool.on_connect`) or by the oid that `accept` compares with each commit.
    """

    def __init__(self, pool: Pool, mark_file: MarkFile, ledgers: list[Ledger]) -> None:
        self._pool = pool
        self._mark_file = mark_file
        self._ledgers = ledgers
        self._heard_at = 0.0
        self._open: OpenLog | None = None
        self._lock = Lock()
        pool.on_connect(self._look_again)

    def open(self) -> OpenLog:
        """
        The log, after a look at all marks the first time.

        Raises:
            StateRefused: an empty, an older or another state; the text says what to do.
            StoreUnavailable: the database can't be reached.
        """
        with self._lock:
            is_long_ago = time.monotonic() - self._heard_at >= HEAR_SECONDS
            if self._open is not None and self._others and is_long_ago:
                self._hear(self._open.origin)
            if self._open is None:
                with self._pool.transaction(read_only=True) as tx:
                    self._open = self._check(tx)
                self._heard_at = time.monotonic()
            return self._open

    @property
    def _others(self) -> list[str]:
        return [ledger.name for ledger in self._ledgers if not ledger.own_word]

    def hear(self) -> None:
        """
        Compare at once with what the ledgers of others were heard to hold. Nobody is asked here:
        the sealer notes what they answered (`anchor.py`).

        Raises:
            StateRefused: one of them knows more than the database, or another log.
            StoreUnavailable: the database can't be reached.
        """
        with self._lock:
            if self._open is not None and self._others:
                self._hear(self._open.origin)

    def _hear(self, origin: str) -> None:
        try:
            with self._pool.transaction(read_only=True) as tx:
                self._check_others(tx, origin)
        except StateRefused:
            self._open = None
            raise
        self._heard_at = time.monotonic()

    def _check_others(self, tx: Transaction, origin: str) -> None:
        others = self._others
        rows = tx.rows("what_ledgers_hold", ledgers=others, origin=origin) if others else []
        for name, size, root in rows:
            check_not_behind(tx, size, root, f"the ledger {name}")

    def _look_again(self, tx: Transaction) -> None:
        """A new connection may lead to another database, or to an older copy of this one."""
        opened = self._open
        if opened is None:
            return
        try:
            if not read_incarnation(tx).same_life(opened.incarnation):
                raise StateRefused(
                    "The database was exchanged while the notary ran." + CLOSED,
                    reason="exchanged",
                )
            self._check(tx)
        except StateRefused:
            self._open = None
            raise

    def _check(self, tx: Transaction) -> OpenLog:
        check_server(tx)
        check_at_head(tx)
        log = tx.row("get_log")
        mark = self._mark_file.read()
        if log is None:
            hint = (
                "run `notary init` to make a new one, on purpose."
                if mark is None
                else (f"the mark {self._mark_file.path} knows one of size {mark.size}." + CLOSED)
            )
            raise StateRefused("There is no log in this database: " + hint, reason="no-log")
        origin, vkey, _, chain = log
        incarnation = read_incarnation(tx)
        if mark is None:
            raise StateRefused(
                f"The high-water mark {self._mark_file.path} is missing." + CLOSED,
                reason="no-mark",
            )
        if mark.origin != origin:
            raise StateRefused(f"The mark is that of {mark.origin}.", reason="other-log")
        if mark.vkey != vkey:
            raise StateRefused(
                f"The database says that the log's key is {vkey}, the mark knows {mark.vkey}."
                + CLOSED,
                reason="other-key",
            )
        if not incarnation.same_life(mark.incarnation):
            raise StateRefused(
                "This is another incarnation of the database than the notary left." + CLOSED,
                reason="other-incarnation",
            )
        if incarnation.written < mark.incarnation.written:
            raise StateRefused("The database is an older copy of itself." + CLOSED, reason="older")
        check_not_behind(tx, mark.size, bytes.fromhex(mark.root), "the mark beside the log key")
        check_signers(tx, mark)
        check_recovered(tx, mark)
        for ledger in self._ledgers:
            newest = ledger.newest(origin)
            if newest is not None:
                check_not_behind(tx, newest[0], newest[1], f"the ledger {ledger.name}")
        self._check_others(tx, origin)
        return OpenLog(origin, vkey, chain, incarnation)


def read_incarnation(tx: Transaction) -> Incarnation:
    """Which life of which database this is."""
    row = tx.row("incarnation")
    assert row is not None
    return Incarnation(*row)


def read_mark(tx: Transaction, origin: str, vkey: str, size: int, root: bytes) -> Mark:
    """The mark for a checkpoint that this database holds."""
    return Mark(origin, vkey, size, root.hex(), read_incarnation(tx))


def check_server(tx: Transaction) -> None:
    """
    Demand a server that keeps what it committed.

    Raises:
        StateRefused: older than PostgreSQL 15, or fsync or full_page_writes is off.
    """
    row = tx.row("server")
    assert row is not None
    version, fsync, full_pages = row
    if version < MINIMUM_SERVER:
        raise StateRefused("PostgreSQL 15 or newer is needed.", reason="server-version")
    if fsync != "on" or full_pages != "on":
        raise StateRefused(
            "The database runs with fsync or full_page_writes off and would lose accepted "
            "records in a power cut: switch both on.",
            reason="fsync",
        )


def check_signers(tx: Transaction, mark: Mark) -> None:
    """
    Demand that the newest note has no line of a key of the log that the mark doesn't know.

    Raises:
        StateRefused: the mark is older than the database: it forgot a key.
    """
    newest = tx.row("newest_checkpoint")
    names = {key.origin for key in mark.log_keys}
    known = {key.verifier.key_id for key in mark.log_keys}
    lines: Sequence[Signature] = ()
    with suppress(MalformedNote):  # an audit tells of it
        lines = parse_note(newest[2]).unverified if newest is not None else ()
    for line in lines:
        if line.name in names and line.key_id not in known:
            raise StateRefused(
                f"The log was signed with the key {line.key_id.hex()}, which the mark doesn't "
                "know: the mark is older than the log. Restore the newest one." + CLOSED,
                reason="older-mark",
            )


def check_recovered(tx: Transaction, mark: Mark) -> None:
    """
    Demand that the mark knows each recovery that the database tells of.

    Raises:
        StateRefused: one was begun and has not come to the mark, or somebody made it up.
    """
    if any(row["note"] not in mark.recoveries for row in tx.maps("list_recoveries")):
        raise StateRefused(
            "A recovery was begun and has not come to its end: run `notary recover --yes`.",
            reason="recovering",
        )


def check_not_behind(tx: Transaction, size: int, root: bytes, who: str) -> None:
    """
    Demand that the database holds a checkpoint that somebody outside knows.

    Raises:
        StateRefused: it doesn't, or with another root.
    """
    if size == 0:
        return
    known = tx.row("get_checkpoint", size=size)
    if known is None:
        raise StateRefused(
            f"The database is older than {who}, which knows a checkpoint of size {size}." + CLOSED,
            reason="older",
        )
    if known[1] != root:
        raise StateRefused(
            f"The database and {who} know different roots for size {size}." + CLOSED,
            reason="fork",
        )
