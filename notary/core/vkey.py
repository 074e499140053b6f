# SPDX-License-Identifier: Apache-2.0
"""
Verifier keys: a public key with the name it signs under (C2SP signed-note).

As text (a vkey): `<name>+<8 hex digits of key id>+<base64(kind || public key)>`. Two kinds
are known, both with Ed25519 keys: 0x01 signs the text of a note, 0x04 (a witness's
cosignature) signs it with a time before it.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from notary.core.ed25519 import KEY_BYTES
from notary.core.errors import MalformedNote

KIND_ED25519: Final = 0x01
KIND_COSIGNATURE: Final = 0x04

KEY_ID_BYTES: Final = 4

_CONTROL: Final = re.compile(r"[\x00-\x1f]")


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
    if type(public_key) is not bytes or len(public_key) != KEY_BYTES:
        raise MalformedNote("an Ed25519 public key is exactly 32 bytes")
    message = name.encode() + b"\n" + bytes([kind]) + public_key
    return sha256(message).digest()[:KEY_ID_BYTES]


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
    encode_utf8(name)


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


def encode_utf8(text: str) -> bytes:
    """
    Write text in UTF-8.

    Raises:
        MalformedNote: it has half a surrogate pair, which UTF-8 cannot write.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise MalformedNote("text with half a surrogate pair") from None
