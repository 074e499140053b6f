# SPDX-License-Identifier: Apache-2.0
"""The one place that picks real parts for the settings. Nothing happens at import."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial

from notary.config import Settings, SettingsRefused
from notary.core import acceptance, cose_receipt, recovery
from notary.core.trust import LogKey, format_trust
from notary.core.vkey import Verifier
from notary.keys import load_key, make_key, make_secret, read_secret
from notary.ledgers.port import Ledger, LedgerUnavailable, Surroundings
from notary.ledgers.registry import make_ledgers
from notary.store.migrations import migrate
from notary.store.pool import Pool, say_uncaught
from notary.usecases.accept import Acceptor, Limits
from notary.usecases.anchor_work import first_anchored, of_their_kind
from notary.usecases.cose_signing import ReceiptSigner
from notary.usecases.erase import Eraser
from notary.usecases.gate import Gate
from notary.usecases.marks import Mark, MarkFile, StateRefused
from notary.usecases.other_keys import read_list
from notary.usecases.outbox import Outbox
from notary.usecases.promises import Promiser
from notary.usecases.prove_growth import growth_path, root_at
from notary.usecases.registers import init_log
from notary.usecases.rights import Caller
from notary.usecases.source_book import SourceBook
from notary.usecases.witness_rule import trusted_witnesses

FindCaller = Callable[[str, datetime], Caller]
"""Who stands behind an access token at that time."""


def clock() -> datetime:
    """The time, UTC. The only place where it is asked for."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """What every process has: settings, database, mark, ledgers and the gate over them."""

    settings: Settings
    pool: Pool
    marks: MarkFile
    ledgers: list[Ledger]
    gate: Gate

    def acceptor(self, outbox: Outbox | None = None) -> Acceptor:
        """The accepting side, with the instance secret."""
        secret = read_secret(self.settings.secret_file)
        limits = Limits(max_payload_bytes=self.settings.max_payload_bytes)
        return Acceptor(self.pool, self.gate, secret, limits, outbox)

    def eraser(self, acceptor: Acceptor) -> Eraser:
        """The erasing side, with the instance secret."""
        return Eraser(self.pool, acceptor, self.instance_secret())

    def source_book(self) -> SourceBook:
        """What a process remembers of senders, with the instance secret."""
        return SourceBook(self.pool, self.instance_secret())

    def instance_secret(self) -> bytes:
        """The instance secret. Raises KeyRefused where it is missing or readable by others."""
        return read_secret(self.settings.secret_file)

    def tokens(self) -> FindCaller | None:
        """
        What reads access tokens of the issuer that the settings name; None: nothing does.

        Raises:
            SettingsRefused: the package that reads them is missing.
        """
        settings = self.settings
        if settings.oidc_issuer is None:
            return None
        try:
            from notary.usecases.issuer import Issuer
            from notary.usecases.tokens import Tokens
        except ImportError:
            fault = "NOTARY_OIDC_ISSUER needs the package PyJWT: pip install 'city-notary[oidc]'."
            raise SettingsRefused(fault, faults=[fault]) from None
        return Tokens(
            self.pool,
            Issuer(settings.oidc_issuer),
            settings.oidc_audience,
            settings.oidc_department_claim,
            settings.oidc_scope_claim,
            cache(self.instance_secret),
        ).find_caller

    def promiser(self) -> Promiser:
        """
        What signs acceptances.

        Raises:
            KeyRefused: its key is missing or readable by others.
        """
        signer = load_key(self.settings.acceptance_key)
        return Promiser(self.pool, signer, self.settings.sealed_within)

    def receipt_signer(self) -> ReceiptSigner:
        """
        What signs COSE receipts.

        Raises:
            KeyRefused: its key is missing or readable by others.
        """
        return ReceiptSigner(load_key(self.settings.receipt_key), self._trust)

    def trust(self) -> str:
        """The trust file that this notary hands out: its own word about itself."""
        return self._trust(trusted_witnesses(self.pool))

    def _trust(self, witnesses: tuple[Sequence[Verifier], int] = ((), 0)) -> str:
        self.gate.open()
        mark = self.marks.read()
        assert mark is not None  # the gate saw it
        ledgers = of_their_kind(self.pool, self.ledgers)
        return make_trust(self.settings, ledgers, mark, witnesses)

    def log_keys(self) -> tuple[LogKey, ...]:
        """The log's keys as the mark has them; none where it can't be read."""
        try:
            return self.marks.log_keys()
        except StateRefused:
            return ()


def connect(settings: Settings, *, writes_ledger: bool = False, pool_size: int = 4) -> Parts:
    """
    The parts for a process. Only the sealer writes to ledgers.

    Raises:
        KeyRefused: a key is missing or readable by others.
    """
    sys.excepthook = say_uncaught
    pool = Pool(settings.database_url, size=pool_size)
    marks = MarkFile(settings.mark_file)
    ledgers = make_ledgers(settings, surroundings(pool, writes=writes_ledger))
    return Parts(settings, pool, marks, ledgers, Gate(pool, marks, ledgers))


def surroundings(pool: Pool, *, writes: bool) -> Surroundings:
    """The notary as adapters of ledgers see it."""
    return Surroundings(
        growth=partial(growth_path, pool),
        root=partial(root_at, pool),
        first=partial(first_anchored, pool),
        writes=writes,
    )


def initialise(settings: Settings, origin: str) -> str:
    """
    Make keys, secret, an up-to-date database and a new log in it; return its vkey.

    Keys that are there stay (a second try after a failure goes on).

    Raises:
        StateRefused: there is a log already.
    """
    now = clock()
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.ledger_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not settings.log_key.exists():
        make_key(origin, settings.log_key)
    if not settings.secret_file.exists():
        make_secret(settings.secret_file)
    if not settings.acceptance_key.exists():
        key = make_key(f"{origin}{acceptance.KEY_SUFFIX}", settings.acceptance_key)
        settings.acceptance_vkey.write_text(key.vkey + "\n", encoding="ascii")
    if not settings.receipt_key.exists():
        key = make_key(f"{origin}{cose_receipt.KEY_SUFFIX}", settings.receipt_key)
        settings.receipt_vkey.write_text(key.vkey + "\n", encoding="ascii")
    if not settings.ledger_key.exists():
        ledger = make_key(f"{origin}/file-ledger", settings.ledger_key)
        settings.ledger_vkey.write_text(ledger.vkey + "\n", encoding="ascii")
        settings.ledger_file.touch(mode=0o640)
    signer = load_key(settings.log_key)
    pool = Pool(settings.database_url, size=1)
    try:
        migrate(pool, now)
        init_log(pool, MarkFile(settings.mark_file), signer.name, signer.vkey, now)
    finally:
        pool.close()
    return signer.vkey


def make_trust(
    settings: Settings,
    ledgers: list[Ledger],
    mark: Mark,
    witnesses: tuple[Sequence[Verifier], int] = ((), 0),
) -> str:
    """
    The trust file for the keys and recoveries in the mark: canonical JSON, `trust/1`.
    `witnesses` with their quorum.
    """
    listed: list[Mapping[str, object]] = []
    for ledger in ledgers:
        with suppress(LedgerUnavailable):  # nothing can be said of it yet
            listed.append({"id": ledger.name, "kind": ledger.kind, **ledger.trust()})
    uses = (
        (acceptance.KEY_USE, settings.acceptance_vkey),
        (cose_receipt.KEY_USE, settings.receipt_vkey),
    )
    others = [{"use": use, "key": key} for use, file in uses for key in read_list(file)]
    others += [{"use": recovery.USE, "note": note} for note in mark.recoveries]
    keys = {"keys": others} if others else {}
    return format_trust(
        {
            **keys,
            "v": "trust/1",
            "name": settings.name,
            "logs": [key.members for key in mark.log_keys],
            "witnesses": [witness.vkey for witness in witnesses[0]],
            "quorum": witnesses[1],
            "ledgers": listed,
            "delay_seconds": 3600,
        }
    )
