# SPDX-License-Identifier: Apache-2.0
"""The fault suite and the contract themselves: a good adapter passes, each bad one is found."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from notary.keys import Signer, make_key
from notary.ledgers.port import Ledger
from tests.ledgers import far_file
from tests.ledgers.contract import LedgerContract
from tests.ledgers.far_file import FarFile, FarLedger
from tests.ledgers.faults import Held, LedgerFaults, Stage
from tests.ledgers.faulty_proxy import FaultyProxy
from tests.usecases.servers import world
from tests.usecases.world import World

__all__ = ["world"]


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    """Who signs the entries of the far ledger."""
    return make_key("far.example/ledger", tmp_path / "far.key")


@pytest.fixture
def far(signer: Signer) -> Iterator[FarFile]:
    """The far ledger."""
    ledger = FarFile(signer)
    yield ledger
    ledger.close()


@pytest.fixture
def proxy(far: FarFile) -> Iterator[FaultyProxy]:
    """The way to it."""
    with FaultyProxy(far.url) as made:
        yield made


@pytest.fixture
def held(far: FarFile) -> Held:
    """What it holds."""
    return far.held


class TestContract(LedgerContract):
    """The good adapter keeps the promises of the port."""

    @pytest.fixture
    def reopened(self, far: FarFile, signer: Signer) -> Callable[[], Ledger]:
        """Another process's."""
        return lambda: FarLedger(far.url, signer.vkey)

    @pytest.fixture
    def ledger(self, reopened: Callable[[], Ledger]) -> Ledger:
        """An empty one."""
        return reopened()


class TestFaults(LedgerFaults):
    """The good adapter loses nothing, and claims nothing that isn't there."""

    @pytest.fixture
    def open_ledger(self, proxy: FaultyProxy, signer: Signer) -> Callable[[], Ledger]:
        """A new process's."""
        return lambda: FarLedger(proxy.url, signer.vkey)


BAD: list[tuple[type[FarLedger], str, Mapping[str, Any]]] = [
    (far_file.DoesNotReadBack, "test_a_fault_on_the_way", {"fault": "down"}),
    (far_file.DoesNotReadBack, "test_garbage_in_the_place_of_every_answer", {}),
    (far_file.Doubles, "test_a_time_out_after_it_was_handed_over", {}),
    (far_file.Doubles, "test_killed_between_any_two_exchanges", {"after": True}),
    (far_file.Doubles, "test_a_reference_that_was_lost", {}),
    (
        far_file.Doubles,
        "test_killed_between_any_two_commits",
        {"after": False},
    ),
    (far_file.GivesUp, "test_a_fault_on_the_way", {"fault": "error"}),
    (far_file.GivesUp, "test_garbage_in_the_place_of_every_answer", {}),
    (far_file.Stumbles, "test_garbage_in_the_place_of_every_answer", {}),
    (far_file.Forgets, "test_killed_between_any_two_exchanges", {"after": True}),
]


@pytest.mark.parametrize(
    ("bad", "test", "values"), BAD, ids=[f"{bad.__name__}-{test[5:]}" for bad, test, _ in BAD]
)
def test_the_fault_suite_finds_a_bad_adapter(
    world: World,
    proxy: FaultyProxy,
    held: Held,
    signer: Signer,
    bad: type[FarLedger],
    test: str,
    values: Mapping[str, Any],
) -> None:
    """Each fault has a test of the suite that fails for it."""
    suite = LedgerFaults()
    world.add(world.dataset("weather"), 3)
    world.seal()
    world.sign()
    stage = Stage(
        world, lambda: bad(proxy.url, signer.vkey), proxy, held, suite.ripen, suite.remembers
    )

    def judge() -> None:
        getattr(suite, test)(stage, **values)
        stage.check()

    with pytest.raises(AssertionError):
        judge()


BROKEN: list[tuple[type[FarLedger], str]] = [
    (far_file.Doubles, "test_another_root_for_a_known_size_is_refused"),
    (far_file.TakesForks, "test_another_root_for_a_known_size_is_refused"),
    (far_file.TakesForks, "test_another_root_is_never_confirmed"),
    (far_file.Believes, "test_another_root_is_never_confirmed"),
    (far_file.DoesNotReadBack, "test_what_was_never_submitted_is_unknown"),
    (far_file.DoesNotReadBack, "test_another_logs_size_is_not_ours"),
]


@pytest.mark.parametrize(
    ("bad", "test"), BROKEN, ids=[f"{bad.__name__}-{test[5:]}" for bad, test in BROKEN]
)
def test_the_contract_finds_a_bad_adapter(
    far: FarFile, signer: Signer, bad: type[FarLedger], test: str
) -> None:
    """Each promise that is broken has a test of the contract that fails for it."""

    def reopened() -> Ledger:
        return bad(far.url, signer.vkey)

    suite, fixtures = LedgerContract(), {"ledger": reopened(), "reopened": reopened}
    method = getattr(suite, test)
    wanted = method.__code__.co_varnames[1 : method.__code__.co_argcount]
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        method(**{name: fixtures[name] for name in wanted})
