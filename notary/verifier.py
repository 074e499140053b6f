# SPDX-License-Identifier: Apache-2.0
"""
`notary verify`: check a receipt, a window, an acceptance, a consistency proof or the proof of a
fork offline. Standard library only.

Exit 0 when all that was asked holds, 1 when not (also where an acceptance that holds proves
misconduct, or the log contradicts what is remembered), 2 for input that can't be used.
"""

import argparse
import base64
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from notary.core.acceptance import SignedAcceptance, parse_acceptance, verify_acceptance
from notary.core.checkpoint_pair import MAX_PAIR_BYTES
from notary.core.consistency import (
    ConsistencyProof,
    parse_consistency,
    verify_consistency_proof,
)
from notary.core.cose_receipt import (
    FIRST_BYTES,
    CoseReceipt,
    parse_cose_receipt,
    verify_cose_receipt,
)
from notary.core.diagnosis import diagnose, diagnose_record
from notary.core.errors import (
    LogForked,
    MalformedText,
    MalformedTrust,
    NotaryError,
    PayloadMismatch,
)
from notary.core.fork import Fork, parse_fork, verify_fork
from notary.core.misconduct import Judgement, hold_against_acceptance, hold_against_receipt
from notary.core.monitor_report import MAX_REPORT_BYTES, parse_report
from notary.core.receipt import Receipt, parse_receipt, verify_receipt
from notary.core.receipt_format import MAX_RECEIPT_BYTES
from notary.core.receipt_parts import FilePart
from notary.core.receipt_signers import Signed, check_checkpoint
from notary.core.remembering import check_monitored, check_since
from notary.core.tlog_proof import FIRST_LINE, parse_tlog_proof
from notary.core.trust import MAX_TRUST_BYTES, Trust, parse_trust
from notary.core.verdict import Check, Findings, Verdict
from notary.core.window import (
    MAX_WINDOW_BYTES,
    Opened,
    Window,
    WindowVerdict,
    parse_window,
    verify_window,
)
from notary.core.words import parse_time
from notary.remembered import checkpoint_in, keep_fork
from notary.texts import LANGUAGES, catalogue, choose, text

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

Proof = Receipt | Window | SignedAcceptance | ConsistencyProof | Fork
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
    except LogForked as error:
        return _forked(arguments, error, language)
    except NotaryError as error:
        detail = text(language, f"error.{error.code}", **_shown(_in_words(error.facts, language)))
        code = ".".join(filter(None, (error.code, str(error.facts.get("reason", "")))))
        more = {name: error.facts[name] for name in ("changes", "n") if name in error.facts}
        return _fail(arguments, REFUSED, "verify.refused", code, detail, language, **more)
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
    parser.add_argument(
        "--since", metavar="OLD", help="a checkpoint, or a file with one, that you remember"
    )
    parser.add_argument(
        "--consistency", metavar="FILE", action="append", default=[],
        help="the proof that the log only grew between that and this",
    )  # fmt: skip
    parser.add_argument("--monitor", metavar="FILE", help="the report of a monitor that you trust")
    parser.add_argument(
        "--fork-file", metavar="OUT", help="where the proof goes when the log contradicts itself"
    )
    parser.add_argument("--lang", choices=LANGUAGES, help="language of the verdict")
    parser.add_argument("--timezone", help="also show times there, such as Asia/Shanghai")
    parser.add_argument("--json", action="store_true", help="the verdict as JSON")
    return parser


def _verify(arguments: argparse.Namespace, language: str) -> int:
    zone = _zone(arguments.timezone)
    trust = parse_trust(_read_text(arguments.trust, MAX_TRUST_BYTES))
    read = _parse(_read(arguments.receipt, MAX_WINDOW_BYTES), arguments.receipt)
    cose = read if isinstance(read, CoseReceipt) else None
    proof = read.receipt if isinstance(read, CoseReceipt) else read
    is_file = isinstance(proof, Receipt) and isinstance(proof.subject, FilePart)
    payload: bytes | Iterator[bytes] | None = None
    if arguments.payload and not isinstance(proof, Window):
        name = arguments.payload
        payload = _pieces(name) if is_file else _read(name, MAX_PAYLOAD_BYTES)
    judgement = _hold_against(proof, arguments.against, trust) if arguments.against else None
    try:
        verdict = _verdict(proof, cose, trust, payload, arguments.payload)
    except PayloadMismatch as mismatch:
        if arguments.payload and isinstance(proof, Receipt | SignedAcceptance):
            raise _diagnosed(proof, trust, arguments.payload) from None
        if isinstance(proof, Window) and "n" in mismatch.facts:
            n = int(str(mismatch.facts["n"]))
            raise _diagnosed_line(proof, n, arguments.payload) from None
        raise
    beside = _beside(arguments, proof, trust)
    if arguments.json:
        told = {"holds": True, **asdict(verdict), "beside": [asdict(check) for check in beside]}
        if judgement is not None:
            told["against"] = {**asdict(judgement), "is_misconduct": judgement.is_misconduct}
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        print("\n".join(_lines(verdict, beside, language, zone)))
        if judgement is not None:
            print("\n" + text(language, f"verify.against.{judgement.kind}"))
    sys.stdout.flush()
    return REFUSED if judgement is not None and judgement.is_misconduct else HOLDS


def _verdict(
    proof: Proof,
    cose: CoseReceipt | None,
    trust: Trust,
    payload: bytes | Iterator[bytes] | None,
    name: str | None,
) -> Verdict | WindowVerdict:
    """Check a proof, with the payload, or a window's with the file of that name."""
    if isinstance(proof, ConsistencyProof):
        return verify_consistency_proof(proof, trust)
    if isinstance(proof, Fork):
        return verify_fork(proof, trust)
    if isinstance(proof, Window):
        return verify_window(proof, trust, _opened(name, proof) if name else None)
    if isinstance(proof, SignedAcceptance):
        return verify_acceptance(proof, trust, payload if isinstance(payload, bytes) else None)
    if cose is not None:
        return verify_cose_receipt(cose, trust, payload)
    # tlog-proof-v1.md, step 2: the receipt that it stands for holds, as any receipt.
    return verify_receipt(proof, trust, payload)


def _beside(arguments: argparse.Namespace, proof: Proof, trust: Trust) -> tuple[Check, ...]:
    """What is said of a proof's log by what its user remembers, and by a monitor."""
    if not isinstance(proof, Receipt | Window):
        if arguments.since or arguments.monitor:
            raise Unusable("verify.since-nothing")
        return ()
    receipt = proof.receipt if isinstance(proof, Window) else proof
    proved, findings = check_checkpoint(receipt.checkpoint, trust), Findings()
    given = [parse_consistency(_read_text(name, MAX_PAIR_BYTES)) for name in arguments.consistency]
    if arguments.since:
        check_since(_remembered(arguments.since, trust), proved, given, trust, findings)
    if arguments.monitor:
        report = parse_report(_read_text(arguments.monitor, MAX_REPORT_BYTES))
        check_monitored(report, receipt.log_index, proved, given, trust, findings)
    elif isinstance(proof, Window):
        findings.not_checked("monitored", reason="none")
    return tuple(findings.checks)


def _remembered(name: str, trust: Trust) -> Signed:
    try:
        return check_checkpoint(checkpoint_in(_read_text(name, MAX_WINDOW_BYTES)), trust)
    except NotaryError as error:
        raise Unusable("verify.since-unusable", path=name, why=error.detail) from None


def _forked(arguments: argparse.Namespace, error: LogForked, language: str) -> int:
    """Keep the proof of the fork in a file; where that can't be, it is printed."""
    said = text(language, f"error.{error.code}", **_shown(error.facts))
    wanted = Path(arguments.fork_file) if arguments.fork_file else None
    try:
        path = str(keep_fork(error.fork, wanted, Path()))
        said += " " + text(language, "verify.fork-file", **_shown({"path": path}))
    except (OSError, ValueError) as fault:
        path = None
        why = getattr(fault, "strerror", None) or "not a name of a file"
        said += " " + text(language, "verify.fork-unwritten", why=why)
        if not arguments.json:
            print(error.fork)
    if arguments.json:
        told = {"holds": False, "code": error.code, "detail": said, "fork": json.loads(error.fork)}
        print(json.dumps({**told, "fork_file": path}, ensure_ascii=False))
    else:
        print(said, file=sys.stderr)
    return REFUSED


def _diagnosed(proof: Receipt | SignedAcceptance, trust: Trust, name: str) -> PayloadMismatch:
    """
    A payload that doesn't match may be the same content in other bytes, and then it is told. It
    stays a mismatch. Of a proof that doesn't hold itself nothing is said.
    """
    if isinstance(proof, Receipt):
        verify_receipt(proof, trust)
    else:
        verify_acceptance(proof, trust)
    return diagnose(proof, lambda: _pieces(name))


def _diagnosed_line(window: Window, n: int, name: str) -> PayloadMismatch:
    """The same of record n's payload beside a window, which holds by itself."""
    place = n - window.statements[0].n
    salt, payload = next(islice(_opened(name, window), place, None)) or (None, b"")
    found = diagnose_record(window.statements[place], salt, lambda: [payload])
    found.facts["n"] = n
    return found


def _hold_against(proof: Proof, name: str, trust: Trust) -> Judgement:
    """What an acceptance and another file say of each other."""
    other = _parse(_read(name, MAX_RECEIPT_BYTES), name)
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


def _parse(data: bytes, name: str) -> Proof | CoseReceipt:
    """What the file is; one of ours that is damaged is refused, not unusable."""
    if data.startswith(FIRST_BYTES):
        return parse_cose_receipt(data)
    content = _as_text(data, name)
    if content.startswith(FIRST_LINE):
        return parse_tlog_proof(content)  # tlog-proof-v1.md, step 2: judged as any receipt
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
    return _as_text(_read(name, limit), name)


def _as_text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Unusable("verify.not-text", path=name) from None


def _fail(
    arguments: argparse.Namespace,
    exit_code: int,
    code: str,
    why: str,
    detail: str,
    language: str,
    **more: object,
) -> int:
    sentence = text(language, code, detail=detail)
    if arguments.json:
        told = {"holds": False, "code": why, "detail": sentence, **more}
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(sentence, file=sys.stderr)
    return exit_code


def _lines(
    verdict: Verdict | WindowVerdict,
    beside: tuple[Check, ...],
    language: str,
    zone: ZoneInfo | None,
) -> Iterator[str]:
    """The verdict in words that a clerk understands."""
    checks: tuple[Check, ...] = ()
    if isinstance(verdict, WindowVerdict):
        checks, verdict = verdict.checks, verdict.receipt
        yield text(language, "verify.holds-window")
    else:
        own = f"verify.holds-{verdict.kind}"
        yield text(language, own if own in catalogue(language) else "verify.holds")
    checks += verdict.checks + beside
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
    yield text(language, "verify.no-truth", reason=verdict.kind)


def _in_words(facts: Mapping[str, object], language: str) -> dict[str, object]:
    """Facts, with what was done to a copy in words of the language."""
    changes = facts.get("changes")
    if not isinstance(changes, list):
        return dict(facts)
    return {**facts, "changes": ", ".join(text(language, f"resaved.{word}") for word in changes)}


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
