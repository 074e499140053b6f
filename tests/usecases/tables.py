# SPDX-License-Identifier: Apache-2.0
"""Files for versions, and their way in."""

from collections.abc import Iterable

from notary.usecases.datasets import DatasetFacts, get_dataset
from notary.usecases.versions import AcceptedVersion, NewVersion, VersionOnce, accept_version
from tests.usecases.world import World

CSV, NDJSON, JSON = "text/csv", "application/x-ndjson", "application/json"
LIMIT = 1 << 30


def table(rows: int, seed: int = 0, width: int = 0) -> bytes:
    """A table with a header, names in quotes, wider if need be, and line ends of Windows."""
    more = "h" * width
    lines = [
        f'{n},"station {n % 7}, nort{more}h",{(n * 37 + seed) % 1000 / 10}' for n in range(rows)
    ]
    return ("\r\n".join(["id,name,value", *lines]) + "\r\n").encode()


def facts_of(world: World, dataset: str) -> DatasetFacts:
    """What is on file of a dataset of the world's owner."""
    return get_dataset(world.pool, dataset, world.caller)


def publish(
    world: World,
    dataset: str,
    file: bytes | Iterable[bytes],
    type_: str = CSV,
    *,
    name: str | None = None,
    corrects: int | None = None,
    reason: str | None = None,
    once: VersionOnce | None = None,
    limit: int = LIMIT,
) -> AcceptedVersion:
    """Hand in a file as the next version of a dataset."""
    by_word = f"api:{world.caller.key_id}"
    what = NewVersion(facts_of(world, dataset), type_, by_word, name, corrects, reason)
    pieces = [file] if isinstance(file, bytes) else file
    return accept_version(world.pool, world.gate, what, pieces, lambda: world.now, limit, once)
