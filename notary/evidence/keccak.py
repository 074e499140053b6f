# SPDX-License-Identifier: Apache-2.0
"""
Keccak-256 as Ethereum uses it: Keccak with 512 bits of capacity and the padding 0x01 that was
its own before FIPS 202 took another one for SHA-3, so `hashlib.sha3_256` is another hash.
"""

import struct
from typing import Final

RATE_BYTES: Final = 136
_MASK: Final = (1 << 64) - 1


def _walk() -> tuple[tuple[int, int], ...]:
    """Rho and pi: which lane comes next, and by how many bits the one before is turned."""
    x, y, found = 1, 0, []
    for step in range(24):
        x, y = y, (2 * x + 3 * y) % 5
        found.append((x + 5 * y, (step + 1) * (step + 2) // 2 % 64))
    return tuple(found)


def _constants() -> tuple[int, ...]:
    """Iota: a constant for each of the 24 rounds, by the register of FIPS 202 section 3.2.5."""
    register, found = 1, []
    for _ in range(24):
        constant = 0
        for power in range(7):
            if register & 1:
                constant |= 1 << ((1 << power) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        found.append(constant)
    return tuple(found)


_WALK: Final = _walk()
_CONSTANTS: Final = _constants()


def keccak256(data: bytes) -> bytes:
    """Hash any bytes into 32."""
    padded = bytearray(data) + b"\x01" + bytes(-(len(data) + 1) % RATE_BYTES)
    padded[-1] |= 0x80
    lanes = [0] * 25
    for at in range(0, len(padded), RATE_BYTES):
        for place, lane in enumerate(struct.unpack_from("<17Q", padded, at)):
            lanes[place] ^= lane
        _permute(lanes)
    return struct.pack("<4Q", *lanes[:4])


def _permute(lanes: list[int]) -> None:
    """Keccak-f[1600] in place; lane (x, y) stands at x + 5 * y. FIPS 202 section 3.3."""
    for constant in _CONSTANTS:
        columns = [
            lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
            for x in range(5)
        ]
        for x in range(5):
            parity = columns[x - 1] ^ _turned(columns[(x + 1) % 5], 1)
            for place in range(x, 25, 5):
                lanes[place] ^= parity
        moving = lanes[1]
        for place, bits in _WALK:
            lanes[place], moving = _turned(moving, bits), lanes[place]
        for row in range(0, 25, 5):
            a, b, c, d, e = lanes[row : row + 5]
            lanes[row : row + 5] = (
                a ^ ~b & c, b ^ ~c & d, c ^ ~d & e, d ^ ~e & a, e ^ ~a & b
            )  # fmt: skip
        lanes[0] ^= constant


def _turned(lane: int, bits: int) -> int:
    return (lane << bits | lane >> 64 - bits) & _MASK
