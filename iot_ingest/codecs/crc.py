# SPDX-License-Identifier: Apache-2.0
"""Check sums of 16 bits over bytes, by the reversed polynomial 0xA001."""

from typing import Final

_POLYNOMIAL: Final = 0xA001
_START: Final = 0xFFFF


def _shifted(register: int) -> int:
    """The register after eight bits."""
    for _ in range(8):
        register = register >> 1 ^ _POLYNOMIAL if register & 1 else register >> 1
    return register


_TABLE: Final = tuple(_shifted(byte) for byte in range(256))


def crc16_hj212(data: bytes) -> int:
    """
    The CRC of HJ 212-2017, annex A: a byte goes into the register's HIGH byte shifted down.

    register = shift8((register >> 8) ^ byte), so the low byte is dropped; no other CRC-16
    does so. That of `QN=…;CP=&&RtdInterval=30&&` in the standard's example is 1C80.
    """
    register = _START
    for byte in data:
        register = _TABLE[register >> 8 ^ byte]
    return register


def crc16_modbus(data: bytes) -> int:
    """CRC-16/MODBUS, which is often taken for that of HJ 212. Of `123456789` it is 4B37."""
    register = _START
    for byte in data:
        register = register >> 8 ^ _TABLE[(register ^ byte) & 0xFF]
    return register
