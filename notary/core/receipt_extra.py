# SPDX-License-Identifier: Apache-2.0
"""
What a receipt holds besides its place in the log, as formats of others carry it.

Others' formats prove that a descriptor is in the log. The extra is the way on from there to the
record: the members of the receipt but `anchors`, `checkpoint` and `log`, in canonical JSON of
at most 48,000 bytes, so that also a reader that stops at lines of 64 KiB takes it in base64.
See docs/spec/tlog-proof-v1.md, section Extra.
"""

from dataclasses import replace
from typing import Final

from notary.core import canonical
from notary.core.errors import MalformedText, ReceiptTooLarge
from notary.core.receipt_format import MAX_RECEIPT_BYTES, format_receipt, receipt_from
from notary.core.receipt_parts import Receipt

MAX_EXTRA_BYTES: Final = 48_000
_ELSEWHERE: Final = ("anchors", "checkpoint", "log")


def format_extra(receipt: Receipt) -> str:
    """
    Write the extra of a receipt; a record's payload is left out where it doesn't fit.

    Raises:
        MalformedReceipt: the receipt can't be written at all.
        ReceiptTooLarge: it doesn't fit even so.

    docs/spec/tlog-proof-v1.md, rules 5 to 7.
    """
    whole = format_receipt(replace(receipt, anchors=()))
    members = canonical.loads(whole, max_bytes=MAX_RECEIPT_BYTES)
    assert isinstance(members, dict)
    for name in _ELSEWHERE:
        del members[name]
    text = canonical.dumps(members)
    if len(text.encode()) > MAX_EXTRA_BYTES and "payload" in members:
        del members["payload"]
        text = canonical.dumps(members)
    size_bytes = len(text.encode())
    if size_bytes > MAX_EXTRA_BYTES:
        raise ReceiptTooLarge(size=size_bytes, limit=MAX_EXTRA_BYTES)
    return text


def parse_extra(text: str, index: int, path: tuple[bytes, ...], checkpoint: str) -> Receipt:
    """
    Put a receipt together from its extra and its place in the log; it has no anchors.

    Raises:
        MalformedText: the extra isn't one, or index or path are out of range.
    """
    members = canonical.loads(text, max_bytes=MAX_EXTRA_BYTES)
    if not isinstance(members, dict) or members.keys() & set(_ELSEWHERE):
        raise MalformedText("The extra data is not the rest of a receipt.")
    log = {"index": index, "path": [hash_.hex() for hash_ in path]}
    return receipt_from({**members, "anchors": [], "checkpoint": checkpoint, "log": log})
