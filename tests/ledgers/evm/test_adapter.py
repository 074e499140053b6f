# SPDX-License-Identifier: Apache-2.0
"""The EVM adapter on anvil: what every ledger must do, and whatever goes wrong on the way."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from notary.ledgers.port import Ledger
from notary.wiring import surroundings
from tests.ledgers.contract import LedgerContract
from tests.ledgers.evm.on_anvil import Desk, Look
from tests.ledgers.faults import Held, LedgerFaults
from tests.ledgers.faulty_proxy import FaultyProxy
from tests.usecases.servers import world
from tests.usecases.world import World

__all__ = ["world"]

pytestmark = pytest.mark.needs("anvil")


class TestContract(LedgerContract):
    """Each test has an account of its own, for which the contract holds nothing yet."""

    @pytest.fixture
    def ledger(self, desk: Desk) -> Ledger:
        """The adapter."""
        return desk.open()

    @pytest.fixture
    def reopened(self, desk: Desk) -> Callable[[], Ledger]:
        """A new process's."""
        return desk.open


class TestFaults(LedgerFaults):
    """The way to the node is cut, and the process killed, wherever that can be."""

    @pytest.fixture
    def proxy(self, look: Look) -> Iterator[FaultyProxy]:
        """Before the node."""
        with FaultyProxy(look.url) as proxy:
            yield proxy

    @pytest.fixture
    def open_ledger(self, world: World, desk: Desk, proxy: FaultyProxy) -> Callable[[], Ledger]:
        """Through the proxy, with the world's log."""
        around = surroundings(world.pool, writes=True)
        return replace(desk, url=proxy.url, around=around).open

    @pytest.fixture
    def held(self, desk: Desk) -> Held:
        """The contract's events."""
        return desk.held
