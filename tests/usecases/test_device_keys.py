# SPDX-License-Identifier: Apache-2.0
"""Keys of devices: as people have them, and what is no key."""

import json
from base64 import b64encode, urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from notary.core import ed25519
from notary.core.errors import MalformedText
from notary.usecases.device_keys import (
    _SMALL_ORDER,
    Algorithm,
    DeviceKey,
    SecretBox,
    fingerprint,
    parse_public_key,
    parse_secret,
)
from tests.usecases.world import BEGIN

ED = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ED_RAW = ED.public_key().public_bytes_raw()
ES = ec.derive_private_key(7, ec.SECP256R1())
ES_RAW = ES.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
SHORT = ES.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def spki(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, form: Encoding) -> bytes:
    """A public key as openssl writes it."""
    return key.public_key().public_bytes(form, PublicFormat.SubjectPublicKeyInfo)


def url64(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


ED_JWK = {"kty": "OKP", "crv": "Ed25519", "x": url64(ED_RAW)}
ES_JWK = {"kty": "EC", "crv": "P-256", "x": url64(ES_RAW[1:33]), "y": url64(ES_RAW[33:])}


@pytest.mark.parametrize(
    ("algorithm", "text", "raw"),
    [
        ("ed25519", spki(ED, Encoding.PEM).decode(), ED_RAW),
        ("ed25519", b64encode(spki(ED, Encoding.DER)).decode(), ED_RAW),
        ("ed25519", b64encode(ED_RAW).decode(), ED_RAW),
        ("ed25519", url64(ED_RAW), ED_RAW),
        ("ed25519", ED_RAW.hex(), ED_RAW),
        ("ed25519", ED_RAW.hex().upper(), ED_RAW),
        ("ed25519", json.dumps(ED_JWK), ED_RAW),
        ("es256", spki(ES, Encoding.PEM).decode(), ES_RAW),
        ("es256", url64(spki(ES, Encoding.DER)), ES_RAW),
        ("es256", b64encode(ES_RAW).decode(), ES_RAW),
        ("es256", ES_RAW.hex(), ES_RAW),
        ("es256", SHORT.hex(), ES_RAW),
        ("es256", json.dumps(ES_JWK), ES_RAW),
    ],
)
def test_every_usual_spelling_of_a_public_key_is_read(
    algorithm: Algorithm, text: str, raw: bytes
) -> None:
    """All lead to the same bytes."""
    assert parse_public_key(algorithm, f" {text}\n") == raw


def private(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """A private key as openssl writes it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


RSA = rsa.generate_private_key(65537, 2048).public_key()
OTHER_CURVE = ec.derive_private_key(7, ec.SECP256K1()).public_key()


@pytest.mark.parametrize(
    ("algorithm", "text"),
    [
        ("ed25519", ""),
        ("ed25519", "no key"),
        ("ed25519", "é" * 43),
        ("ed25519", ED_RAW.hex()[:-2]),
        ("ed25519", ED_RAW.hex() + "00"),
        ("ed25519", ES_RAW.hex()),
        ("ed25519", spki(ES, Encoding.PEM).decode()),
        ("ed25519", json.dumps(ES_JWK)),
        ("ed25519", "{"),
        ("ed25519", '{"kty": 1}'),
        ("ed25519", "[" * 1900),
        ("ed25519", '{"a":' * 390),
        ("ed25519", "A" * 2001),
        ("es256", ED_RAW.hex()),
        ("es256", spki(ED, Encoding.PEM).decode()),
        ("es256", (ES_RAW[:-1] + b"\x00").hex()),
        ("es256", (b"\x00" + ES_RAW[1:]).hex()),
        ("es256", json.dumps(ED_JWK)),
        ("es256", RSA.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()),
        ("es256", OTHER_CURVE.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()),
        ("es256", b64encode(OTHER_CURVE.public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()),
    ],
)  # fmt: skip
def test_what_is_no_key_of_the_algorithm_is_refused(algorithm: Algorithm, text: str) -> None:
    """With a sentence, never a traceback."""
    with pytest.raises(MalformedText):
        parse_public_key(algorithm, text)


@pytest.mark.parametrize(
    ("algorithm", "text"),
    [
        ("ed25519", private(ED)),
        ("es256", private(ES)),
        ("ed25519", json.dumps({**ED_JWK, "d": url64(bytes(range(32)))})),
        ("es256", json.dumps({"kty": "oct", "k": url64(bytes(range(32)))})),
    ],
)
def test_a_private_key_is_refused_and_not_repeated(algorithm: Algorithm, text: str) -> None:
    """Whoever hands it in learns that it is burnt."""
    with pytest.raises(MalformedText, match="private key") as caught:
        parse_public_key(algorithm, text)
    assert text[30:50] not in str(caught.value.facts)


def test_points_of_small_order_are_refused() -> None:
    """Under them one signature fits every message; computed anew from the curve."""
    found = set()
    for number in range(60):
        try:
            point = ed25519._decode(bytes([number]) + bytes(31))
        except Exception:
            continue
        torsion = ed25519._NEUTRAL
        for bit in bin(ed25519._L)[2:]:
            torsion = ed25519._double(torsion)
            if bit == "1":
                torsion = ed25519._add(torsion, ed25519._prepare(point))
        found.add(int.from_bytes(ed25519._encode(torsion), "little") & ((1 << 255) - 1))
    assert found == _SMALL_ORDER
    field = 2**255 - 19
    for y in [*_SMALL_ORDER, *(field + y for y in (0, 1))]:
        for sign in (0, 1):
            with pytest.raises(MalformedText):
                parse_public_key("ed25519", (y | sign << 255).to_bytes(32, "little").hex())


@pytest.mark.parametrize("text", ["00" * 15, "00" * 129, "xyz!", "", "00" * 32, "ab" * 32])
def test_a_weak_or_broken_secret_is_refused_and_not_repeated(text: str) -> None:
    """Too short, too long, no bytes, or plainly not random."""
    with pytest.raises(MalformedText) as caught:
        parse_secret(text)
    assert not text or text not in str(caught.value.facts)


SECRET = bytes(range(32))


@pytest.mark.parametrize("text", [SECRET.hex(), b64encode(SECRET).decode(), url64(SECRET)])
def test_a_secret_is_read_in_its_usual_spellings(text: str) -> None:
    """Hexadecimal, base64, base64url."""
    assert parse_secret(text) == SECRET


def test_a_sealed_secret_opens_only_for_whom_it_was_sealed() -> None:
    """A row that was moved to another source, or read under another secret, gives nothing."""
    box, other = SecretBox(b"i" * 32), SecretBox(b"j" * 32)
    sealed = box.seal(SECRET, "air", "s1", "k1")
    assert SECRET not in sealed
    assert box.seal(SECRET, "air", "s1", "k1") != sealed
    assert box.open(sealed, "air", "s1", "k1") == SECRET
    for whose in (("air", "s1", "k2"), ("air", "s2", "k1"), ("water", "s1", "k1")):
        assert box.open(sealed, *whose) is None
    for broken in (b"", sealed[:-1], sealed[:11], sealed[:-1] + bytes([sealed[-1] ^ 1])):
        assert box.open(broken, "air", "s1", "k1") is None
    assert other.open(sealed, "air", "s1", "k1") is None


def test_nothing_of_a_secret_is_shown() -> None:
    """Neither in `repr` nor as a fingerprint, which a weak one would be guessed from."""
    key = DeviceKey("k", "hmac-sha256", SECRET, BEGIN)
    assert repr(SECRET)[2:-1] not in repr(key)
    assert fingerprint("hmac-sha256", SECRET) is None
    assert len(fingerprint("ed25519", ED_RAW) or "") == 64
