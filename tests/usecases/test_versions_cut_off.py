# SPDX-License-Identifier: Apache-2.0
"""Cut off anywhere, a version is accepted whole or not at all, and sealed once."""

import threading
from typing import Any

import pytest

from notary.store.pool import Transaction
from notary.usecases import seal_versions
from notary.usecases.version_upload import Upload, sweep_uploads
from tests.usecases.tables import publish, table
from tests.usecases.world import World


class PowerCut(BaseException):
    """What no handler expects."""


def cut_at(name: str, *, after: bool, at: int = 1) -> Any:
    """A `Transaction.do` (or `rows`, `copy`) that ends at the n-th use of a query."""
    reals = {method: getattr(Transaction, method) for method in ("do", "rows", "copy")}
    seen = 0

    def make(method: str) -> Any:
        def call(tx: Transaction, query: str, *values: Any, **more: Any) -> Any:
            nonlocal seen
            seen += query == name
            if query != name or seen != at:
                return reals[method](tx, query, *values, **more)
            if after:
                reals[method](tx, query, *values, **more)
            raise PowerCut

        return call

    return {method: make(method) for method in reals}


ACCEPTING = [
    *(("begin_upload", 1), ("touch_upload", 1), ("touch_upload", 2), ("add_version_part", 2)),
    *(("copy_version_tiles", 1), ("copy_version_tiles", 2), ("copy_version_tiles", 3)),
    *(("lock_dataset", 1), ("end_upload", 1), ("add_version", 1)),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("query", "at"), ACCEPTING)
def test_cut_off_while_accepting_leaves_no_version(
    world: World, monkeypatch: pytest.MonkeyPatch, query: str, at: int, after: bool
) -> None:
    """What is left is no version, is swept away, and the next try is version 1."""
    # Two parts, and tiles in each.
    air, file = world.dataset("air"), table(4_000, width=300)
    with monkeypatch.context() as patch:
        for method, call in cut_at(query, after=after, at=at).items():
            patch.setattr(Transaction, method, call)
        # In a power cut nobody cleans up.
        patch.setattr(Upload, "abandon", lambda self: None)
        with pytest.raises(PowerCut):
            publish(world, air, file)
    assert world.rows("SELECT 1 FROM versions") == []
    assert world.audit().findings == ()
    assert publish(world, air, file).version == 1
    world.settle()
    world.pass_by(3601)
    sweep_uploads(world.pool, world.now)
    assert world.rows("SELECT 1 FROM uploads") == []
    assert world.rows("SELECT DISTINCT version FROM version_parts") == world.rows(
        "SELECT id FROM versions"
    )
    assert world.audit().findings == ()


SEALING = ("mark_version", "add_batch", "add_log_hash", "advance_dataset", "advance_log")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", [*SEALING, "both_roots", "lock_log", "append_batch"])
def test_cut_off_while_sealing_leaves_the_version_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    """Nothing of it is in the log; the next try seals the same."""
    publish(world, world.dataset("air"), table(300))
    with monkeypatch.context() as patch:
        if step in SEALING:
            for method, call in cut_at(step, after=after).items():
                patch.setattr(Transaction, method, call)
        else:
            real = getattr(seal_versions, step)

            def cut(*values: Any, **more: Any) -> Any:
                if after:
                    real(*values, **more)
                raise PowerCut

            patch.setattr(seal_versions, step, cut)
        with pytest.raises(PowerCut):
            world.seal()
    assert world.size() == 0
    assert world.rows("SELECT batch FROM versions") == [(None,)]
    assert world.rows("SELECT 1 FROM batches UNION ALL SELECT 1 FROM log_hashes") == []
    assert [batch.count for batch in world.seal()] == [301]
    assert world.audit().findings == ()


def test_sealers_side_by_side_seal_each_version_once(world: World) -> None:
    """Records and versions of several datasets, by three sealers."""
    for name in ("air", "water", None):
        dataset = world.dataset(name)
        for seed in range(4):
            publish(world, dataset, table(300, seed))
            world.add(dataset, 5, seed=seed)
    sealers = [world.sealer() for _ in range(3)]
    failed: list[BaseException] = []

    def work(sealer: Any) -> None:
        try:
            for _ in range(6):
                sealer.seal_due(world.now, at_once=True)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(sealer,)) for sealer in sealers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    while world.seal():
        pass
    batches = [row[0] for row in world.rows("SELECT batch FROM versions")]
    assert len(set(batches)) == 12
    assert None not in batches
    assert world.audit().findings == ()
