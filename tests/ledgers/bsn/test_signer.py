# SPDX-License-Identifier: Apache-2.0
"""Signatures of messages: the lower s alone, and keys that are what their files should hold."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from notary.keys import KeyRefused
from notary.ledgers.bsn.signer import R1Signer, R1Verifier, load_r1_signer, load_r1_verifier
from tests.bsn.wire import Key, N

TEXT = "USER1app2第一".encode()
KEY = Key.make()
SM2_KEY = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAEh9l40VnXjufz9QjbhUCsXg3BgOzc
vPSaRLjHyfVpoNh9oyB8Gv3zgfwB5dFdHTV51SyBksyXjcO9SboBQuwSdg==
-----END PUBLIC KEY-----
"""


def verifier() -> R1Verifier:
    """Of the key of these tests."""
    return R1Verifier(KEY.private.public_key())


def test_every_signature_has_the_lower_s_and_holds_elsewhere() -> None:
    """About half of what the library signs hasn't."""
    signer = R1Signer(KEY.private)
    for _ in range(32):
        signature = signer.sign(TEXT)
        verifier().verify(TEXT, signature)
        assert KEY.holds(TEXT.decode(), base64.b64encode(signature).decode())


def test_the_same_signature_with_the_upper_s_is_refused() -> None:
    """It holds mathematically; two spellings of one signature are one too many."""
    upper = base64.b64decode(KEY.mac(TEXT.decode(), upper=True))
    KEY.private.public_key().verify(upper, TEXT, ec.ECDSA(SHA256()))
    with pytest.raises(ValueError, match="upper s"):
        verifier().verify(TEXT, upper)


def test_another_keys_signature_is_refused() -> None:
    """And one of another text."""
    for signature in (R1Signer(Key.make().private).sign(TEXT), R1Signer(KEY.private).sign(b"no")):
        with pytest.raises(ValueError, match="gateway's key"):
            verifier().verify(TEXT, signature)


def bent() -> dict[str, bytes]:
    """A good signature, spelt in other ways, and what is none."""
    good = R1Signer(KEY.private).sign(TEXT)
    r, s = decode_dss_signature(good)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return {
        "nothing": b"",
        "a byte more": good + b"\0",
        "a byte less": good[:-1],
        "length in the long form": good[:1] + b"\x81" + good[1:],
        "raw, not DER": raw,
        "zeros": encode_dss_signature(0, 0),
        "r of 0": encode_dss_signature(0, s),
        "s of 0": encode_dss_signature(r, 0),
        "r plus the order": encode_dss_signature(r + N, s),
    }


@pytest.mark.parametrize("what", bent())
def test_a_signature_that_is_bent_is_refused(what: str) -> None:
    """Never a traceback, never taken."""
    with pytest.raises(ValueError):  # noqa: PT011
        verifier().verify(TEXT, bent()[what])


def test_a_key_never_shows() -> None:
    """Not in a log that prints what it has."""
    assert str(KEY.private.private_numbers().private_value) not in repr(R1Signer(KEY.private))
    assert "private" not in repr(R1Signer(KEY.private)).replace("R1Signer", "")


def secret(path: Path, data: bytes, mode: int = 0o600) -> Path:
    """A key's file."""
    path.touch(mode)
    path.write_bytes(data)
    return path


def private_pem(private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """PKCS#8."""
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_an_access_key_is_read_from_its_file(tmp_path: Path) -> None:
    """And signs what its public key verifies."""
    signer = load_r1_signer(secret(tmp_path / "key.pem", KEY.private_pem))
    verifier().verify(TEXT, signer.sign(TEXT))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n", "no private key"),
        (KEY.public_pem, "no private key"),
        (private_pem(ec.generate_private_key(ec.SECP256K1())), "not a key on P-256"),
        (private_pem(ec.generate_private_key(ec.SECP384R1())), "not a key on P-256"),
        (private_pem(ed25519.Ed25519PrivateKey.generate()), "not a key on P-256"),
        (
            KEY.private.private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
            ),
            "is encrypted",
        ),
    ],
)
def test_what_is_no_access_key_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    """With a sentence that names the file."""
    path = secret(tmp_path / "key.pem", data)
    with pytest.raises(KeyRefused, match=why) as refused:
        load_r1_signer(path)
    assert str(path) in refused.value.detail


def test_an_access_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """As every key of the notary is."""
    with pytest.raises(KeyRefused, match="chmod 600"):
        load_r1_signer(secret(tmp_path / "key.pem", KEY.private_pem, 0o644))


def test_an_access_key_that_is_missing_is_refused(tmp_path: Path) -> None:
    """Not made anew: BSN wouldn't know it."""
    with pytest.raises(KeyRefused, match="can't be read"):
        load_r1_signer(tmp_path / "key.pem")


def certificate(born: datetime, dies: datetime) -> bytes:
    """A certificate of the gateway's key by an issuer that nobody knows."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "node@gateway.example")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name([]))
        .public_key(KEY.private.public_key())
        .serial_number(7)
        .not_valid_before(born)
        .not_valid_after(dies)
        .sign(Key.make().private, SHA256())
        .public_bytes(Encoding.PEM)
    )


@pytest.mark.parametrize("year", [2019, 2099])
def test_a_certificate_is_a_pin_of_its_key(tmp_path: Path, year: int) -> None:
    """Neither its issuer nor its dates count: BSN's certificates aren't chained to anything."""
    born, dies = datetime(year, 1, 1, tzinfo=UTC), datetime(year, 2, 1, tzinfo=UTC)
    (tmp_path / "gateway.pem").write_bytes(certificate(born, dies))
    assert load_r1_verifier(tmp_path / "gateway.pem") == verifier()
    assert load_r1_verifier(tmp_path / "gateway.pem").fingerprint == verifier().fingerprint


def test_a_public_key_is_read_from_its_file(tmp_path: Path) -> None:
    """SPKI in PEM."""
    (tmp_path / "gateway.pem").write_bytes(KEY.public_pem)
    assert load_r1_verifier(tmp_path / "gateway.pem") == verifier()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "neither a public key nor a certificate"),
        (KEY.private_pem, "neither a public key nor a certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "neither"),
        (SM2_KEY.encode(), "neither a public key|not a key on P-256"),
        (
            ec.generate_private_key(ec.SECP256K1())
            .public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "not a key on P-256",
        ),
    ],
)
def test_what_is_no_key_of_a_gateway_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    """With a sentence that names the file."""
    (tmp_path / "gateway.pem").write_bytes(data)
    with pytest.raises(KeyRefused, match=why):
        load_r1_verifier(tmp_path / "gateway.pem")


def test_a_gateways_key_that_is_missing_is_refused(tmp_path: Path) -> None:
    """No trust on first use."""
    with pytest.raises(KeyRefused, match="can't be read"):
        load_r1_verifier(tmp_path / "gateway.pem")
