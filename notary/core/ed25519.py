# SPDX-License-Identifier: Apache-2.0
"""
Verifying Ed25519 signatures (RFC 8032), strictly, with the standard library alone.

Only public values are handled here, so nothing needs to run in constant time. Private
keys never come near this package.

Points are (X, Y, Z, T) in extended coordinates: x = X/Z, y = Y/Z, xy = T/Z. A point that
is to be added often is kept as (Y-X, Y+X, 2dT, 2Z).
"""

from functools import cache
from hashlib import sha512
from typing import Final

from notary.core.errors import BadSignature

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

Point = tuple[int, int, int, int]

_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_SQRT_M1: Final = pow(2, (_P - 1) // 4, _P)
_NEUTRAL: Final[Point] = (0, 1, 1, 0)
_BASE_TEXT: Final = (4 * pow(5, -1, _P) % _P).to_bytes(32, "little")

_BASE_WINDOW: Final = 8
_KEY_WINDOW: Final = 5


def verify(public_key: bytes, message: bytes, signature: bytes) -> None:
    """
    Check one signature: 64 bytes R || S, under a 32-byte public key A.

    Accepts iff S < L, A and R are canonical encodings of points that are not of small
    order, and encode([S]B - [k]A) == R where k = SHA-512(R || A || message) mod L. That is
    RFC 8032 section 5.1.7 without the cofactor, and refuses all that any strict
    implementation refuses.

    Raises:
        BadSignature: any of this does not hold.
    """
    if type(public_key) is not bytes or len(public_key) != KEY_BYTES:
        raise BadSignature("an Ed25519 public key is exactly 32 bytes")
    if type(signature) is not bytes or len(signature) != SIGNATURE_BYTES:
        raise BadSignature("an Ed25519 signature is exactly 64 bytes")
    commitment, scalar_text = signature[:32], signature[32:]
    scalar = int.from_bytes(scalar_text, "little")
    if scalar >= _L:
        raise BadSignature("the signature's S is not below the order of the group")
    key = _checked_point(public_key)
    _checked_point(commitment)
    challenge = sha512(commitment + public_key + message).digest()
    k = int.from_bytes(challenge, "little") % _L
    if _encode(_combine(scalar, k, _negate(key))) != commitment:
        raise BadSignature


def _checked_point(text: bytes) -> Point:
    """Decode a point and refuse it if eight times the point is the neutral element."""
    point = _decode(text)
    x, _, _, _ = _double(_double(_double(point)))
    if x == 0:  # (0, 1); (0, -1) is never eight times a point
        raise BadSignature("a point of small order")
    return point


def _decode(text: bytes) -> Point:
    """
    Decode 32 bytes: y in little endian, the sign of x in the top bit.

    x^2 = (y^2 - 1) / (d y^2 + 1); RFC 8032 section 5.1.3.
    """
    number = int.from_bytes(text, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= _P:
        raise BadSignature("a point that is not canonically encoded")
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    v3 = v * v * v % _P
    x = u * v3 * pow(u * v3 * v3 * v, (_P - 5) // 8, _P) % _P
    check = v * x * x % _P
    if check == _P - u:
        x = x * _SQRT_M1 % _P
    elif check != u:
        raise BadSignature("bytes that are not a point of the curve")
    if x == 0 and sign:
        raise BadSignature("a point that is not canonically encoded")
    if x % 2 != sign:
        x = _P - x
    return (x, y, 1, x * y % _P)


def _encode(point: Point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, -1, _P)
    x, y = x * inverse % _P, y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _negate(point: Point) -> Point:
    x, y, z, t = point
    return (_P - x, y, z, _P - t)


def _double(point: Point) -> Point:
    """RFC 8032 section 5.1.4, doubling."""
    x, y, z, _ = point
    a, b = x * x, y * y
    h = a + b
    e = h - (x + y) * (x + y)
    g = a - b
    f = 2 * z * z + g
    e, f, g, h = e % _P, f % _P, g % _P, h % _P
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _prepare(point: Point) -> Point:
    x, y, z, t = point
    return ((y - x) % _P, (y + x) % _P, 2 * _D * t % _P, 2 * z % _P)


def _add(point: Point, prepared: Point) -> Point:
    """RFC 8032 section 5.1.4, addition; complete, so it holds for equal points too."""
    x, y, z, t = point
    minus, plus, t2d, z2 = prepared
    a, b = (y - x) * minus % _P, (y + x) * plus % _P
    c, d = t * t2d % _P, z * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _subtract(point: Point, prepared: Point) -> Point:
    minus, plus, t2d, z2 = prepared
    return _add(point, (plus, minus, _P - t2d, z2))


def _odd_multiples(point: Point, window: int) -> list[Point]:
    """Prepare [1]P, [3]P, [5]P ... as many as digits of this window can ask for."""
    twice = _prepare(_double(point))
    multiples = [point]
    while len(multiples) < 1 << (window - 2):
        multiples.append(_add(multiples[-1], twice))
    return [_prepare(multiple) for multiple in multiples]


@cache
def _base_multiples() -> list[Point]:
    return _odd_multiples(_decode(_BASE_TEXT), _BASE_WINDOW)


def _digits(scalar: int, window: int) -> list[int]:
    """
    Write a scalar in signed digits, lowest first: 0, or odd and below 2^(window-1).

    Between two digits that are not 0 there are at least `window - 1` zeros.
    """
    digits, modulus = [], 1 << window
    while scalar:
        digit = 0
        if scalar % 2:
            digit = scalar % modulus
            if digit >= modulus // 2:
                digit -= modulus
            scalar -= digit
        digits.append(digit)
        scalar //= 2
    return digits


def _combine(base_scalar: int, scalar: int, point: Point) -> Point:
    """Compute [base_scalar]B + [scalar]P in one pass of doublings."""
    base_digits = _digits(base_scalar, _BASE_WINDOW)
    point_digits = _digits(scalar, _KEY_WINDOW)
    length = max(len(base_digits), len(point_digits))
    base_digits += [0] * (length - len(base_digits))
    point_digits += [0] * (length - len(point_digits))
    base, multiples = _base_multiples(), _odd_multiples(point, _KEY_WINDOW)
    total = _NEUTRAL
    for base_digit, digit in zip(reversed(base_digits), reversed(point_digits), strict=True):
        total = _double(total)
        total = _add_digit(_add_digit(total, base, base_digit), multiples, digit)
    return total


def _add_digit(total: Point, multiples: list[Point], digit: int) -> Point:
    if digit > 0:
        return _add(total, multiples[digit // 2])
    if digit < 0:
        return _subtract(total, multiples[-digit // 2])
    return total
