# SPDX-License-Identifier: Apache-2.0
"""The log: made on purpose, before any record, and tied again to a database that was moved."""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from notary.store.pool import Pool
from notary.usecases.gate import check_server, read_mark
from notary.usecases.marks import MarkFile, StateRefused


def init_log(pool: Pool, marks: MarkFile, origin: str, vkey: str, now: datetime) -> None:
    """
    Make a new log in an empty database, on purpose, and its first mark.

    Raises:
        StateRefused: there is a log already, or a mark of one.
    """
    with pool.transaction() as tx:
        check_server(tx)
        if tx.row("get_log") is not None:
            raise StateRefused("There is a log in this database already.", reason="log-exists")
        mark = marks.read()
        if mark is not None and mark.size > 0:
            raise StateRefused(
                f"{marks.path} is the mark of the log {mark.origin}, which had size {mark.size}: "
                "this would be a second log in its place.",
                reason="log-exists",
            )
        tx.do("add_log", origin=origin, vkey=vkey, now=now)
        first = read_mark(tx, origin, vkey, 0, sha256(b"").digest())
    marks.replace(first)


def adopt(pool: Pool, marks: MarkFile) -> None:
    """
    Tie the mark to this incarnation of the database, after a move of the whole of it.

    The caller vouches that nothing accepted is missing.

    Raises:
        StateRefused: the database is behind the mark, or holds another log.
    """
    with pool.transaction() as tx:
        check_server(tx)
        log = tx.row("get_log")
        mark = marks.read()
        if log is None:
            raise StateRefused("There is no log in this database.", reason="no-log")
        newest = tx.row("newest_committed_checkpoint")
        size, root = (newest[0], newest[1]) if newest else (0, sha256(b"").digest())
        if mark is not None:
            known = tx.row("get_checkpoint", size=mark.size) if mark.size else (0, root)
            behind = known is None or (mark.size > 0 and known[1].hex() != mark.root)
            if mark.vkey != log[1]:
                raise StateRefused("The mark knows another key of the log.", reason="other-key")
            if mark.origin != log[0] or behind:
                raise StateRefused(
                    f"The mark knows {mark.origin} of size {mark.size}, which this database "
                    "doesn't hold: restore a newer state.",
                    reason="older",
                )
        adopted = read_mark(tx, log[0], log[1], size, root)
    if mark is not None:
        adopted = replace(adopted, keys=mark.keys, recoveries=mark.recoveries)
    marks.replace(adopted)
