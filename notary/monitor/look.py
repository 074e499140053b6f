# SPDX-License-Identifier: Apache-2.0
"""
One look at a notary, part by part. What a part found is committed before the next one begins, so
nothing is lost where the notary goes away, or the monitor is killed, in the middle.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from notary.core.monitor_report import NotChecked
from notary.core.receipt_ledgers import FILE_ALONE, Checker
from notary.core.receipt_signers import Signed
from notary.core.recovery import recoveries_of
from notary.core.trust import Trust
from notary.monitor.again import look_again
from notary.monitor.alarms import Alarms
from notary.monitor.anchors import LedgerFile, Ledgers
from notary.monitor.batches import Sight, look_on
from notary.monitor.entries import Follower, check_witnesses
from notary.monitor.promises import Promises
from notary.monitor.state import State
from notary.monitor.times import check_newest, forget_seen
from notary.outside.errors import Unreachable
from notary.outside.notary import Notary

CHECKPOINT_WITHIN: Final = 86_400.0
ANCHOR_WITHIN: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What is looked at beside the notary itself, and how many seconds may pass until a state of
    the log follows another one, or is on every ledger. `checkers` read the ledgers' evidence.
    """

    trust: Trust
    acceptances: Path | None = None
    ledger_files: tuple[Path, ...] = ()
    checkpoint_within: float = CHECKPOINT_WITHIN
    anchor_within: float = ANCHOR_WITHIN
    checkers: Mapping[str, Checker] = field(default_factory=lambda: FILE_ALONE)


def look(state: State, notary: Notary, plan: Plan, now: datetime, dice: Random) -> list[NotChecked]:
    """
    Look once, at `now`; what isn't looked at. What is wrong is in the state then, as alarms.

    Raises:
        Unreachable: nobody is there, or not any more; what was found before that is kept.
        MonitorRefused: the log can't be followed with this state, or this trust file.
        NotaryError: the trust file tells of a recovery that doesn't hold.
    """
    alarms = Alarms(state, now)
    # What is on a ledger by now was shown before: the ledgers' files come first.
    files = [LedgerFile(path, plan.trust) for path in plan.ledger_files]
    try:
        with state:
            signed = Follower(state, notary, plan.trust, alarms, now).follow()
            if signed is not None:
                delay = plan.trust.delay_seconds
                check_witnesses(state, signed, plan.trust, alarms, now, delay)
    except Unreachable:
        with state:
            check_newest(state, alarms, now, plan.checkpoint_within)
        raise
    with state:
        check_newest(state, alarms, now, plan.checkpoint_within)
    if signed is None:
        return []
    return _look_on(state, notary, plan, alarms, signed, files, now, dice)


def _look_on(
    state: State,
    notary: Notary,
    plan: Plan,
    alarms: Alarms,
    signed: Signed,
    files: list[LedgerFile],
    now: datetime,
    dice: Random,
) -> list[NotChecked]:
    """All that lies under a checkpoint which was followed."""
    origin = signed.checkpoint.origin
    sight = Sight(
        state=state,
        notary=notary,
        alarms=alarms,
        delay=timedelta(seconds=plan.trust.delay_seconds),
        now=now,
        recoveries=[one for one in recoveries_of(plan.trust) if one.goes_on == origin],
    )
    with state:
        is_whole = look_on(sight)
    with state:
        look_again(sight, dice)
    with state:
        ledgers = Ledgers(state, plan.trust, alarms, plan.checkers)
        ledgers.look(notary, files)
        ledgers.look_at_delay(now, plan.anchor_within)
        forget_seen(state, ledgers.sizes())
    not_checked = ledgers.not_checked
    if plan.acceptances is not None:
        with state:
            promises = Promises(sight, plan.trust, plan.acceptances)
            promises.look(now, is_whole=is_whole)
        not_checked += promises.not_checked
    if state.number("lost"):
        not_checked.append(NotChecked(f"{state.number('lost')} batches", "lost"))
    return not_checked
