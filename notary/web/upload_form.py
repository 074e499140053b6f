# SPDX-License-Identifier: Apache-2.0
"""
A form with a file of any size: its fields come first, then its file, piece by piece.

What stands before the file is held in memory (some kilobytes at most), the file never. A body
that ends before its form does is no form, so half a file is never taken for a whole one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flask import request
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
)

from notary.core.errors import MalformedText
from notary.filetypes import BEGINNING_BYTES

PIECE_BYTES: Final = 1 << 16
MAX_FIELDS: Final = 16
MAX_FIELD_BYTES: Final = 4096
MAX_NAME_CHARACTERS: Final = 255


class FormRefused(MalformedText):
    """The form can't be taken."""

    code = "form-refused"

    def __init__(self, reason: str) -> None:
        super().__init__(None, reason=reason)


@dataclass(frozen=True, slots=True)
class UploadForm:
    """The fields before the file, its name for people, how it begins, and all of it."""

    fields: dict[str, str]
    name: str
    beginning: bytes
    pieces: Iterator[bytes]


def read_fields(events: Iterator[Event]) -> tuple[dict[str, str], str]:
    """
    The fields before the file, and the file's name without any folder.

    Raises:
        FormRefused: broken, no-file.
    """
    fields: dict[str, str] = {}
    name, value = "", b""
    for event in events:
        if isinstance(event, File):
            shown = event.filename.replace("\\", "/").rpartition("/")[2]
            shown = "".join(c if c.isprintable() else "_" for c in shown)
            if not shown:
                raise FormRefused("no-file")
            return fields, shown[-MAX_NAME_CHARACTERS:]
        if isinstance(event, Field):
            name, value = event.name or "", b""
        elif isinstance(event, Data):
            value += event.data
            if len(value) > MAX_FIELD_BYTES:
                raise FormRefused("broken")
            if not event.more_data:
                fields[name] = value.decode("utf-8", "replace")
    raise FormRefused("no-file")


def read_form(events: Iterator[Event], fields: dict[str, str], name: str) -> UploadForm:
    """The file behind the fields. Raises FormRefused: empty, broken."""
    pieces = _file(events)
    beginning = b""
    while len(beginning) < BEGINNING_BYTES and (piece := next(pieces, b"")):
        beginning += piece
    if not beginning:
        raise FormRefused("empty")
    return UploadForm(fields, name, beginning[:BEGINNING_BYTES], _joined(beginning, pieces))


def events() -> Iterator[Event]:
    """
    The form of the request, part by part, up to its very end.

    Raises:
        FormRefused: broken.
        RequestEntityTooLarge: too much of anything.
    """
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not 1 <= len(boundary) <= 200:
        raise FormRefused("broken")
    decoder = MultipartDecoder(
        boundary.encode("latin-1", "replace"), 4 * PIECE_BYTES, max_parts=MAX_FIELDS
    )
    try:
        while True:
            event = decoder.next_event()
            if isinstance(event, NeedData):
                decoder.receive_data(request.stream.read(PIECE_BYTES) or None)
                continue
            yield event
            if isinstance(event, Epilogue):
                return
    except (ValueError, OSError, AttributeError):
        raise FormRefused("broken") from None


def drain(most: int) -> None:
    """Read what is left of a small body, so that the browser sees the answer to it."""
    # Past the limit of the application's own stream, which is what may have been reached.
    body = request.environ["wsgi.input"]
    try:
        while most > 0 and (piece := body.read(PIECE_BYTES)):
            most -= len(piece)
    except OSError:
        return


def _file(events: Iterator[Event]) -> Iterator[bytes]:
    """The rest of the file's part, and then nothing but the end of the form."""
    for event in events:
        if not isinstance(event, Data):
            raise FormRefused("broken")
        if event.data:
            yield event.data
        if not event.more_data:
            break
    if not isinstance(next(events, None), Epilogue):
        raise FormRefused("broken")


def _joined(beginning: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield beginning
    yield from pieces
