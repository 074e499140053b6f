# SPDX-License-Identifier: Apache-2.0
"""Keys for tests of notes: the core itself cannot sign."""

from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.core import ed25519, note


class Signer:
    """A key pair made from one byte, with a name and a kind."""

    def __init__(self, name: str, kind: int = note.KIND_ED25519, seed: int = 1) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        public = self.private.public_key().public_bytes_raw()
        self.verifier = note.Verifier(name, note.key_id(name, kind, public), kind, public)

    def sign(self, text: str, time: int = 1_700_000_000) -> note.Signature:
        """Sign the text of a note; `time` (POSIX seconds) counts in a cosignature only."""
        if self.verifier.kind == note.KIND_COSIGNATURE:
            signature = self.private.sign(note.cosigned_message(time, text))
            return self.signature(time.to_bytes(8, "big") + signature)
        return self.signature(self.private.sign(text.encode()))

    def signature(self, blob: bytes) -> note.Signature:
        """A signature line of this key with any blob in it."""
        return note.Signature(self.verifier.name, self.verifier.key_id, blob)


def remember_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check each signature once that holds: for tests that look at thousands of copies."""
    monkeypatch.setattr(ed25519, "verify", cache(ed25519.verify))
