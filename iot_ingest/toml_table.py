# SPDX-License-Identifier: Apache-2.0
"""One table of a configuration: reads keys of known kinds, and makes a sentence of each fault."""

from collections.abc import Callable, Collection
from typing import Final, TypeVar

from notary.core.errors import MalformedText

MAX_TEXT_CHARACTERS: Final = 4_096

W = TypeVar("W", bound=str)


class TomlTable:
    """A table called `what`; what is wrong with it is added to `faults`."""

    def __init__(self, what: str, table: object, known: Collection[str], faults: list[str]) -> None:
        self._faults = faults
        self._before = len(faults)
        self._table: dict[str, object] = table if isinstance(table, dict) else {}
        self._what = what
        if not isinstance(table, dict):
            self.fault("it is not a table.")
        for name in sorted(self._table.keys() - set(known)):
            self.fault(f"{name} is not known.")

    @property
    def is_good(self) -> bool:
        """Whether no fault was found so far."""
        return len(self._faults) == self._before

    def has(self, name: str) -> bool:
        """Whether the key is there."""
        return name in self._table

    def require(self, *names: str) -> None:
        """Each of these must be there."""
        for name in names:
            if name not in self._table:
                self.fault(f"{name} is missing.")

    def text(self, name: str, check: Callable[[str, str], object] | None = None) -> str | None:
        """A text; `check` is told it and its key, and raises MalformedText."""
        if name not in self._table:
            return None
        value = self._table[name]
        if not isinstance(value, str) or not value:
            self.fault(f"{name} must be text.")
            return None
        try:
            if len(value) > MAX_TEXT_CHARACTERS:
                self.fault(f"{name} is longer than {MAX_TEXT_CHARACTERS} characters.")
            elif check is not None:
                check(value, name)
        except MalformedText as error:
            self.fault(error.detail)
        return value

    def flag(self, name: str, unless: bool) -> bool:
        """True or false."""
        value = self._table.get(name, unless)
        if not isinstance(value, bool):
            self.fault(f"{name} must be true or false.")
        return bool(value)

    def word(self, name: str, words: Collection[W], unless: W) -> W:
        """One of some words."""
        text = self.text(name)
        chosen = next((word for word in words if word == text), None)
        if text is not None and chosen is None:
            self.fault(f"{name} must be one of {', '.join(words)}.")
        return unless if chosen is None else chosen

    def number(self, name: str, low: int, high: int) -> int | None:
        """A whole number between these two."""
        if name not in self._table:
            return None
        value = self._table[name]
        if type(value) is not int or not low <= value <= high:
            self.fault(f"{name} must be a whole number between {low} and {high}.")
            return None
        return value

    def fault(self, sentence: str) -> None:
        """Note what is wrong."""
        self._faults.append(f"{self._what}: {sentence}")


def name_of(table: object) -> str:
    """How a table calls itself, for people."""
    named = table.get("name") if isinstance(table, dict) else None
    return named[:64] if isinstance(named, str) and named else "without a name"
