# SPDX-License-Identifier: Apache-2.0
"""
What a notary shows to everybody: checkpoint, tiles and entry bundles of its log (C2SP
tlog-tiles), run lists and leaf hashes of its batches, and its anchors.

Never the trust file: that is got by another way.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

from notary.core.errors import MalformedText, MalformedTile
from notary.core.hashing import HASH_BYTES
from notary.core.note import MAX_NOTE_BYTES
from notary.core.runs import MAX_RUN_BYTES
from notary.core.tiles import (
    MAX_ENTRY_BYTES,
    TILE_WIDTH,
    entries_path,
    parse_bundle,
    tile_path,
)
from notary.core.words import check_count, check_id, parse_hash
from notary.outside.errors import BadAnswer
from notary.outside.web import Web

MAX_PAGE_BYTES: Final = 32 << 20
"""An anchor's evidence may be a whole block of another's chain."""
PAGE_ITEMS: Final = 100
MAX_CURSOR_CHARACTERS: Final = 400
LEAVES_AT_ONCE: Final = 1024


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the notary says of a checkpoint on a ledger; nothing of it is checked yet."""

    ledger: str
    size: int
    root: bytes
    state: str
    evidence: Mapping[str, object] | None


class Notary:
    """
    One notary. Everything raises Unreachable and BadAnswer; streams do so while they are read.
    """

    def __init__(self, web: Web) -> None:
        self.web = web

    def checkpoint(self) -> str:
        """The newest signed checkpoint, a note as it came."""
        return self._text("/log/checkpoint")

    def tile(self, level: int, index: int, width: int) -> bytes:
        """
        The first `width` hashes of a tile: a `core.tiles.TileReader`. A partial tile that isn't
        kept any more is cut from the full one.
        """
        try:
            return self._tile(level, index, width)
        except BadAnswer as error:
            if width == TILE_WIDTH or error.status != 404:
                raise
        return self._tile(level, index, TILE_WIDTH)[: width * HASH_BYTES]

    def bundle(self, index: int, width: int) -> list[bytes]:
        """The first `width` entries of a bundle, cut from the full one where need be."""
        try:
            return self._entries(index, width)
        except BadAnswer as error:
            if width == TILE_WIDTH or error.status != 404:
                raise
        return self._entries(index, TILE_WIDTH)[:width]

    def runs(self, batch: int, count: int) -> Iterator[str]:
        """
        The entries of a batch's run list, a line each without its newline; a batch of `count`
        records has at most so many.
        """
        path = f"/v1/batches/{batch}/runs"
        rest = b""
        for piece in self.web.stream(path, count * (MAX_RUN_BYTES + 1)):
            *lines, rest = (rest + piece).split(b"\n")
            if any(len(line) > MAX_RUN_BYTES for line in (*lines, rest)):
                raise BadAnswer("form", path)
            for line in lines:
                yield _decoded(line, path)
        if rest:
            raise BadAnswer("form", path)

    def leaves(self, batch: int, count: int) -> Iterator[list[bytes]]:
        """The leaf hashes of a batch of `count` leaves in their order, some at a time."""
        path, rest = f"/v1/batches/{batch}/leaves", b""
        for piece in self.web.stream(path, count * HASH_BYTES):
            rest += piece
            whole = len(rest) // HASH_BYTES * HASH_BYTES
            yield [rest[at : at + HASH_BYTES] for at in range(0, whole, HASH_BYTES)]
            rest = rest[whole:]
        if rest:
            raise BadAnswer("form", path)

    def anchors(self) -> Iterator[Anchor]:
        """
        The anchors, in falling order of size. A list that doesn't fall, and so might never end,
        is refused.
        """
        cursor: str | None = None
        last: tuple[int, str] | None = None
        while True:
            path = "/v1/anchors?" + urlencode(
                {"limit": PAGE_ITEMS} | ({"cursor": cursor} if cursor else {})
            )
            items, cursor = self._page(path)
            for item in items:
                anchor = _anchor(item, path)
                place = (-anchor.size, anchor.ledger)
                if last is not None and place <= last:
                    raise BadAnswer("form", path)
                yield anchor
                last = place
            if cursor is None:
                return
            if not items:
                raise BadAnswer("form", path)

    def _tile(self, level: int, index: int, width: int) -> bytes:
        path = f"/log/{tile_path(level, index, width)}"
        data = self.web.get(path, width * HASH_BYTES)
        if len(data) != width * HASH_BYTES:
            raise BadAnswer("form", path)
        return data

    def _entries(self, index: int, width: int) -> list[bytes]:
        path = f"/log/{entries_path(index, width)}"
        try:
            entries = parse_bundle(self.web.get(path, width * (2 + MAX_ENTRY_BYTES)))
        except MalformedTile:
            entries = []
        if len(entries) != width:
            raise BadAnswer("form", path)
        return entries

    def _page(self, path: str) -> tuple[list[Any], str | None]:
        try:
            found = json.loads(self.web.get(path, MAX_PAGE_BYTES))
        except (ValueError, RecursionError):
            raise BadAnswer("form", path) from None
        items = found.get("items") if isinstance(found, dict) else None
        cursor = found.get("next") if isinstance(found, dict) else None
        is_cursor = isinstance(cursor, str) and 0 < len(cursor) <= MAX_CURSOR_CHARACTERS
        if not isinstance(items, list) or not (cursor is None or is_cursor):
            raise BadAnswer("form", path)
        return items, cursor

    def _text(self, path: str) -> str:
        return _decoded(self.web.get(path, MAX_NOTE_BYTES), path)


def witness_checkpoint(web: Web, origin: str) -> str:
    """
    The newest checkpoint of a log that a witness has cosigned, a note as it came (C2SP
    tlog-witness). Raises Unreachable, BadAnswer.
    """
    path = f"/{sha256(origin.encode()).hexdigest()}/checkpoint"
    return _decoded(web.get(path, MAX_NOTE_BYTES), path)


def _decoded(data: bytes, path: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadAnswer("form", path) from None


def _anchor(item: object, path: str) -> Anchor:
    members: Mapping[str, object] = item if isinstance(item, dict) else {}
    evidence = members.get("evidence")
    try:
        anchor = Anchor(
            ledger=check_id(members.get("ledger")),
            size=check_count(members.get("size"), "size", 1),
            root=parse_hash(members.get("root")),
            state=check_id(members.get("state")),
            evidence=evidence if isinstance(evidence, dict) else None,
        )
    except MalformedText:
        raise BadAnswer("form", path) from None
    if evidence is not None and anchor.evidence is None:
        raise BadAnswer("form", path)
    return anchor
