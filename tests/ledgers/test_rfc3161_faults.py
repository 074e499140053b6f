# SPDX-License-Identifier: Apache-2.0
"""A time-stamping authority behind everything that goes wrong on the way to it."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

import pytest

from notary.ledgers.port import Anchorable, Ledger
from notary.ledgers.rfc3161 import open_ledger as open_authority
from notary.ledgers.rfc3161.exchange import query
from notary.wiring import surroundings
from tests.ledgers.faults import Held, LedgerFaults, Stage
from tests.ledgers.faulty_proxy import FaultyProxy
from tests.ledgers.test_rfc3161 import table
from tests.tsa.authority import Authority
from tests.tsa.standing import address, authority
from tests.usecases.servers import world
from tests.usecases.world import World

__all__ = ["address", "authority", "world"]


@pytest.mark.needs("openssl")
class TestFaults(LedgerFaults):
    """The tokens that it gave are in its journal; it keeps nothing else."""

    remembers = False

    def ripen(self) -> None:
        """A token is final at once."""

    @pytest.fixture
    def proxy(self, address: str) -> Iterator[FaultyProxy]:
        """The way to it."""
        with FaultyProxy(address) as proxy:
            yield proxy

    @pytest.fixture
    def open_ledger(
        self, authority: Authority, proxy: FaultyProxy, world: World
    ) -> Callable[[], Ledger]:
        """Another process's."""

        def opened() -> Ledger:
            made = table(f"{proxy.url}/tsa", authority.root_file)
            ledger = open_authority(made, surroundings(world.pool, writes=True))
            assert ledger is not None
            return ledger

        return opened

    @pytest.fixture
    def held(self, authority: Authority) -> Held:
        """Of these checkpoints, what it stamped."""
        authority.stamped.clear()

        def of(candidates: Sequence[Anchorable]) -> list[tuple[int, bytes]]:
            by_imprint = {sha256(one.octets).digest(): one for one in candidates}
            found = [by_imprint[each] for each in authority.stamped if each in by_imprint]
            return [(one.size, one.root) for one in found]

        return of

    @pytest.mark.parametrize(
        ("column", "place", "other"),
        [
            ("root", "checkpoints", bytes(32)),
            ("evidence", "anchors", '{"token": "AAAA"}'),
        ],
        ids=["root", "token"],
    )
    def test_what_was_changed_behind_the_notarys_back_is_found(
        self, stage: Stage, column: str, place: str, other: object
    ) -> None:
        """An authority keeps nothing; the tokens that it gave tell all the same."""
        ledger, world = stage.process(), stage.world
        stage.settle(ledger)
        stage.audit(ledger)
        ((right,),) = world.rows(f"SELECT {column} FROM {place} WHERE size = 1")
        world.change(f"UPDATE {place} SET {column} = %s WHERE size = 1", other)
        found = world.audit().findings
        assert [finding for finding in found if "city-tsa" in str(finding)]
        world.change(f"UPDATE {place} SET {column} = %s WHERE size = 1", right)
        stage.audit(ledger)


def test_nothing_but_the_hash_goes_out() -> None:
    """The question holds SHA-256 of the 72 octets, and neither root nor origin."""
    what = Anchorable(b"\x11" * 32, 7, b"\x22" * 32)
    asked = query(what.octets, 1, None)
    assert sha256(what.octets).digest() in asked
    assert b"\x11" * 8 not in asked
    assert b"\x22" * 8 not in asked
