# SPDX-License-Identifier: Apache-2.0
"""
Receipts as C2SP tlog-proofs: what is logged is the descriptor, the rest is in `extra`.

    c2sp.org/tlog-proof@v1
    extra <base64>             receipt_extra.py
    index <decimal>            of the descriptor in the log
    <base64 of a hash>         its path, none or more, the leaf's sibling first
                               (an empty line)
    <the checkpoint's note>

See docs/spec/tlog-proof-v1.md.
"""

import re
from typing import Final

from notary.core.errors import MalformedNote, MalformedReceipt, MalformedText
from notary.core.hashing import HASH_BYTES
from notary.core.receipt_extra import format_extra, parse_extra
from notary.core.receipt_format import MAX_PATH
from notary.core.receipt_parts import Receipt
from notary.core.vkey import decode_base64, encode_base64

FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
MAX_TLOG_PROOF_CHARACTERS: Final = 2 << 20

_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,15})", re.ASCII)


def format_tlog_proof(receipt: Receipt) -> str:
    """
    Write a receipt as a tlog-proof; its anchors are left out.

    Raises:
        MalformedReceipt: the receipt can't be written.
        ReceiptTooLarge: its extra would be longer than 48,000 bytes.
    """
    lines = [
        FIRST_LINE,
        f"extra {encode_base64(format_extra(receipt).encode())}",
        f"index {receipt.log_index}",
        *map(encode_base64, receipt.log_path),
    ]
    return "\n".join(lines) + "\n\n" + receipt.checkpoint


def parse_tlog_proof(text: str) -> Receipt:
    """
    Read a tlog-proof that `format_tlog_proof` wrote, as the receipt that it is.

    Nothing is verified yet; the note is taken as it stands.

    Raises:
        MalformedReceipt: a line is missing, unknown or not in its one spelling.

    docs/spec/tlog-proof-v1.md, rules 1 to 7.
    """
    # tlog-proof-v1.md, step 1: the proof is of its form.
    try:
        return _read(text)
    except (MalformedText, MalformedNote) as error:
        raise error.renamed(MalformedReceipt) from None


def _read(text: str) -> Receipt:
    head, separator, checkpoint = text[:MAX_TLOG_PROOF_CHARACTERS].partition("\n\n")
    lines = head.split("\n", MAX_PATH + 3)
    if len(text) > MAX_TLOG_PROOF_CHARACTERS or not separator or lines[0] != FIRST_LINE:
        raise MalformedText("The file is not a tlog-proof.")
    if not lines[1:] or not lines[1].startswith("extra "):
        raise MalformedText("The tlog-proof has no extra data: it proves no record.")
    index = _INDEX.fullmatch(lines[2]) if lines[2:] else None
    if index is None or len(lines) > MAX_PATH + 3:
        raise MalformedText("A tlog-proof has an index and at most 63 hashes.")
    path = tuple(map(decode_base64, lines[3:]))
    if any(len(hash_) != HASH_BYTES for hash_ in path):
        raise MalformedText("Each hash of a tlog-proof is exactly 32 bytes.")
    try:
        extra = decode_base64(lines[1].removeprefix("extra ")).decode()
    except UnicodeDecodeError:
        raise MalformedText("The extra data is not UTF-8.") from None
    return parse_extra(extra, int(index[1]), path, checkpoint)
