# SPDX-License-Identifier: Apache-2.0
"""
The embedded file ledger: append-only, fsynced, hash-linked, signed with its own key.

One JSON line an entry: `{"note": "<signed note, see notary.core.ledger_entry>"}`. It is
noted by the notary itself; no outside party has confirmed it.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Lock

from notary.core.ledger_entry import LedgerEntry, format_entry, parse_entry
from notary.core.note import open_note
from notary.core.words import ZERO_HASH
from notary.keys import Signer
from notary.ledgers.port import Anchorable, AnchorState, LedgerRefused, LedgerUnavailable

Known = dict[tuple[bytes, int], tuple[LedgerEntry, str]]


class FileLedger:
    """The file ledger in one file; only the sealer has its signer, others only read."""

    kind = "file"
    own_word = True
    remembers = True

    def __init__(
        self, path: Path, vkey: str, signer: Signer | None = None, name: str = "file"
    ) -> None:
        self.name = name
        self.required = True
        self.interval: timedelta | None = None
        self._path = path
        self._vkey = vkey
        self._signer = signer
        self._known: Known = {}
        self._last: tuple[int, bytes] = (-1, ZERO_HASH)
        self._read_bytes = 0
        self._last_line = b""
        self._one_thread = Lock()

    def submit(self, checkpoint: Anchorable, reference: str | None, now: datetime) -> str:
        """Append and fsync one entry; known (origin, size, root) change nothing."""
        if self._signer is None:
            raise LedgerRefused("This process has no key for the file ledger.")
        with self._locked() as file:
            self._read(file)
            known = self._known.get((checkpoint.origin_hash, checkpoint.size))
            if known is not None:
                if known[0].root != checkpoint.root:
                    raise LedgerRefused(f"Another root for size {checkpoint.size} is noted.")
                # A crash may have come between writing it and this.
                os.fsync(file)
                return str(known[0].sequence)
            sequence, prev = self._last
            entry = LedgerEntry(
                sequence=sequence + 1,
                prev=prev,
                origin_hash=checkpoint.origin_hash,
                size=checkpoint.size,
                root=checkpoint.root,
                time=now,
            )
            line = json.dumps({"note": self._signer.sign(format_entry(entry))}) + "\n"
            self._append(file, line.encode())
            self._read(file)
            return str(entry.sequence)

    def confirm(self, checkpoint: Anchorable, reference: str | None) -> AnchorState:
        """`verified` once the entry is read back from the file, else `unknown`."""
        entry = self._find(checkpoint)
        if entry is None:
            return "unknown"
        if entry[0].root != checkpoint.root:
            raise LedgerRefused(f"Another root for size {checkpoint.size} is noted.")
        return "verified" if reference in (None, str(entry[0].sequence)) else "unknown"

    def evidence(self, checkpoint: Anchorable, reference: str | None) -> Mapping[str, object]:
        """The entry's signed note."""
        entry = self._find(checkpoint)
        if entry is None:
            raise LedgerUnavailable(f"Size {checkpoint.size} is not in the file ledger.")
        if entry[0].root != checkpoint.root:
            raise LedgerRefused(f"Another root for size {checkpoint.size} is noted.")
        return {"note": entry[1]}

    def newest(self, origin: str) -> tuple[int, bytes] | None:
        """The largest size that the file holds for this log."""
        with self._locked() as file:
            self._read(file)
        mine = sha256(origin.encode()).digest()
        found = [entry for (owner, _), (entry, _) in self._known.items() if owner == mine]
        newest = max(found, key=lambda entry: entry.size, default=None)
        return None if newest is None else (newest.size, newest.root)

    def trust(self) -> Mapping[str, object]:
        """The key that signs the entries."""
        return {"key": self._vkey}

    def probe(self) -> Mapping[str, object]:
        """How many entries the file holds, their links and signatures checked."""
        return {
            "file": str(self._path),
            "entries": len(self.entries()),
            "can_write": self._signer is not None,
        }

    def entries(self) -> list[tuple[LedgerEntry, str]]:
        """All entries with their notes, in order, the links and signatures checked."""
        with self._locked() as file:
            self._read(file)
        return sorted(self._known.values(), key=lambda pair: pair[0].sequence)

    def _append(self, file: int, line: bytes) -> None:
        """A crash in here leaves at most a torn last line, which `_read` cuts off."""
        os.ftruncate(file, self._read_bytes)
        try:
            if os.pwrite(file, line, self._read_bytes) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file)
        except OSError as error:
            # After a failed fsync the next one says yes, whatever is on the disk: begin anew.
            os.ftruncate(file, self._read_bytes)
            raise LedgerUnavailable(
                f"The file ledger {self._path} can't be written: {error.strerror}."
            ) from None

    def _find(self, checkpoint: Anchorable) -> tuple[LedgerEntry, str] | None:
        with self._locked() as file:
            self._read(file)
        return self._known.get((checkpoint.origin_hash, checkpoint.size))

    @contextmanager
    def _locked(self) -> Iterator[int]:
        writes = self._signer is not None
        try:
            flags = os.O_RDWR | os.O_CREAT if writes else os.O_RDONLY
            file = os.open(self._path, flags, 0o640)
        except OSError as error:
            raise LedgerUnavailable(
                f"The file ledger {self._path} can't be opened: {error.strerror}."
            ) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX if writes else fcntl.LOCK_SH)
            with self._one_thread:
                yield file
        finally:
            os.close(file)

    def _read(self, file: int) -> None:
        """Take in what was appended since the last look; a torn last line is left out."""
        size = os.fstat(file).st_size
        if size < self._read_bytes:
            raise LedgerRefused(f"The file ledger {self._path} became shorter.")
        known = self._last_line
        if os.pread(file, len(known), self._read_bytes - len(known)) != known:
            # Each line holds the hash of the one before: the last one stands for all.
            raise LedgerRefused(f"The file ledger {self._path} was exchanged for another.")
        data = os.pread(file, size - self._read_bytes, self._read_bytes)
        for line in data[: data.rfind(b"\n") + 1].splitlines(keepends=True):
            self._take(line)
            self._last_line = line
            self._read_bytes += len(line)

    def _take(self, line: bytes) -> None:
        try:
            note = json.loads(line)["note"]
            entry = parse_entry(open_note(note, [self._vkey]).text)
        except Exception as error:
            raise LedgerRefused(
                f"The file ledger {self._path} is damaged after entry {self._last[0]}: {error}"
            ) from error
        sequence, prev = self._last
        if entry.sequence != sequence + 1 or entry.prev != prev:
            raise LedgerRefused(
                f"The file ledger {self._path} is not linked after entry {sequence}."
            )
        if (entry.origin_hash, entry.size) in self._known:
            raise LedgerRefused(f"The file ledger {self._path} holds size {entry.size} twice.")
        self._known[(entry.origin_hash, entry.size)] = (entry, note)
        self._last = (entry.sequence, sha256(note.encode()).digest())
