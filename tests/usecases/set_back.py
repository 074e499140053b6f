# SPDX-License-Identifier: Apache-2.0
"""A notary whose database is set back to an older copy, and whoever remembers more."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from notary.config import Settings
from notary.core.errors import NotaryError
from notary.keys import KeyRing
from notary.usecases import look
from notary.usecases.recover import Plan, carry_out, make_plan
from notary.usecases.recover_again import take_again, tell
from notary.usecases.recover_look import Helper, RecoverRefused
from notary.wiring import connect
from tests.usecases.world import World, settings_env


def copy_of(world: World) -> str:
    """What an operator would restore: the database as it is now, under another name."""
    world.close()
    return copied(world.env["NOTARY_DATABASE_URL"])


def copied(url: str) -> str:
    """A copy of a database that nobody is connected to."""
    server, _, name = url.rpartition("/")
    copy = f"test_{secrets.token_hex(6)}"
    with closing(psycopg2.connect(f"{server}/postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {copy} TEMPLATE {name}")
    return f"{server}/{copy}"


def on(world: World, url: str, folder: Path | None = None) -> World:
    """The same notary (keys, mark, ledger; or their copies in a folder) on another database."""
    env = {**world.env, "NOTARY_DATABASE_URL": url}
    if folder is not None:
        env = settings_env(folder, url)
    parts = connect(Settings.from_env(env), writes_ledger=True)
    return World(parts, env, world.caller, world.api_key, world.now, dict(world.datasets))


@dataclass
class Memory:
    """Somebody who remembers a log: entries, run lists, leaves and the newest checkpoint."""

    name: str = "the mirror"
    note: str = ""
    bundle: list[bytes] = field(default_factory=list)
    run_lists: dict[int, str] = field(default_factory=dict)
    leaf_hashes: dict[int, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World, *, plain: bool = False) -> "Memory":
        """What a mirror has of it now; a plain one keeps no run lists and leaves."""
        newest = look.newest_checkpoint(world.pool)
        assert newest is not None
        made = cls(note=newest["note"])
        for index in range(newest["size"]):
            row = look.get_batch(world.pool, (), index)
            made.bundle.append(row["descriptor"].encode())
            if not plain:
                made.run_lists[index] = "".join(
                    line for part in look.batch_runs(world.pool, index) for line in part
                )
                made.leaf_hashes[index] = b"".join(look.batch_leaves(world.pool, index))
        return made

    def checkpoint(self, origin: str) -> str:
        """The newest checkpoint."""
        if not self.note:
            raise RecoverRefused("it is away.")
        return self.note

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Entries, as far as they are here."""
        return iter(self.bundle[start:stop])

    def run_list(self, index: int, count: int) -> str | None:
        """A run list."""
        return self.run_lists.get(index)

    def leaves(self, index: int, count: int) -> bytes | None:
        """Leaf hashes."""
        return self.leaf_hashes.get(index)


def plan(world: World, *helpers: Helper) -> Plan:
    """Look."""
    return make_plan(world.pool, world.marks, world.parts.ledgers, helpers, world.now)


def recover(world: World, *helpers: Helper, new_origin: str | None = None) -> World:
    """Look, do all of it, and return the notary as a new process sees it."""
    ring = KeyRing(world.parts.settings.state)
    carry_out(world.pool, world.marks, ring, plan(world, *helpers), new_origin, world.now)
    return end(world)


def end(world: World) -> World:
    """The last step of a recovery."""
    opened = world.again()
    acceptor = opened.acceptor()
    tell(opened.pool, acceptor, opened.now)
    take_again(opened.pool, acceptor, opened.parts.instance_secret(), opened.now)
    return opened


def is_closed(world: World) -> bool:
    """Whether another process of the notary is kept out."""
    other = world.again()
    try:
        other.gate.open()
    except NotaryError:
        return True
    finally:
        other.close()
    return False
