# SPDX-License-Identifier: Apache-2.0
"""
Looking at the batches: descriptors, run lists and leaf hashes, one entry of the log after the
other. docs/spec/descriptor-v1.md.

What was handed out counts once it leads to the roots that the signed log holds; a rule that is
broken then was broken by the notary itself. Until then it is only `withheld` or `rewritten`, and
nothing of it is remembered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from sqlite3 import Row
from typing import Any, Final

from notary.core.descriptor import Descriptor, descriptor_leaf, parse_descriptor
from notary.core.errors import MalformedDescriptor, MalformedRun
from notary.core.growing_tree import GrowingTree
from notary.core.recovery import Recovery
from notary.core.runs import Run, parse_run, run_leaf
from notary.core.words import ZERO_HASH, format_time
from notary.monitor.alarms import Alarms
from notary.monitor.chains import Sources
from notary.monitor.entries import Committer
from notary.monitor.state import State
from notary.monitor.times import look_at_times
from notary.outside.errors import BadAnswer
from notary.outside.notary import Notary

MAX_LEAVES: Final = 1 << 31
TRIES: Final = 2
"""What broke off in the middle is asked for once more."""


class Rewritten(Exception):
    """What is handed out isn't what the log holds: the run list, or the leaf hashes."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look at a log's batches needs. `recoveries` are those announced for the log."""

    state: State
    notary: Notary
    alarms: Alarms
    delay: timedelta
    now: datetime
    recoveries: Sequence[Recovery] = ()


def look_on(sight: Sight) -> bool:
    """
    Look at the entries that weren't looked at yet, in their order; False: one of them isn't
    handed out as the log holds it, so what follows isn't looked at either. Inside `with state:`.

    Raises:
        Unreachable: nobody is there.
    """
    state, committer = sight.state, Committer(sight.state)
    for index in range(state.number("looked"), state.number("size")):
        try:
            with state.all_or_nothing():
                _look_at_entry(sight, index)
        except (BadAnswer, Rewritten) as error:
            sound(sight.alarms, index, error)
            return False
        sight.alarms.whole("withheld", f"batch {index}")
        sight.alarms.whole("rewritten", f"batch {index}")
        state.set(looked=index + 1)
        committer.now_and_then()
    return True


def sound(alarms: Alarms, index: int, error: BadAnswer | Rewritten) -> None:
    """The alarm for a batch that isn't handed out as it should be."""
    matter = f"batch {index}"
    if isinstance(error, Rewritten):
        alarms.sound("rewritten", matter, index=index, what=str(error), reason="batch")
        return
    facts = {"reason": error.reason, "status": error.status, "path": error.path}
    alarms.sound("withheld", matter, index=index, what="batch", **facts)


def is_lost(sight: Sight, index: int, error: BadAnswer | Rewritten) -> bool:
    """
    Whether a recovery was announced that explains why a batch isn't there: the notary lost it,
    and nobody else had more of it than the descriptor.
    """
    is_missing = isinstance(error, BadAnswer) and error.status == 404
    return is_missing and any(
        one.origin == one.goes_on and one.kept <= index < one.size for one in sight.recoveries
    )


def _look_at_entry(sight: Sight, index: int) -> None:
    state, alarms = sight.state, sight.alarms
    text, descriptor = read_entry(state.entry(index))
    if descriptor is None:
        alarms.sound("bad-entry", str(index), index=index)
        return
    dataset = _dataset(state, descriptor.dataset)
    expected = (dataset["number"] + 1, bytes(dataset["leaf"])) if dataset else (0, ZERO_HASH)
    if (descriptor.number, descriptor.prev) != expected:
        facts = {"dataset": descriptor.dataset, "number": descriptor.number}
        alarms.sound("broken-dataset", str(index), index=index, expected=expected[0], **facts)
    look_at_times(state, alarms, index, descriptor, dataset, sight.delay, sight.now)
    state.do(
        "INSERT INTO datasets (name, number, leaf, latest, version, sources)"
        " VALUES (?, ?, ?, ?, 0, 0) ON CONFLICT (name) DO UPDATE SET number = excluded.number,"
        " leaf = excluded.leaf, latest = max(latest, excluded.latest)",
        *(descriptor.dataset, descriptor.number, descriptor_leaf(text)),
        format_time(descriptor.last),
    )
    dataset = _dataset(state, descriptor.dataset)
    if descriptor.kind == "records":
        numbered = _look_again(sight, index, descriptor, dataset)
        state.do("UPDATE datasets SET sources = ? WHERE id = ?", numbered, dataset["id"])
        state.set(records=state.number("records") + descriptor.count)
    else:
        _look_at_version(alarms, index, descriptor, dataset)
        _look_again(sight, index, descriptor, dataset)
        state.do(
            "UPDATE datasets SET version = ?, is_open = ? WHERE id = ?",
            *(descriptor.version, descriptor.digest is not None, dataset["id"]),
        )
        state.set(rows=state.number("rows") + descriptor.count)
    state.do(
        "INSERT INTO batches VALUES (?, ?, ?, ?, ?)",
        *(index, dataset["id"], descriptor.kind),
        *(format_time(descriptor.first), format_time(descriptor.last)),
    )


def read_entry(data: bytes) -> tuple[str, Descriptor | None]:
    """An entry of the log as text and as a descriptor; None: it is none."""
    try:
        text = data.decode()
        return text, parse_descriptor(text)
    except (UnicodeDecodeError, MalformedDescriptor):
        return "", None


def _dataset(state: State, name: str) -> Any:
    cursor = state.db.execute("SELECT * FROM datasets WHERE name = ?", (name,))
    cursor.row_factory = Row
    return cursor.fetchone()


def _sources(sight: Sight, index: int, dataset: Any) -> Sources:
    return Sources(
        state=sight.state,
        alarms=sight.alarms,
        index=index,
        name=dataset["name"],
        dataset=dataset["id"],
        numbered=dataset["sources"],
        recoveries=sight.recoveries,
    )


def _look_at_version(alarms: Alarms, index: int, descriptor: Descriptor, dataset: Any) -> None:
    """Versions are numbered from 1 without a gap, and of one kind: with digests, or without."""
    facts = {"index": index, "dataset": descriptor.dataset, "version": descriptor.version}
    if descriptor.version != dataset["version"] + 1:
        expected = dataset["version"] + 1
        alarms.sound("bad-version", f"{index}/number", what="number", expected=expected, **facts)
    if dataset["is_open"] not in (None, descriptor.digest is not None):
        alarms.sound("bad-version", f"{index}/kind", what="kind", **facts)


def _look_again(sight: Sight, index: int, descriptor: Descriptor, dataset: Any) -> int:
    """
    Look at what is handed out of a batch; where it broke off, once more from its beginning.
    Returns how many sources the dataset has with it.
    """
    for tried in range(1, TRIES + 1):
        sources = _sources(sight, index, dataset)
        try:
            with sight.state.all_or_nothing():
                look_at_batch(sight.notary, sight.alarms, index, descriptor, sources)
                break
        except BadAnswer as error:
            if is_lost(sight, index, error):
                sight.state.set(lost=sight.state.number("lost") + 1)
                break
            if error.reason not in ("cut-off", "slow") or tried == TRIES:
                raise
    return sources.numbered


def look_at_batch(
    notary: Notary, alarms: Alarms, index: int, descriptor: Descriptor, sources: Sources | None
) -> None:
    """
    Recompute the roots of a batch from its leaf hashes and, for records, from its run list. With
    `sources` each run is held against the chains; without, they are only recomputed.

    Raises:
        Rewritten: they are other ones.
        Unreachable, BadAnswer: they aren't handed out.
    """
    if descriptor.count > MAX_LEAVES:
        raise BadAnswer("too-large", f"/v1/batches/{index}/leaves", limit=MAX_LEAVES)
    leaves = Leaves(notary.leaves(index, descriptor.count))
    if descriptor.kind == "records":
        lines = notary.runs(index, descriptor.count)
        if _look_at_runs(lines, leaves, alarms, index, descriptor, sources) != descriptor.runs:
            raise Rewritten("runs")
    leaves.finish()
    if (leaves.tree.size, leaves.tree.root) != (descriptor.count, descriptor.root):
        raise Rewritten("leaves")


def _look_at_runs(
    lines: Iterator[str],
    leaves: "Leaves",
    alarms: Alarms,
    index: int,
    descriptor: Descriptor,
    sources: Sources | None,
) -> bytes:
    """The root over a run list, each entry of which is held against leaves and chains."""
    tree, offset, number = GrowingTree(), 0, -1
    facts = {"index": index, "dataset": descriptor.dataset}

    def bad(what: str) -> None:
        alarms.sound("bad-runs", f"{index}/{what}", what=what, **facts)

    if sources is None:
        return _rest(tree, lines)
    for line in lines:
        for _ in tree.extend([run_leaf(line)]):
            pass
        run = _run(line)
        if run is None:
            bad("form")
            continue
        # Rule 4: the order of numbers, and no hole between offsets.
        if run.number <= number:
            bad("order")
        if run.offset != offset:
            bad("offset")
        last = leaves.last_of_next(min(run.count, descriptor.count - offset))
        offset, number = offset + run.count, run.number
        if offset > descriptor.count:
            bad("count")
            return _rest(tree, lines)
        if last != run.last:
            bad("last")
        sources.go_on(run)
    if offset != descriptor.count:
        bad("count")
    return tree.root


def _rest(tree: GrowingTree, lines: Iterator[str]) -> bytes:
    """The root with the rest of a run list in it, of which nothing else is looked at."""
    for line in lines:
        for _ in tree.extend([run_leaf(line)]):
            pass
    return tree.root


def _run(line: str) -> Run | None:
    try:
        return parse_run(line)
    except MalformedRun:
        return None


class Leaves:
    """The leaf hashes of a batch while they come in, and the tree over them."""

    def __init__(self, pieces: Iterator[list[bytes]]) -> None:
        self.tree = GrowingTree()
        self._pieces = pieces
        self._held: list[bytes] = []
        self._at = 0

    def last_of_next(self, count: int) -> bytes | None:
        """The last of the next `count` leaves; None where there are fewer."""
        last = None
        while count:
            if self._at == len(self._held) and not self._take():
                return None
            part = self._held[self._at : self._at + count]
            self._add(part)
            self._at += len(part)
            count -= len(part)
            last = part[-1]
        return last

    def finish(self) -> None:
        """Take in all the others."""
        while True:
            self._add(self._held[self._at :])
            if not self._take():
                return

    def _take(self) -> bool:
        for piece in self._pieces:
            if piece:
                self._held, self._at = piece, 0
                return True
        self._held, self._at = [], 0
        return False

    def _add(self, leaves: list[bytes]) -> None:
        for _ in self.tree.extend(leaves):
            pass
