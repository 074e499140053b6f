# SPDX-License-Identifier: Apache-2.0
"""Certificates and keys of authorities, right ones and wrong ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

FROM = datetime(2020, 1, 1, tzinfo=UTC)
TO = datetime(2040, 1, 1, tzinfo=UTC)
TIME_STAMPING = (Eku.TIME_STAMPING,)


def ec_key(curve: ec.EllipticCurve | None = None) -> Key:
    """A key on P-256, or on another curve."""
    return ec.generate_private_key(curve or ec.SECP256R1())


def known_key(number: int) -> Key:
    """A key on P-256 that is always the same."""
    return ec.derive_private_key(number, ec.SECP256R1())


def rsa_key(bits: int = 2048) -> Key:
    """An RSA key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@dataclass(frozen=True)
class Holder:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        """The certificate as DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key as PEM, not encrypted."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True)
class Wanted:
    """What a certificate shall be like; as it stands: one of an authority for time stamps."""

    name: str
    ca: bool = False
    path_length: int | None = None
    uses: Sequence[x509.ObjectIdentifier] | None = TIME_STAMPING
    uses_critical: bool = True
    usage: str | None = "digital_signature"
    first: datetime = FROM
    last: datetime = TO
    key: Key = field(default_factory=ec_key)
    hashed: hashes.HashAlgorithm = field(default_factory=hashes.SHA256)
    extra: x509.ExtensionType | None = None
    serial: int = field(default_factory=x509.random_serial_number)


def root(name: str = "City Root", **others: object) -> Holder:
    """A root that signs itself."""
    wanted = Wanted(name, ca=True, uses=None, usage="key_cert_sign", **others)  # type: ignore[arg-type]
    return certify(None, wanted)


def between(issuer: Holder, name: str = "City Issuing CA", **others: object) -> Holder:
    """A certificate authority below another."""
    members: dict[str, object] = {"uses": None, "usage": "key_cert_sign", "ca": True, **others}
    return certify(issuer, Wanted(name, **members))  # type: ignore[arg-type]


def certify(issuer: Holder | None, wanted: Wanted) -> Holder:
    """A certificate as wanted; signed with its own key where there is no issuer."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "City of Example"),
            x509.NameAttribute(NameOID.COMMON_NAME, wanted.name),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(wanted.key.public_key())
        .serial_number(wanted.serial)
        .not_valid_before(wanted.first)
        .not_valid_after(wanted.last)
        .add_extension(x509.BasicConstraints(wanted.ca, wanted.path_length), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(wanted.key.public_key()), critical=False
        )
    )
    if wanted.uses is not None:
        uses = x509.ExtendedKeyUsage(wanted.uses)
        builder = builder.add_extension(uses, critical=wanted.uses_critical)
    if wanted.usage is not None:
        builder = builder.add_extension(_usage(wanted.usage), critical=True)
    if wanted.extra is not None:
        builder = builder.add_extension(wanted.extra, critical=True)
    key = issuer.key if issuer else wanted.key
    is_ec = isinstance(key, ec.EllipticCurvePrivateKey)
    signed = builder.sign(key, wanted.hashed, ecdsa_deterministic=is_ec or None)  # type: ignore[arg-type]
    return Holder(signed, wanted.key)


def _usage(name: str) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{each: each == name for each in names})
