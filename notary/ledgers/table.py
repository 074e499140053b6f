# SPDX-License-Identifier: Apache-2.0
"""
One `[[ledgers]]` table of notary.toml: reads keys of known kinds, a sentence for each fault.

A reader without a default wants its key to be there. After a fault it returns a harmless
value, so that an adapter reads all of its keys and all faults are told at once.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from notary.config import is_safe_address

MAX_TEXT_CHARACTERS: Final = 4_096
MAX_TEXTS: Final = 1_000
MAX_SECONDS: Final = 366 * 86_400
SHORTEST_SECONDS: Final = 0.05

D = TypeVar("D")


class _Required:
    """In the place of a default: there is none."""


REQUIRED: Final = _Required()


class Table:
    """
    A ledger's table: `name`, `kind`, `required` and `interval` are read here, all other keys
    by the adapter. Paths are looked for from `folder` on.
    """

    def __init__(
        self, what: str, table: Mapping[str, object], folder: Path, faults: list[str]
    ) -> None:
        self.faults = faults
        self._is_good = True
        self.folder = folder
        self._what, self._table = what, table
        self._read: set[str] = set()
        self.name = self.text("name")
        self.kind = self.text("kind")
        self.required = self.flag("required", False)
        seconds = self.seconds("interval_seconds", 0.0)
        self.interval = timedelta(seconds=seconds) if seconds else None

    @property
    def is_good(self) -> bool:
        """Whether no fault of this table was found so far."""
        return self._is_good

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._table

    def text(self, key: str, default: D | _Required = REQUIRED) -> str | D:
        """A text of one line, not empty."""
        value = self._take(key, default)
        if isinstance(value, str) and _is_text(value):
            return value
        if self.has(key):
            self.fault(
                f"{key} must be text of one line, of at most {MAX_TEXT_CHARACTERS} characters."
            )
        return "" if isinstance(default, _Required) else default

    def texts(self, key: str, default: D | _Required = REQUIRED) -> list[str] | D:
        """A list of texts."""
        value = self._take(key, default)
        if isinstance(value, list) and 0 < len(value) <= MAX_TEXTS and all(map(_is_text, value)):
            return list(value)
        if self.has(key):
            self.fault(f"{key} must be a list of texts, at least one.")
        return [] if isinstance(default, _Required) else default

    def number(self, key: str, default: int | None, low: int, high: int) -> int:
        """A whole number between these two."""
        value = self._take(key, REQUIRED if default is None else default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        if self.has(key):
            self.fault(f"{key} must be a whole number between {low} and {high}.")
        return low if default is None else default

    def seconds(self, key: str, default: float) -> float:
        """A span of time in seconds, 0.05 to a year."""
        value = self._take(key, default)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        seconds = float(str(value)) if is_number else 0.0
        if SHORTEST_SECONDS <= seconds <= MAX_SECONDS:
            return seconds
        if self.has(key):
            self.fault(f"{key} must lie between {SHORTEST_SECONDS} and {MAX_SECONDS} seconds.")
        return default

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._take(key, default)
        if isinstance(value, bool):
            return value
        self.fault(f"{key} must be true or false.")
        return default

    def path(self, key: str, default: D | _Required = REQUIRED) -> Path | D:
        """A path, from the folder of notary.toml on; whoever opens it sees whether it is there."""
        if not self.has(key) and not isinstance(default, _Required):
            return default
        return self.folder / self.text(key)

    def url(
        self, key: str, default: D | _Required = REQUIRED, *, is_signed: bool = False
    ) -> str | D:
        """
        An address that can be believed: by https, or by http from this very machine. `is_signed`:
        what it answers is signed for the question, so that any by http will do.
        """
        if not self.has(key) and not isinstance(default, _Required):
            return default
        value = self.text(key)
        if is_signed and value.startswith("http://"):
            if not is_safe_address(f"https://{value.removeprefix('http://')}"):
                self.fault(f"{key} must be an address by https or http.")
                return ""
            return value
        if value and not is_safe_address(value):
            self.fault(f"{key} must be an address by https, or by http on this machine.")
            return ""
        return value

    def fault(self, sentence: str) -> None:
        """Note what is wrong."""
        self._is_good = False
        self.faults.append(f"{self._what}: {sentence}")

    def check_no_more(self) -> None:
        """Complain of keys that nobody read."""
        for key in sorted(self._table.keys() - self._read):
            self.fault(f"{key} is not known.")

    def _take(self, key: str, default: object) -> object:
        self._read.add(key)
        if key not in self._table and isinstance(default, _Required):
            self.fault(f"{key} is missing.")
        return self._table.get(key, default)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT_CHARACTERS and value.isprintable()
