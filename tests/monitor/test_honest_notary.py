# SPDX-License-Identifier: Apache-2.0
"""The notary's own code on a real database, over HTTP: it is accused of nothing."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from notary.usecases.erase import RecordPlace, VersionPlace
from notary.wsgi import create_app
from tests.monitor.shown import Watch
from tests.usecases.set_back import Memory, copy_of, on
from tests.usecases.set_back import recover as go_on
from tests.usecases.tables import publish, table
from tests.usecases.world import World


@contextmanager
def served(world: World) -> Iterator[str]:
    """Its address while it is asked."""
    app = create_app(world.parts, lambda: world.now, lambda _: None)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def watch_of(world: World, folder: Path) -> Watch:
    """Whoever got the trust file as it is now, and a copy of the file ledger."""
    ledger = Path(world.env["NOTARY_LEDGER_DIR"]) / "ledger.ndjson"
    trust = json.loads(world.parts.trust())
    return Watch(folder, trust, ledger_files=(ledger,), anchor_within=600.0)


def test_all_that_a_notary_does_raises_no_alarm(world: World, tmp_path: Path) -> None:
    """
    Open and closed datasets, many sources, tables and their corrections, erasures, batches of
    several datasets under one checkpoint, times that stand still.
    """
    world.dataset("weather", lane_count=3)
    closed = world.dataset(None, random_sources=True)
    watch = watch_of(world, tmp_path / "state")
    with served(world) as url:
        for seed in range(3):
            world.add("weather", 40, sources=9 + seed, seed=seed)
            world.add(closed, 30, seed=seed)
            publish(world, "weather", table(20, seed), name="table.csv")
            again = {"corrects": seed, "reason": "mended"} if seed else {}
            publish(world, closed, table(1, seed), **again)
            world.settle()
            assert watch.look(url, world.now) == [], watch.report().alarms
            world.pass_by(60)
        world.erase("weather", RecordPlace("s1", 1, 0))
        world.erase(closed, VersionPlace(1))
        world.settle()
        assert watch.look(url, world.now) == []
        assert watch.look(url, world.pass_by(900)) == []
    report = watch.report()
    assert report.batches == report.size == world.size()
    assert (report.records, report.rows) == (3 * 70 + 2, 3 * (21 + 2))
    assert (report.alarms, report.not_checked) == ((), ())


@pytest.mark.parametrize("plain", [False, True], ids=["whole-mirror", "plain-mirror"])
def test_a_recovery_that_was_announced_raises_no_alarm(
    world: World, tmp_path: Path, plain: bool
) -> None:
    """
    The database was set back; batches are put back as leaves, every source begins a new chain:
    whoever followed before goes on, and whoever begins then sees the same.
    """
    world.dataset("weather")
    world.add("weather", 6, seed=1)
    world.settle()
    world.add("weather", 4, seed=2)
    older = copy_of(world)
    world.settle()
    world.add("weather", 6, sources=5, seed=3)
    world.settle()
    with served(world) as url:
        assert watch_of(world, tmp_path / "before").look(url, world.now) == []
    memory = Memory.of(world, plain=plain)
    world.close()
    opened = go_on(on(world, older), memory)
    opened.pass_by(60)
    opened.add("weather", 9, sources=6, seed=4)
    opened.settle()
    with served(opened) as url:
        for folder in ("before", "new"):
            watch = watch_of(opened, tmp_path / folder)
            assert watch.look(url, opened.now) == [], watch.report().alarms
            assert watch.report().batches == opened.size() > 4
    opened.close()
