# SPDX-License-Identifier: Apache-2.0
"""
Signed acceptances held against the log: whoever has one gives it to a monitor, in a folder.

Each is looked for in the batches that could hold it. Only where it wasn't kept is the whole log
taken, for `hold_against_log` to judge; so nobody is accused without its proof.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from notary.core.acceptance import check_acceptance
from notary.core.acceptance_format import MAX_ACCEPTANCE_BYTES
from notary.core.errors import NotaryError
from notary.core.growing_tree import GrowingTree
from notary.core.misconduct import hold_against_log
from notary.core.monitor_report import NotChecked
from notary.core.trust import Trust
from notary.core.words import format_time, parse_time
from notary.monitor.batches import Rewritten, Sight, is_lost, read_entry, sound
from notary.monitor.errors import MonitorRefused
from notary.monitor.times import CLOCKS
from notary.outside.errors import BadAnswer
from notary.texts import printable

OPEN, KEPT, BROKEN, UNUSABLE = "open", "kept", "broken", "unusable"
MAX_TOLD: Final = 100


@dataclass(frozen=True, slots=True)
class _Held:
    """An acceptance that isn't settled: it was looked for in the entries before `searched`."""

    digest: bytes
    name: str
    leaf: bytes
    dataset: str
    received: str
    sealed_by: datetime
    searched: int


class Promises:
    """The acceptances in a folder, for one look; inside `with state:`."""

    def __init__(self, sight: Sight, trust: Trust, folder: Path) -> None:
        self._sight = sight
        self._trust = trust
        self._folder = folder
        self._state = sight.state
        self.not_checked: list[NotChecked] = []

    def look(self, now: datetime, *, is_whole: bool) -> None:
        """
        Take in new files, and look for what isn't found yet. `is_whole`: every batch of the log
        was looked at.

        Raises:
            MonitorRefused: no-file: the folder can't be read.
            Unreachable: nobody is there.
        """
        self._take_in()
        open_ones = self._open()
        for one, index in self._search(open_ones):
            late = self._late(one)
            if late is None or index < late:
                self._close(one, KEPT)
            elif is_whole:
                self._judge_by_log(one)
        looked = self._state.number("looked")
        for one in self._open():
            if one.searched >= looked and is_whole:
                self._judge(one, now)
        for name in self._state.rows(
            "SELECT name FROM acceptances WHERE state = 'unusable' ORDER BY name LIMIT ?", MAX_TOLD
        ):
            self.not_checked.append(NotChecked(f"acceptance:{name[0]}"[:500], "not-usable"))

    def _take_in(self) -> None:
        """Remember each file that wasn't seen before, by its content."""
        try:
            paths = sorted(path for path in self._folder.iterdir() if path.is_file())
        except OSError as error:
            folder = str(self._folder)
            raise MonitorRefused("no-file", path=folder, why=error.strerror) from None
        for path in paths:
            data = _read(path)
            if data is None:
                continue
            digest = sha256(data).digest()
            if self._state.row("SELECT 1 FROM acceptances WHERE digest = ?", digest) is None:
                values = self._opened(data)
                name = printable(path.name)
                self._state.do(
                    "INSERT INTO acceptances VALUES (?, ?, ?, ?, ?, ?, 0, ?)", digest, name, *values
                )

    def _opened(self, data: bytes) -> tuple[object, ...]:
        """Leaf, dataset, times and state; what doesn't hold by itself says nothing of the log."""
        try:
            checked = check_acceptance(data, self._trust)
        except NotaryError:
            return b"", "", "", "", UNUSABLE
        if checked.promise.origin != self._state.get("origin"):
            return b"", "", "", "", UNUSABLE
        received = format_time(checked.statement.received)
        sealed_by = format_time(checked.promise.sealed_by)
        return checked.leaf, checked.statement.dataset, received, sealed_by, OPEN

    # -- looking for leaves

    def _candidates(self, one: _Held, searched: int) -> list[int]:
        """The batches from `searched` on that could hold it: its dataset's, around its time."""
        found = self._state.rows(
            "SELECT b.idx FROM batches b JOIN datasets d ON d.id = b.dataset"
            " WHERE d.name = ? AND b.kind = 'records' AND b.first <= ? AND b.last >= ?"
            " AND b.idx >= ?",
            *(one.dataset, one.received, one.received, searched),
        )
        return [index for (index,) in found]

    def _search(self, open_ones: Sequence[_Held]) -> list[tuple[_Held, int]]:
        """Those whose leaf is in a batch that wasn't searched for them before, with its index."""
        wanted: dict[int, list[_Held]] = defaultdict(list)
        for one in open_ones:
            for index in self._candidates(one, one.searched):
                wanted[index].append(one)
        found: list[tuple[_Held, int]] = []
        missed: set[bytes] = set()
        for index in sorted(wanted):
            leaves = {one.leaf for one in wanted[index]}
            there = self._leaves(index, leaves.intersection)
            if there is None:
                missed.update(one.digest for one in wanted[index])
                continue
            found += [(one, index) for one in wanted[index] if one.leaf in there]
        looked = self._state.number("looked")
        for one in open_ones:
            if one.digest not in missed:
                self._state.do(
                    "UPDATE acceptances SET searched = ? WHERE digest = ?", looked, one.digest
                )
        return found

    def _leaves(
        self, index: int, kept: Callable[[list[bytes]], Iterable[bytes]]
    ) -> list[bytes] | None:
        """
        Those leaf hashes of a batch that are `kept` of each piece; None, and an alarm, where
        others are handed out than the log holds, or none.
        """
        _, descriptor = read_entry(self._state.entry(index))
        assert descriptor is not None
        tree, found = GrowingTree(), list[bytes]()
        try:
            for piece in self._sight.notary.leaves(index, descriptor.count):
                for _ in tree.extend(piece):
                    pass
                found += kept(piece)
            if (tree.size, tree.root) != (descriptor.count, descriptor.root):
                raise Rewritten("leaves")
        except (BadAnswer, Rewritten) as error:
            if not is_lost(self._sight, index, error):
                sound(self._sight.alarms, index, error)
            return None
        return found

    # -- judging

    def _judge(self, one: _Held, now: datetime) -> None:
        """It isn't there: is its time over, by the log's own word, or by our clock alone?"""
        is_judged = self._late(one) is not None and self._judge_by_log(one)
        if not is_judged and one.sealed_by + CLOCKS < now:
            facts = {"file": one.name, "sealed_by": one.sealed_by}
            self._sight.alarms.sound("overdue", one.digest.hex(), **facts)

    def _late(self, one: _Held) -> int | None:
        """The first batch which shows that the time was over, by the notary's own clock."""
        sealed_by = format_time(one.sealed_by)
        row = self._state.row("SELECT min(idx) FROM batches WHERE last > ?", sealed_by)
        return None if row[0] is None else int(row[0])

    def _judge_by_log(self, one: _Held) -> bool:
        """Hold the whole log against it, as anybody can do; whether that settled it."""
        data = next((d for d in self._files() if sha256(d).digest() == one.digest), None)
        if data is None:
            return False  # its file is gone: without it nothing can be shown
        leaves = {}
        for index in self._candidates(one, 0):
            found = self._leaves(index, list)
            if found is None:
                return False
            leaves[index] = found
        note, size = self._state.get("note") or "", self._state.number("size")
        try:
            entries = [entry.decode() for entry in self._state.entries(size)]
            judged = hold_against_log(data, self._trust, note, entries, leaves)
        except (NotaryError, UnicodeDecodeError):
            return False  # an entry that is no descriptor, or a key that was given up
        if judged.is_misconduct:
            facts = {"file": one.name, "leaf": one.leaf.hex(), "sealed_by": one.sealed_by}
            matter = one.digest.hex()
            self._sight.alarms.sound("broken-promise", matter, reason=judged.kind, **facts)
            self._close(one, BROKEN)
        elif judged.kind == "kept":
            self._close(one, KEPT)
        return judged.is_misconduct or judged.kind == "kept"

    def _close(self, one: _Held, state: str) -> None:
        self._state.do("UPDATE acceptances SET state = ? WHERE digest = ?", state, one.digest)
        self._sight.alarms.whole("overdue", one.digest.hex())

    def _open(self) -> list[_Held]:
        rows = self._state.rows(
            "SELECT digest, name, leaf, dataset, received, sealed_by, searched"
            " FROM acceptances WHERE state = 'open'"
        )
        return [
            _Held(bytes(digest), name, bytes(leaf), dataset, received, parse_time(end), searched)
            for digest, name, leaf, dataset, received, end, searched in rows
        ]

    def _files(self) -> Iterator[bytes]:
        return (data for path in sorted(self._folder.iterdir()) if (data := _read(path)))


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ACCEPTANCE_BYTES + 2)
    except OSError:
        return None
    return data if len(data) <= MAX_ACCEPTANCE_BYTES + 1 else None
