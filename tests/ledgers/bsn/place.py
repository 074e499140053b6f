# SPDX-License-Identifier: Apache-2.0
"""A mock gateway with a chain of its own, and the ledger that a notary.toml makes of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from notary.ledgers.bsn import open_ledger
from notary.ledgers.bsn.gateway import Gateway
from notary.ledgers.bsn.ledger import BsnLedger
from notary.ledgers.bsn.signer import load_r1_signer, load_r1_verifier
from notary.ledgers.http import Endpoint
from notary.ledgers.port import Anchorable
from notary.ledgers.table import Table
from tests.bsn.chain import Chain
from tests.bsn.files import APP_CODE, USER_CODE, make_table
from tests.bsn.gateway import MockGateway
from tests.fabric.network import Network
from tests.ledgers.contract import around


@dataclass
class Place:
    """The files of a configuration, and the gateway they are for."""

    folder: Path
    gateway: MockGateway

    def table(self, faults: list[str], **changes: Any) -> Table:
        """The ledger's table; a change to None takes a key away."""
        raw = {**make_table(self.gateway.chain.network, self.gateway.url), **changes}
        raw = {key: value for key, value in raw.items() if value is not None}
        return Table("Ledger 1 (bsn)", raw, self.folder, faults)

    def open(self, *, writes: bool = True, **changes: Any) -> BsnLedger:
        """A new process's ledger."""
        faults: list[str] = []
        ledger = open_ledger(self.table(faults, **changes), around(writes=writes))
        assert faults == []
        assert ledger is not None
        return ledger

    def client(self) -> Gateway:
        """The client of the gateway alone."""
        return Gateway(
            Endpoint(self.gateway.url, timeout_seconds=5.0),
            USER_CODE,
            APP_CODE,
            load_r1_signer(self.folder / "access.pem"),
            load_r1_verifier(self.folder / "gateway.pem"),
        )

    def key(self, checkpoint: Anchorable) -> str:
        """The key of a checkpoint in the chaincode, spelt out by hand."""
        return f"{checkpoint.origin_hash.hex()}-{checkpoint.size}"

    def held(self, checkpoint: Anchorable) -> str | None:
        """The root that the channel holds for a size, in hex, by an independent look."""
        state = self.gateway.chain.state(self.key(checkpoint))
        return None if state is None else state.value


def make_chain(network: Network) -> Chain:
    """An empty channel on which it is always the same day."""
    return Chain(network, now=lambda: datetime(2026, 11, 27, 8, tzinfo=UTC))
