# SPDX-License-Identifier: Apache-2.0
"""
What a trust file says of a time-stamping authority (kind `rfc3161`).

    {"id":…,"kind":"rfc3161","roots":[base64 DER, …],"intermediates":[…]?,"policies":[OID, …]?}

See docs/spec/anchor-rfc3161.md, rule 2.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from notary.core.errors import MalformedNote, MalformedTrust
from notary.core.vkey import decode_base64
from notary.evidence.der import NotDer, oid

MAX_ITEMS: Final = 50
MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192
MAX_RSA_EXPONENT_BITS: Final = 33
"""Beyond these a signature takes so long to check that a token of them would hold up a verifier."""
CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})
FAULTS: Final = (
    InvalidSignature,
    TypeError,
    UnsupportedAlgorithm,
    ValueError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""How a certificate that can't be used shows itself."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """Roots, further certificates on the way to them, and the policies that count (none: any)."""

    roots: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...]
    policies: tuple[str, ...]

    @property
    def members(self) -> dict[str, object]:
        """The same as members of a ledger in a trust file; `parse_trusted` reads them."""
        found: dict[str, object] = {"roots": _written(self.roots)}
        if self.intermediates:
            found["intermediates"] = _written(self.intermediates)
        if self.policies:
            found["policies"] = list(self.policies)
        return found


def parse_trusted(members: Mapping[str, object]) -> Trusted:
    """
    Read the members of a ledger of this kind.

    Raises:
        MalformedTrust: a member is missing, unknown or out of range.
    """
    names = members.keys() - {"id", "kind"}
    if not {"roots"} <= names <= {"roots", "intermediates", "policies"}:
        raise MalformedTrust(
            "A ledger of kind rfc3161 has roots, perhaps intermediates and policies."
        )
    certificates = [
        _certificate(item)
        for name in ("roots", "intermediates")
        for item in _list(members.get(name, []))
    ]
    trusted = trust_in(certificates, _policies(members.get("policies", [])))
    if len(trusted.roots) != len(_list(members["roots"])):
        raise MalformedTrust("A root is a certificate that signs itself; an intermediate isn't.")
    return trusted


def trust_in(certificates: Iterable[x509.Certificate], policies: Iterable[str]) -> Trusted:
    """
    Trust those certificates that sign themselves, and know the others.

    Raises:
        MalformedTrust: there is no root, too many, one twice, or a key is too weak.
    """
    roots: list[x509.Certificate] = []
    others: list[x509.Certificate] = []
    for certificate in certificates:
        (roots if issued(certificate, certificate) else others).append(certificate)
        if not has_strong_key(certificate):
            raise MalformedTrust("A certificate has a key that is too weak or of another sort.")
    if not roots or max(len(roots), len(others)) > MAX_ITEMS:
        raise MalformedTrust(f"1 to {MAX_ITEMS} roots are needed.")
    if len(set(roots)) != len(roots) or len(set(others)) != len(others):
        raise MalformedTrust("A certificate stands twice.")
    return Trusted(tuple(roots), tuple(others), tuple(policies))


def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer has the name and the key with which the certificate was signed."""
    try:
        if certificate.issuer != issuer.subject or _has_slow_key(issuer):
            return False
        certificate.verify_directly_issued_by(issuer)
    except FAULTS:
        return False
    return True


def _has_slow_key(certificate: x509.Certificate) -> bool:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        return False
    exponent_bits = key.public_numbers().e.bit_length()
    return key.key_size > MAX_RSA_BITS or exponent_bits > MAX_RSA_EXPONENT_BITS


def has_strong_key(certificate: x509.Certificate) -> bool:
    """RSA of at least 2048 bits, or one of the curves P-256, P-384, P-521."""
    try:
        key = certificate.public_key()
    except FAULTS:
        return False
    if isinstance(key, RSAPublicKey):
        return key.key_size >= MIN_RSA_BITS
    return isinstance(key, EllipticCurvePublicKey) and key.curve.name in CURVES


def _list(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise MalformedTrust(f"A list of at most {MAX_ITEMS} items is expected.")
    return value


def _certificate(item: object) -> x509.Certificate:
    try:
        if isinstance(item, str):
            return x509.load_der_x509_certificate(decode_base64(item))
    except (MalformedNote, *FAULTS):
        pass
    raise MalformedTrust("A certificate is not base64 of DER.")


def _policies(value: object) -> list[str]:
    found = []
    for item in _list(value):
        try:
            found.append(str(item))
            oid(found[-1])
        except NotDer:
            raise MalformedTrust("A policy is no object identifier.") from None
    return found


def _written(certificates: Iterable[x509.Certificate]) -> list[str]:
    return [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in certificates]
