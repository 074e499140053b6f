# SPDX-License-Identifier: Apache-2.0
"""
Holding what was followed against a checkpoint that somebody else was shown: a witness, another
monitor, whoever kept a receipt. So a notary that shows two logs is found out.
"""

from typing import Literal

from notary.core.errors import ForkRefused, LogForked, NotaryError
from notary.core.fork import check_growth
from notary.core.receipt_signers import check_checkpoint
from notary.core.trust import Trust
from notary.monitor.alarms import Alarms
from notary.monitor.entries import keep_proof, remembered
from notary.monitor.errors import MonitorRefused
from notary.monitor.state import State

How = Literal["same", "older", "newer", "forked"]


def compare(state: State, trust: Trust, alarms: Alarms, note: str) -> tuple[How, int]:
    """
    How the state of the log in a signed note follows from what is remembered, and its size.
    newer: it goes beyond that, so nothing is said yet. forked: they contradict each other; the
    proof is kept beside the state, and an alarm raised. Inside `with state:`.

    Raises:
        MonitorRefused: nothing-followed, other-trust, other-log, not-signed.
    """
    known = remembered(state, trust)
    if known is None:
        # Where a key was given up since, the next look makes it one that is held by another.
        raise MonitorRefused("nothing-followed", path=str(state.folder))
    try:
        theirs = check_checkpoint(note, trust)
    except NotaryError as error:
        raise MonitorRefused("not-signed", why=error.detail) from None
    mine, size = known.checkpoint, theirs.checkpoint.size
    if theirs.checkpoint.origin != mine.origin:
        raise MonitorRefused("other-log", origin=theirs.checkpoint.origin, followed=mine.origin)
    if size > mine.size:
        return "newer", size
    try:
        check_growth(theirs, known, state.tile)
    except LogForked as error:
        keep_proof(state, alarms, error)
        return "forked", size
    except ForkRefused as error:
        raise MonitorRefused("not-signed", why=error.detail) from None
    return ("same" if size == mine.size else "older"), size
