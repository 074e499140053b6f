# SPDX-License-Identifier: Apache-2.0
"""
The signatures of messages to and from a PCN gateway (their `mac`, before base64).

R1, the algorithm of BSN's Fabric: ECDSA on P-256 over SHA-256 of the text, as DER of (r, s), and
s in the lower half of the group: whoever verifies refuses the other s that would hold as well.
Another algorithm needs a Signer and a Verifier, and a line in ALGORITHMS.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509 import load_pem_x509_certificate

from notary.keys import KeyRefused, read_secret

ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256 (FIPS 186-4, D.1.2.3)."""
HALF: Final = ORDER // 2


class Signer(Protocol):
    """Signs what we ask, with the app's access key."""

    def sign(self, text: bytes) -> bytes:
        """The signature of a text."""


class Verifier(Protocol):
    """Verifies what the gateway answers, by its pinned key."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its key as SPKI, in hex."""

    def verify(self, text: bytes, signature: bytes) -> None:
        """
        Check a signature of a text.

        Raises:
            ValueError: it isn't the gateway's.
        """


@dataclass(frozen=True)
class R1Signer:
    """An access key on P-256; it never shows in `repr`."""

    private: EllipticCurvePrivateKey = field(repr=False)

    def sign(self, text: bytes) -> bytes:
        """DER of (r, s) with the lower s."""
        r, s = decode_dss_signature(self.private.sign(text, ECDSA(SHA256())))
        return encode_dss_signature(r, min(s, ORDER - s))


@dataclass(frozen=True)
class R1Verifier:
    """A gateway's key on P-256."""

    public: EllipticCurvePublicKey

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its SPKI in DER, in hex."""
        spki = self.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return sha256(spki).hexdigest()

    def verify(self, text: bytes, signature: bytes) -> None:
        """Check DER, the half of s, and the signature. Raises ValueError."""
        _, s = decode_dss_signature(signature)
        if s > HALF:
            raise ValueError("the signature has the upper s")
        try:
            self.public.verify(signature, text, ECDSA(SHA256()))
        except InvalidSignature:
            raise ValueError("the signature was not made with the gateway's key") from None


def load_r1_signer(path: Path) -> R1Signer:
    """
    Read an access key: PEM (PKCS#8) on P-256, mode 0600.

    Raises:
        KeyRefused: it isn't there, others may read it, or it is no such key.
    """
    try:
        private = load_pem_private_key(read_secret(path), None)
    except TypeError:
        raise KeyRefused(f"{path} is encrypted: store the access key without a password.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused(f"{path} is no private key in PEM (PKCS#8).") from None
    if not isinstance(private, EllipticCurvePrivateKey) or not isinstance(private.curve, SECP256R1):
        raise KeyRefused(f"{path} is not a key on P-256, which algorithm r1 needs.")
    return R1Signer(private)


def load_r1_verifier(path: Path) -> R1Verifier:
    """
    Read a gateway's key: SPKI in PEM, or a certificate, of which the key alone is taken.

    It is a pin: neither the certificate's issuer nor its dates are looked at.

    Raises:
        KeyRefused: it isn't there, or is no such key.
    """
    try:
        data = path.read_bytes()
        is_certificate = b"-----BEGIN CERTIFICATE-----" in data
        public = (
            load_pem_x509_certificate(data).public_key()
            if is_certificate
            else load_pem_public_key(data)
        )
    except OSError as error:
        raise KeyRefused(f"{path} can't be read: {error.strerror}.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused(f"{path} is neither a public key nor a certificate in PEM.") from None
    if not isinstance(public, EllipticCurvePublicKey) or not isinstance(public.curve, SECP256R1):
        raise KeyRefused(f"{path} is not a key on P-256, which algorithm r1 needs.")
    return R1Verifier(public)


ALGORITHMS: Final[Mapping[str, int]] = {"r1": 2}
"""Those that are built, with the `algorithmType` by which BSN calls them."""
NOT_BUILT: Final[Mapping[str, str]] = {
    "sm2": "sm2 is not built: blocks of a channel with SM2 certificates can't be checked here, and "
    "how BSN hashes for SM2 was never seen in a real message; use an app of R1.",
    "k1": "k1 is not built: BSN has it for FISCO BCOS, not for Fabric; use an app of R1.",
}
