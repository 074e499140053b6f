# SPDX-License-Identifier: Apache-2.0
"""The SHA-2 and the Ed25519 that verify.js brings, and the browser's where it is used."""

import random
from collections.abc import Iterator
from hashlib import sha256, sha512

import pytest
from playwright.sync_api import Page

from notary.core import ed25519
from notary.core.errors import BadSignature
from tests.core import test_ed25519 as strict
from tests.web.in_browser import address, browser, folder, page, run

__all__ = ["address", "browser", "folder", "page"]
pytestmark = pytest.mark.needs("chromium")


def signature_cases() -> Iterator[tuple[bytes, bytes, bytes]]:
    """Keys, messages and signatures, good ones and what a lax verifier lets pass."""
    secret, public = strict.key_pair()
    message = strict.MESSAGE
    good = secret.sign(message)
    yield public, message, good
    for size in (0, 1, 47, 48, 63, 64, 111, 112, 127, 128, 1000):
        yield public, bytes(size), secret.sign(bytes(size))
    for bit in range(0, 512, 7):
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << bit % 8
        yield public, message, bytes(flipped)
    yield public, message + b"!", good
    for size in (0, 1, 63, 65):
        yield public, message, (good + good)[:size]
    scalar = int.from_bytes(good[32:], "little")
    for times in range(1, 16):
        if scalar + times * strict.L < 2**256:
            yield public, message, good[:32] + (scalar + times * strict.L).to_bytes(32, "little")
    yield public, message, good[:32] + strict.L.to_bytes(32, "little")
    yield public, message, bytes(64)
    points = [strict.encoded(y, sign) for y in small_order() for sign in (0, 1)]
    points += [strict.encoded(strict.P + more, sign) for more in range(19) for sign in (0, 1)]
    for point in points:
        yield point, message, good
        yield point, message, point + bytes(32)
        yield public, message, point + bytes(32)
        yield public, message, point + good[32:]
    drawn = random.Random(1)
    for _ in range(40):
        yield drawn.randbytes(32), message, good
        yield public, message, drawn.randbytes(32) + good[32:]
    for number in range(16):
        yield mixed_order(number)


def small_order() -> list[int]:
    """The y of each point whose order divides 8."""
    return [0, 1, strict.P - 1, strict.Y8, strict.P - strict.Y8]


def mixed_order(number: int) -> tuple[bytes, bytes, bytes]:
    """
    A key with a part of order 8 and a signature that holds by the equation with cofactor alone;
    in one case of eight by that without it, too.
    """
    base = ed25519._decode(ed25519._BASE_TEXT)
    torsion = ed25519._decode(strict.encoded(strict.Y8))
    a, r, message = 7 + number, 11 + number, b"city-notary/probe/1\n"
    point = ed25519._combine(a, 1, torsion)
    key = ed25519._encode(point)
    commitment = ed25519._encode(ed25519._combine(r, 0, base))
    hashed = sha512(commitment + key + message).digest()
    k = int.from_bytes(hashed, "little") % strict.L
    return key, message, commitment + ((r + k * a) % strict.L).to_bytes(32, "little")


def holds(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        ed25519.verify(key, message, signature)
    except BadSignature:
        return False
    return True


def test_signatures_hold_by_the_strict_rules_alone(page: Page) -> None:
    """Whoever's Ed25519 it is: as Python's, which is held against those rules elsewhere."""
    cases = list(signature_cases())
    expected = [holds(*case) for case in cases]
    assert 10 < sum(expected) < len(expected) / 10
    got = run(page, "signatures", [[part.hex() for part in case] for case in cases])
    for case, want, answer in zip(cases, expected, got, strict=True):
        assert (case, answer) == (case, want)


def test_hashes_are_those_of_every_length(page: Page) -> None:
    """Around the sizes at which blocks end."""
    sizes = [*range(260), 511, 512, 513, 1023, 1024, 1025, 5000]
    data = [random.Random(size).randbytes(size) for size in sizes]
    got = run(page, "hashes", [item.hex() for item in data])
    expected = [[sha256(item).hexdigest(), sha512(item).hexdigest()] for item in data]
    assert got == expected


def test_a_file_is_read_a_piece_at_a_time_and_says_how_far(page: Page) -> None:
    """From the beginning to the end, never back."""
    size = (5 << 20) + 3
    told = run(page, "progress", size)
    done = [step[0] for step in told["steps"]]
    assert told["digest"] == sha256(b"\x07" * size).hexdigest()
    assert len(done) == 6
    assert done == sorted(done)
    assert done[-1] == size
    assert {step[1] for step in told["steps"]} == {size}
