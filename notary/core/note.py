# SPDX-License-Identifier: Apache-2.0
"""
Signed notes and verifier keys (C2SP signed-note, tlog-cosignature).

    any text that ends in a newline          text: what is signed
                                             the LAST empty line
    — <name> <base64(key id || signature)>   one or more signature lines

A verifier key (vkey) is `<name>+<8 hex digits of key id>+<base64(kind || public key)>`.
Two kinds are known: 0x01 signs the text, 0x04 (a witness's cosignature) signs the text
with a time before it. Nothing here signs: private keys live elsewhere.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from notary.core import ed25519
from notary.core.errors import BadSignature, MalformedNote, UnknownSigner

KIND_ED25519: Final = 0x01
KIND_COSIGNATURE: Final = 0x04

MAX_NOTE_BYTES: Final = 1 << 20
MAX_SIGNATURES: Final = 100
MAX_TIME: Final = 2**63 - 1

_KEY_ID_BYTES: Final = 4
_TIME_BYTES: Final = 8
_DASH: Final = "\u2014 "
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Verifier:
    """
    A public key with the name it signs under.

    `key_id` is 4 bytes, `kind` 0x01 or 0x04, `public_key` 32 bytes (Ed25519).

    Raises:
        MalformedNote: a member is not of its form, or the key id is another key's.
    """

    name: str
    key_id: bytes
    kind: int
    public_key: bytes

    def __post_init__(self) -> None:
        if self.key_id != key_id(self.name, self.kind, self.public_key):
            raise MalformedNote("the key id does not belong to this name and key")

    @property
    def vkey(self) -> str:
        """The key as text: `<name>+<key id>+<base64(kind || public key)>`."""
        return format_vkey(self.name, self.kind, self.public_key)

    @property
    def fingerprint(self) -> str:
        """SHA-256(kind || public key) in 64 hex digits, for people to compare."""
        return sha256(bytes([self.kind]) + self.public_key).hexdigest()


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


def key_id(name: str, kind: int, public_key: bytes) -> bytes:
    """
    Compute the 4-byte id of a key.

    SHA-256(name || 0x0A || kind || public key), its first 4 bytes; C2SP signed-note.

    Raises:
        MalformedNote: the name is not one, the kind not known, the key not 32 bytes.
    """
    check_name(name)
    if type(kind) is not int or kind not in (KIND_ED25519, KIND_COSIGNATURE):
        raise MalformedNote("the kind of the key is neither Ed25519 nor cosignature")
    if type(public_key) is not bytes or len(public_key) != ed25519.KEY_BYTES:
        raise MalformedNote("an Ed25519 public key is exactly 32 bytes")
    message = name.encode() + b"\n" + bytes([kind]) + public_key
    return sha256(message).digest()[:_KEY_ID_BYTES]


def format_vkey(name: str, kind: int, public_key: bytes) -> str:
    """
    Write a verifier key as text.

    Raises:
        MalformedNote: as `key_id`.
    """
    identity = key_id(name, kind, public_key).hex()
    return f"{name}+{identity}+{encode_base64(bytes([kind]) + public_key)}"


def parse_vkey(text: str) -> Verifier:
    """
    Read a verifier key. The id must be the key's own, in lower-case hex.

    Raises:
        MalformedNote: it is not a key of a known kind, or the id is another key's.
    """
    if type(text) is not str:
        raise MalformedNote("a verifier key is text")
    parts = text.split("+", 2)  # base64 may contain a plus sign, name and id may not
    if len(parts) != 3 or not re.fullmatch(r"[0-9a-f]{8}", parts[1]):
        raise MalformedNote("a verifier key is name+id+key")
    key = decode_base64(parts[2])
    if not key:
        raise MalformedNote("a verifier key without a key")
    return Verifier(parts[0], bytes.fromhex(parts[1]), key[0], key[1:])


def signature_line(signature: Signature) -> str:
    """
    Write one signature line, final newline included.

    Raises:
        MalformedNote: the name is not one, the key id not 4 bytes, or the blob empty.
    """
    check_name(signature.name)
    if len(signature.key_id) != _KEY_ID_BYTES or not signature.blob:
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
    if len(blob) <= _KEY_ID_BYTES:
        raise MalformedNote("a signature is a 4-byte key id and at least one byte more")
    return Signature(name, blob[:_KEY_ID_BYTES], blob[_KEY_ID_BYTES:])


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
    known = _by_identity(verifiers)
    parsed = parse_note(note)
    verified: dict[Verifier, Verified] = {}
    unverified = []
    for signature in parsed.unverified:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            unverified.append(signature)
        else:
            time = _verify(verifier, parsed.text, signature)
            verified.setdefault(verifier, Verified(verifier, signature, time))
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


def check_name(name: object) -> None:
    """
    Demand the name of a key: not empty, without spaces, plus signs or control characters.

    Raises:
        MalformedNote: it is not one.
    """
    if type(name) is not str or not name or "+" in name:
        raise MalformedNote("the name of a key is not empty and has no plus sign")
    if _CONTROL.search(name) or any(map(str.isspace, name)):
        raise MalformedNote("the name of a key has no space and no control character")
    _to_utf8(name)


def encode_base64(data: bytes) -> str:
    """Write bytes in base64 (RFC 4648 section 4, padded)."""
    return base64.b64encode(data).decode()


def decode_base64(text: str) -> bytes:
    """
    Read base64 (RFC 4648 section 4) that is written in the one canonical way.

    Raises:
        MalformedNote: it is not what `encode_base64` writes.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise MalformedNote("base64 that is not canonical") from None
    if encode_base64(data) != text:
        raise MalformedNote("base64 that is not canonical")
    return data


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
        note = _to_utf8(note)
    if not isinstance(note, bytes) or len(note) > MAX_NOTE_BYTES:
        raise MalformedNote("a note is text of at most 1 MiB")
    try:
        text = note.decode()
    except UnicodeDecodeError:
        raise MalformedNote("a note is UTF-8") from None
    if _CONTROL.search(text):
        raise MalformedNote("a note has no control character but newline")
    return text


def _to_utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise MalformedNote("text with half a surrogate pair") from None
