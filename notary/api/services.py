# SPDX-License-Identifier: Apache-2.0
"""What the views work with: put together by the entry point, never chosen here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from flask import current_app

from notary.core.trust import LogKey
from notary.ledgers.port import Ledger
from notary.store.pool import Pool
from notary.usecases.accept import Acceptor
from notary.usecases.cose_signing import ReceiptSigner
from notary.usecases.datasets import DatasetFacts
from notary.usecases.erase import Eraser
from notary.usecases.gate import Gate
from notary.usecases.promises import Promiser
from notary.usecases.prove import Prover
from notary.usecases.rights import Caller
from notary.usecases.sharing import Sharer

EXTENSION = "city-notary"


@dataclass(frozen=True)
class Services:
    """
    The parts of one web process.

    `acceptor` and `promiser` are made at the first need (None: there is no key for signed
    acceptances); `clock` gives the time, UTC; `log_line` writes
    one line of facts, never a payload or a key.
    """

    name: str
    version: str
    pool: Pool
    gate: Gate
    ledgers: Sequence[Ledger]
    prover: Prover
    acceptor: Callable[[], Acceptor]
    promiser: Callable[[], Promiser] | None
    trust: Callable[[], str]
    clock: Callable[[], datetime]
    log_line: Callable[[Mapping[str, object]], None]
    timezone: ZoneInfo
    max_body_bytes: int
    second_root: bool
    instance_secret: Callable[[], bytes]
    """The secret under which devices' secrets are kept; read when it is needed."""
    sharer: Callable[[], Sharer]
    """Grants, and notes what is handed over; made at the first need, as the acceptor is."""
    eraser: Callable[[], Eraser]
    """Erases on an order; made at the first need, as the acceptor is."""
    max_version_bytes: int = 4 << 30
    """The largest file of a version."""
    log_keys: Callable[[], tuple[LogKey, ...]] = tuple
    """The log's keys with the sizes that they served; none where the list can't be read."""
    receipt_signer: Callable[[], ReceiptSigner] | None = None
    """Signs COSE receipts; made at the first need. None: there is no key for them."""
    public_url: str | None = None
    """The address that people use, such as https://notary.city.example; None: no links."""
    tokens: Callable[[str, datetime], Caller] | None = None
    """Who stands behind an access token; None: only API keys are taken."""
    open_datasets: dict[str, DatasetFacts] = field(default_factory=dict)
    """Open datasets that were seen: what is open stays so. Only for deciding rights."""


def services() -> Services:
    """The parts of the app that answers the current request."""
    return cast(Services, current_app.extensions[EXTENSION])
