# SPDX-License-Identifier: Apache-2.0
"""Who may know more of the log than a database that was set back: mirrors, monitors, witnesses."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from notary.core.note import MAX_NOTE_BYTES
from notary.core.tiles import MAX_ENTRY_BYTES, TILE_WIDTH, entries_path, parse_bundle
from notary.outside.errors import BadAnswer
from notary.outside.notary import Notary, witness_checkpoint
from notary.outside.web import PAUSES, Web
from notary.usecases.recover_look import RecoverRefused


class Mirror:
    """A notary's own address, or that of a plain copy of its log's files."""

    def __init__(self, url: str, pauses: Sequence[float] = PAUSES) -> None:
        self.name = f"the mirror {url}"
        self._web = Web(url, pauses=pauses)
        self._notary = Notary(self._web)
        self._is_plain = False

    def checkpoint(self, origin: str) -> str:
        """The newest checkpoint, where a notary has it, else where a plain copy does."""
        with closing(self._web):
            try:
                return self._notary.checkpoint()
            except BadAnswer as error:
                if error.status != 404:
                    raise
            note = self._web.get("/checkpoint", MAX_NOTE_BYTES).decode("utf-8", "replace")
            self._is_plain = True
            return note

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Entries, bundle by bundle."""
        with closing(self._web):
            while start < stop:
                index, offset = divmod(start, TILE_WIDTH)
                width = min(TILE_WIDTH, stop - index * TILE_WIDTH)
                yield from self._bundle(index, width)[offset:width]
                start = index * TILE_WIDTH + width

    def run_list(self, index: int, count: int) -> str | None:
        """The run list, where it is a notary's."""
        if self._is_plain:
            return None
        return "".join(f"{line}\n" for line in self._notary.runs(index, count))

    def leaves(self, index: int, count: int) -> bytes | None:
        """The leaf hashes, where it is a notary's."""
        if self._is_plain:
            return None
        return b"".join(hash_ for some in self._notary.leaves(index, count) for hash_ in some)

    def _bundle(self, index: int, width: int) -> list[bytes]:
        if not self._is_plain:
            return self._notary.bundle(index, width)
        for wide in (width, TILE_WIDTH):
            path = f"/{entries_path(index, wide)}"
            try:
                return parse_bundle(self._web.get(path, wide * (2 + MAX_ENTRY_BYTES)))
            except BadAnswer as error:
                if wide == TILE_WIDTH or error.status != 404:
                    raise
        raise AssertionError


class MonitorState:
    """What a monitor remembers: entries and the newest checkpoint, no run lists."""

    def __init__(self, folder: Path) -> None:
        self.name = f"the monitor {folder}"
        self._file = folder / "monitor.sqlite"

    def checkpoint(self, origin: str) -> str:
        """The newest checkpoint that it followed the log to."""
        rows = self._rows("SELECT value FROM facts WHERE name = 'note'")
        if not rows:
            raise RecoverRefused("it has followed no log yet.")
        return str(rows[0][0])

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """The entries that it has."""
        asked = "SELECT data FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx"
        return (bytes(data) for (data,) in self._rows(asked, start, stop))

    def run_list(self, index: int, count: int) -> str | None:
        """It keeps none."""
        return None

    def leaves(self, index: int, count: int) -> bytes | None:
        """It keeps none."""
        return None

    def _rows(self, sql: str, *values: int) -> list[tuple[Any]]:
        try:
            uri = f"{self._file.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True)) as db:
                return db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise RecoverRefused(f"{self._file} can't be read: {error}.") from None


class Witness:
    """A witness knows sizes and roots, and no entries."""

    def __init__(self, url: str) -> None:
        self.name = f"the witness {url}"
        self._web = Web(url)

    def checkpoint(self, origin: str) -> str:
        """The newest checkpoint that it cosigned."""
        with closing(self._web):
            return witness_checkpoint(self._web, origin)

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """None."""
        raise RecoverRefused("a witness keeps no entries.")

    def run_list(self, index: int, count: int) -> str | None:
        """None."""
        return None

    def leaves(self, index: int, count: int) -> bytes | None:
        """None."""
        return None
