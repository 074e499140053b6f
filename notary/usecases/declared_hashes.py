# SPDX-License-Identifier: Apache-2.0
"""
What a Data Package declares of a file, compared with the file.

A `hash` is `algorithm:hexadecimal`, without an algorithm MD5. What is declared proves nothing;
but one that doesn't match is told, and whether it is the id that git gives to the file.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

ALGORITHMS: Final = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
"""Their names, and how many hexadecimal digits they give."""
_HASH: Final = re.compile(r"(?:([a-z0-9-]{1,20}):)?([0-9a-f]{1,128})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Declared:
    """
    A declared hash and what became of it: `matches`, `differs`, `git-blob-id` (it is that and
    not the hash it is called), or `unknown` (no hash that is known here). `found` is the
    file's own hash by that algorithm.
    """

    declared: str
    result: str
    found: str | None = None


class DeclaredHash:
    """Reads one file along with whoever reads it."""

    def __init__(self, declared: str, size_bytes: int) -> None:
        self._declared = declared
        match = _HASH.fullmatch(declared.strip().lower())
        self._name = (match[1] or "md5").replace("-", "") if match else ""
        self._digits = match[2] if match else ""
        self._hasher: Any = None
        if len(self._digits) == ALGORITHMS.get(self._name):
            self._hasher = hashlib.new(self._name, usedforsecurity=False)
        self._blob = hashlib.sha1(b"blob %d\0" % size_bytes, usedforsecurity=False)

    def along(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same pieces."""
        for piece in pieces:
            if self._hasher is not None:
                self._hasher.update(piece)
                self._blob.update(piece)
            yield piece

    def result(self) -> Declared:
        """Requires all pieces to have been read."""
        if self._hasher is None:
            return Declared(self._declared, "unknown")
        found = self._hasher.hexdigest()
        if found == self._digits:
            return Declared(self._declared, "matches", found)
        is_blob = self._blob.hexdigest() == self._digits
        return Declared(self._declared, "git-blob-id" if is_blob else "differs", found)
