# SPDX-License-Identifier: Apache-2.0
"""
The sealer process: seal what is due, sign, have it witnessed, anchor, each at its interval,
and drop the content that a dataset keeps no longer; then again.

A database or a ledger that is away costs only time. What only a person can mend (a fork,
roots that disagree, missing records) closes the process's work and is said on each round.
"""

import json
import signal
from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Event

from notary.config import Settings
from notary.core.errors import NotaryError
from notary.core.policy import SealingPolicy
from notary.keys import KeyRing
from notary.store.errors import LaneBusy, StoreUnavailable
from notary.usecases.anchoring import Anchors
from notary.usecases.keep import drop_due
from notary.usecases.seal import Sealer
from notary.usecases.second_root import load_second_root
from notary.usecases.sign import sign_newest
from notary.usecases.version_upload import sweep_uploads
from notary.usecases.witness_rule import load_rule
from notary.usecases.witnessing import Witnesses
from notary.wiring import Parts, clock, connect

SHORTEST_ROUND_SECONDS = 0.05
FORGET_EVERY = timedelta(hours=1)
UPLOAD_AGE = timedelta(hours=1)
"""An upload of which nothing came for so long is given up."""


def say(event: str, /, **facts: object) -> None:
    """One JSON line on standard output; never a payload or a key."""
    print(json.dumps({"process": "sealer", "event": event, **facts}, default=str), flush=True)


class Rounds:
    """What the sealer does in a round; each verb has its own interval."""

    def __init__(self, parts: Parts) -> None:
        settings = parts.settings
        self._parts = parts
        self._signers = KeyRing(settings.state)
        self._signers.load()
        second_root = load_second_root() if settings.second_root else None
        policy = SealingPolicy(settings.seal_count, settings.seal_age)
        self._sealer = Sealer(parts.pool, parts.gate, policy, second_root)
        self._signed_at: datetime | None = None
        self._forgot_at: datetime | None = None
        self._witnesses = _witnesses(parts)
        self._anchors = Anchors(
            parts.pool, parts.gate, parts.ledgers, settings.anchor_interval, clock, say
        )
        self.facts: dict[str, object] = {"second_root": "on" if second_root else "off"}

    def go(self, now: datetime) -> bool:
        """One round. Returns whether a batch was sealed, so that more may wait."""
        try:
            self._anchors.begin()
            sealed = self._seal_and_sign(now)
        finally:
            # Also where sealing stopped: a ledger may be what closed the gate, and take it back.
            self._anchors.turn(now)
        for dropped in drop_due(self._parts.pool, now):
            say("dropped", index=dropped.index)
        self._forget(now)
        return sealed

    def _seal_and_sign(self, now: datetime) -> bool:
        sealed = self._sealer.seal_due(now)
        for batch in sealed:
            say("sealed", index=batch.index, dataset=batch.dataset, count=batch.count)
        self._witnesses.begin(now)
        try:
            self._sign(now)
        finally:
            # Also where signing stopped: a witness may take back what it said.
            self._witnesses.turn(now)
        return bool(sealed)

    def _sign(self, now: datetime) -> None:
        parts = self._parts
        if self._signed_at is not None and now - self._signed_at < parts.settings.sign_interval:
            return
        checkpoint = sign_newest(parts.pool, parts.gate, parts.marks, self._signers, now)
        self._signed_at = now
        if checkpoint is not None:
            say("signed", size=checkpoint.size, root=checkpoint.root.hex())

    def _forget(self, now: datetime) -> None:
        """Forget keys beyond their horizon, and uploads that came to no end, now and then."""
        if self._forgot_at is None or now - self._forgot_at >= FORGET_EVERY:
            with self._parts.pool.transaction() as tx:
                tx.do("forget_keys", before=now - self._parts.settings.key_horizon)
            sweep_uploads(self._parts.pool, now - UPLOAD_AGE)
            self._forgot_at = now

    def beat(self, now: datetime, problem: Mapping[str, object]) -> None:
        """Leave word for /statusz."""
        with self._parts.pool.transaction() as tx:
            tx.do("beat", process="sealer", now=now, facts=json.dumps({**self.facts, **problem}))


def _witnesses(parts: Parts) -> Witnesses:
    """Whoever the policy of the settings names; nobody without one."""
    settings, rule = parts.settings, None
    if settings.witness_policy is not None:
        keys = [key.verifier for key in parts.marks.log_keys()]
        rule = load_rule(
            settings.witness_policy, fails_open=settings.witness_fails_open, log_keys=keys
        )
    return Witnesses(parts.pool, rule, parts.marks.log_keys, clock, say)


def run(settings: Settings) -> int:
    """
    Seal, sign and anchor until SIGTERM or SIGINT.

    Raises:
        KeyRefused, SecondRootMissing, MalformedPolicy: before anything is begun.
    """
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    rounds = Rounds(connect(settings, writes_ledger=True, pool_size=4))
    pause = min(settings.seal_age, settings.sign_interval, timedelta(seconds=1)).total_seconds() / 2
    said = None
    while not stop.is_set():
        problem: dict[str, object] = {}
        more = False
        try:
            more = rounds.go(clock())
            said = None
        except NotaryError as error:
            problem = {"problem": error.code, "detail": error.detail}
            if said != problem:
                say(
                    "waits" if isinstance(error, StoreUnavailable | LaneBusy) else "stopped",
                    **problem,
                )
            said = problem
        try:
            rounds.beat(clock(), problem)
        except NotaryError:
            more = False
        if not more:
            stop.wait(max(SHORTEST_ROUND_SECONDS, pause if not problem else 1.0))
    return 0
