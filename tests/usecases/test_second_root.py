# SPDX-License-Identifier: Apache-2.0
"""Invariant 3: no batch is sealed whose two roots disagree, or that has only one."""

import os
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256

import pytest

from notary.core.tree import root
from notary.usecases.second_root import (
    RootsDisagree,
    SecondRootMissing,
    check_roots,
    load_second_root,
)
from tests.usecases.world import World

LEAVES = [sha256(bytes([i])).digest() for i in range(130)]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 127, 128, 129, 130])
def test_merkletools_finds_our_root(count: int) -> None:
    """With the hashing of RFC 9162 put in, somebody else's tree has the same root."""
    assert load_second_root()(LEAVES[:count]) == root(LEAVES[:count])


def test_roots_that_disagree_are_an_error() -> None:
    """The error carries both roots, for the person who looks."""
    with pytest.raises(RootsDisagree) as stopped:
        check_roots(LEAVES, root(LEAVES), lambda leaves: bytes(32))
    assert stopped.value.facts["want"] == root(LEAVES).hex()
    assert stopped.value.facts["got"] == "00" * 32


def test_without_a_second_root_nothing_is_compared() -> None:
    """NOTARY_SECOND_ROOT=off is a decision; the rest then works."""
    check_roots(LEAVES, bytes(32), None)


def _one_bit_off(leaves: Sequence[bytes]) -> bytes:
    good = load_second_root()(leaves)
    return bytes([good[0] ^ 1]) + good[1:]


def test_sealing_stops_when_the_roots_disagree(world: World) -> None:
    """Nothing of the batch is in the log, and the records wait as they did."""
    dataset = world.dataset("weather")
    world.add(dataset, 40)
    with pytest.raises(RootsDisagree):
        world.sealer(second=_one_bit_off).seal_due(world.now, at_once=True)
    assert world.size() == 0
    for table in ("batches", "batch_tiles", "runs", "log_hashes", "checkpoints"):
        assert world.rows(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert world.rows("SELECT count(*) FROM segments WHERE batch IS NULL") == [(1,)]
    assert world.rows("SELECT count(*) FROM sources WHERE number IS NOT NULL") == [(0,)]
    assert world.sign() is None
    assert [batch.count for batch in world.seal()] == [40]
    assert world.audit().findings == ()


def test_one_bad_dataset_does_not_leave_half_a_round(world: World) -> None:
    """What was sealed before the disagreement stays whole; what comes after it waits."""
    world.add(world.dataset("first"), 10)
    world.pass_by()
    world.add(world.dataset("second"), 11)

    def wrong_for_eleven(leaves: Sequence[bytes]) -> bytes:
        return (_one_bit_off if len(leaves) == 11 else load_second_root())(leaves)

    with pytest.raises(RootsDisagree):
        world.sealer(second=wrong_for_eleven).seal_due(world.now, at_once=True)
    assert world.rows("SELECT count FROM batches") == [(10,)]
    report = world.audit()
    assert (report.records, report.waiting, report.findings) == (10, 11, ())


BLOCKED = """
import sys
sys.modules["merkletools"] = None  # what Python says of a package that isn't there
"""


def _run(world: World, code: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", BLOCKED + code],
        env={**os.environ, **world.env, **more},
        capture_output=True,
        text=True,
        timeout=300,
    )


LOAD = """
from notary.usecases.second_root import SecondRootMissing, load_second_root
try:
    load_second_root()
except SecondRootMissing as missing:
    print(missing.detail)
"""


def test_missing_merkletools_is_named_with_the_way_out(world: World) -> None:
    """The message says how to install it, and how to do without on purpose."""
    said = _run(world, LOAD).stdout
    assert "pip install --no-deps merkletools" in said
    assert "NOTARY_SECOND_ROOT=off" in said


START = """
import os
from notary.config import Settings
from notary.core.errors import NotaryError
from notary.sealer import Rounds
from notary.wiring import clock, connect
try:
    rounds = Rounds(connect(Settings.from_env(os.environ), writes_ledger=True))
    rounds.go(clock())
    print(rounds.facts)
except NotaryError as error:
    print(type(error).__name__)
"""


def test_the_sealer_does_not_start_without_a_second_root(world: World) -> None:
    """Without merkletools the sealer seals nothing at all, due or not."""
    world.add(world.dataset("weather"), 5)
    assert _run(world, START).stdout.strip() == SecondRootMissing.__name__
    assert world.size() == 0


def test_the_sealer_starts_when_the_second_root_is_switched_off(world: World) -> None:
    """Switched off on purpose it seals, and says of itself that it is off."""
    world.add(world.dataset("weather"), 5)
    done = _run(world, START, NOTARY_SECOND_ROOT="off", NOTARY_SEAL_COUNT="5")
    assert done.stdout.strip().endswith("{'second_root': 'off'}"), done.stderr
    assert world.size() == 1
