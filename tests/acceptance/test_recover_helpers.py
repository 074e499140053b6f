# SPDX-License-Identifier: Apache-2.0
"""Who may help a recovery, each a real party over HTTP or in its own folder; and false ones."""

import json
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from notary.commands.recover_helpers import Mirror, MonitorState, Witness
from notary.core.add_checkpoint import format_request
from notary.local.place import servant
from notary.local.ports import free_port
from notary.local.postgres import Postgres
from notary.local.programs import postgres_programs
from notary.usecases import look
from notary.usecases.recover_look import Helper
from tests.acceptance.drills import Operator
from tests.acceptance.publishers import WebProcess
from tests.acceptance.sealers import now
from tests.conftest import new_database
from tests.monitor.shown import Watch
from tests.usecases.set_back import copy_of, on, plan
from tests.usecases.world import ORIGIN, World
from tests.witness.served import HonestWitness


@dataclass
class Lost:
    """A notary set back from four batches to two, and who remembers more."""

    world: World
    folder: Path
    mirror: str
    monitor: Path
    witness: str
    old_trust: str


@pytest.fixture(scope="module")
def lost(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lost]:
    """
    The newest database still answers somewhere as a notary; a monitor followed it, and a witness
    cosigned its newest checkpoint. With the older dump, mark and ledger are put back, too.
    """
    folder = tmp_path_factory.mktemp("helpers")
    world = World.make(folder / "notary", new_database(postgres))
    world.now = now()
    world.dataset("weather")
    for seed in (1, 2):
        world.add("weather", 6, seed=seed)
        world.settle()
    shutil.copytree(folder / "notary", folder / "night")
    older = copy_of(world)
    for seed in (3, 4):
        world.add("weather", 6, seed=seed)
        world.settle()
    witness = HonestWitness(folder / "witness", "paper.example", now, world.marks.log_keys())
    with closing(world), closing(witness), serving(world, folder) as url:
        cosign(world, witness.url)
        trust = world.parts.trust()
        Watch(folder / "monitor", json.loads(trust)).look(url, now())
        world.close()
        shutil.rmtree(folder / "notary")
        shutil.copytree(folder / "night", folder / "notary")
        yield Lost(on(world, older), folder, url, folder / "monitor", witness.url, trust)


@contextmanager
def serving(world: World, folder: Path) -> Iterator[str]:
    """The address of a notary's pages."""
    web = WebProcess(world.env, folder / "web.log")
    try:
        web.start()
        yield web.url
    finally:
        web.stop()


def cosign(world: World, url: str) -> None:
    """Have the newest checkpoint cosigned."""
    newest = look.newest_checkpoint(world.pool)
    assert newest is not None
    body = format_request(0, [], newest["note"])
    with urllib.request.urlopen(f"{url}/add-checkpoint", body, timeout=120) as answer:
        assert answer.status == 200


def test_a_notary_that_still_answers_gives_all_back(lost: Lost) -> None:
    """Entries, run lists and leaf hashes, all by its address alone."""
    found = plan(lost.world, Mirror(lost.mirror)).found
    assert found is not None
    assert len(found.batches) == 2
    assert all(batch.run_list and batch.leaves for batch in found.batches)


def test_a_monitors_folder_gives_the_entries_back(lost: Lost) -> None:
    """It keeps no run lists; those come from whoever has them."""
    found = plan(lost.world, MonitorState(lost.monitor)).found
    assert found is not None
    assert [batch.run_list for batch in found.batches] == [None, None]
    both = plan(lost.world, MonitorState(lost.monitor), Mirror(lost.mirror)).found
    assert both is not None
    assert both.who.startswith("the monitor")
    assert all(batch.run_list for batch in both.batches)


def test_a_witness_knows_how_much_is_lost_and_nothing_else(lost: Lost) -> None:
    """Mark and ledger were set back too: by its word alone the gap is known."""
    found = plan(lost.world, Witness(lost.witness))
    assert (found.gap.size, found.gap.newest.size, found.gap.lost) == (2, 4, 2)
    assert found.gap.newest.note is not None
    assert found.is_closed
    assert plan(lost.world).gap.lost == 0


NOBODY = f"http://127.0.0.1:{free_port()}"


@pytest.mark.parametrize("what", ["nobody", "no notary", "no folder", "no state", "no log"])
def test_who_cannot_help_is_named(lost: Lost, what: str, tmp_path: Path) -> None:
    """With a sentence; the others help all the same."""
    (tmp_path / "monitor.sqlite").write_bytes(b"garbage" * 1000 if what == "no state" else b"")
    helpers: dict[str, Helper] = {
        "nobody": Mirror(NOBODY, pauses=()),
        "no notary": Mirror(lost.witness),
        "no folder": MonitorState(tmp_path / "away"),
        "no state": MonitorState(tmp_path),
        "no log": Witness(lost.mirror),
    }
    found = plan(lost.world, helpers[what], Mirror(lost.mirror))
    assert found.gap.unheard[0].startswith(f"{helpers[what].name} does not help: ")
    assert found.found is not None


def test_a_machine_that_was_set_back_whole_goes_on(lost: Lost) -> None:
    """
    Database, mark and ledger agree, and somebody took that for all: asked, who remembers more
    tells of the gap; then it goes on as from any older dump. The monitor that followed before is
    alarmed as long as its trust file doesn't tell of that, and no longer.
    """
    lost.world.close()
    operator = Operator(lost.world, lost.folder / "desk", postgres_programs(servant()))
    operator.run("notary adopt --nothing-is-missing")
    assert operator.run("notary recover").startswith("Nothing is to be recovered")
    asked = f"notary recover --witness {lost.witness} --monitor {lost.monitor}"
    said = operator.run(f"{asked}; echo $?")
    assert "2 batches are lost, numbers 2 to 3" in said
    assert said.endswith("With --yes it is done.\n1\n")
    said = operator.run(f"{asked} --yes; echo $?")
    assert "The log" in said
    assert said.endswith("0\n"), said
    opened = lost.world.again()
    opened.now = now()
    opened.add("weather", 6, seed=9)
    opened.settle()
    assert opened.gate.open().chain == 1
    assert opened.audit().findings == ()
    again = operator.run(f"{asked} --yes; echo $?")
    assert again.endswith("0\n")
    assert opened.gate.open().origin == ORIGIN
    with serving(opened, lost.folder) as url:
        assert alarms(lost, url, json.loads(lost.old_trust)) == {"second-chain", "withheld"}
        assert alarms(lost, url, json.loads(opened.parts.trust())) == set()
    opened.close()


def alarms(lost: Lost, url: str, trust: Any) -> set[str]:
    """What the monitor that followed the log before says of it now, by that trust file."""
    folder = lost.folder / "again"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(lost.monitor, folder)
    watch = Watch(folder, trust)
    watch.look(url, now())
    return watch.kinds()
