# SPDX-License-Identifier: Apache-2.0
"""The lines of docs/operations.md by which an older dump is restored and the log goes on."""

import functools
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from notary.core.receipt import verify_receipt
from notary.core.recovery import recoveries_of
from notary.core.tiles import entries_path, format_bundle
from notary.core.trust import parse_trust
from notary.local.place import servant
from notary.local.programs import postgres_programs
from notary.usecases import look
from tests.acceptance.drills import Operator
from tests.acceptance.sealers import SealerProcess, now, settled, wait_for
from tests.usecases.servers import world as made_world
from tests.usecases.world import ORIGIN, World

world = made_world
PAGES_MIRROR = "http://127.0.0.1:8471"
PROGRAMS = postgres_programs(servant())


@pytest.fixture
def dumped(world: World, tmp_path: Path) -> World:
    """
    A notary on the real clock with two batches, of which a dump was made at night; the next day
    it grew by two more, and then its database was lost.
    """
    world.now = now()
    world.dataset("weather")
    for seed in (1, 2):
        world.add("weather", 6, seed=seed)
        world.settle()
    world.add("weather", 4, seed=3)
    desk = tmp_path / "desk"
    desk.mkdir()
    dump = [str(PROGRAMS / "pg_dump"), "-Fc", "-f", str(desk / "nightly.dump")]
    subprocess.run([*dump, world.env["NOTARY_DATABASE_URL"]], check=True)
    world.settle()
    world.add("weather", 6, sources=5, seed=4)
    world.settle()
    write_copy(world, tmp_path / "copy")
    return world


def write_copy(world: World, folder: Path) -> None:
    """A plain copy of the log's files, as any C2SP tlog-tiles mirror keeps it."""
    newest = look.newest_checkpoint(world.pool)
    assert newest is not None
    folder.mkdir()
    (folder / "checkpoint").write_text(newest["note"], encoding="utf-8")
    entries = [
        look.get_batch(world.pool, (), index)["descriptor"].encode()
        for index in range(newest["size"])
    ]
    file = folder / entries_path(0, newest["size"])
    file.parent.mkdir(parents=True)
    file.write_bytes(format_bundle(entries))


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *values: object) -> None:
        """Nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a server of the folder's files."""
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def go_on(world: World, tmp_path: Path) -> None:
    """The processes start again and get on."""
    world.now = now()
    with SealerProcess(world.env, tmp_path / "after.log") as sealer:
        world.add("weather", 6, sources=6, seed=9)
        wait_for("all is anchored", lambda: settled(world))
        assert sealer.stop() == 0
    assert [line for line in sealer.said() if line["event"] == "stopped"] == []
    assert world.audit().findings == ()


def test_an_older_dump_goes_on_by_the_page(dumped: World, tmp_path: Path) -> None:
    """The lost batches are put back from a copy, the log goes on as itself, all of it said."""
    dumped.close()
    operator = Operator(dumped, tmp_path / "desk", PROGRAMS)
    with serving(tmp_path / "copy") as url:
        operator.paste("recovery", PAGES_MIRROR, url)
    opened = dumped.again()
    go_on(opened, tmp_path)
    trust = parse_trust((tmp_path / "desk" / "trust.json").read_text())
    (said,) = recoveries_of(trust)
    assert (said.origin, said.goes_on, said.size, said.kept, said.chain) == (
        ORIGIN,
        ORIGIN,
        4,
        2,
        1,
    )
    source = str(opened.rows("SELECT name FROM sources ORDER BY id LIMIT 1")[0][0])
    for chain in (0, 1):
        proof = opened.prover().receipt("weather", source, 0, caller=None, chain=chain)
        verify_receipt(proof.text, trust)
    opened.close()


def test_without_a_copy_another_name_goes_on(dumped: World, tmp_path: Path) -> None:
    """The same dump, and nobody has what is lost."""
    dumped.close()
    operator = Operator(dumped, tmp_path / "desk", PROGRAMS)
    operator.run('pg_restore --clean --if-exists --no-owner -d "$(cat database.url)" nightly.dump')
    said = operator.run("notary recover --yes; echo $?")
    assert "--new-origin" in said
    assert said.endswith("2\n")
    said = operator.run(f"notary recover --yes --new-origin {ORIGIN}-2; echo $?")
    assert f"The log {ORIGIN} is closed at size 4; {ORIGIN}-2 goes on." in said
    assert said.endswith("0\n")
    opened = dumped.again()
    go_on(opened, tmp_path)
    trust = parse_trust(operator.run("notary trust"))
    assert [key.origin for key in trust.logs] == [ORIGIN, f"{ORIGIN}-2"]
    source = str(opened.rows("SELECT name FROM sources ORDER BY id LIMIT 1")[0][0])
    proof = opened.prover().receipt("weather", source, 0, caller=None)
    assert verify_receipt(proof.text, trust).origin == f"{ORIGIN}-2"
    opened.close()


def test_nothing_is_recovered_where_nothing_is_wrong(dumped: World, tmp_path: Path) -> None:
    """Pasted by mistake, the line changes nothing."""
    before = dumped.marks.path.read_bytes()
    operator = Operator(dumped, tmp_path / "desk", PROGRAMS)
    for line in ("notary recover", "notary recover --yes"):
        assert operator.run(f"{line}; echo $?") == (
            "Nothing is to be recovered: the database is the one that the notary left.\n0\n"
        )
    assert dumped.marks.path.read_bytes() == before
    assert dumped.rows("SELECT chain FROM log") == [(0,)]


def test_a_sealer_that_nobody_stopped_changes_nothing(dumped: World, tmp_path: Path) -> None:
    """It is kept out from the restore on; started anew after the recovery it gets on."""
    operator = Operator(dumped, tmp_path / "desk", PROGRAMS)
    with SealerProcess(dumped.env, tmp_path / "sealer.log"), serving(tmp_path / "copy") as url:
        at_work = "SELECT process FROM heartbeats WHERE process = 'sealer'"
        wait_for("it is at work", lambda: dumped.rows(at_work) != [])
        dumped.close()
        operator.paste("recovery", PAGES_MIRROR, url)
    opened = dumped.again()
    go_on(opened, tmp_path)
    opened.close()
