# SPDX-License-Identifier: Apache-2.0
"""
Private keys: made once, kept in files of mode 0600, never printed.

A key file holds one line in the form that Go's note package uses:
`PRIVATE+KEY+<name>+<key id>+<base64(0x01 || seed)>`.
"""

import base64
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.core.errors import NotaryError
from notary.core.note import Signature, format_note, format_vkey, key_id

ED25519 = 0x01


class KeyRefused(NotaryError):
    """The key file is missing, readable by others, or not a key."""

    code = "key-refused"


@dataclass(frozen=True)
class Signer:
    """An Ed25519 key with its name; the seed never shows in `repr`."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> bytes:
        """The 32-byte public key."""
        return self.private.public_key().public_bytes_raw()

    @property
    def vkey(self) -> str:
        """The verifier key as text (C2SP signed-note)."""
        return format_vkey(self.name, ED25519, self.public)

    def sign(self, text: str) -> str:
        """The text as a signed note with one signature line."""
        identity = key_id(self.name, ED25519, self.public)
        signature = Signature(self.name, identity, self.private.sign(text.encode()))
        return format_note(text, [signature])


def make_key(name: str, path: Path) -> Signer:
    """
    Make a new key in a new file of mode 0600.

    Raises:
        KeyRefused: the file is there already.
    """
    signer = Signer(name, Ed25519PrivateKey.generate())
    seed = base64.b64encode(bytes([ED25519]) + signer.private.private_bytes_raw()).decode()
    identity = key_id(name, ED25519, signer.public).hex()
    write_secret(path, f"PRIVATE+KEY+{name}+{identity}+{seed}\n".encode())
    return signer


def load_key(path: Path) -> Signer:
    """
    Read a key from its file.

    Raises:
        KeyRefused: not there, readable by others, or not a key of this form.
    """
    parts = read_secret(path).decode("ascii", "replace").strip().split("+", 4)
    if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:
        raise KeyRefused(f"{path} is not a private key.", path=str(path))
    try:
        raw = base64.b64decode(parts[4], validate=True)
        if len(raw) != 33 or raw[0] != ED25519:
            raise ValueError
        signer = Signer(parts[2], Ed25519PrivateKey.from_private_bytes(raw[1:]))
    except ValueError:
        raise KeyRefused(f"{path} is not an Ed25519 key.", path=str(path)) from None
    if key_id(signer.name, ED25519, signer.public).hex() != parts[3]:
        raise KeyRefused(f"The key id in {path} is not that of its key.", path=str(path))
    return signer


def make_secret(path: Path) -> None:
    """Make a new file of 32 random bytes, mode 0600. Raises KeyRefused if it is there."""
    write_secret(path, os.urandom(32))


def write_secret(path: Path, data: bytes) -> None:
    """Write a new file of mode 0600, durably. Raises KeyRefused if it is there."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyRefused(f"{path} is there already.", path=str(path)) from None
    try:
        os.write(file, data)
        os.fsync(file)
    finally:
        os.close(file)


def read_secret(path: Path) -> bytes:
    """
    Read a file that only its owner may read.

    Raises:
        KeyRefused: not there, or its mode lets others read it.
    """
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except OSError as error:
        raise KeyRefused(f"{path} can't be read: {error.strerror}.", path=str(path)) from None
    if mode & 0o077:
        raise KeyRefused(f"{path} may be read by others: chmod 600 {path}", path=str(path))
    return data
