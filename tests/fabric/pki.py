# SPDX-License-Identifier: Apache-2.0
"""Organisations of a Fabric network, their CAs and the certificates that these issue."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.fabric.wire import octets

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
HEAD, TAIL = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
ECDSA_WITH_SHA256 = bytes.fromhex("06082a8648ce3d040302")


def derive_key(seed: str, curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """The same key for the same seed."""
    number = int.from_bytes(sha256(seed.encode()).digest(), "big")
    return ec.derive_private_key(number % (ORDER - 1) + 1, curve or ec.SECP256R1())


def sign(key: ec.EllipticCurvePrivateKey, message: bytes, *, high: bool = False) -> bytes:
    """DER of a signature with the lower of its two s, as Fabric makes them; the same each time."""
    signature = key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))
    if not isinstance(key.curve, ec.SECP256R1):
        return signature
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, ORDER - s if (s > ORDER // 2) != high else s)


def der(tag: int, *contents: bytes) -> bytes:
    """An element of ASN.1."""
    content = b"".join(contents)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes(2 if size > 255 else 1, "big")
    return bytes([tag, 128 + len(length)]) + length + content


def pem(certificate: bytes) -> bytes:
    """A certificate's DER in lines of 64 characters."""
    text = base64.b64encode(certificate).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([HEAD, *lines, TAIL, ""]).encode()


@dataclass
class Identity:
    """A member of an organisation, its certificate in DER and its key."""

    msp: str
    der: bytes
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """Its certificate."""
        return pem(self.der)

    @property
    def serialized(self) -> bytes:
        """SerializedIdentity: mspid 1, id_bytes 2."""
        return octets(1, self.msp) + octets(2, self.pem)

    def sign(self, message: bytes) -> bytes:
        """Its signature."""
        return sign(self.key, message)


@dataclass
class Organisation:
    """One with a CA, whose key comes from a seed (its id, where there is none)."""

    id: str
    now: datetime
    seed: str = ""
    is_ca: bool = True
    ca_days: tuple[int, int] = (-400, 8000)
    ca_curve: ec.EllipticCurve | None = None
    hash: HashAlgorithm = field(default_factory=SHA256)
    key: ec.EllipticCurvePrivateKey = field(init=False)
    ca_der: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.key = derive_key(self.seed or self.id, self.ca_curve)
        self.ca_der = self._certificate(
            "ca",
            (),
            self.key.public_key(),
            self.ca_days,
            x509.BasicConstraints(ca=self.is_ca, path_length=None),
            usage(certificates=self.is_ca),
        )

    @property
    def ca_pem(self) -> bytes:
        """The CA's certificate."""
        return pem(self.ca_der)

    def issue(
        self,
        role: str,
        name: str,
        *more: x509.ExtensionType,
        units: tuple[str, ...] | None = None,
        days: tuple[int, int] = (-365, 3650),
        curve: ec.EllipticCurve | None = None,
        is_ca: bool = False,
        signs: bool = True,
        bare: bool = False,
    ) -> Identity:
        """
        A new member with that role (an organisational unit), valid from and until so many days
        from now; `more` are critical extensions, `bare` has none at all.
        """
        key = derive_key(f"{self.seed or self.id}/{name}", curve)
        own = [x509.BasicConstraints(ca=is_ca, path_length=None), usage(signatures=signs), *more]
        named = (role, "com") if units is None else units
        certificate = self._certificate(name, named, key.public_key(), days, *([] if bare else own))
        return Identity(self.id, certificate, key)

    def _certificate(
        self,
        common: str,
        units: tuple[str, ...],
        key: ec.EllipticCurvePublicKey,
        days: tuple[int, int],
        *extensions: x509.ExtensionType,
    ) -> bytes:
        """
        As Fabric's CA issues it: all units are one part of the name, in the order in which they
        were given, though DER would sort them. `cryptography` can't write that: it writes them
        sorted, they are put in order, and the whole is signed again.
        """
        given = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units]
        subject = self._name(common, given)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name("ca", []))
            .public_key(key)
            .serial_number(int.from_bytes(sha256(subject.public_bytes()).digest()[:8], "big") + 1)
            .not_valid_before(self.now + timedelta(days=days[0]))
            .not_valid_after(self.now + timedelta(days=days[1]))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        whole = builder.sign(self.key, self.hash, ecdsa_deterministic=True)
        if len(given) < 2:
            return whole.public_bytes(Encoding.DER)
        one_each = [x509.Name([one]).public_bytes()[4:] for one in given]
        is_sorted = x509.Name([x509.RelativeDistinguishedName(given)]).public_bytes()[2:]
        signed = whole.tbs_certificate_bytes.replace(is_sorted, der(0x31, *one_each))
        algorithm = der(0x30, ECDSA_WITH_SHA256)
        return der(0x30, signed, algorithm, der(3, b"\x00", sign(self.key, signed)))

    def _name(self, common: str, units: Sequence[x509.NameAttribute]) -> x509.Name:
        country = x509.NameAttribute(NameOID.COUNTRY_NAME, "CN")
        organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.id)
        parts = [x509.RelativeDistinguishedName([one]) for one in (country, organisation)]
        if units:
            parts.append(x509.RelativeDistinguishedName(units))
        parts.append(
            x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, common)])
        )
        return x509.Name(parts)


def usage(*, signatures: bool = False, certificates: bool = False) -> x509.KeyUsage:
    """What a key may be used for; one that may sign neither may agree on keys."""
    return x509.KeyUsage(
        digital_signature=signatures,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=not signatures and not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )
