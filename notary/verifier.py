# SPDX-License-Identifier: Apache-2.0
"""
`notary verify`: check a receipt, a window or an acceptance offline. Standard library only.

Exit 0 when all that was asked holds, 1 when not (also where an acceptance that holds proves
misconduct), 2 for input that can't be used.
"""

import argparse
import base64
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from notary.core.acceptance import SignedAcceptance, parse_acceptance, verify_acceptance
from notary.core.descriptor import parse_descriptor
from notary.core.errors import MalformedText, MalformedTrust, NotaryError, PayloadMismatch
from notary.core.misconduct import Judgement, hold_against_acceptance, hold_against_receipt
from notary.core.receipt import Receipt, parse_receipt, verify_receipt
from notary.core.receipt_format import MAX_RECEIPT_BYTES
from notary.core.receipt_parts import FilePart
from notary.core.resaved import same_rows
from notary.core.trust import MAX_TRUST_BYTES, Trust, parse_trust
from notary.core.verdict import Check, Verdict
from notary.core.window import (
    MAX_WINDOW_BYTES,
    Opened,
    Window,
    WindowVerdict,
    parse_window,
    verify_window,
)
from notary.core.words import parse_time
from notary.texts import LANGUAGES, choose, text

HOLDS: Final = 0
REFUSED: Final = 1
UNUSABLE: Final = 2
MAX_PAYLOAD_BYTES: Final = 4 << 30
MAX_LINE_BYTES: Final = 64 << 20
PIECE_BYTES: Final = 1 << 20
"""So much of a version's file is held at a time, which may be of any size."""

MARKS: Final = {"held": "[x]", "own-word": "[!]", "not-checked": "[ ]"}
HEADINGS: Final = {
    "held": "verify.made",
    "own-word": "verify.own",
    "not-checked": "verify.not-made",
}


class Unusable(Exception):
    """Input that can't be used: the code of the sentence, and what fills it."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def main(
    argv: Sequence[str] | None = None,
    environment_language: str = "",
    program: str = "notary verify",
) -> int:
    """Verify what the arguments name; prints the verdict and returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that can't show a character must not end in a traceback.
            stream.reconfigure(errors="backslashreplace")
    arguments = _parser(program).parse_args(argv)
    language = choose(arguments.lang or environment_language)
    try:
        return _verify(arguments, language)
    except (Unusable, MalformedTrust) as error:
        code = error.code if isinstance(error, Unusable) else f"error.{error.code}"
        detail = text(language, code, **_shown(error.facts))
        return _fail(arguments, UNUSABLE, "verify.unusable", code, detail, language)
    except NotaryError as error:
        detail = text(language, f"error.{error.code}", **_shown(error.facts))
        code = ".".join(filter(None, (error.code, str(error.facts.get("reason", "")))))
        return _fail(arguments, REFUSED, "verify.refused", code, detail, language)
    except BrokenPipeError:  # whoever reads our lines has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNUSABLE
    except MemoryError:
        detail = text(language, "verify.no-memory")
        return _fail(arguments, UNUSABLE, "verify.unusable", "verify.no-memory", detail, language)


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program, description="Check a receipt, a window or an acceptance offline."
    )
    parser.add_argument("receipt", help="the receipt, window or acceptance")
    parser.add_argument("--trust", required=True, help="the trust file, got by another way")
    parser.add_argument(
        "--payload", help="the content that you hold, as a file; of a window, its lines"
    )
    parser.add_argument(
        "--against", help="a receipt or acceptance that an acceptance is held against"
    )
    parser.add_argument("--lang", choices=LANGUAGES, help="language of the verdict")
    parser.add_argument("--timezone", help="also show times there, such as Asia/Shanghai")
    parser.add_argument("--json", action="store_true", help="the verdict as JSON")
    return parser


def _verify(arguments: argparse.Namespace, language: str) -> int:
    zone = _zone(arguments.timezone)
    trust = parse_trust(_read_text(arguments.trust, MAX_TRUST_BYTES))
    proof = _parse(_read_text(arguments.receipt, MAX_WINDOW_BYTES), arguments.receipt)
    is_file = isinstance(proof, Receipt) and isinstance(proof.subject, FilePart)
    payload: bytes | Iterator[bytes] | None = None
    if arguments.payload and not isinstance(proof, Window):
        name = arguments.payload
        payload = _pieces(name) if is_file else _read(name, MAX_PAYLOAD_BYTES)
    judgement = _hold_against(proof, arguments.against, trust) if arguments.against else None
    if isinstance(proof, Receipt):
        try:
            verdict: Verdict | WindowVerdict = verify_receipt(proof, trust, payload)
        except PayloadMismatch as mismatch:
            raise _diagnosed(mismatch, proof, trust, arguments.payload) from None
    elif isinstance(proof, SignedAcceptance):
        verdict = verify_acceptance(proof, trust, payload if isinstance(payload, bytes) else None)
    else:
        opened = _opened(arguments.payload, proof) if arguments.payload else None
        verdict = verify_window(proof, trust, opened)
    if arguments.json:
        told = {"holds": True, **asdict(verdict)}
        if judgement is not None:
            told["against"] = {**asdict(judgement), "is_misconduct": judgement.is_misconduct}
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        print("\n".join(_lines(verdict, language, zone)))
        if judgement is not None:
            print("\n" + text(language, f"verify.against.{judgement.kind}"))
    sys.stdout.flush()
    return REFUSED if judgement is not None and judgement.is_misconduct else HOLDS


def _diagnosed(
    mismatch: PayloadMismatch, receipt: Receipt, trust: Trust, name: str
) -> PayloadMismatch:
    """
    Where the rows of a table are those that were notarised, it says so: it was saved again.
    It stays a mismatch. Of a receipt that doesn't hold itself nothing is said.
    """
    if not isinstance(receipt.subject, FilePart):
        return mismatch
    verify_receipt(receipt, trust)
    form = same_rows(parse_descriptor(receipt.descriptor), lambda: _pieces(name))
    return mismatch if form is None else PayloadMismatch(reason=form)


def _hold_against(proof: Receipt | Window | SignedAcceptance, name: str, trust: Trust) -> Judgement:
    """What an acceptance and another file say of each other."""
    other = _parse(_read_text(name, MAX_RECEIPT_BYTES), name)
    if isinstance(proof, SignedAcceptance) and isinstance(other, Receipt):
        return hold_against_receipt(proof, other, trust)
    if isinstance(proof, SignedAcceptance) and isinstance(other, SignedAcceptance):
        return hold_against_acceptance(proof, other, trust)
    raise Unusable("verify.against-nothing")


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Unusable("verify.no-zone", zone=name) from None


def _parse(content: str, name: str) -> Receipt | Window | SignedAcceptance:
    """What the file is; one of ours that is damaged is refused, not unusable."""
    version = _version(content)
    if version == "window/1":
        return parse_window(content)
    if version == "acceptance/1":
        return parse_acceptance(content)
    if version != "receipt/1":
        raise Unusable("verify.not-proof", path=name)
    if len(content) > MAX_RECEIPT_BYTES:
        raise Unusable("verify.too-large", path=name, limit=MAX_RECEIPT_BYTES)
    return parse_receipt(content)


def _version(content: str) -> object:
    """What the file says that it is. In canonical form the version is the last member."""
    for version in ("receipt/1", "window/1", "acceptance/1"):
        if content.startswith("{") and content.rstrip("\n").endswith(f'"v":"{version}"}}'):
            return version
    try:
        members = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return members.get("v") if isinstance(members, dict) else None


def _pieces(name: str) -> Iterator[bytes]:
    """A file of any size, a piece at a time."""
    try:
        with Path(name).open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
    except (OSError, ValueError) as error:
        raise _no_file(name, error) from None


def _opened(name: str, window: Window) -> Iterator[Opened]:
    """The payloads beside a window, a line each (docs/spec/window-v1.md, Payloads beside it)."""
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
    """The salt and the payload of record n, None where it is not there; False: no such line."""
    try:
        members = json.loads(line)
        payload, salt = members.pop("payload"), members.pop("salt", None)
        if members != {"n": n} or type(members["n"]) is not int:
            return False
        if payload is None:
            return None
        data = base64.b64decode(payload, validate=True)
        return None if salt is None else bytes.fromhex(salt), data
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False


def _no_file(name: str, error: Exception) -> Unusable:
    why = getattr(error, "strerror", None) or "not a name of a file"
    return Unusable("verify.no-file", path=name, why=why)


def _read(name: str, limit: int) -> bytes:
    try:
        with Path(name).open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise _no_file(name, error) from None
    if len(data) > limit:
        raise Unusable("verify.too-large", path=name, limit=limit)
    return data


def _read_text(name: str, limit: int) -> str:
    try:
        return _read(name, limit).decode("utf-8")
    except UnicodeDecodeError:
        raise Unusable("verify.not-text", path=name) from None


def _fail(
    arguments: argparse.Namespace, exit_code: int, code: str, why: str, detail: str, language: str
) -> int:
    sentence = text(language, code, detail=detail)
    if arguments.json:
        print(json.dumps({"holds": False, "code": why, "detail": sentence}, ensure_ascii=False))
    else:
        print(sentence, file=sys.stderr)
    return exit_code


def _lines(verdict: Verdict | WindowVerdict, language: str, zone: ZoneInfo | None) -> Iterator[str]:
    """The verdict in words that a clerk understands."""
    checks: tuple[Check, ...] = ()
    if isinstance(verdict, WindowVerdict):
        checks, verdict = verdict.checks, verdict.receipt
        yield text(language, "verify.holds-window")
    elif verdict.kind == "acceptance":
        yield text(language, "verify.holds-acceptance")
    else:
        yield text(language, "verify.holds")
    checks += verdict.checks
    subject = _shown(verdict.subject, zone)
    subject["reason"], _, subject["id"] = str(verdict.subject.get("by")).partition(":")
    yield ""
    yield text(language, f"verify.{verdict.kind}", **subject)
    for name in ("received", "observed", "key", "by"):
        if verdict.subject.get(name) is not None:
            yield "  " + text(language, f"verify.{name}", **subject)
    for status, heading in HEADINGS.items():
        found = [check for check in checks if check.status == status]
        if found:
            yield ""
            yield text(language, heading)
        for check in found:
            facts = _shown(check.facts, zone)
            yield f"  {MARKS[status]} " + text(language, f"check.{check.code}.{status}", **facts)
    yield ""
    about = _shown({"origin": verdict.origin, "name": verdict.trust_name})
    yield text(
        language, "verify.acceptance-key" if verdict.kind == "acceptance" else "verify.log", **about
    )
    yield "  " + " ".join(verdict.fingerprint[at : at + 8] for at in range(0, 64, 8))
    yield text(language, "verify.compare")
    yield text(language, "verify.no-truth")


def _shown(facts: Mapping[str, object], zone: ZoneInfo | None = None) -> dict[str, object]:
    """Facts as they may be shown: nothing that steers a terminal or turns text around."""
    return {
        name: _shown_text(value, zone) if isinstance(value, str) else value
        for name, value in facts.items()
    }


def _shown_text(value: str, zone: ZoneInfo | None) -> str:
    if zone is not None:
        try:
            local = parse_time(value).astimezone(zone)
            return f"{value} = {_local(local)} {zone.key}"
        except (MalformedText, OverflowError):
            pass
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in value
    )


def _local(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
