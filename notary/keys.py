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
from notary.core.note import Signature, Verifier, format_note, format_vkey, key_id, parse_vkey

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

    @property
    def verifier(self) -> Verifier:
        """The verifier key."""
        return parse_vkey(self.vkey)

    def signature(self, text: str) -> Signature:
        """The signature line over a note's text."""
        identity = key_id(self.name, ED25519, self.public)
        return Signature(self.name, identity, self.private.sign(text.encode()))

    def sign(self, text: str) -> str:
        """The text as a signed note with one signature line."""
        return format_note(text, [self.signature(text)])

    def find(self, vkey: str) -> "Signer | None":
        """Itself, where it is the one."""
        return self if vkey == self.vkey else None


class KeyRing:
    """The log's private keys in the state folder: `log.key`, then `log-2.key` and so on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[str, Signer] = {}

    def path(self, number: int) -> Path:
        """The file of the log's key of that number, from 1."""
        return self._folder / ("log.key" if number == 1 else f"log-{number}.key")

    def find(self, vkey: str) -> Signer | None:
        """
        The key, or None where it isn't here.

        Raises:
            KeyRefused: a key's file may be read by others, or isn't one.
        """
        if vkey not in self._found:
            self.load()
        return self._found.get(vkey)

    def load(self) -> None:
        """Read all that are there. Raises KeyRefused as `find`, and where there is none."""
        for path in sorted(self._folder.glob("log*.key")) or [self.path(1)]:
            signer = load_key(path)
            self._found[signer.vkey] = signer


def make_key(name: str, path: Path) -> Signer:
    """
    Make a new key in a new file of mode 0600.

    Raises:
        KeyRefused: the file is there already.
    """
    return Signer(name, make_private(name, ED25519, path))


def make_private(name: str, kind: int, path: Path) -> Ed25519PrivateKey:
    """Make a new key of a kind in a new file of mode 0600. Raises KeyRefused if it is there."""
    private = Ed25519PrivateKey.generate()
    seed = base64.b64encode(bytes([kind]) + private.private_bytes_raw()).decode()
    identity = key_id(name, kind, private.public_key().public_bytes_raw()).hex()
    write_secret(path, f"PRIVATE+KEY+{name}+{identity}+{seed}\n".encode())
    return private


def load_key(path: Path) -> Signer:
    """
    Read a key from its file.

    Raises:
        KeyRefused: not there, readable by others, or not a key of this form.
    """
    return Signer(*load_private(path, ED25519))


def load_private(path: Path, kind: int) -> tuple[str, Ed25519PrivateKey]:
    """The name and the key of that kind in a file. Raises KeyRefused as `load_key`."""
    parts = read_secret(path).decode("utf-8", "replace").strip().split("+", 4)
    if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:
        raise KeyRefused(f"{path} is not a private key.", path=str(path))
    try:
        raw = base64.b64decode(parts[4], validate=True)
        if len(raw) != 33 or raw[0] != kind:
            raise ValueError
        private = Ed25519PrivateKey.from_private_bytes(raw[1:])
    except ValueError:
        raise KeyRefused(f"{path} is not an Ed25519 key for this use.", path=str(path)) from None
    if key_id(parts[2], kind, private.public_key().public_bytes_raw()).hex() != parts[3]:
        raise KeyRefused(f"The key id in {path} is not that of its key.", path=str(path))
    return parts[2], private


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
