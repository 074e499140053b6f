# SPDX-License-Identifier: Apache-2.0
"""Certificates of Fabric's networks are read as another reader reads them, and strictly."""

import random
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notary.core.errors import MalformedText
from notary.evidence.der import oid
from notary.evidence.fabric_certificate import (
    DIGITAL_SIGNATURE,
    KEY_CERT_SIGN,
    MAX_CERTIFICATE_BYTES,
    Certificate,
    parse_certificate,
    parse_pem,
)
from tests.evidence.fabric_city import NETWORK
from tests.fabric.network import NOW
from tests.fabric.pki import ECDSA_WITH_SHA256, Identity, Organisation, der, derive_key

ORGA = NETWORK.msps["OrgaNodeMSP"]
YEARS = 365


def read(data: bytes) -> Certificate:
    return parse_certificate(data, "certificate")


PEOPLE: dict[str, Identity] = {
    "a peer": ORGA.issue("peer", "x", units=("peer",)),
    "a client without units": ORGA.issue("client", "x", units=()),
    "a CA": ORGA.issue("client", "x", units=("client",), is_ca=True),
    "one who may not sign": ORGA.issue("client", "x", units=("client",), signs=False),
    "one of whom nothing is said": ORGA.issue("client", "x", units=("client",), bare=True),
    "one with another extension": ORGA.issue(
        "client", "x", x509.ExtendedKeyUsage([x509.OID_CODE_SIGNING]), units=("client",)
    ),
    "one of the last century": ORGA.issue("peer", "x", units=("peer",), days=(-60 * YEARS, 0)),
    "one of the second half of this": ORGA.issue(
        "peer", "x", units=("peer",), days=(0, 60 * YEARS)
    ),
}


@pytest.mark.parametrize("who", PEOPLE.values(), ids=PEOPLE)
def test_a_certificate_is_what_another_reader_says(who: Identity) -> None:
    """Names, times, key, extensions, what is signed."""
    ours, theirs = read(who.der), x509.load_der_x509_certificate(who.der)
    assert (ours.signed, ours.signature) == (theirs.tbs_certificate_bytes, theirs.signature)
    assert ours.algorithm == theirs.signature_algorithm_oid.dotted_string
    assert (ours.issuer, ours.subject) == (
        theirs.issuer.public_bytes(),
        theirs.subject.public_bytes(),
    )
    assert (ours.first, ours.last) == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
    units = theirs.subject.get_attributes_for_oid(x509.OID_ORGANIZATIONAL_UNIT_NAME)
    assert ours.units == {str(unit.value).encode() for unit in units}
    assert ours.key == theirs.public_key()
    named = {item.oid: item.value for item in theirs.extensions}
    critical = {item.oid.dotted_string for item in theirs.extensions if item.critical}
    assert ours.critical == critical
    basics: Any = named.get(x509.BasicConstraints.oid)
    assert ours.is_ca == (basics is not None and basics.ca)
    usage: Any = named.get(x509.KeyUsage.oid)
    assert ours.may(DIGITAL_SIGNATURE) == (usage is None or usage.digital_signature)
    assert ours.may(KEY_CERT_SIGN) == (usage is None or usage.key_cert_sign)
    assert ours.is_issued_by(read(ORGA.ca_der))


def test_units_are_read_in_whatever_order_they_were_given() -> None:
    """Fabric's CA doesn't sort them, and other readers refuse such a certificate."""
    who = ORGA.issue("peer", "x", units=("peer", "a department", "com"))
    assert read(who.der).units == {b"peer", b"a department", b"com"}
    with pytest.raises(ValueError, match="SetOrdering"):
        x509.load_der_x509_certificate(who.der)


@pytest.mark.parametrize("hash_", [SHA384(), SHA512()], ids=["SHA-384", "SHA-512"])
@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()], ids=["P-256", "P-384"])
def test_a_ca_may_sign_by_other_hashes_and_curves(
    hash_: HashAlgorithm, curve: ec.EllipticCurve
) -> None:
    """What it issues holds, and nothing of another's."""
    ca = Organisation("OrgMSP", NOW, ca_curve=curve, hash=hash_)
    other = Organisation("OrgMSP", NOW, ca_curve=curve, hash=hash_, seed="other")
    member = read(ca.issue("peer", "x", units=("peer",)).der)
    assert member.is_issued_by(read(ca.ca_der))
    assert not member.is_issued_by(read(other.ca_der))


# Made by hand


def attribute(kind: str, text: bytes, tag: int = 12) -> bytes:
    return der(0x31, der(0x30, oid(kind), der(tag, text)))


def extension(kind: str, value: bytes, *critical: bytes) -> bytes:
    return der(0x30, oid(kind), *critical, der(4, value))


ALGORITHM = der(0x30, ECDSA_WITH_SHA256)
NAME = der(0x30, attribute("2.5.4.11", b"peer"))
TRUE = der(1, b"\xff")
SPKI = derive_key("x").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PARTS: dict[str, bytes] = {
    "version": der(0xA0, b"\x02\x01\x02"),
    "serial": der(2, b"\x01"),
    "inner": ALGORITHM,
    "issuer": NAME,
    "validity": der(0x30, der(0x17, b"250101000000Z"), der(0x18, b"20500101000000Z")),
    "subject": NAME,
    "spki": SPKI,
    "extensions": b"",
    "behind": b"",
    "outer": ALGORITHM,
    "signature": der(3, b"\x00" + bytes(8)),
    "last": b"",
}


def made(**parts: bytes) -> bytes:
    """A certificate of these parts, with a signature that is none."""
    part = {**PARTS, **parts}
    names = list(PARTS)
    inner = der(0x30, *(part[name] for name in names[: names.index("outer")]))
    return der(0x30, inner, part["outer"], part["signature"], part["last"])


def listed(*extensions: bytes) -> bytes:
    return der(0xA3, der(0x30, *extensions))


def test_what_is_made_by_hand_is_read() -> None:
    """So that each case below differs from it in one thing."""
    found = read(made())
    assert (found.units, found.is_ca, found.usage) == (frozenset([b"peer"]), False, None)
    assert found.critical == frozenset()
    assert (found.first.year, found.last.year) == (2025, 2050)
    ca = listed(extension("2.5.29.19", der(0x30, TRUE, der(2, b"\x00")), TRUE))
    assert read(made(extensions=ca)).is_ca
    assert not read(made(extensions=listed(extension("2.5.29.15", der(3, b"\x00"))))).may(0)


UNREADABLE: dict[str, dict[str, bytes]] = {
    "version 1": {"version": b""},
    "version 2": {"version": der(0xA0, b"\x02\x01\x01")},
    "no serial number": {"serial": b""},
    "another algorithm inside": {"inner": der(0x30, oid("1.2.840.10045.4.3.3"))},
    "an algorithm with parameters": {"inner": der(0x30, ECDSA_WITH_SHA256, der(2, b"\x01"))},
    "no issuer": {"issuer": b"", "subject": b""},
    "one time": {"validity": der(0x30, der(0x17, b"250101000000Z"))},
    "three times": {"validity": der(0x30, *[der(0x17, b"250101000000Z")] * 3)},
    "a time without seconds": {"validity": der(0x30, *[der(0x17, b"2501010000Z")] * 2)},
    "a time with a zone": {"validity": der(0x30, *[der(0x17, b"250101000000+0000")] * 2)},
    "month 13": {"validity": der(0x30, *[der(0x17, b"251301000000Z")] * 2)},
    "an empty time": {"validity": der(0x30, *[der(0x17, b"")] * 2)},
    "times as text": {"validity": der(0x30, *[der(12, b"250101000000Z")] * 2)},
    "a name that is no set": {"subject": der(0x30, der(0x30, b""))},
    "an attribute without kind": {"subject": der(0x30, der(0x31, der(0x30, der(12, b"a"))))},
    "an attribute without text": {"subject": der(0x30, der(0x31, der(0x30, oid("2.5.4.11"))))},
    "an attribute of two texts": {
        "subject": der(0x30, der(0x31, der(0x30, oid("2.5.4.11"), der(12, b"a"), der(12, b"peer"))))
    },
    "no key": {"spki": b""},
    "a key without its kind": {"spki": der(0x30)},
    "an identifier of the issuer": {"extensions": der(0x81, b"\x00\x01")},
    "something behind the extensions": {"extensions": listed(), "behind": der(5)},
    "two lists of extensions": {"extensions": der(0xA3, der(0x30), der(0x30))},
    "an extension that stands twice": {
        "extensions": listed(*[extension("2.5.29.15", der(3, b"\x07\x80"))] * 2)
    },
    "an extension that is false": {
        "extensions": listed(extension("2.5.29.15", der(3, b"\x07\x80"), der(1, b"\x00")))
    },
    "an extension that is somewhat true": {
        "extensions": listed(extension("2.5.29.15", der(3, b"\x07\x80"), der(1, b"\x01")))
    },
    "an extension with something behind it": {
        "extensions": listed(der(0x30, oid("2.5.29.15"), der(4, der(3, b"\x07\x80")), der(5)))
    },
    "a usage that is no string of bits": {"extensions": listed(extension("2.5.29.15", der(4)))},
    "something behind a usage": {
        "extensions": listed(extension("2.5.29.15", der(3, b"\x07\x80") + der(5)))
    },
    "constraints that are none": {"extensions": listed(extension("2.5.29.19", TRUE))},
    "constraints that are false": {
        "extensions": listed(extension("2.5.29.19", der(0x30, der(1, b"\x00"))))
    },
    "something behind the length of paths": {
        "extensions": listed(extension("2.5.29.19", der(0x30, TRUE, der(2, b"\x00"), der(5))))
    },
    "no signature": {"signature": b""},
    "an empty signature": {"signature": der(3)},
    "a signature of 63 bits": {"signature": der(3, b"\x01" + bytes(8))},
    "something behind the signature": {"last": der(5)},
}


@pytest.mark.parametrize("parts", UNREADABLE.values(), ids=UNREADABLE)
def test_a_certificate_that_is_none_is_refused(parts: dict[str, bytes]) -> None:
    """With a sentence."""
    with pytest.raises(MalformedText, match=r"^The certificate can't be read: "):
        read(made(**parts))


def test_a_certificate_is_bounded() -> None:
    """And not read where it is larger."""
    with pytest.raises(MalformedText, match="too long"):
        read(bytes(MAX_CERTIFICATE_BYTES + 1))


KEYS: dict[str, bytes] = {
    "Ed25519": ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "RSA": rsa.RSAPublicNumbers(65537, (1 << 2047) + 9)
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "none": der(0x30, der(0x30)),
    "a point that isn't on the curve": SPKI[:-1] + bytes([SPKI[-1] ^ 1]),
    "a curve that isn't known": SPKI.replace(
        bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a811ccf5501822d")
    ),
}


@pytest.mark.parametrize("spki", KEYS.values(), ids=KEYS)
def test_a_key_of_another_kind_is_none_and_issues_nothing(spki: bytes) -> None:
    """The last one is SM2's."""
    found = read(made(spki=spki))
    assert found.key is None
    assert not found.is_issued_by(found)


def test_a_certificate_of_an_algorithm_that_is_not_known_is_issued_by_nobody() -> None:
    """SHA-1, say."""
    sha1 = der(0x30, oid("1.2.840.10045.4.1"))
    assert not read(made(inner=sha1, outer=sha1)).is_issued_by(read(made()))


def test_no_bit_of_a_certificate_can_be_another(long: bool) -> None:
    """It can't be read, or nobody issued it."""
    ca, whole = read(ORGA.ca_der), NETWORK.peers[0].der
    choice = random.Random(6)
    for at in range(len(whole)):
        for bit in range(8) if long else [choice.randrange(8)]:
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            try:
                found = read(bytes(changed))
            except MalformedText:
                continue
            assert not found.is_issued_by(ca), (at, bit)


def test_only_one_certificate_in_pem_is_read_as_pem() -> None:
    """Line ends don't matter, what stands beside it does."""
    who = NETWORK.peers[0]
    assert parse_pem(who.pem.replace(b"\n", b"\r\n\t "), "certificate") == read(who.der)
    for pem in (b"", who.der, who.pem * 2, b"x" + who.pem, who.pem.replace(b"CERT", b"cert")):
        with pytest.raises(MalformedText, match="not one certificate"):
            parse_pem(pem, "certificate")
    with pytest.raises(MalformedText, match="base64"):
        parse_pem(who.pem.replace(b"=", b"").replace(b"MII", b"MIII"), "certificate")
