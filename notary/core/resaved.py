# SPDX-License-Identifier: Apache-2.0
"""
The usual false alarm: a file that was opened and saved again, with the same content in other bytes.

A copy is led back: written, with line ends, with a BOM and with an end as the original may have had
them, until its hash is the one that was notarised. A diagnosis, never a verification. See
docs/spec/resaved.md.
"""

import codecs
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Final, Protocol

Read = Callable[[], Iterable[bytes]]
"""Gives a copy in pieces of any size, each time from its beginning."""

LF, CRLF, CR = b"\n", b"\r\n", b"\r"
QUOTE: Final = b'"'
_UTF8_BOM: Final = b"\xef\xbb\xbf"
_GB18030_BOM: Final = b"\x84\x31\x95\x33"

WRITINGS: Final = (("", ""), ("gb18030", "utf-8"), ("utf-8", "gb18030"))
"""How the copy is read and how it is written then; the first name is the word for it, too."""
ENDS: Final = ("", "lines-were-lf", "lines-were-crlf", "lines-were-cr", "lines-were-crlf-lf")
CHANGES: Final = (
    "gb18030", "utf-8", *ENDS[1:], "bom-added", "bom-removed", "end-added", "end-removed"
)  # fmt: skip
"""Every word that `lead_back` may tell, in the order in which they are told."""


class Hasher(Protocol):
    """SHA-256, while it goes on."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def copy(self) -> "Hasher": ...


def lead_back(wanted: bytes, salt: bytes, read: Read) -> tuple[str, ...] | None:
    """
    What was done to the original so that this copy came of it, as words of `CHANGES`, or None.

    `wanted` is SHA-256(salt || original), 32 bytes. One pass for each writing; one piece is held
    at a time.

    docs/spec/resaved.md, rules 1 to 7.
    """
    # resaved.md, step 1: in the order of the rules, the first that fits.
    for source, target in WRITINGS:
        writing = _Writing(salt, _GB18030_BOM if target == "gb18030" else _UTF8_BOM)
        try:
            for piece in written(read(), source, target):
                writing.add(piece)
        except UnicodeError:
            continue
        found = next((words for words, hash_ in writing.hashes() if hash_ == wanted), None)
        if found is not None:
            return (source, *found) if source else found
    return None


def written(pieces: Iterable[bytes], source: str, target: str) -> Iterator[bytes]:
    """
    Read pieces in one encoding and write them in another; both empty: as they are.

    Raises:
        UnicodeError: they can't be read so, or not be written so.
    """
    if not source:
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(source)()
    for piece in pieces:
        yield decoder.decode(piece).encode(target)
    yield decoder.decode(b"", final=True).encode(target)


class _Writing:
    """
    One writing of the copy, and a hash for each way that its line ends and its BOM may have been.

    The line end that comes last so far is held back: it may be half of one, or the file's last.
    """

    def __init__(self, salt: bytes, bom: bytes) -> None:
        self._bom = bom
        self._start: bytes | None = b""
        """What may be a BOM; None once that is known."""
        self._has_bom = False
        self._bodies: list[tuple[Hasher, Hasher]] = [
            (sha256(salt), sha256(salt + bom)) for _ in ENDS
        ]
        """For each of `ENDS`: without and with a BOM before it."""
        self._held = b""
        self._first_end = b""
        self._in_quotes = False

    def add(self, piece: bytes) -> None:
        """Go on with the next piece."""
        if self._start is not None:
            piece = self._start + piece
            if len(piece) < len(self._bom) and self._bom.startswith(piece):
                self._start = piece
                return
            self._begin(piece)
        else:
            self._body(piece)

    def _begin(self, piece: bytes) -> None:
        self._start = None
        self._has_bom = piece.startswith(self._bom)
        self._body(piece.removeprefix(self._bom))

    def _body(self, piece: bytes) -> None:
        data = self._held + piece
        self._held = _last_end(data)
        self._hash(data[: len(data) - len(self._held)])

    def _hash(self, body: bytes) -> None:
        if not self._first_end:
            self._first_end = _first_end(body)
        for pair, data in zip(self._bodies, self._ends(body), strict=True):
            for hasher in pair:
                hasher.update(data)

    def _ends(self, body: bytes) -> tuple[bytes, ...]:
        """The body with the line ends of `ENDS`."""
        plain = body.replace(CRLF, LF).replace(CR, LF)
        cells = plain.split(QUOTE)
        mixed = []
        for place, cell in enumerate(cells):
            inside = self._in_quotes ^ (place % 2 == 1)
            mixed.append(cell if inside else cell.replace(LF, CRLF))
        self._in_quotes ^= len(cells) % 2 == 0
        return body, plain, plain.replace(LF, CRLF), plain.replace(LF, CR), QUOTE.join(mixed)

    def hashes(self) -> Iterator[tuple[tuple[str, ...], bytes]]:
        """What was changed, and the hash that the original then has; once all pieces are in."""
        if self._start is not None:
            self._begin(self._start)
        held = self._held
        first = self._first_end or LF
        mixed_end = LF if self._in_quotes else CRLF
        for word, pair, end in zip(
            ENDS, self._bodies, (first, LF, CRLF, CR, mixed_end), strict=True
        ):
            lines = (word,) if word else ()
            for with_bom in (self._has_bom, not self._has_bom):
                bom = ("bom-removed",) if with_bom else ("bom-added",)
                changed = lines if with_bom == self._has_bom else (*lines, *bom)
                without, ended = pair[with_bom], pair[with_bom].copy()
                ended.update(held if held and not word else end)
                if held:
                    yield changed, ended.digest()
                    yield (*changed, "end-added"), without.digest()
                else:
                    yield changed, without.digest()
                    yield (*changed, "end-removed"), ended.digest()


def _last_end(data: bytes) -> bytes:
    """The line end with which data end, or nothing."""
    return next((end for end in (CRLF, LF, CR) if data.endswith(end)), b"")


def _first_end(data: bytes) -> bytes:
    """The first line end in data, or nothing."""
    places = [place for place in (data.find(LF), data.find(CR)) if place >= 0]
    if not places:
        return b""
    place = min(places)
    return CRLF if data[place : place + 2] == CRLF else data[place : place + 1]
