# SPDX-License-Identifier: Apache-2.0
"""
`notary receipt convert`: a receipt in the format of another program, and back.

Only COSE receipts need a key, the notary's own; they are signed only where the receipt
holds under the trust file that is named.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from notary.config import Settings
from notary.core.cose_receipt import (
    FIRST_BYTES,
    KEY_SUFFIX,
    KEY_USE,
    draft_cose_receipt,
    parse_cose_receipt,
)
from notary.core.errors import MalformedReceipt, MalformedText
from notary.core.receipt import Receipt, format_receipt, parse_receipt, verify_receipt
from notary.core.receipt_format import MAX_RECEIPT_BYTES
from notary.core.receipt_parts import RecordPart
from notary.core.tlog_proof import FIRST_LINE, format_tlog_proof, parse_tlog_proof
from notary.core.trust import MAX_TRUST_BYTES, parse_trust
from notary.core.use_keys import keys_for
from notary.core.vkey import parse_vkey
from notary.keys import KeyRefused, load_key
from notary.texts import choose, text

FORMATS = ("receipt", "tlog-proof", "cose")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `notary receipt`."""
    parser.add_argument("what", choices=("convert",))
    parser.add_argument("receipt", type=Path, help="the receipt, in any of the formats")
    parser.add_argument("--to", required=True, choices=FORMATS, help="the format wanted")
    parser.add_argument("--output", type=Path, help="a new file; else standard output")
    parser.add_argument("--trust", type=Path, help="to cose: the trust file it must hold under")


def run(arguments: argparse.Namespace, env: Mapping[str, str]) -> int:
    """
    Convert. What the format can't hold is named on standard error.

    Raises:
        MalformedReceipt: the file is no receipt.
        ReceiptTooLarge: it doesn't fit into the format.
        KeyRefused: the key for COSE receipts is missing or not that of the trust file.
    """
    receipt = _read(_bytes(arguments.receipt, MAX_RECEIPT_BYTES))
    if arguments.to == "receipt":
        data, kept = format_receipt(receipt).encode(), receipt
    elif arguments.to == "tlog-proof":
        data = format_tlog_proof(receipt).encode()
        kept = parse_tlog_proof(data.decode())
    else:
        data = _signed(receipt, arguments.trust, env)
        kept = parse_cose_receipt(data).receipt
    if arguments.output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        with arguments.output.open("xb") as file:
            file.write(data)
    language = choose(env.get("LC_ALL") or env.get("LANG"))
    for code in _left_out(receipt, kept):
        print(text(language, code), file=sys.stderr)
    return 0


def _read(data: bytes) -> Receipt:
    if data.startswith(FIRST_BYTES):
        return parse_cose_receipt(data).receipt
    try:
        content = data.decode()
    except UnicodeDecodeError:
        raise MalformedReceipt("The file is neither text nor a COSE receipt.") from None
    return (parse_tlog_proof if content.startswith(FIRST_LINE) else parse_receipt)(content)


def _signed(receipt: Receipt, trust_file: Path | None, env: Mapping[str, str]) -> bytes:
    if trust_file is None:
        raise MalformedText(
            "A COSE receipt is signed by the notary: ask it for one (Accept: "
            "application/scitt-receipt+cose), or, where its key is, name a trust file by --trust."
        )
    trust = parse_trust(_bytes(trust_file, MAX_TRUST_BYTES).decode("utf-8", "replace"))
    signer = load_key(Settings.from_env({"NOTARY_DATABASE_URL": "-", **env}).receipt_key)
    key = parse_vkey(signer.vkey)
    if key not in keys_for(trust, KEY_USE, KEY_SUFFIX):
        raise KeyRefused("The trust file doesn't list the key for COSE receipts that is here.")
    verify_receipt(receipt, trust)
    draft = draft_cose_receipt(receipt, key)
    return draft.signed(signer.private.sign(draft.message))


def _left_out(whole: Receipt, kept: Receipt) -> list[str]:
    codes = ["convert.no-anchors"] if whole.anchors and not kept.anchors else []
    return codes + (["convert.no-payload"] if _payload(whole) != _payload(kept) else [])


def _payload(receipt: Receipt) -> bytes | None:
    return receipt.subject.payload if isinstance(receipt.subject, RecordPart) else None


def _bytes(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise MalformedText(f"{path} is larger than {limit} bytes.")
    return data
