# SPDX-License-Identifier: Apache-2.0
"""
The way from the certificate that signed a time stamp to a root of the trust file.

The package that verifies the signature looks at the way too, by OpenSSL; what is looked at here
it leaves out: which certificate the signer meant, the only use of its key, weak keys and hashes,
and what an authority in between may certify. See docs/spec/anchor-rfc3161.md.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import new as new_hash
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID

from notary.evidence import der
from notary.evidence.members import refused
from notary.evidence.rfc3161_token import CertificateId, Token
from notary.evidence.rfc3161_trust import FAULTS, Trusted, has_strong_key, issued

MAX_PATH: Final = 10
HASHES: Final = frozenset({"sha256", "sha384", "sha512"})

Path = tuple[x509.Certificate, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A certificate of the token: its DER, and its names (DER) and number as they stand there."""

    certificate: x509.Certificate
    whole: bytes
    issuer: bytes
    serial: int
    subject: bytes


def find_path(token: Token, trusted: Trusted) -> Path:
    """
    The certificates from the one that signed to a root, these two included.

    Raises:
        ReceiptRefused: ledger-evidence; there is no such way, or it may not be used.
        Any of FAULTS: a certificate can't be read.
    """
    embedded = [_named(whole) for whole in token.certificates]
    # anchor-rfc3161.md, step 3.
    signers = [one for one in embedded if (one.issuer, one.serial) == (token.issuer, token.serial)]
    if len(signers) != 1:
        raise refused("The token does not hold the certificate that signed it, once.")
    signer = signers[0]
    if not all(_is(ids[0], signer) for ids in token.ids):
        raise refused("The token was signed with another certificate than the signer says.")
    if token.stated.tsa is not None and token.stated.tsa != der.element(0xA4, signer.subject):
        raise refused("The token names another authority than its certificate does.")
    # anchor-rfc3161.md, step 4.
    _check_signer(signer.certificate, token)
    # anchor-rfc3161.md, step 5.
    others = [one.certificate for one in embedded]
    path = _lead(signer.certificate, others, trusted, token.stated.time)
    for certificate in path[1:]:
        _check_issuer(certificate, is_root=certificate is path[-1])
    if any(not _has_strong_hash(certificate) for certificate in path[:-1]):
        raise refused("A certificate on the way to the root is signed with a weak hash.")
    _check_meant(token, path, embedded)
    return path


def _lead(
    signer: x509.Certificate, others: list[x509.Certificate], trusted: Trusted, time: datetime
) -> Path:
    """From the signer on to a root, by certificates that were valid at that time."""
    if not _was_valid(signer, time):
        raise refused("The signing certificate was not valid at the time that it stamped.")
    known = [*trusted.roots, *trusted.intermediates, *others]
    path = [signer]
    while path[-1] not in trusted.roots:
        issuers = (one for one in known if one not in path and _was_valid(one, time))
        issuer = next((one for one in issuers if issued(path[-1], one)), None)
        if issuer is None or len(path) == MAX_PATH:
            raise refused(
                "The signing certificate does not lead to a root of the trust file that was "
                "valid at the time of the stamp."
            )
        path.append(issuer)
    return tuple(path)


def _check_signer(signer: x509.Certificate, token: Token) -> None:
    """Its key is for time stamps alone: RFC 3161, section 2.3."""
    try:
        uses = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        raise refused("The signing certificate is not one for time stamps.") from None
    if not uses.critical or list(uses.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise refused("The key of the signing certificate is not for time stamps alone.")
    allowed = _key_usage(signer)
    if allowed is not None:
        signs = allowed.digital_signature or allowed.content_commitment
        if not signs or allowed.key_cert_sign or allowed.crl_sign:
            raise refused("The key of the signing certificate is not for signing time stamps.")
    if not has_strong_key(signer):
        raise refused("The key of the signing certificate is too weak or of another sort.")
    is_ec = isinstance(signer.public_key(), EllipticCurvePublicKey)
    if token.key_sort != ("ec" if is_ec else "rsa"):
        raise refused("The signature is of another sort than the key of its certificate.")


def _check_issuer(certificate: x509.Certificate, *, is_root: bool) -> None:
    """It may certify authorities for time stamps. A root is trusted for what it is listed for."""
    allowed = _key_usage(certificate)
    if allowed is not None and not allowed.key_cert_sign:
        raise refused("A certificate on the way to the root may not certify others.")
    if is_root:
        return
    if not has_strong_key(certificate):
        raise refused("A key on the way to the root is too weak or of another sort.")
    try:
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    wanted = {ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if wanted.isdisjoint(uses):
        raise refused("A certificate on the way to the root is not for time stamps.")


def _check_meant(token: Token, path: Path, embedded: list[Named]) -> None:
    """Where the signer listed more than its own certificate, only those count (RFC 5035)."""
    named = [one for one in embedded if one.certificate in path[1:-1]]
    for ids in token.ids:
        if len(ids) > 1 and not all(any(_is(id_, one) for id_ in ids) for one in named):
            raise refused("A certificate on the way to the root is not among those meant.")


def _named(whole: bytes) -> Named:
    """A certificate with its names as they stand there (RFC 5280, section 4.1)."""
    outer = der.one(whole, der.SEQUENCE, "a certificate")
    inner = outer.open(der.SEQUENCE, "A certificate")
    inner.take_if(0xA0, "The version of a certificate")
    serial = inner.integer("The number of a certificate")
    if serial < 1:  # RFC 5280, section 4.1.2.2
        raise der.NotDer("The number of a certificate isn't positive.")
    inner.take(der.SEQUENCE, "The algorithm of a certificate")
    issuer = inner.take(der.SEQUENCE, "The issuer of a certificate").whole
    inner.take(der.SEQUENCE, "The validity of a certificate")
    subject = inner.take(der.SEQUENCE, "The subject of a certificate").whole
    return Named(x509.load_der_x509_certificate(whole), whole, issuer, serial, subject)


def _is(id_: CertificateId, named: Named) -> bool:
    """Whether that certificate was meant."""
    return (
        id_.value == new_hash(id_.digest, named.whole, usedforsecurity=False).digest()
        and id_.issuer in (None, named.issuer)
        and id_.serial in (None, named.serial)
    )


def _was_valid(certificate: x509.Certificate, time: datetime) -> bool:
    # Its last second is not counted, as OpenSSL does it.
    return certificate.not_valid_before_utc <= time < certificate.not_valid_after_utc


def _has_strong_hash(certificate: x509.Certificate) -> bool:
    try:
        algorithm = certificate.signature_hash_algorithm
    except FAULTS:
        return False
    return algorithm is not None and algorithm.name in HASHES


def _key_usage(certificate: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None
