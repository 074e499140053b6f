# SPDX-License-Identifier: Apache-2.0
"""
Recover, the lost batches: fetched from whoever has them, checked against the root that the
log's key signed, and put back as what they are: leaves of the log whose records are gone.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from notary.core.descriptor import Descriptor, descriptor_leaf, parse_descriptor
from notary.core.errors import MalformedText, NotaryError
from notary.core.hashing import LeafHash, RootHash
from notary.core.runs import Run, check_run_list, parse_run, run_leaf
from notary.core.tiles import root_from_tiles
from notary.core.tree import root
from notary.core.words import ZERO_HASH
from notary.store.logtiles import append_leaf, read_log_tile
from notary.store.pool import Pool, Transaction
from notary.usecases.recover_look import Gap, Helper, Known, RecoverRefused

OWNER = "notary.itself"
"""Who owns what nobody can be asked about; no key is ever made for it."""
_CLOSED_NAME = re.compile(r"d\.[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class LostBatch:
    """A lost batch: its descriptor as it was hashed; run list and leaves where they were found."""

    text: str
    descriptor: Descriptor
    run_list: str | None
    leaves: bytes | None


@dataclass(frozen=True, slots=True)
class Found:
    """All lost batches, in their order, and who had them."""

    who: str
    batches: tuple[LostBatch, ...]


class _Rehearsed(Exception):
    """It would work; nothing of it is kept."""


def fetch_lost(
    pool: Pool, gap: Gap, helpers: Sequence[Helper], now: datetime
) -> tuple[Found | None, list[str]]:
    """
    The lost batches from the first helper whose entries lead to the newest root, tried out in
    a transaction that is taken back; and sentences about those that couldn't help.
    """
    said: list[str] = []
    for helper in helpers:
        try:
            found = _fetch(helper, helpers, gap)
            with suppress(_Rehearsed), pool.transaction() as tx:
                put_back(tx, gap, found, now)
                raise _Rehearsed
            return found, said
        except NotaryError as error:
            said.append(f"{helper.name} does not have the lost batches: {error.detail}")
    return None, said


def put_back(tx: Transaction, gap: Gap, found: Found, now: datetime) -> None:
    """
    Append the lost batches to the log. Requires the log's row to be locked.

    A version that is here and waits becomes that of its batch. Sources that were numbered in
    lost batches keep their numbers free.

    Raises:
        RecoverRefused: they don't go on where this database ends, or lead to another root.
    """
    tx.do("add_lost_owner", id=OWNER, name="The notary itself", now=now)
    for index, batch in enumerate(found.batches, gap.size):
        _put_back(tx, index, batch, now)
    tx.do("advance_log", size=gap.newest.size)
    got = root_from_tiles(partial(read_log_tile, tx), gap.newest.size)
    if got != gap.newest.root:
        raise RecoverRefused(
            f"they lead to another root for size {gap.newest.size} than {gap.newest.who} knows.",
            reason="other-root",
        )


def _put_back(tx: Transaction, index: int, batch: LostBatch, now: datetime) -> None:
    said = batch.descriptor
    row = tx.row("find_batched_dataset", name=said.dataset)
    if row is None:
        is_open = not _CLOSED_NAME.fullmatch(said.dataset)
        values = {"name": said.dataset, "owner": OWNER, "is_open": is_open, "zero": ZERO_HASH}
        tx.do("add_lost_dataset", **values, now=now)
        row = tx.rows("find_batched_dataset", name=said.dataset)[0]
    id_, name, number, sources, last, _ = row
    if (said.number, said.prev) != (number, last):
        raise RecoverRefused(
            f"batch {index} is number {said.number} of {name}, which has {number} batches here.",
            reason="other-log",
        )
    leaf = descriptor_leaf(batch.text)
    tx.do(
        "add_batch",
        index=index,
        dataset=id_,
        number=said.number,
        count=said.count,
        leaf=leaf,
        now=now,
        descriptor=batch.text,
    )
    append_leaf(tx, index, leaf)
    for run in _runs(batch):
        tx.do("number_by_tag", dataset=id_, tag=run.tag, number=run.number)
    count = max(sources, _numbered(batch, sources))
    tx.do("advance_dataset", dataset=id_, source_count=count, leaf=leaf)
    if said.kind == "version" and _attach(tx, id_, said, index):
        return
    tx.do("add_lost_batch", batch=index, run_list=batch.run_list, leaves=batch.leaves)


def _numbered(batch: LostBatch, before: int) -> int:
    """How many sources are numbered after the batch, at most: each record may be a new one's."""
    if batch.descriptor.kind != "records":
        return before
    if batch.run_list is None:
        return before + batch.descriptor.count
    return max(run.number for run in _runs(batch)) + 1


def _runs(batch: LostBatch) -> list[Run]:
    return [parse_run(line) for line in (batch.run_list or "").splitlines()]


def _attach(tx: Transaction, dataset: int, said: Descriptor, index: int) -> bool:
    """Give a version that waits here the batch that it was sealed in."""
    rows = tx.maps("find_waiting_version", dataset=dataset, version=said.version)
    if not rows:
        return False
    row = rows[0]
    stored = row["profile"], row["count"], row["root"], row["hash"], row["corrects"]
    sealed = said.profile, said.count, said.root, said.digest or said.commitment, said.corrects
    if stored != sealed:
        raise RecoverRefused(
            f"version {said.version} of {said.dataset} is another one here.", reason="other-log"
        )
    tx.do("mark_version", id=row["id"], batch=index)
    return True


def _fetch(helper: Helper, helpers: Sequence[Helper], gap: Gap) -> Found:
    """What the helper has, run lists and leaves from whoever has them."""
    entries = list(helper.entries(gap.size, gap.newest.size))
    if len(entries) != gap.lost:
        raise RecoverRefused(f"it has {len(entries)} of {gap.lost}.", reason="too-few")
    batches = [_batch(index, entry, helpers) for index, entry in enumerate(entries, gap.size)]
    return Found(helper.name, tuple(batches))


def _batch(index: int, entry: bytes, helpers: Iterable[Helper]) -> LostBatch:
    try:
        text = entry.decode()
    except UnicodeDecodeError:
        raise MalformedText(f"entry {index} is no text.") from None
    said = parse_descriptor(text)
    run_list = leaves = None
    for helper in helpers:
        # What doesn't lead to the descriptor's roots is none of it.
        with suppress(NotaryError):
            if run_list is None and said.kind == "records":
                run_list = _run_list(helper.run_list(index, said.count), said)
        with suppress(NotaryError):
            if leaves is None:
                leaves = _leaves(helper.leaves(index, said.count), said)
    return LostBatch(text, said, run_list, leaves)


def _run_list(text: str | None, said: Descriptor) -> str | None:
    if text is None:
        return None
    lines = text.splitlines()
    check_run_list([parse_run(line) for line in lines], said.count)
    fits = root([run_leaf(line) for line in lines]) == said.runs
    return "".join(f"{line}\n" for line in lines) if fits else None


def _leaves(data: bytes | None, said: Descriptor) -> bytes | None:
    if data is None or len(data) != 32 * said.count:
        return None
    hashes = [LeafHash(data[at : at + 32]) for at in range(0, len(data), 32)]
    return data if root(hashes) == said.root else None


def checkpoints_of(gap: Gap) -> list[Known]:
    """The states that are known outside, one for each size, signed ones first."""
    by_size: dict[int, Known] = {}
    for one in gap.known:
        if one.size > 0 and (one.size not in by_size or by_size[one.size].note is None):
            by_size[one.size] = one
    return list(by_size.values())


def root_of(tx: Transaction, size: int) -> RootHash:
    """The root over the first `size` leaves that are here."""
    return root_from_tiles(partial(read_log_tile, tx), size)
