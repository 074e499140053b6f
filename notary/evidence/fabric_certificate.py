# SPDX-License-Identifier: Apache-2.0
"""
X.509 certificates (RFC 5280) as Fabric's networks have them.

Our own reader, because many networks' CAs leave the units of a name in the order in which they
were given, where DER sorts a set, and other readers refuse that. Everything else is DER.

    Certificate  SEQUENCE {to be signed, algorithm, BIT STRING signature}
    to be signed SEQUENCE {[0] version, INTEGER serial, algorithm, issuer, validity, subject,
                           key, [3] extensions}
    name         SEQUENCE OF SET OF SEQUENCE {OID, text}

See docs/spec/anchor-bsn-fabric.md, section Identities.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import load_der_public_key

from notary.core.errors import MalformedNote, MalformedText
from notary.core.vkey import decode_base64
from notary.evidence.der import (
    BIT_STRING,
    GENERALIZED_TIME,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    NotDer,
    Reader,
    one,
    read_time,
)

MAX_CERTIFICATE_BYTES: Final = 1 << 16
BASIC_CONSTRAINTS: Final = "2.5.29.19"
KEY_USAGE: Final = "2.5.29.15"
EXTENDED_KEY_USAGE: Final = "2.5.29.37"
SUBJECT_ALTERNATIVE_NAME: Final = "2.5.29.17"
DIGITAL_SIGNATURE, KEY_CERT_SIGN = 0, 5
"""Bits of a key's usage (RFC 5280 section 4.2.1.3)."""

HASHES: Final[Mapping[str, type[SHA256 | SHA384 | SHA512]]] = {
    "1.2.840.10045.4.3.2": SHA256,
    "1.2.840.10045.4.3.3": SHA384,
    "1.2.840.10045.4.3.4": SHA512,
}
"""ECDSA with these (RFC 5758 section 3.2)."""
_UNIT: Final = "2.5.4.11"
_VERSION, _EXTENSIONS, _UTC_TIME = 0xA0, 0xA3, 0x17
_VERSION_3: Final = b"\x02\x01\x02"
_SM2_KEY: Final = bytes.fromhex("06072a8648ce3d020106082a811ccf5501822d")
"""Algorithm of a key on sm2p256v1: an EC key (1.2.840.10045.2.1), on 1.2.156.10197.1.301."""
_PEM = re.compile(rb"-----BEGINCERTIFICATE-----([A-Za-z0-9+/=]+)-----ENDCERTIFICATE-----")


@dataclass(frozen=True, slots=True)
class Certificate:
    """
    A certificate. `signed` are the bytes that `signature` is over, by the `algorithm` of that
    dotted name; `issuer` and `subject` are names as they are written; `units` are the subject's
    organisational units; `spki` is the key; `usage` are the bits of what it may be used for, None
    where that isn't said; `critical` are the dotted names of critical extensions.
    """

    signed: bytes
    algorithm: str
    signature: bytes
    issuer: bytes
    subject: bytes
    units: frozenset[bytes]
    first: datetime
    last: datetime
    spki: bytes
    is_ca: bool
    usage: bytes | None
    critical: frozenset[str]

    @property
    def key(self) -> ec.EllipticCurvePublicKey | None:
        """Its key; None where it isn't one on a curve of which anything is known here."""
        try:
            key = load_der_public_key(self.spki)
        except (ValueError, UnsupportedAlgorithm):
            return None
        return key if isinstance(key, ec.EllipticCurvePublicKey) else None

    @property
    def is_sm2(self) -> bool:
        """Whether its key is one of SM2, which can't be used here."""
        return one(self.spki, SEQUENCE, "The key").take(SEQUENCE, "Its kind").content == _SM2_KEY

    def may(self, bit: int) -> bool:
        """Whether the key may be used so; one whose usage isn't said may."""
        first = 0xFF if self.usage is None else int.from_bytes(self.usage[:1], "big")
        return bool(first & 0x80 >> bit)

    def is_issued_by(self, ca: "Certificate") -> bool:
        """Whether a CA's name stands there and its key signed this certificate."""
        hash_, key = HASHES.get(self.algorithm), ca.key
        if self.issuer != ca.subject or hash_ is None or key is None:
            return False
        try:
            key.verify(self.signature, self.signed, ec.ECDSA(hash_()))
        except InvalidSignature:
            return False
        return True


def parse_pem(pem: bytes, what: str) -> Certificate:
    """
    Read one certificate in PEM and nothing beside it; line ends and blanks don't matter.

    Raises:
        MalformedText: it isn't that.
    """
    text = _PEM.fullmatch(b"".join(pem.split()))
    if text is None:
        raise MalformedText(f"The {what} is not one certificate in PEM.")
    try:
        return parse_certificate(decode_base64(text[1].decode()), what)
    except MalformedNote:
        raise MalformedText(f"The {what} is not in base64.") from None


def parse_certificate(data: bytes, what: str) -> Certificate:
    """
    Read a certificate of version 3.

    Raises:
        MalformedText: it is none, or longer than 64 KiB.
    """
    try:
        return _parse(data)
    except NotDer as error:
        raise MalformedText(f"The {what} can't be read: {error}") from None


def _parse(data: bytes) -> Certificate:
    if len(data) > MAX_CERTIFICATE_BYTES:
        raise NotDer("It is too long.")
    outer = one(data, SEQUENCE, "A certificate")
    signed = outer.take(SEQUENCE, "What is signed")
    algorithm = outer.algorithm("The signature's algorithm")
    signature = outer.take(BIT_STRING, "The signature").content
    outer.close("the signature")
    inner = Reader(signed.content)
    if inner.take(_VERSION, "The version").content != _VERSION_3:
        raise NotDer("The version is not 3.")
    inner.take(INTEGER, "The serial number")
    if inner.algorithm("The algorithm") != algorithm or signature[:1] != b"\x00":
        raise NotDer("The signature is of another algorithm, or not of whole bytes.")
    issuer = inner.take(SEQUENCE, "The issuer").whole
    validity = inner.open(SEQUENCE, "The validity")
    first, last = _time(validity), _time(validity)
    validity.close("the validity")
    subject = inner.take(SEQUENCE, "The subject")
    spki = inner.take(SEQUENCE, "The key")
    Reader(spki.content).take(SEQUENCE, "The kind of the key")
    listed = inner.take_if(_EXTENSIONS, "The extensions")
    inner.close("the extensions")
    extensions = {} if listed is None else _extensions(listed.content)
    return Certificate(
        signed=signed.whole,
        algorithm=algorithm,
        signature=signature[1:],
        issuer=issuer,
        subject=subject.whole,
        units=_units(subject.content),
        first=first,
        last=last,
        spki=spki.whole,
        is_ca=BASIC_CONSTRAINTS in extensions and _is_ca(extensions[BASIC_CONSTRAINTS][1]),
        usage=_bits(extensions[KEY_USAGE][1]) if KEY_USAGE in extensions else None,
        critical=frozenset(name for name, (critical, _) in extensions.items() if critical),
    )


def _time(reader: Reader) -> datetime:
    """UTCTime for 1950 to 2049, else GeneralizedTime (RFC 5280 section 4.1.2.5)."""
    short = reader.take_if(_UTC_TIME, "A time")
    if short is None:
        return read_time(reader.take(GENERALIZED_TIME, "A time").content, "A time")
    century = b"20" if short.content[:1] < b"5" else b"19"
    return read_time(century + short.content, "A time")


def _units(name: bytes) -> frozenset[bytes]:
    units = set()
    for part in Reader(name).all(SET, "A part of a name"):
        for item in Reader(part.content).all(SEQUENCE, "An attribute of a name"):
            attribute = Reader(item.content)
            kind = attribute.oid("The kind of an attribute")
            text = attribute.take(attribute.tag or 0, "An attribute")
            attribute.close("an attribute")
            if kind == _UNIT:
                units.add(text.content)
    return frozenset(units)


def _extensions(data: bytes) -> Mapping[str, tuple[bool, bytes]]:
    found: dict[str, tuple[bool, bytes]] = {}
    for item in one(data, SEQUENCE, "The extensions").all(SEQUENCE, "An extension"):
        extension = Reader(item.content)
        name = extension.oid("An extension's name")
        if name in found:
            raise NotDer("An extension stands twice.")
        is_critical = extension.true_if("Whether an extension is critical")
        value = extension.take(OCTET_STRING, "An extension's value").content
        extension.close("an extension")
        found[name] = (is_critical, value)
    return found


def _is_ca(value: bytes) -> bool:
    constraints = one(value, SEQUENCE, "The basic constraints")
    is_ca = constraints.true_if("Whether it is a CA's")
    constraints.take_if(INTEGER, "The length of paths")
    constraints.close("the basic constraints")
    return is_ca


def _bits(value: bytes) -> bytes:
    """A BIT STRING's bytes; how many of the last bits are unused doesn't matter, they are 0."""
    reader = Reader(value)
    bits = reader.take(BIT_STRING, "The key's usage").content
    reader.close("the key's usage")
    return bits[1:]
