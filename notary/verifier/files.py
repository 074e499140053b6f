# SPDX-License-Identifier: Apache-2.0
"""What `notary verify` reads: proofs, payloads, trust files; one of ours or not, bounded."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from notary.core.acceptance import SignedAcceptance, parse_acceptance
from notary.core.consistency import ConsistencyProof, parse_consistency
from notary.core.cose_receipt import FIRST_BYTES, CoseReceipt, parse_cose_receipt
from notary.core.errors import MalformedNote
from notary.core.fork import Fork, parse_fork
from notary.core.receipt import Receipt, parse_receipt
from notary.core.receipt_format import MAX_RECEIPT_BYTES
from notary.core.recovery import HEADING, RecoveryNote
from notary.core.tlog_proof import FIRST_LINE, parse_tlog_proof
from notary.core.vkey import decode_base64
from notary.core.window import Opened, Window, parse_window

MAX_LINE_BYTES: Final = 64 << 20
PIECE_BYTES: Final = 1 << 20
"""So much of a version's file is held at a time, which may be of any size."""

_SALT: Final = re.compile("(?:[0-9a-f]{2})*")

Proof = Receipt | Window | SignedAcceptance | ConsistencyProof | Fork | RecoveryNote
PARSERS: Final[Mapping[str, Callable[[str], Proof]]] = {
    "window/1": parse_window,
    "acceptance/1": parse_acceptance,
    "consistency/1": parse_consistency,
    "fork/1": parse_fork,
}
"""By the version that a file states."""


class Unusable(Exception):
    """Input that can't be used: the code of the sentence, and what fills it."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def parse(data: bytes, name: str) -> Proof | CoseReceipt:
    """What the file is; one of ours that is damaged is refused, not unusable."""
    if data.startswith(FIRST_BYTES):
        return parse_cose_receipt(data)
    content = _as_text(data, name)
    if content.startswith(FIRST_LINE):
        return parse_tlog_proof(content)  # tlog-proof-v1.md, step 2: judged as any receipt
    if content.startswith(f"{HEADING}\n"):
        return RecoveryNote(content)
    version = _version(content)
    if isinstance(version, str) and version in PARSERS:
        return PARSERS[version](content)
    if version != "receipt/1":
        raise Unusable("verify.not-proof", path=name)
    if len(content) > MAX_RECEIPT_BYTES:
        raise Unusable("verify.too-large", path=name, limit=MAX_RECEIPT_BYTES)
    return parse_receipt(content)


def _version(content: str) -> object:
    """What the file says that it is. In canonical form the version is the last member."""
    for version in ("receipt/1", *PARSERS):
        if content.startswith("{") and content.rstrip("\n").endswith(f'"v":"{version}"}}'):
            return version
    try:
        members = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return members.get("v") if isinstance(members, dict) else None


def pieces(name: str) -> Iterator[bytes]:
    """A file of any size, a piece at a time."""
    try:
        with Path(name).open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
    except (OSError, ValueError) as error:
        raise _no_file(name, error) from None


def opened(name: str, window: Window) -> Iterator[Opened]:
    """The payloads beside a window, a line each."""
    try:
        with Path(name).open("rb") as file:
            n = window.statements[0].n
            for number, line in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES), b""), 1):
                opened = _opened_line(line, n)
                if opened is False:
                    raise Unusable("verify.payloads-line", path=name, line=number, n=n)
                yield opened
                n += 1
    except (OSError, ValueError) as error:
        raise _no_file(name, error) from None


def _opened_line(line: bytes, n: int) -> Opened | Literal[False]:
    """
    The salt and the payload of record n, None where it is not there; False: no such line.

    docs/spec/window-v1.md, section Payloads beside it.
    """
    try:
        members = json.loads(line.decode())
        payload, salt = members.pop("payload"), members.pop("salt", None)
        is_salt = salt is None or _SALT.fullmatch(salt)
        if members != {"n": n} or isinstance(members["n"], bool) or not is_salt:
            return False
        if payload is None:
            return None
        return None if salt is None else bytes.fromhex(salt), decode_base64(payload)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, MalformedNote):
        return False


def _no_file(name: str, error: Exception) -> Unusable:
    why = getattr(error, "strerror", None) or "not a name of a file"
    return Unusable("verify.no-file", path=name, why=why)


def read(name: str, limit: int) -> bytes:
    try:
        with Path(name).open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise _no_file(name, error) from None
    if len(data) > limit:
        raise Unusable("verify.too-large", path=name, limit=limit)
    return data


def read_text(name: str, limit: int) -> str:
    return _as_text(read(name, limit), name)


def _as_text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Unusable("verify.not-text", path=name) from None
