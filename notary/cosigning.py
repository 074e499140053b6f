# SPDX-License-Identifier: Apache-2.0
"""
A witness's key, and what it signs (C2SP tlog-cosignature, Ed25519).

Its file has the form of the log's key file with the kind 0x04, so neither is ever taken for
the other.
"""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.core.note import (
    KIND_COSIGNATURE,
    Signature,
    Verifier,
    cosigned_message,
    key_id,
)
from notary.keys import load_private, make_private


@dataclass(frozen=True)
class Cosigner:
    """A witness's Ed25519 key with its name; the seed never shows in `repr`."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def verifier(self) -> Verifier:
        """The public key."""
        public = self.private.public_key().public_bytes_raw()
        identity = key_id(self.name, KIND_COSIGNATURE, public)
        return Verifier(self.name, identity, KIND_COSIGNATURE, public)

    def cosign(self, text: str, time: int) -> Signature:
        """The cosignature of a checkpoint's text; `time` in POSIX seconds."""
        signature = self.private.sign(cosigned_message(time, text))
        return Signature(self.name, self.verifier.key_id, time.to_bytes(8, "big") + signature)


def make_cosigner(name: str, path: Path) -> Cosigner:
    """
    Make a new key in a new file of mode 0600.

    Raises:
        KeyRefused: the file is there already.
        MalformedNote: the name is not one.
    """
    return Cosigner(name, make_private(name, KIND_COSIGNATURE, path))


def load_cosigner(path: Path) -> Cosigner:
    """
    Read a key from its file.

    Raises:
        KeyRefused: not there, readable by others, or not a witness's key.
    """
    return Cosigner(*load_private(path, KIND_COSIGNATURE))
