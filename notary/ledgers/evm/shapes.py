# SPDX-License-Identifier: Apache-2.0
"""
The values of Ethereum's JSON-RPC, read strictly. What has another shape is no answer.

Quantities are `0x` and hexadecimal digits, octets `0x` and two digits a byte.
"""

import re
from collections.abc import Mapping
from typing import Final

from notary.evidence.keccak import keccak256
from notary.ledgers.port import LedgerUnavailable

HASH_BYTES: Final = 32
ADDRESS_BYTES: Final = 20

_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")
_OCTETS: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


def nonsense(what: str) -> LedgerUnavailable:
    """The error for an answer that can't be what was asked for."""
    return LedgerUnavailable(f"The node's answer makes no sense: {what}.")


def quantity(value: object, what: str) -> int:
    """A whole number below 2^256. Raises LedgerUnavailable."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise nonsense(f"{what} is no quantity")
    return int(value, 16)


def octets(value: object, what: str, length: int | None = None) -> bytes:
    """Bytes, of exactly this length where one is given. Raises LedgerUnavailable."""
    if not isinstance(value, str) or not _OCTETS.fullmatch(value):
        raise nonsense(f"{what} is not written as bytes")
    data = bytes.fromhex(value[2:])
    if length is not None and len(data) != length:
        raise nonsense(f"{what} has not {length} bytes")
    return data


def members(value: object, what: str) -> Mapping[str, object]:
    """A JSON object. Raises LedgerUnavailable."""
    if not isinstance(value, dict):
        raise nonsense(f"{what} is no object")
    return value


def items(value: object, what: str) -> list[object]:
    """A JSON list. Raises LedgerUnavailable."""
    if not isinstance(value, list):
        raise nonsense(f"{what} is no list")
    return value


def shown(data: bytes) -> str:
    """Bytes as JSON-RPC writes them."""
    return "0x" + data.hex()


def checksummed(address: bytes) -> str:
    """An address (20 bytes) in the mixed case of EIP-55, as a transaction's `to` is written."""
    plain = address.hex()
    letters = zip(plain, keccak256(plain.encode()).hex(), strict=False)
    return "0x" + "".join(one.upper() if int(other, 16) > 7 else one for one, other in letters)
