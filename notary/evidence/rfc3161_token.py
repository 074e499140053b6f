# SPDX-License-Identifier: Apache-2.0
"""
A TimeStampToken (RFC 3161, section 2.4.2; CMS, RFC 5652), read.

    ContentInfo { id-signedData, [0] SignedData {
        version 3, { digest algorithm },
        { id-ct-TSTInfo, [0] OCTET STRING of TSTInfo },
        [0] certificates,
        { SignerInfo { version 1, issuer and serial number, digest algorithm,
                       [0] signed attributes, signature algorithm, signature } } } }

Nothing is verified here but that each part stands in its one place, and that the attributes
are of this content. CRLs and attributes that aren't signed are refused: nothing would protect
them. See docs/spec/anchor-rfc3161.md, rules 3 to 9.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import new as new_hash
from typing import Final

from notary.evidence import der
from notary.evidence.der import NotDer, Reader
from notary.evidence.rfc3161_stated import Stated, parse_stated

MAX_CERTIFICATES: Final = 20

SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"
SHA_256: Final = "2.16.840.1.101.3.4.2.1"
DIGESTS: Final = {
    SHA_256: "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
SIGNATURES: Final = {
    "1.2.840.113549.1.1.1": ("rsa", None),
    "1.2.840.113549.1.1.11": ("rsa", "sha256"),
    "1.2.840.113549.1.1.12": ("rsa", "sha384"),
    "1.2.840.113549.1.1.13": ("rsa", "sha512"),
    "1.2.840.10045.4.3.2": ("ec", "sha256"),
    "1.2.840.10045.4.3.3": ("ec", "sha384"),
    "1.2.840.10045.4.3.4": ("ec", "sha512"),
}
"""The sort of key, and the digest where the algorithm's name says it."""


@dataclass(frozen=True, slots=True)
class CertificateId:
    """A certificate by its hash, perhaps with its issuer (Name in DER) and number (ESSCertID)."""

    digest: str
    value: bytes
    issuer: bytes | None
    serial: int | None


@dataclass(frozen=True, slots=True)
class Token:
    """
    A token. `issuer` (Name in DER) and `serial` say which of the `certificates` (DER) has the
    key that signed; `key_sort` is rsa or ec. Each list of `ids` is one attribute's.
    """

    stated: Stated
    certificates: tuple[bytes, ...]
    issuer: bytes
    serial: int
    key_sort: str
    ids: tuple[tuple[CertificateId, ...], ...]


def parse_token(data: bytes) -> Token:
    """
    Read a token.

    Raises:
        NotDer: not DER, or a part is missing, unknown, doubled or out of range.
    """
    info = der.one(data, der.SEQUENCE, "the token")
    if info.oid("The content type") != SIGNED_DATA:
        raise NotDer("The token is no signed data.")
    wrapped = info.open(0xA0, "The signed data")
    info.close("the signed data")
    signed = wrapped.open(der.SEQUENCE, "The signed data")
    wrapped.close("the signed data")
    if signed.integer("The version of the signed data") != 3:
        raise NotDer("The signed data must be of version 3.")
    digests = signed.open(der.SET, "The list of digest algorithms")
    algorithm = digests.algorithm("The digest algorithm")
    digests.close("the only digest algorithm")
    content = _content(signed)
    listed = signed.open(0xA0, "The list of certificates")
    certificates = listed.all(der.SEQUENCE, "A certificate")
    if not 1 <= len(certificates) <= MAX_CERTIFICATES:
        raise NotDer(f"A token holds 1 to {MAX_CERTIFICATES} certificates.")
    signers = signed.open(der.SET, "The list of signers, right behind the certificates,")
    signed.close("the list of signers")
    signer = signers.open(der.SEQUENCE, "The signer")
    signers.close("the only signer")
    return _signed_by(signer, algorithm, content, tuple(each.whole for each in certificates))


def repacked(data: bytes, certificates: Iterable[bytes]) -> bytes:
    """
    The same token with these certificates alone, in the order of DER: nothing of them is signed.

    Requires what `parse_token` read.
    """
    info = der.one(data, der.SEQUENCE, "the token")
    kind = info.take(der.OID, "The content type").whole
    signed = info.open(0xA0, "The signed data").open(der.SEQUENCE, "The signed data")
    parts = [signed.take(tag, "A part").whole for tag in (der.INTEGER, der.SET, der.SEQUENCE)]
    signed.take(0xA0, "The list of certificates")
    signers = signed.take(der.SET, "The list of signers").whole
    listed = der.element(0xA0, *sorted(certificates))
    content = der.element(der.SEQUENCE, *parts, listed, signers)
    return der.element(der.SEQUENCE, kind, der.element(0xA0, content))


def _content(signed: Reader) -> bytes:
    """The octets of the TSTInfo."""
    info = signed.open(der.SEQUENCE, "The content")
    if info.oid("The type of the content") != TST_INFO:
        raise NotDer("The content is no time stamp.")
    wrapped = info.open(0xA0, "The time stamp")
    info.close("the time stamp")
    content = wrapped.take(der.OCTET_STRING, "The time stamp").content
    wrapped.close("the time stamp")
    return content


def _signed_by(
    signer: Reader, algorithm: str, content: bytes, certificates: tuple[bytes, ...]
) -> Token:
    if signer.integer("The version of the signer") != 1:
        raise NotDer("The signer must be named by issuer and serial number.")
    name = signer.open(der.SEQUENCE, "The name of the signer")
    issuer = name.take(der.SEQUENCE, "The issuer").whole
    serial = name.integer("The serial number")
    name.close("the name of the signer")
    digest = _digest(algorithm)
    if signer.algorithm("The signer's digest algorithm") != algorithm:
        raise NotDer("The signer has another digest algorithm than the signed data.")
    attributes = _attributes(signer.open(0xA0, "The list of signed attributes"))
    key_sort, named = SIGNATURES.get(signer.algorithm("The signature algorithm"), ("", ""))
    if named not in (None, digest):
        raise NotDer("The signature algorithm is not known here, or of another digest.")
    signer.take(der.OCTET_STRING, "The signature")
    signer.close("the signature; all attributes must be signed")
    if attributes.get(CONTENT_TYPE) != der.oid(TST_INFO):
        raise NotDer("What was signed is not called a time stamp.")
    hashed = new_hash(digest, content).digest()
    if attributes.get(MESSAGE_DIGEST) != der.element(der.OCTET_STRING, hashed):
        raise NotDer("What was signed is another content.")
    return Token(parse_stated(content), certificates, issuer, serial, key_sort, _ids(attributes))


def _attributes(listed: Reader) -> dict[str, bytes]:
    """The values of each signed attribute; sorted, as DER sorts a set, and none twice."""
    found: dict[str, bytes] = {}
    items = listed.all(der.SEQUENCE, "A signed attribute")
    if [item.whole for item in items] != sorted(item.whole for item in items):
        raise NotDer("The signed attributes aren't in the order of DER.")
    for item in items:
        attribute = Reader(item.content)
        name = attribute.oid("The type of a signed attribute")
        values = attribute.take(der.SET, "The value of a signed attribute").content
        attribute.close("a signed attribute")
        if name in found:
            raise NotDer("A signed attribute stands twice.")
        found[name] = values
    return found


def _ids(attributes: dict[str, bytes]) -> tuple[tuple[CertificateId, ...], ...]:
    """Which certificates the signer meant: RFC 2634, section 5.4, and RFC 5035."""
    found = []
    for name in (SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2):
        if name in attributes:
            meant = der.one(attributes[name], der.SEQUENCE, "the signing certificate")
            listed = meant.open(der.SEQUENCE, "The list of signing certificates")
            meant.take_if(der.SEQUENCE, "The list of policies")
            meant.close("the signing certificate")
            items = listed.all(der.SEQUENCE, "The id of a certificate")
            found.append(tuple(_id(Reader(item.content), name) for item in items))
    if not found or not all(found):
        raise NotDer("The token doesn't say which certificate was used to sign.")
    return tuple(found)


def _id(item: Reader, attribute: str) -> CertificateId:
    digest = "sha1" if attribute == SIGNING_CERTIFICATE else "sha256"
    if attribute == SIGNING_CERTIFICATE_V2 and item.tag == der.SEQUENCE:
        digest = _digest(item.algorithm("The digest algorithm of a certificate's id"))
    value = item.take(der.OCTET_STRING, "The hash of a certificate").content
    issuer = serial = None
    if item.tag is not None:
        place = item.open(der.SEQUENCE, "The issuer in a certificate's id")
        names = place.open(der.SEQUENCE, "The issuer in a certificate's id")
        # GeneralNames of one directoryName, which is [4] EXPLICIT Name.
        issuer = names.take(0xA4, "The issuer in a certificate's id").content
        names.close("the issuer in a certificate's id")
        serial = place.integer("The serial number in a certificate's id")
        place.close("the serial number in a certificate's id")
        item.close("the issuer in a certificate's id")
    return CertificateId(digest, value, issuer, serial)


def _digest(algorithm: str) -> str:
    if algorithm not in DIGESTS:
        raise NotDer("A digest algorithm is none of SHA-256, SHA-384 and SHA-512.")
    return DIGESTS[algorithm]
