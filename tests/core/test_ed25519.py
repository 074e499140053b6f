# SPDX-License-Identifier: Apache-2.0
"""Signatures are those of RFC 8032, and what a lax verifier would let pass is refused."""

from hashlib import sha512

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from notary.core.ed25519 import verify
from notary.core.errors import BadSignature

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
BASE = bytes([0x58]) + bytes([0x66]) * 31
SEED = bytes(range(32))
MESSAGE = b"seven degrees at the harbour"

# RFC 8032 section 7.1: secret key, message, signature (TEST 1, 2, 3 and SHA(abc)).
RFC_VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
        "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e"
        "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
        "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ec"
        "fdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]

# The points whose order divides 8, as they are canonically encoded: (0, 1), (0, -1), the two
# of order 4 (y = 0), and the four of order 8, whose y is a root of d y^4 + 2 y^2 - 1 = 0
# (RFC 8032's curve: -x^2 + y^2 = 1 + d x^2 y^2 with x^2 = -y^2).
Y8 = int.from_bytes(
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
)


def encoded(y: int, sign: int = 0) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


SMALL_ORDER = [
    encoded(1),
    encoded(P - 1),
    encoded(0),
    encoded(0, 1),
    encoded(Y8),
    encoded(Y8, 1),
    encoded(P - Y8),
    encoded(P - Y8, 1),
]


def key_pair(seed: bytes = SEED) -> tuple[Ed25519PrivateKey, bytes]:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return private, private.public_key().public_bytes_raw()


def secret_scalar(seed: bytes) -> int:
    number = int.from_bytes(sha512(seed).digest()[:32], "little")
    return number & ~7 & (2**254 - 1) | 2**254


def challenge(commitment: bytes, public: bytes, message: bytes) -> int:
    return int.from_bytes(sha512(commitment + public + message).digest(), "little") % L


@pytest.mark.parametrize(("secret", "message", "signature"), RFC_VECTORS)
def test_vectors_of_the_rfc(secret: str, message: str, signature: str) -> None:
    """Four of RFC 8032's own examples hold."""
    _, public = key_pair(bytes.fromhex(secret))
    verify(public, bytes.fromhex(message), bytes.fromhex(signature))


@settings(deadline=None, max_examples=50)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300), st.integers(0, 767))
def test_agrees_with_an_independent_implementation(seed: bytes, message: bytes, bit: int) -> None:
    """Its signatures hold; with one bit of key or signature flipped, both refuse."""
    private, public = key_pair(seed)
    signature = private.sign(message)
    verify(public, message, signature)
    changed = bytearray(public + signature)
    changed[bit // 8] ^= 1 << bit % 8
    public, signature = bytes(changed[:32]), bytes(changed[32:])
    with pytest.raises(BadSignature):
        verify(public, message, signature)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)


@pytest.mark.parametrize("message", [b"", MESSAGE[:-1], MESSAGE + b"\x00", MESSAGE.upper()])
def test_another_message_is_refused(message: bytes) -> None:
    """A signature belongs to one message."""
    private, public = key_pair()
    with pytest.raises(BadSignature):
        verify(public, message, private.sign(MESSAGE))


def test_another_key_is_refused() -> None:
    """A signature belongs to one key."""
    private, _ = key_pair()
    _, other = key_pair(bytes(32))
    with pytest.raises(BadSignature):
        verify(other, MESSAGE, private.sign(MESSAGE))


@pytest.mark.parametrize("times", range(1, 16))
def test_a_second_spelling_of_a_signature_is_refused(times: int) -> None:
    """S + L, S + 2L and so on satisfy the same equation; S must be below L."""
    private, public = key_pair()
    signature = private.sign(MESSAGE)
    scalar = int.from_bytes(signature[32:], "little") + times * L
    if scalar < 2**256:
        with pytest.raises(BadSignature):
            verify(public, MESSAGE, signature[:32] + scalar.to_bytes(32, "little"))


def test_a_scalar_of_exactly_l_is_refused() -> None:
    """L is not below L."""
    with pytest.raises(BadSignature, match="below the order"):
        verify(key_pair()[1], MESSAGE, BASE + L.to_bytes(32, "little"))


@pytest.mark.parametrize("point", SMALL_ORDER, ids=bytes.hex)
def test_a_key_of_small_order_is_refused(point: bytes) -> None:
    """Under such a key a lax verifier lets one signature pass for many messages."""
    for scalar in (0, 1):
        commitment = [encoded(1), BASE][scalar]
        for number in range(16):  # with the point of order 8, one message in eight would pass
            with pytest.raises(BadSignature, match="small order"):
                verify(point, b"%d" % number, commitment + scalar.to_bytes(32, "little"))


@pytest.mark.parametrize("point", SMALL_ORDER, ids=bytes.hex)
def test_a_commitment_of_small_order_is_refused(point: bytes) -> None:
    """R = 0 and S = k a satisfy the equation, and only the key's owner can make them; refused."""
    _, public = key_pair()
    scalar = challenge(point, public, MESSAGE) * secret_scalar(SEED) % L
    signature = point + scalar.to_bytes(32, "little")
    if point == encoded(1):  # so the attack is real: someone accepts it
        Ed25519PublicKey.from_public_bytes(public).verify(signature, MESSAGE)
    with pytest.raises(BadSignature, match="small order"):
        verify(public, MESSAGE, signature)


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("above", range(19))
def test_a_y_that_is_not_reduced_is_refused(above: int, sign: int) -> None:
    """The 19 values of y from p to 2^255 - 1 name points a second time."""
    private, public = key_pair()
    point = encoded(P + above, sign)
    signature = private.sign(MESSAGE)
    with pytest.raises(BadSignature, match="canonically"):
        verify(point, MESSAGE, signature)
    with pytest.raises(BadSignature, match="canonically"):
        verify(public, MESSAGE, point + signature[32:])


@pytest.mark.parametrize("y", [1, P - 1])
def test_a_minus_zero_is_refused(y: int) -> None:
    """x = 0 has no sign, so the sign bit must be clear."""
    private, public = key_pair()
    signature = private.sign(MESSAGE)
    with pytest.raises(BadSignature, match="canonically"):
        verify(encoded(y, 1), MESSAGE, signature)
    with pytest.raises(BadSignature, match="canonically"):
        verify(public, MESSAGE, encoded(y, 1) + signature[32:])


def test_bytes_that_are_no_point_are_refused() -> None:
    """About half of all y have no x; y = 2 is one of them."""
    private, public = key_pair()
    signature = private.sign(MESSAGE)
    with pytest.raises(BadSignature, match="not a point"):
        verify(encoded(2), MESSAGE, signature)
    with pytest.raises(BadSignature, match="not a point"):
        verify(public, MESSAGE, encoded(2) + signature[32:])


def wrong_shapes(good: bytes) -> list[object]:
    return [b"", good[:-1], good + b"\x00", good * 2, good.hex(), bytearray(good), None, 7]


@pytest.mark.parametrize("key", wrong_shapes(key_pair()[1]), ids=repr)
def test_a_key_of_another_shape_is_refused(key: object) -> None:
    """A public key is exactly 32 bytes."""
    with pytest.raises(BadSignature):
        verify(key, MESSAGE, key_pair()[0].sign(MESSAGE))  # type: ignore[arg-type]


@pytest.mark.parametrize("signature", wrong_shapes(key_pair()[0].sign(MESSAGE)), ids=repr)
def test_a_signature_of_another_shape_is_refused(signature: object) -> None:
    """A signature is exactly 64 bytes."""
    with pytest.raises(BadSignature):
        verify(key_pair()[1], MESSAGE, signature)  # type: ignore[arg-type]


def test_a_signature_of_all_zeros_is_refused() -> None:
    """Nobody's signature on nothing."""
    with pytest.raises(BadSignature):
        verify(key_pair()[1], b"", bytes(64))
