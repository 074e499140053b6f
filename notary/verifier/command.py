# SPDX-License-Identifier: Apache-2.0
"""
`notary verify`: check a receipt, a window, an acceptance, a consistency proof, the proof of a
fork or the note of a recovery offline. Standard library only; what reads the evidence of ledgers,
and what asks a chain where that is wanted, is handed in.

Exit 0 when all that was asked holds, 1 when not (also where an acceptance that holds proves
misconduct, or the log contradicts what is remembered), 2 for input that can't be used.
"""

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from notary.core.cose_receipt import CoseReceipt
from notary.core.errors import LogForked, MalformedTrust, NotaryError, PayloadMismatch
from notary.core.receipt import Receipt
from notary.core.receipt_ledgers import FILE_ALONE, Checker
from notary.core.receipt_parts import FilePart
from notary.core.trust import MAX_TRUST_BYTES, LedgerTrust, Trust, parse_trust
from notary.core.window import MAX_WINDOW_BYTES, Window
from notary.remembered import keep_fork
from notary.texts import LANGUAGES, choose, text
from notary.verifier.files import Unusable, parse, pieces, read, read_text
from notary.verifier.judge import beside, hold_against, judge, told_apart
from notary.verifier.words import in_words, lines, shown, whose_fault

HOLDS: Final = 0
REFUSED: Final = 1
UNUSABLE: Final = 2
MAX_PAYLOAD_BYTES: Final = 4 << 30

Checkers = Mapping[str, Checker]
GoOnline = Callable[[Sequence[str], Sequence[LedgerTrust]], Checkers]
"""From items `LEDGER=URL` and a trust file's ledgers to checkers that ask; raises NotaryError."""


def main(
    argv: Sequence[str] | None = None,
    environment_language: str = "",
    program: str = "notary verify",
    checkers: Checkers = FILE_ALONE,
    go_online: GoOnline | None = None,
) -> int:
    """Verify what the arguments name; prints the verdict and returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that can't show a character must not end in a traceback.
            stream.reconfigure(errors="backslashreplace")
    arguments = _parser(program).parse_args(argv)
    language = choose(arguments.lang or environment_language)
    try:
        return _verify(arguments, language, checkers, go_online)
    except (Unusable, MalformedTrust) as error:
        code = error.code if isinstance(error, Unusable) else f"error.{error.code}"
        detail = text(language, code, **shown(error.facts))
        return _fail(arguments, UNUSABLE, "verify.unusable", code, detail, language)
    except LogForked as error:
        return _forked(arguments, error, language)
    except NotaryError as error:
        detail = text(language, f"error.{error.code}", **shown(in_words(error.facts, language)))
        if not arguments.against:
            whose = whose_fault(error, arguments.receipt, arguments.payload, language)
            detail = f"{detail} {whose}" if whose else detail
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
        "--online", metavar="LEDGER=URL", action="append", default=[],
        help="a node of your own choice that is asked whether a block is in its chain",
    )  # fmt: skip
    parser.add_argument(
        "--fork-file", metavar="OUT", help="where the proof goes when the log contradicts itself"
    )
    parser.add_argument("--lang", choices=LANGUAGES, help="language of the verdict")
    parser.add_argument("--timezone", help="also show times there, such as Asia/Shanghai")
    parser.add_argument("--json", action="store_true", help="the verdict as JSON")
    return parser


def _verify(
    arguments: argparse.Namespace, language: str, checkers: Checkers, go_online: GoOnline | None
) -> int:
    zone = _zone(arguments.timezone)
    trust = parse_trust(read_text(arguments.trust, MAX_TRUST_BYTES))
    if arguments.online:
        checkers = _online(arguments.online, trust, go_online)
    found = parse(read(arguments.receipt, MAX_WINDOW_BYTES), arguments.receipt)
    cose = found if isinstance(found, CoseReceipt) else None
    proof = found.receipt if isinstance(found, CoseReceipt) else found
    is_file = isinstance(proof, Receipt) and isinstance(proof.subject, FilePart)
    payload: bytes | Iterator[bytes] | None = None
    if arguments.payload and not isinstance(proof, Window):
        name = arguments.payload
        payload = pieces(name) if is_file else read(name, MAX_PAYLOAD_BYTES)
    judgement = hold_against(proof, arguments.against, trust) if arguments.against else None
    try:
        verdict = judge(proof, cose, trust, payload, arguments.payload, checkers)
    except PayloadMismatch as mismatch:
        raise told_apart(mismatch, proof, trust, arguments.payload) from None
    others = beside(arguments, proof, trust)
    if arguments.json:
        told = {"holds": True, **asdict(verdict), "beside": [asdict(check) for check in others]}
        if judgement is not None:
            told["against"] = {**asdict(judgement), "is_misconduct": judgement.is_misconduct}
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        print("\n".join(lines(verdict, others, language, zone)))
        if judgement is not None:
            print("\n" + text(language, f"verify.against.{judgement.kind}"))
    sys.stdout.flush()
    return REFUSED if judgement is not None and judgement.is_misconduct else HOLDS


def _online(asked: Sequence[str], trust: Trust, go_online: GoOnline | None) -> Checkers:
    """The checkers that ask these nodes."""
    if go_online is None:
        raise Unusable("verify.online-not-here")
    try:
        return go_online(asked, trust.ledgers)
    except NotaryError as error:
        raise Unusable(f"error.{error.code}", **error.facts) from None


def _forked(arguments: argparse.Namespace, error: LogForked, language: str) -> int:
    """Keep the proof of the fork in a file; where that can't be, it is printed."""
    said = text(language, f"error.{error.code}", **shown(error.facts))
    wanted = Path(arguments.fork_file) if arguments.fork_file else None
    try:
        path = str(keep_fork(error.fork, wanted, Path()))
        said += " " + text(language, "verify.fork-file", **shown({"path": path}))
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


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Unusable("verify.no-zone", zone=name) from None


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
