# SPDX-License-Identifier: Apache-2.0
"""
Who signed in a Fabric network: a serialised identity, its certificate and its signatures.

    SerializedIdentity   mspid 1, id_bytes 2 (one certificate, PEM)

ECDSA on P-256 with SHA-256, in DER, s at most half the order, as Fabric demands it.
See docs/spec/anchor-bsn-fabric.md, section Identities.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from notary.core.errors import BadSignature
from notary.core.words import check_id
from notary.evidence.fabric_certificate import (
    BASIC_CONSTRAINTS,
    DIGITAL_SIGNATURE,
    EXTENDED_KEY_USAGE,
    KEY_USAGE,
    SUBJECT_ALTERNATIVE_NAME,
    Certificate,
    parse_pem,
)
from notary.evidence.fabric_trust import Roots
from notary.evidence.protobuf import Message

ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (SEC 2, section 2.4.2)."""
ROLES: Final = frozenset({b"admin", b"client", b"orderer", b"peer"})
"""Organisational units that say what a node is (NodeOUs)."""
_UNDERSTOOD: Final = frozenset(
    {BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, KEY_USAGE, SUBJECT_ALTERNATIVE_NAME}
)
"""Extensions that may be critical."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A member of an organisation whose certificate holds, and its P-256 key."""

    msp: str
    key: ec.EllipticCurvePublicKey

    def verify(self, signature: bytes, message: bytes, what: str) -> None:
        """
        Check this member's signature; `what` names it.

        Raises:
            BadSignature: it isn't its, or not in its one spelling.
        """
        try:
            # Read as DER alone: nobody can write the same two numbers in another way.
            _, s = decode_dss_signature(signature)
            self.key.verify(signature, message, ec.ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            s = ORDER
        if s > ORDER // 2:
            raise BadSignature(f"The {what}'s signature does not hold.")


def parse_identity(serialized: bytes, what: str) -> tuple[str, bytes]:
    """
    The MSP id that a serialised identity claims, and its certificate's PEM.

    Raises:
        MalformedText: it is none.
    """
    identity = Message(serialized, f"{what}'s identity")
    return check_id(identity.text(1), "MSP id"), identity.octets(2)


def identify(
    serialized: bytes, roots: Roots, at: datetime, what: str, role: str | None = None
) -> Identity:
    """
    The member of a known organisation whom a serialised identity names.

    Its certificate was issued by one of the organisation's CAs, both were valid at the time,
    and it has the role, where one is asked for.

    Raises:
        MalformedText: the identity can't be read.
        BadSignature: its organisation is not known, or its certificate doesn't hold.
    """
    msp, pem = parse_identity(serialized, what)
    if msp not in roots:
        raise BadSignature(f"The {what}'s organisation {msp} is not in the trust file.")
    certificate = parse_pem(pem, f"{what}'s certificate")
    fault = _fault(certificate, roots[msp], at, role)
    if fault is not None:
        raise BadSignature(f"The {what}'s certificate {fault}.")
    key = certificate.key
    if key is None or not isinstance(key.curve, ec.SECP256R1):
        raise BadSignature(f"The {what}'s key is not on the curve P-256.")
    return Identity(msp, key)


def _fault(
    certificate: Certificate, roots: tuple[Certificate, ...], at: datetime, role: str | None
) -> str | None:
    """What is wrong with a member's certificate, or None."""
    issuer = next((root for root in roots if certificate.is_issued_by(root)), None)
    if issuer is None:
        return "was issued by no CA of its organisation in the trust file"
    if not all(one.first <= at <= one.last for one in (certificate, issuer)):
        return "was not valid at the transaction's time"
    if certificate.is_ca or not certificate.may(DIGITAL_SIGNATURE):
        return "is not one for signing"
    if certificate.critical - _UNDERSTOOD:
        return "has a critical extension that is not understood"
    if role is not None and certificate.units & ROLES != {role.encode()}:
        return f"is not that of a node of the kind {role}"
    return None
