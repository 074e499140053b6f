# SPDX-License-Identifier: Apache-2.0
"""
Signed notes and verifier keys (C2SP signed-note, tlog-cosignature; docs/spec/note-v1.md).

    any text that ends in a newline          text: what is signed
                                             the LAST empty line
    — <name> <base64(key id || signature)>   one or more signature lines

What a signature covers depends on the kind of its key: 0x01 signs the text, 0x04 (a
witness's cosignature) signs the text with a time before it. Nothing here signs: private
keys live elsewhere.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from notary.core import ed25519
from notary.core.errors import BadSignature, MalformedNote, UnknownSigner
from notary.core.vkey import (
    KEY_ID_BYTES,
    KIND_COSIGNATURE,
    KIND_ED25519,
    Verifier,
    check_name,
    decode_base64,
    encode_base64,
    encode_utf8,
    format_vkey,
    key_id,
    parse_vkey,
)

__all__ = [
    "KIND_COSIGNATURE",
    "KIND_ED25519",
    "MAX_NOTE_BYTES",
    "MAX_SIGNATURES",
    "MAX_TIME",
    "Note",
    "Signature",
    "Verified",
    "Verifier",
    "cosigned_message",
    "format_note",
    "format_vkey",
    "key_id",
    "open_note",
    "parse_note",
    "parse_signature_line",
    "parse_vkey",
    "signature_line",
]

MAX_NOTE_BYTES: Final = 1 << 20
MAX_SIGNATURES: Final = 100
MAX_TIME: Final = 2**63 - 1

_TIME_BYTES: Final = 8
_DASH: Final = "\u2014 "
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line. `key_id` is 4 bytes; `blob` is all that follows it, unjudged."""

    name: str
    key_id: bytes
    blob: bytes


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature that holds. `time` (POSIX seconds) is what a cosigner said, else None."""

    verifier: Verifier
    signature: Signature
    time: int | None


@dataclass(frozen=True, slots=True)
class Note:
    """
    A text, the signatures that hold, one for each known key, and those of unknown keys.

    A note with nothing in `verified` was only parsed: its text deserves no trust.
    """

    text: str
    verified: tuple[Verified, ...]
    unverified: tuple[Signature, ...]


def signature_line(signature: Signature) -> str:
    """
    Write one signature line, final newline included.

    Raises:
        MalformedNote: the name is not one, the key id not 4 bytes, or the blob empty.
    """
    check_name(signature.name)
    if len(signature.key_id) != KEY_ID_BYTES or not signature.blob:
        raise MalformedNote("a signature is a 4-byte key id and at least one byte more")
    return f"{_DASH}{signature.name} {encode_base64(signature.key_id + signature.blob)}\n"


def parse_signature_line(line: str) -> Signature:
    """
    Read one signature line, final newline included.

    Raises:
        MalformedNote: it is not exactly such a line.
    """
    if not line.startswith(_DASH) or not line.endswith("\n"):
        raise MalformedNote("a signature line begins with an em dash and ends in a newline")
    name, _, encoded = line[len(_DASH) : -1].partition(" ")
    check_name(name)
    blob = decode_base64(encoded)
    if len(blob) <= KEY_ID_BYTES:
        raise MalformedNote("a signature is a 4-byte key id and at least one byte more")
    return Signature(name, blob[:KEY_ID_BYTES], blob[KEY_ID_BYTES:])


def format_note(text: str, signatures: Iterable[Signature]) -> str:
    """
    Put signature lines under a text.

    Raises:
        MalformedNote: `parse_note` would not give the same text and signatures back.
    """
    note = text + "\n" + "".join(map(signature_line, signatures))
    if parse_note(note).text != text:
        raise MalformedNote("the text does not end in a newline")
    return note


def parse_note(note: str | bytes) -> Note:
    """
    Take a note apart without looking at who signed it.

    Requires UTF-8 of at most 1 MiB with no control character but newline, and 1 to 100
    signature lines. All signatures come back as unverified.

    Raises:
        MalformedNote: it is not exactly a note.
    """
    content = _checked_text(note)
    border = content.rfind("\n\n")
    if border < 0 or not content.endswith("\n"):
        raise MalformedNote("a note is a text, an empty line and signature lines")
    lines = content[border + 2 : -1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedNote("a note has at most 100 signature lines")
    signatures = tuple(parse_signature_line(line + "\n") for line in lines)
    return Note(content[: border + 1], (), signatures)


def open_note(note: str | bytes, verifiers: Iterable[Verifier | str]) -> Note:
    """
    Take a note apart and check each signature of a known key.

    `verifiers` are the trusted keys, as `Verifier` or vkey text. Lines of other keys are
    passed over, also when name or id alone is a known one. A known key counts once:
    a further line of it must hold too, and is then left out.

    Raises:
        MalformedNote: it is not exactly a note, or a given key is not one.
        BadSignature: a line names a known key and its signature does not hold.
        UnknownSigner: no line is of a known key.
    """
    # note-v1.md, step 1.
    known = _by_identity(verifiers)
    # note-v1.md, step 2.
    parsed = parse_note(note)
    verified: dict[Verifier, Verified] = {}
    unverified = []
    # note-v1.md, step 3.
    for signature in parsed.unverified:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            unverified.append(signature)
        else:
            time = _verify(verifier, parsed.text, signature)
            verified.setdefault(verifier, Verified(verifier, signature, time))
    # note-v1.md, step 4.
    if not verified:
        raise UnknownSigner(names=[signature.name for signature in unverified])
    return Note(parsed.text, tuple(verified.values()), tuple(unverified))


def cosigned_message(time: int, note_text: str) -> bytes:
    """
    Write what a witness signs: `time` in POSIX seconds, then the whole text of the note.

    Requires 0 <= time < 2^63. C2SP tlog-cosignature, Ed25519 signed message.

    Raises:
        MalformedNote: the time is out of range.
    """
    if type(time) is not int or not 0 <= time <= MAX_TIME:
        raise MalformedNote("the time of a cosignature is out of range")
    return f"cosignature/v1\ntime {time}\n{note_text}".encode()


def _verify(verifier: Verifier, text: str, signature: Signature) -> int | None:
    """Check one signature and return the time that it states, if its kind does."""
    blob, time, message = signature.blob, None, text.encode()
    if verifier.kind == KIND_COSIGNATURE:
        time = int.from_bytes(blob[:_TIME_BYTES], "big")
        if time > MAX_TIME:
            raise BadSignature("the time of a cosignature is out of range", name=verifier.name)
        blob, message = blob[_TIME_BYTES:], cosigned_message(time, text)
    try:
        ed25519.verify(verifier.public_key, message, blob)
    except BadSignature as error:
        raise BadSignature(error.detail, name=verifier.name, key_id=verifier.key_id.hex()) from None
    return time


def _by_identity(verifiers: Iterable[Verifier | str]) -> dict[tuple[str, bytes], Verifier]:
    known: dict[tuple[str, bytes], Verifier] = {}
    for item in verifiers:
        verifier = parse_vkey(item) if isinstance(item, str) else item
        if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
            raise MalformedNote("two trusted keys share one name and key id")
    return known


def _checked_text(note: object) -> str:
    if isinstance(note, str):
        note = encode_utf8(note)
    if not isinstance(note, bytes) or len(note) > MAX_NOTE_BYTES:
        raise MalformedNote("a note is text of at most 1 MiB")
    try:
        text = note.decode()
    except UnicodeDecodeError:
        raise MalformedNote("a note is UTF-8") from None
    if _CONTROL.search(text):
        raise MalformedNote("a note has no control character but newline")
    return text
