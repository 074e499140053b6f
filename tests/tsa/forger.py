# SPDX-License-Identifier: Apache-2.0
"""
An authority that stamps whatever it is told to, in any form: RFC 3161 and CMS by hand.

Each part of a token can be exchanged for other octets, before it is signed or after.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from notary.evidence.der import (
    BIT_STRING,
    GENERALIZED_TIME,
    NULL,
    OCTET_STRING,
    SEQUENCE,
    SET,
    UTF8_STRING,
    Reader,
    element,
    integer,
    oid,
)
from tests.tsa.certificates import Holder

STAMPED = datetime(2031, 3, 5, 6, 7, 8, tzinfo=UTC)
POLICY = "1.3.6.1.4.1.99999.1.1"
SHA1 = "1.3.14.3.2.26"
SHA256 = "2.16.840.1.101.3.4.2.1"
SHA384 = "2.16.840.1.101.3.4.2.2"
SHA512 = "2.16.840.1.101.3.4.2.3"
MD5 = "1.2.840.113549.2.5"
HASHES = {SHA1: "sha1", SHA256: "sha256", SHA384: "sha384", SHA512: "sha512", MD5: "md5"}
SIGNED_DATA = "1.2.840.113549.1.7.2"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
SIGNATURES = {
    ("ec", SHA1): "1.2.840.10045.4.1",
    ("ec", SHA256): "1.2.840.10045.4.3.2",
    ("ec", SHA384): "1.2.840.10045.4.3.3",
    ("ec", SHA512): "1.2.840.10045.4.3.4",
    ("rsa", SHA1): "1.2.840.113549.1.1.5",
    ("rsa", SHA256): "1.2.840.113549.1.1.11",
    ("rsa", SHA384): "1.2.840.113549.1.1.12",
    ("rsa", SHA512): "1.2.840.113549.1.1.13",
}


def algorithm(name: str) -> bytes:
    """An AlgorithmIdentifier without parameters."""
    return element(SEQUENCE, oid(name))


def generalized(time: datetime) -> bytes:
    """A time in whole seconds."""
    return element(GENERALIZED_TIME, time.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


@dataclass(frozen=True)
class Stamp:
    """What shall be stated: TSTInfo, in the order in which it stands there."""

    message: bytes
    version: bytes = integer(1)
    policy: bytes = oid(POLICY)
    hashed_with: str = SHA256
    imprint: bytes | None = None
    serial: bytes = integer(7)
    time: bytes = generalized(STAMPED)
    accuracy: bytes = element(SEQUENCE, integer(1))
    ordering: bytes = b""
    nonce: bytes = b""
    tsa: bytes = b""
    extensions: bytes = b""
    behind: bytes = b""

    @property
    def der(self) -> bytes:
        """As octets."""
        hashed = hashlib.new(HASHES[self.hashed_with], self.message).digest()
        imprint = element(OCTET_STRING, hashed if self.imprint is None else self.imprint)
        return element(
            SEQUENCE,
            self.version,
            self.policy,
            element(SEQUENCE, algorithm(self.hashed_with), imprint),
            self.serial,
            self.time,
            self.accuracy,
            self.ordering,
            self.nonce,
            self.tsa,
            self.extensions,
            self.behind,
        )


@dataclass(frozen=True)
class Forger:
    """
    A signer with the certificates that it sends along. `attributes` replaces signed attributes
    (None: leaves one out), `twice` says one two times, `ids` are whose certificates it says that
    it meant.
    """

    signer: Holder
    chain: Sequence[Holder] = ()
    digest: str = SHA256
    digests: bytes | None = None
    version: bytes = integer(3)
    kind: str = SIGNED_DATA
    content_type: str = TST_INFO
    twice: str = ""
    signer_version: bytes = integer(1)
    named: Holder | None = None
    attributes: Mapping[str, bytes | None] = field(default_factory=dict)
    ids: Sequence[Holder] | None = None
    certificates: bytes | None = None
    crls: bytes = b""
    unsigned: bytes = b""
    signature_name: str | None = None
    sign: Callable[[bytes], bytes] | None = None
    signers: int = 1

    def but(self, **others: object) -> "Forger":
        """The same with some parts otherwise."""
        return replace(self, **others)  # type: ignore[arg-type]

    def token(self, stamp: Stamp | bytes) -> bytes:
        """A TimeStampToken over what shall be stated."""
        content = stamp if isinstance(stamp, bytes) else stamp.der
        holders = (self.signer, *self.chain)
        certificates = self.certificates
        if certificates is None:
            certificates = element(0xA0, *sorted(holder.der for holder in holders))
        digests = element(SET, algorithm(self.digest)) if self.digests is None else self.digests
        signed = element(
            SEQUENCE,
            self.version,
            digests,
            element(
                SEQUENCE, oid(self.content_type), element(0xA0, element(OCTET_STRING, content))
            ),
            certificates,
            self.crls,
            element(SET, *[self._signer_info(content)] * self.signers),
        )
        return element(SEQUENCE, oid(self.kind), element(0xA0, signed))

    def _signer_info(self, content: bytes) -> bytes:
        attributes = sorted(self._attributes(content))
        signature = (self.sign or self._sign)(element(SET, *attributes))
        is_ec = isinstance(self.signer.key, ec.EllipticCurvePrivateKey)
        named = self.signature_name or SIGNATURES["ec" if is_ec else "rsa", self.digest]
        return element(
            SEQUENCE,
            self.signer_version,
            issuer_and_serial(self.named or self.signer),
            algorithm(self.digest),
            element(0xA0, *attributes),
            algorithm(named),
            element(OCTET_STRING, signature),
            self.unsigned,
        )

    def _attributes(self, content: bytes) -> list[bytes]:
        ids = [self.signer] if self.ids is None else self.ids
        hashed = hashlib.new(HASHES[self.digest], content).digest()
        values: dict[str, bytes | None] = {
            CONTENT_TYPE: oid(TST_INFO),
            MESSAGE_DIGEST: element(OCTET_STRING, hashed),
            CERTIFICATE_V2: meant([certificate_id(holder) for holder in ids]),
            **self.attributes,
        }
        return [
            element(SEQUENCE, oid(name), element(SET, value))
            for name, value in values.items()
            for _ in range(1 + (name == self.twice))
            if value is not None
        ]

    def _sign(self, attributes: bytes) -> bytes:
        hashed: hashes.HashAlgorithm = {
            SHA1: hashes.SHA1(), SHA256: hashes.SHA256(), SHA384: hashes.SHA384(),
            SHA512: hashes.SHA512(),
        }[self.digest]  # fmt: skip
        if isinstance(self.signer.key, ec.EllipticCurvePrivateKey):
            return self.signer.key.sign(attributes, ec.ECDSA(hashed, deterministic_signing=True))
        return self.signer.key.sign(attributes, padding.PKCS1v15(), hashed)


def certificate_id(holder: Holder, *behind: bytes) -> bytes:
    """ESSCertIDv2 by SHA-256, which is the default and left out."""
    return element(SEQUENCE, element(OCTET_STRING, sha256(holder.der).digest()), *behind)


def certificate_id_v1(holder: Holder, *behind: bytes) -> bytes:
    """ESSCertID, by SHA-1."""
    hashed = hashlib.sha1(holder.der, usedforsecurity=False).digest()
    return element(SEQUENCE, element(OCTET_STRING, hashed), *behind)


def meant(ids: Sequence[bytes]) -> bytes:
    """SigningCertificate, or SigningCertificateV2."""
    return element(SEQUENCE, element(SEQUENCE, *ids))


def names(holder: Holder) -> tuple[bytes, bytes]:
    """The issuer and the subject of a certificate, as they stand there."""
    inner = Reader(holder.der).open(SEQUENCE, "").open(SEQUENCE, "")
    inner.take(0xA0, "")
    inner.integer("")
    inner.take(SEQUENCE, "")
    issuer = inner.take(SEQUENCE, "").whole
    inner.take(SEQUENCE, "")
    return issuer, inner.take(SEQUENCE, "").whole


def issuer_and_serial(holder: Holder) -> bytes:
    """By which a signer is named."""
    return element(SEQUENCE, names(holder)[0], integer(holder.certificate.serial_number))


def issuer_serial(holder: Holder) -> bytes:
    """By which the id of a certificate names it: IssuerSerial."""
    name = element(0xA4, names(holder)[0])
    return element(SEQUENCE, element(SEQUENCE, name), integer(holder.certificate.serial_number))


def extension(*, critical: bool) -> bytes:
    """Extensions of a TSTInfo: one that nobody knows."""
    weight = element(0x01, b"\xff") if critical else b""
    return element(
        0xA1, element(SEQUENCE, oid("1.2.3.4.5"), weight, element(OCTET_STRING, element(NULL)))
    )


def answer(
    token: bytes = b"", status: int = 0, failure: int | None = None, text: str = ""
) -> bytes:
    """A TimeStampResp; `failure` is the number of a bit."""
    parts = [integer(status)]
    if text:
        parts.append(element(SEQUENCE, element(UTF8_STRING, text.encode())))
    if failure is not None:
        length = failure // 8 + 1
        bits = (1 << (8 * length - 1 - failure)).to_bytes(length, "big")
        parts.append(element(BIT_STRING, bytes([7 - failure % 8]), bits))
    return element(SEQUENCE, element(SEQUENCE, *parts), token)
