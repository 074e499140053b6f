# SPDX-License-Identifier: Apache-2.0
"""The members of an anchor's evidence, as every kind reads them."""

from collections.abc import Mapping, Set

from notary.core.errors import MalformedNote, ReceiptRefused
from notary.core.hashing import digest
from notary.core.receipt_parts import Anchor
from notary.core.vkey import decode_base64


def refused(detail: str, reason: str = "ledger-evidence") -> ReceiptRefused:
    """The refusal to raise: the evidence doesn't hold, or (`ledger-other`) is another's."""
    return ReceiptRefused(detail, reason=reason)


def only(evidence: Mapping[str, object], names: Set[str]) -> None:
    """
    Exactly these members are there.

    Raises:
        ReceiptRefused: ledger-evidence.
    """
    if evidence.keys() != names:
        raise refused(f"The evidence has the members {', '.join(sorted(names))}.")


def octets(value: object, what: str, max_bytes: int) -> bytes:
    """
    The bytes of a member in base64 (note-v1.md, rule 1), at least one and at most `max_bytes`.

    Raises:
        ReceiptRefused: ledger-evidence.
    """
    # Four characters hold three bytes: a longer text is refused before it is read.
    if isinstance(value, str) and 0 < len(value) <= (max_bytes + 2) // 3 * 4:
        try:
            data = decode_base64(value)
        except MalformedNote:
            data = b""
        if 0 < len(data) <= max_bytes:
            return data
    raise refused(f"The {what} is not base64 of 1 to {max_bytes} bytes.")


def wanted(anchor: Anchor, origin: str) -> bytes:
    """All that is anchored, 72 bytes: SHA-256(origin), size in 8 bytes, big-endian, root."""
    return digest(origin.encode()) + anchor.size.to_bytes(8, "big") + anchor.root
