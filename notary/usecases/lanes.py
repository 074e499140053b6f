# SPDX-License-Identifier: Apache-2.0
"""What a process remembers of datasets, sources and the heads of their chains."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from os import urandom
from typing import NamedTuple, Protocol
from zlib import crc32

from notary.core.errors import MalformedText
from notary.core.runs import source_tag
from notary.core.words import ZERO_HASH, check_id
from notary.store.pool import Pool, Transaction
from notary.usecases.prints import SourcePrints
from notary.usecases.reading import Reading

MAX_REMEMBERED = 200_000
"""Sources (and heads) that one process keeps in mind; beyond it starts afresh."""


LANES = 4
"""How many lanes a dataset gets: so many may accept readings of it at the same time."""


def spread(label: str) -> int:
    """A number by which sources are spread over lanes; the same for ever."""
    return crc32(label.encode())


@dataclass(frozen=True, slots=True)
class Dataset:
    """The settled facts of a dataset; `lanes` are ids in the order of position."""

    id: int
    name: str
    is_open: bool
    random_sources: bool
    digest_index: bool
    lanes: tuple[int, ...]

    def lane_of(self, label: str) -> int:
        """The lane that covers a source."""
        return self.lanes[spread(label) % len(self.lanes)]


class Way(NamedTuple):
    """What is settled for all readings of one source that are handed in alike."""

    dataset: Dataset
    lane: int
    prints: SourcePrints


@dataclass(frozen=True, slots=True)
class Source:
    """A source's ids: the database's, and the one in statements."""

    id: int
    name: str


class HasSource(Protocol):
    """An item of which dataset, lane and source are known."""

    @property
    def reading(self) -> Reading: ...
    @property
    def dataset(self) -> Dataset: ...
    @property
    def lane(self) -> int: ...


@dataclass(slots=True)
class Head:
    """The end of a source's chain: what the next record links to."""

    chain: int
    next_n: int
    leaf: bytes
    received: datetime | None


def is_id(text: str) -> bool:
    """Whether a text from outside is an id, and so fit to be asked for in the store."""
    try:
        check_id(text)
    except MalformedText:
        return False
    return True


class Datasets:
    """Datasets by name. What is found never changes and is kept; what isn't, is asked again."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known: dict[str, Dataset] = {}

    def find(self, names: Iterable[str]) -> dict[str, Dataset]:
        """The datasets among the names that exist; a name that is no id has none."""
        wanted = set(names)
        missing = [name for name in wanted if name not in self._known and is_id(name)]
        if missing:
            with self._pool.transaction(read_only=True) as tx:
                for row in tx.maps("find_datasets", names=missing):
                    row["lanes"] = tuple(row["lanes"])
                    self._known[row["name"]] = Dataset(**row)
        return {name: self._known[name] for name in wanted if name in self._known}


class Heads:
    """
    Heads per lane, valid while the lane's version is the one that this process left.

    A transaction moves them on in place. It calls `keep` once it is committed, and `forget`
    when it is not: then all are read anew.
    """

    def __init__(self) -> None:
        self._versions: dict[int, int] = {}
        self._heads: dict[int, dict[int, Head]] = {}

    def load(
        self,
        tx: Transaction,
        versions: dict[int, int],
        wanted: Iterable[tuple[int, int]],
        chain: int,
    ) -> dict[int, dict[int, Head]]:
        """
        The heads of lanes by source id: at least of the wanted (lane, source id).

        `versions` are those of the locked lanes. A source without records in `chain`
        begins it with n = 0.
        """
        for lane, version in versions.items():
            if self._versions.get(lane) != version:
                self._heads[lane] = {}
        heads = self._heads
        missing = {}
        for lane, source in wanted:
            head = heads[lane].get(source)
            if head is None or head.chain != chain:
                missing[source] = lane
        if missing:
            for source, at, n, leaf, received in tx.rows(
                "find_heads", lanes=list(missing.values()), sources=list(missing)
            ):
                goes_on = at == chain
                heads[missing.pop(source)][source] = Head(
                    chain, n + 1 if goes_on else 0, leaf if goes_on else ZERO_HASH, received
                )
        for source, lane in missing.items():
            heads[lane][source] = Head(chain, 0, ZERO_HASH, None)
        return heads

    def keep(self, versions: dict[int, int]) -> None:
        """What was moved on is committed: the lanes have these versions now."""
        for lane, version in versions.items():
            self._versions[lane] = version
            if len(self._heads.get(lane, ())) > MAX_REMEMBERED:
                self._heads[lane].clear()

    def forget(self) -> None:
        """Forget all: after an error it isn't known what was committed."""
        self._versions.clear()
        self._heads.clear()


def find_sources(tx: Transaction, items: Iterable[HasSource]) -> dict[tuple[int, str], Source]:
    """
    The sources of some items (one at least) by (dataset id, label); new ones are added.

    Requires the items' lanes to be locked: a source belongs to one lane, so nobody else
    adds it meanwhile. What is added exists only once the transaction is committed.
    """
    wanted = {(item.dataset.id, item.reading.source): item for item in items}
    datasets, labels = zip(*wanted, strict=True)
    rows = tx.rows("find_sources", datasets=list(datasets), labels=list(labels))
    found = {(row[1], row[2]): Source(row[0], row[3]) for row in rows}
    new = [item for key, item in wanted.items() if key not in found]
    if new:
        found.update(_add_sources(tx, new))
    return found


def _add_sources(tx: Transaction, items: list[HasSource]) -> dict[tuple[int, str], Source]:
    names, salts, tags = [], [], []
    for item in items:
        label = item.reading.source
        name = f"s.{urandom(16).hex()}" if item.dataset.random_sources else label
        salt = b"" if item.dataset.is_open else urandom(32)
        names.append(name)
        salts.append(salt)
        tags.append(source_tag(item.dataset.name, name, salt))
    rows = tx.rows(
        "add_sources",
        datasets=[item.dataset.id for item in items],
        lanes=[item.lane for item in items],
        labels=[item.reading.source for item in items],
        names=names,
        salts=salts,
        tags=tags,
    )
    return {(row[1], row[2]): Source(row[0], row[3]) for row in rows}
