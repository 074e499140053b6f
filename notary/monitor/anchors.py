# SPDX-License-Identifier: Apache-2.0
"""
Checkpoints on ledgers: what the notary says of them, and what a ledger's own file holds, as far
as one is given. Each root is held against the tree that was recomputed here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from notary.core.errors import MalformedNote, MalformedTrust, NotaryError, ReceiptRefused
from notary.core.hashing import digest
from notary.core.ledger_entry import LedgerEntry, parse_entry
from notary.core.monitor_report import NotChecked
from notary.core.note import MAX_NOTE_BYTES, open_note
from notary.core.receipt_ledgers import FILE_ALONE, Checker
from notary.core.receipt_parts import Anchor as ReceiptAnchor
from notary.core.trust import LedgerTrust, Trust
from notary.core.words import ZERO_HASH, parse_time
from notary.monitor.alarms import Alarms
from notary.monitor.errors import MonitorRefused
from notary.monitor.state import State
from notary.outside.errors import BadAnswer
from notary.outside.notary import Anchor, Notary

MAX_LINE_BYTES: Final = 2 * MAX_NOTE_BYTES
MAX_TOLD: Final = 100
SETTLED: Final = ("verified", "failed")
PASSING: Final = ("no-answer", "not-there", "too-new", "ledger-dropped")
"""Reasons why evidence can't be checked now and perhaps can at the next look."""
ABSENT: Final = ("not-there", "ledger-dropped")
"""Reasons that are the chain's own word that it lacks the block: such an anchor doesn't count."""


class Damaged(Exception):
    """A ledger's file doesn't go on from the entries before this one."""

    def __init__(self, sequence: int) -> None:
        super().__init__(sequence)
        self.sequence = sequence


@dataclass(slots=True)
class Ledgers:
    """
    The ledgers of a trust file, looked at once; inside `with state:`. `checkers` read the
    evidence, by its kind.
    """

    state: State
    trust: Trust
    alarms: Alarms
    checkers: Mapping[str, Checker] = field(default_factory=lambda: FILE_ALONE)
    not_checked: list[NotChecked] = field(default_factory=list)

    def look(self, notary: Notary, files: Sequence["LedgerFile"]) -> None:
        """Look at anchors and files, and remember how far each ledger is. Raises Unreachable."""
        held = {ledger.id: self._held(ledger.id) for ledger in self.trust.ledgers}
        try:
            self._look_at_anchors(notary, held)
        except BadAnswer as error:
            facts = {"reason": error.reason, "status": error.status, "path": error.path}
            self.alarms.sound("withheld", "anchors", what="anchors", **facts)
        else:
            self.alarms.whole("withheld", "anchors")
        for file in files:
            self._look_at_file(file, held)
        for ledger, size in held.items():
            self.state.do("INSERT OR REPLACE INTO anchored VALUES (?, ?)", ledger, size)
        for item in self.trust.ledgers:
            reason = self._why_not(item, files)
            if reason:
                self.not_checked.append(NotChecked(f"ledger:{item.id}", reason))

    def look_at_delay(self, now: datetime, allowed: float) -> None:
        """An alarm for each ledger on which a checkpoint isn't, though seen long enough ago."""
        for ledger in self.trust.ledgers:
            row = self.state.row(
                "SELECT size, at FROM seen WHERE size > ? ORDER BY size LIMIT 1",
                self._held(ledger.id),
            )
            if row is None or (now - parse_time(row[1])).total_seconds() < allowed:
                self.alarms.whole("late-anchor", ledger.id)
            else:
                facts = {"ledger": ledger.id, "size": row[0], "since": parse_time(row[1])}
                self.alarms.sound("late-anchor", ledger.id, **facts)

    def _why_not(self, ledger: LedgerTrust, files: Sequence["LedgerFile"]) -> str | None:
        """What of a ledger isn't looked at here; of evidence, by the largest size with any."""
        if ledger.kind not in self.checkers:
            return "needs-package"
        if ledger.kind == "file" and not any(file.ledger == ledger for file in files):
            return "no-file"
        return self.state.get(f"unchecked:{ledger.id}")

    def sizes(self) -> list[int]:
        """Up to which size each ledger holds the log."""
        return [self._held(ledger.id) for ledger in self.trust.ledgers]

    def _held(self, ledger: str) -> int:
        row = self.state.row("SELECT size FROM anchored WHERE ledger = ?", ledger)
        return 0 if row is None else int(row[0])

    # -- what the notary says

    def _look_at_anchors(self, notary: Notary, held: dict[str, int]) -> None:
        size = self.state.number("size")
        settled = self.state.number("anchors_settled")
        newest, settled_to = settled, size
        for anchor in notary.anchors():
            if anchor.size <= settled:
                break
            newest = max(newest, anchor.size)
            if not self._settles(anchor, size, held):
                settled_to = min(settled_to, anchor.size - 1)
        self.state.set(anchors_settled=min(newest, settled_to))

    def _settles(self, anchor: Anchor, size: int, held: dict[str, int]) -> bool:
        """Look at an anchor as far as that can be now; whether nothing of it is left for later."""
        if anchor.size > size or anchor.state not in SETTLED:
            return False
        return anchor.state != "verified" or self._look_at_anchor(anchor, held) not in PASSING

    def _look_at_anchor(self, anchor: Anchor, held: dict[str, int]) -> str | None:
        """
        The root is the tree's, and the evidence holds as far as it can be read here; else why it
        can't be checked.
        """
        ledger = self.trust.ledger(anchor.ledger)
        if ledger is None:
            missing = NotChecked(f"ledger:{anchor.ledger}", "not-in-trust-file")
            if missing not in self.not_checked and len(self.not_checked) < MAX_TOLD:
                self.not_checked.append(missing)
            return None
        if anchor.root != self.state.root(anchor.size):
            self._other(ledger, anchor.size, "root")
            return None
        reason = None
        if ledger.kind in self.checkers:
            try:
                reason = self._unchecked(anchor, ledger)
            except ReceiptRefused:
                self._other(ledger, anchor.size, "evidence")
                return None
            if anchor.size >= self.state.number(f"looked:{ledger.id}"):
                self.state.set(**{f"looked:{ledger.id}": anchor.size})
                self.state.set(**{f"unchecked:{ledger.id}": reason or ""})
        if reason not in ABSENT:
            held[ledger.id] = max(held[ledger.id], anchor.size)
        return reason

    def _unchecked(self, anchor: Anchor, ledger: LedgerTrust) -> str | None:
        """
        Why the evidence can't be checked here; None where it holds. One that a ledger's chain
        dropped may be handed in again: it isn't on the ledger, and no lie yet.

        Raises:
            ReceiptRefused: it doesn't hold.
        """
        parts = ReceiptAnchor(
            ledger=ledger.id,
            kind=ledger.kind,
            size=anchor.size,
            root=anchor.root,
            path=(),
            evidence=anchor.evidence or {},
        )
        try:
            found = self.checkers[ledger.kind](parts, ledger, self._origin)
        except MalformedTrust:
            return "malformed-trust"
        except ReceiptRefused as error:
            if error.facts["reason"] != "ledger-dropped":
                raise
            return "ledger-dropped"
        return str(found.facts["reason"]) if found.status == "not-checked" else None

    # -- what a ledger's own file holds

    def _look_at_file(self, file: "LedgerFile", held: dict[str, int]) -> None:
        origin, size = digest(self._origin.encode()), self.state.number("size")
        try:
            self._hold(file, origin, size, held)
        except Damaged as error:
            facts = {"ledger": file.ledger.id, "what": "file", "size": error.sequence}
            self.alarms.sound("other-anchor", f"{file.ledger.id}/file", **facts)

    def _hold(self, file: "LedgerFile", origin: bytes, size: int, held: dict[str, int]) -> None:
        for entry in file.entries(self.state):
            if entry.origin_hash != origin:
                continue
            if entry.size > size:
                facts = {"ledger": file.ledger.id, "size": entry.size, "shown": size}
                self.alarms.sound("hidden", file.ledger.id, **facts)
                return
            if entry.size and entry.root != self.state.root(entry.size):
                self._other(file.ledger, entry.size, "root")
            else:
                held[file.ledger.id] = max(held[file.ledger.id], entry.size)
        self.alarms.whole("hidden", file.ledger.id)

    def _other(self, ledger: LedgerTrust, size: int, what: str) -> None:
        facts = {"ledger": ledger.id, "size": size, "what": what}
        self.alarms.sound("other-anchor", f"{ledger.id}/{size}/{what}", **facts)

    @property
    def _origin(self) -> str:
        return self.state.get("origin") or ""


class LedgerFile:
    """
    A copy of a file ledger, up to where it reached when it was opened: what is in there was
    anchored before.

    Raises:
        MonitorRefused: no-file; or ledger-file: none of the trust file's ledgers signed it.
    """

    def __init__(self, path: Path, trust: Trust) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                first = file.readline(MAX_LINE_BYTES)
            self._end = path.stat().st_size
        except OSError as error:
            raise MonitorRefused("no-file", path=str(path), why=error.strerror) from None
        found = [one for one in trust.ledgers if one.kind == "file" and _is_signed(first, one)]
        if not found:
            raise MonitorRefused("ledger-file", path=str(path))
        self.ledger = found[0]

    def entries(self, state: State) -> Iterator[LedgerEntry]:
        """
        The entries that weren't read before; each that was taken from here is remembered as read
        once the next is asked for.

        Raises:
            Damaged: it was changed, isn't linked, or isn't signed throughout.
        """
        key = str(self.path.resolve())
        row = state.row("SELECT offset, sequence, prev FROM ledger_files WHERE path = ?", key)
        offset, sequence, prev = row or (0, -1, ZERO_HASH)
        with self.path.open("rb") as file:
            file.seek(offset)
            while offset < self._end:
                line = file.readline(MAX_LINE_BYTES)
                if not line.endswith(b"\n"):
                    break  # torn: it is being written
                entry, prev = self._read(line, sequence + 1, bytes(prev))
                yield entry
                offset, sequence = offset + len(line), entry.sequence
                state.do(
                    "INSERT OR REPLACE INTO ledger_files VALUES (?, ?, ?, ?)",
                    *(key, offset, sequence, prev),
                )

    def _read(self, line: bytes, sequence: int, prev: bytes) -> tuple[LedgerEntry, bytes]:
        try:
            note = _note(line)
            entry = parse_entry(open_note(note, [str(self.ledger.members["key"])]).text)
        except NotaryError:
            raise Damaged(sequence) from None
        if (entry.sequence, entry.prev) != (sequence, prev):
            raise Damaged(sequence)
        return entry, sha256(note.encode()).digest()


def _is_signed(line: bytes, ledger: LedgerTrust) -> bool:
    try:
        open_note(_note(line), [str(ledger.members["key"])])
    except NotaryError:
        return not line  # a ledger that holds nothing yet
    return True


def _note(line: bytes) -> str:
    try:
        members: Any = json.loads(line)
    except (ValueError, RecursionError):
        members = None
    note = members.get("note") if isinstance(members, dict) else None
    if not isinstance(note, str):
        raise MalformedNote("The line is not an entry of a file ledger.")
    return note
