# SPDX-License-Identifier: Apache-2.0
"""
Recover, the look: which is the newest state of the log that anybody knows, and what of it is
missing in a database that was set back to an older state.

Only what the log's own keys signed counts, or what this notary wrote down itself outside the
database: its mark, its ledgers. Nothing is changed here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from notary.core.checkpoint import open_checkpoint
from notary.core.errors import NotaryError
from notary.core.hashing import EMPTY_ROOT, RootHash
from notary.core.tiles import root_from_tiles
from notary.ledgers.port import Ledger, LedgerUnavailable, anchorable
from notary.store.logtiles import read_log_tile
from notary.store.migrations import check_at_head
from notary.store.pool import Pool, Transaction
from notary.usecases.closed_logs import read_origins
from notary.usecases.gate import check_server, read_incarnation
from notary.usecases.marks import Incarnation, Mark, MarkFile


class RecoverRefused(NotaryError):
    """The log can't be recovered so; nothing was changed."""

    code = "recover-refused"


class Helper(Protocol):
    """
    Somebody outside who may know more of the log: a mirror, a monitor's state, a witness.

    What it says is believed only where the log's key, or the log's root, stands behind it.
    All may raise NotaryError: then it can't help with that.
    """

    name: str

    def checkpoint(self, origin: str) -> str:
        """The newest signed checkpoint that it has, a note."""

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """The log's entries from `start` to below `stop`: descriptors as they were hashed."""

    def run_list(self, index: int, count: int) -> str | None:
        """The run list of a batch as it was hashed, a line each; None: it keeps none."""

    def leaves(self, index: int, count: int) -> bytes | None:
        """The leaf hashes of a batch of `count` leaves; None: it keeps none."""


@dataclass(frozen=True, slots=True)
class Known:
    """A state of the log that `who` knows; `note`: signed by the log's key, where it is there."""

    size: int
    root: RootHash
    who: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """
    What is missing: `size` leaves are here, `newest.size` were signed. `known`: all states
    that anybody knows, the largest first. `waiting`: records and versions that were accepted
    and not sealed when the database was in this state. `unheard`: sentences about helpers
    that couldn't help.
    """

    mark: Mark
    origin: str
    vkey: str
    chain: int
    incarnation: Incarnation
    size: int
    signed: int
    signed_root: RootHash
    newest: Known
    known: tuple[Known, ...]
    waiting: tuple[int, int]
    unheard: tuple[str, ...]

    @property
    def lost(self) -> int:
        """How many batches are missing."""
        return max(self.newest.size - self.size, 0)


def find_gap(
    pool: Pool, marks: MarkFile, ledgers: Sequence[Ledger], helpers: Sequence[Helper]
) -> Gap:
    """
    Compare the database with all that is known outside.

    Raises:
        RecoverRefused: it is not an older state of this log: another log's, forked, foreign; or
            the mark is missing.
        StateRefused, StoreRefused: the mark can't be read, the server isn't fit.
    """
    mark = marks.read()
    if mark is None:
        raise RecoverRefused(
            f"The high-water mark {marks.path} is missing, and with it the keys and the newest "
            "size of the log: restore it from a backup first.",
            reason="no-mark",
        )
    known = [Known(mark.size, RootHash(bytes.fromhex(mark.root)), "the mark")]
    known += _of_ledgers(ledgers, mark.origin)
    unheard = []
    for helper in helpers:
        try:
            known.append(_of_helper(helper, mark))
        except NotaryError as error:
            unheard.append(f"{helper.name} does not help: {error.detail}")
    known.sort(key=lambda one: -one.size)
    with pool.transaction(read_only=True) as tx:
        check_server(tx)
        check_at_head(tx)
        log = tx.row("get_log")
        if log is None or (log[0], log[1]) != (mark.origin, mark.vkey):
            raise RecoverRefused(
                f"This database holds {'no log' if log is None else f'the log {log[0]}'}, and the "
                f"mark is that of {mark.origin}: it is not an older state of it.",
                reason="other-log",
            )
        row = tx.row("newest_committed_checkpoint")
        gap = Gap(
            mark=mark,
            origin=log[0],
            vkey=log[1],
            chain=log[3],
            incarnation=read_incarnation(tx),
            size=log[2],
            signed=0 if row is None else row[0],
            signed_root=EMPTY_ROOT if row is None else RootHash(row[1]),
            newest=known[0],
            known=tuple(known),
            waiting=tx.rows("count_waiting")[0],
            unheard=tuple(unheard),
        )
        _check_is_older(tx, gap, ledgers)
    return gap


def _of_ledgers(ledgers: Sequence[Ledger], origin: str) -> list[Known]:
    found = [(ledger, ledger.newest(origin)) for ledger in ledgers]
    return [
        Known(newest[0], RootHash(newest[1]), f"the ledger {ledger.name}")
        for ledger, newest in found
        if newest is not None
    ]


def _of_helper(helper: Helper, mark: Mark) -> Known:
    """What a helper's checkpoint says, signed by a key of the log that served its size."""
    note = helper.checkpoint(mark.origin)
    keys = [key for key in mark.log_keys if key.origin == mark.origin]
    checkpoint, opened = open_checkpoint(note, [key.verifier for key in keys])
    signed = {item.verifier for item in opened.verified}
    if checkpoint.origin != mark.origin or not any(
        key.verifier in signed and key.served(checkpoint.size) for key in keys
    ):
        raise RecoverRefused("No key of the log that served its size signed its checkpoint.")
    return Known(checkpoint.size, checkpoint.root, helper.name, note)


def _check_is_older(tx: Transaction, gap: Gap, ledgers: Sequence[Ledger]) -> None:
    """
    The database's log is a beginning of the one that is known, as far as that can be seen.

    Raises RecoverRefused.
    """
    roots: dict[int, Known] = {}
    for one in gap.known:
        other = roots.setdefault(one.size, one)
        if other.root != one.root:
            raise RecoverRefused(
                f"{other.who} and {one.who} know different roots for size {one.size}: the log "
                "was forked, or one of them is another log's. A person must look.",
                reason="fork",
            )
    read = partial(read_log_tile, tx)
    for one in gap.known:
        if 0 < one.size <= gap.size and root_from_tiles(read, one.size) != one.root:
            raise _not_ours(one.who, one.size)
    if gap.signed > gap.size:
        raise _not_ours("its own checkpoint", gap.signed)
    for size, root, note in _signed_last(tx, gap):
        if root_from_tiles(read, size) != root:
            raise _not_ours("its own checkpoint", size)
        keys = [key.verifier for key in gap.mark.log_keys]
        try:
            open_checkpoint(note, keys)
        except NotaryError as error:
            raise RecoverRefused(
                f"The database's checkpoint of size {size} is not signed by a key of this log: "
                f"{error.detail}",
                reason="other-log",
            ) from None
    origins = read_origins(tx)
    for ledger in ledgers:
        anchor = tx.row("newest_verified_anchor", ledger=ledger.name)
        if anchor is not None:
            what = anchorable(origins.at(anchor[0]), anchor[0], anchor[1])
            try:
                is_there = ledger.confirm(what, anchor[2]) == "verified"
            except LedgerUnavailable:
                if ledger.own_word:
                    raise
                continue  # of others one that can't tell just now stands in nobody's way
            if not is_there and ledger.own_word:
                raise _not_ours(f"the ledger {ledger.name}", anchor[0])


def _signed_last(tx: Transaction, gap: Gap) -> list[tuple[int, bytes, str]]:
    row = tx.row("newest_checkpoint")
    return [] if row is None else [(row[0], row[1], row[2])]


def _not_ours(who: str, size: int) -> RecoverRefused:
    return RecoverRefused(
        f"This database and {who} know different roots for size {size}: it is not an older state "
        "of this log, but another one. Restore another dump.",
        reason="other-root",
    )
