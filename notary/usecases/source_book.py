# SPDX-License-Identifier: Apache-2.0
"""What a process remembers of senders: which sources are known, and their keys."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from notary.store.pool import Pool
from notary.usecases.device_keys import DeviceKey, SecretBox
from notary.usecases.lanes import MAX_REMEMBERED, is_id

REFRESH_SECONDS: Final = 2.0
"""How long a revocation or a new key takes at most until it is heeded."""

Who = tuple[str, str]
"""A dataset's id, and a source as its sender calls it."""


@dataclass(slots=True)
class Sender:
    """
    A source as a sender. `known`: it has records, or is registered.

    `has_dataset` is False where there is no such dataset, so that nothing can be said.
    """

    has_dataset: bool = True
    known: bool = False
    registered: bool = False
    revoked: bool = False
    keys: dict[str, DeviceKey] = field(default_factory=dict)


NOWHERE: Final = Sender(has_dataset=False)
NOBODY: Final = Sender()
NEWCOMER: Final = Sender(known=True)


class SourceBook:
    """
    Remembers senders for one process and thread.

    One small question each REFRESH_SECONDS tells whether any registration changed; then all
    is forgotten. What isn't known, or lacks a key that a message names, is asked for at once,
    in one question for a whole batch.
    """

    def __init__(
        self, pool: Pool, secret: bytes, stopwatch: Callable[[], float] = monotonic
    ) -> None:
        self._pool = pool
        self._box = SecretBox(secret)
        self._stopwatch = stopwatch
        self._senders: dict[Who, Sender] = {}
        self._counts: dict[str, int] = {}
        self._version: int | None = None
        self._looked_at: float | None = None

    @property
    def senders(self) -> dict[Who, Sender]:
        """What is remembered: sources that are known, no others."""
        return self._senders

    def refresh(self) -> None:
        """
        Forget what may have changed; at most one question in REFRESH_SECONDS.

        Raises:
            StoreUnavailable: try again.
        """
        now = self._stopwatch()
        if self._looked_at is not None and now - self._looked_at < REFRESH_SECONDS:
            return
        with self._pool.transaction(read_only=True) as tx:
            version = tx.rows("source_version")[0][0]
        if version != self._version:
            self._senders.clear()
        self._version, self._looked_at = version, now
        self._counts.clear()

    def ask(self, wanted: Iterable[Who]) -> dict[Who, Sender]:
        """
        Ask the database for senders; those that are known are remembered.

        Raises:
            StoreUnavailable: try again.
        """
        found = dict.fromkeys(wanted, NOWHERE)
        names = [who for who in found if is_id(who[0]) and is_id(who[1])]
        if names:
            datasets, labels = zip(*names, strict=True)
            with self._pool.transaction(read_only=True) as tx:
                rows = tx.rows("find_senders", datasets=list(datasets), labels=list(labels))
            for row in rows:
                self._note(found, row)
        if len(self._senders) > MAX_REMEMBERED:
            self._senders = {}  # whoever looks into the old one goes on doing so
        self._senders.update((who, sender) for who, sender in found.items() if sender.known)
        return found

    def admit(self, who: Who, max_sources: int) -> bool:
        """
        Whether a new source of an open feed may come in: fewer than `max_sources` are there.

        Counts anew after each refresh, so that several processes may let in a few more.
        """
        dataset = who[0]
        count = self._counts.get(dataset)
        if count is None:
            with self._pool.transaction(read_only=True) as tx:
                rows = tx.rows("count_sources", datasets=[dataset])
            count = int(rows[0][1]) if rows else 0
        is_free = count < max_sources
        self._counts[dataset] = count + is_free
        if is_free:
            self._senders[who] = NEWCOMER
        return is_free

    def _note(self, found: dict[Who, Sender], row: tuple[Any, ...]) -> None:
        dataset, label, source, registered, revoked, *key = row
        sender = found[dataset, label]
        if sender is NOWHERE:
            if source is None:
                found[dataset, label] = NOBODY
                return
            sender = Sender(known=True, registered=registered, revoked=revoked)
            found[dataset, label] = sender
        if key[0] is None:
            return
        identity, algorithm, material, valid_from, valid_to, revoked_at = key
        if algorithm == "hmac-sha256":
            material = self._box.open(material, dataset, label, identity)
        if material is not None:
            sender.keys[identity] = DeviceKey(
                identity, algorithm, material, valid_from, valid_to, revoked_at
            )
