# SPDX-License-Identifier: Apache-2.0
"""A channel behind the mock gateway keeps the promises of the port, and stands the fault suite."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from notary.ledgers.port import Anchorable, Ledger
from tests.ledgers.bsn.place import Place
from tests.ledgers.contract import LedgerContract
from tests.ledgers.faults import QUICK_SECONDS, LedgerFaults
from tests.ledgers.faulty_proxy import FaultyProxy
from tests.usecases.servers import world

__all__ = ["world"]


class TestContract(LedgerContract):
    """With a block for each transaction at once."""

    @pytest.fixture
    def ledger(self, place: Place) -> Ledger:
        """An empty one."""
        return place.open()

    @pytest.fixture
    def reopened(self, place: Place) -> Callable[[], Ledger]:
        """Another process's."""
        return place.open


class TestContractWhileBlocksTakeTime(TestContract):
    """With a block for several transactions, some time later."""

    @pytest.fixture(autouse=True)
    def _slow(self, place: Place) -> None:
        place.gateway.chain.delay_seconds = 0.03


class TestFaults(LedgerFaults):
    """Through a proxy that fails, to a channel whose blocks take time."""

    @pytest.fixture(autouse=True)
    def _slow(self, place: Place) -> None:
        place.gateway.chain.delay_seconds = 0.02

    @pytest.fixture
    def proxy(self, place: Place) -> Iterator[FaultyProxy]:
        """Before the gateway."""
        with FaultyProxy(place.gateway.url) as proxy:
            yield proxy

    @pytest.fixture
    def open_ledger(self, place: Place, proxy: FaultyProxy) -> Callable[[], Ledger]:
        """A new process's, through the proxy."""
        return lambda: place.open(url=proxy.url, timeout_seconds=QUICK_SECONDS)

    @pytest.fixture
    def held(self, place: Place) -> Callable[[Sequence[Anchorable]], list[tuple[int, bytes]]]:
        """What the channel's blocks hold."""

        def look(candidates: Sequence[Anchorable]) -> list[tuple[int, bytes]]:
            keys = {place.key(one) for one in candidates}
            return [
                (int(placed.key.partition("-")[2]), bytes.fromhex(placed.value))
                for placed in place.gateway.chain.placed.values()
                if placed.code == 0 and placed.value is not None and placed.key in keys
            ]

        return look
