# SPDX-License-Identifier: Apache-2.0
"""
`notary verify`: check a receipt or a window offline. Standard library only.

Exit 0 when all that was asked holds, 1 when not, 2 for input that can't be used.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from notary.core.errors import MalformedTrust, NotaryError
from notary.core.receipt import verify_receipt
from notary.core.receipt_format import MAX_RECEIPT_BYTES, parse_receipt
from notary.core.receipt_parts import Receipt
from notary.core.trust import MAX_TRUST_BYTES, parse_trust
from notary.core.verdict import Verdict
from notary.core.window import (
    MAX_WINDOW_BYTES,
    Window,
    WindowVerdict,
    parse_window,
    verify_window,
)
from notary.texts import LANGUAGES, choose, text

HOLDS, REFUSED, UNUSABLE = 0, 1, 2
MAX_PAYLOAD_BYTES = 4 << 30


class Unusable(Exception):
    """Input that can't be used; carries the sentence."""


def main(argv: Sequence[str] | None = None, environment_language: str = "") -> int:
    """Verify what the arguments name; prints the verdict and returns the exit code."""
    arguments = _parser().parse_args(argv)
    language = choose(arguments.lang or environment_language)
    try:
        zone = ZoneInfo(arguments.timezone) if arguments.timezone else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = None
    try:
        trust_text = _read_text(arguments.trust, MAX_TRUST_BYTES, language)
        subject_text = _read_text(arguments.receipt, MAX_WINDOW_BYTES, language)
        payload = (
            _read(arguments.payload, MAX_PAYLOAD_BYTES, language) if arguments.payload else None
        )
        trust = parse_trust(trust_text)
        subject = _parse(subject_text, arguments.receipt, language)
        if isinstance(subject, Window):
            verdict: Verdict | WindowVerdict = verify_window(subject, trust)
        else:
            verdict = verify_receipt(subject, trust, payload)
    except (Unusable, MalformedTrust) as error:
        code = getattr(error, "code", None)
        detail = text(language, f"error.{code}", **error.facts) if code else str(error)  # type: ignore[union-attr]
        return _fail(arguments.json, UNUSABLE, text(language, "verify.unusable", detail=detail))
    except NotaryError as error:
        detail = text(language, f"error.{error.code}", **error.facts)
        return _fail(arguments.json, REFUSED, text(language, "verify.refused", detail=detail))
    if arguments.json:
        print(json.dumps(_plain(verdict), ensure_ascii=False, indent=1, default=str))
    else:
        print("\n".join(_lines(verdict, language, zone)))
    return HOLDS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="notary verify", description="Check a receipt or a window offline."
    )
    parser.add_argument("receipt", help="the receipt or window")
    parser.add_argument("--trust", required=True, help="the trust file, got by another way")
    parser.add_argument("--payload", help="the content that you hold, as a file")
    parser.add_argument("--lang", choices=LANGUAGES, help="language of the verdict")
    parser.add_argument("--timezone", help="also show times there, such as Asia/Shanghai")
    parser.add_argument("--json", action="store_true", help="the verdict as JSON")
    return parser


def _parse(content: str, name: str, language: str) -> Receipt | Window:
    """The receipt or window; a JSON object of ours that is damaged is refused, not unusable."""
    try:
        members = json.loads(content)
    except (ValueError, RecursionError):
        members = None
    version = members.get("v") if isinstance(members, dict) else None
    if version == "window/1":
        return parse_window(content)
    if version == "receipt/1" and len(content) <= MAX_RECEIPT_BYTES:
        return parse_receipt(content)
    raise Unusable(text(language, "verify.not-proof", path=name))


def _read(name: str, limit: int, language: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a name of a file"
        raise Unusable(text(language, "verify.no-file", path=name, why=why)) from None
    if len(data) > limit:
        raise Unusable(text(language, "verify.too-large", path=name, limit=limit))
    return data


def _read_text(name: str, limit: int, language: str) -> str:
    try:
        return _read(name, limit, language).decode("utf-8")
    except UnicodeDecodeError:
        raise Unusable(text(language, "verify.not-text", path=name)) from None


def _fail(as_json: bool, code: int, sentence: str) -> int:
    if as_json:
        print(json.dumps({"holds": False, "detail": sentence}, ensure_ascii=False))
    else:
        print(sentence, file=sys.stderr)
    return code


def _plain(verdict: Verdict | WindowVerdict) -> dict[str, object]:
    return {"holds": True, **asdict(verdict)}


def _lines(verdict: Verdict | WindowVerdict, language: str, zone: ZoneInfo | None) -> Iterator[str]:
    """The verdict in words that a clerk understands."""
    yield text(language, "verify.holds")
    yield ""
    window = verdict if isinstance(verdict, WindowVerdict) else None
    proof = verdict.receipt if isinstance(verdict, WindowVerdict) else verdict
    if window is not None:
        yield text(language, "check.window.held", **asdict(window))
        if window.open_end:
            yield text(language, "check.window-end.own-word")
    yield text(language, f"verify.{proof.kind}", **proof.subject)
    for name in ("received", "observed", "key", "by"):
        value = proof.subject.get(name)
        if value is not None:
            line = text(language, f"verify.{name}", **proof.subject)
            yield "  " + (_timed(line, value, zone) if name == "received" else line)
    for status, heading in (("held", "made"), ("own-word", "own"), ("not-checked", "not-made")):
        checks = [check for check in proof.checks if check.status == status]
        if checks:
            yield ""
            yield text(language, f"verify.{heading}")
        for check in checks:
            facts: Mapping[str, object] = {**check.facts, "reason": check.facts.get("reason", "-")}
            yield f"  {_MARKS[status]} " + text(language, f"check.{check.code}.{status}", **facts)
    yield ""
    yield text(language, "verify.log", origin=proof.origin, name=proof.trust_name)
    yield "  " + " ".join(proof.fingerprint[at : at + 8] for at in range(0, 64, 8))
    yield text(language, "verify.compare")
    yield text(language, "verify.no-truth")


_MARKS = {"held": "[x]", "own-word": "[!]", "not-checked": "[ ]"}


def _timed(line: str, value: object, zone: ZoneInfo | None) -> str:
    """The line with the time in the wanted zone beside UTC."""
    if zone is None or not isinstance(value, str):
        return line
    try:
        local = datetime.fromisoformat(value).astimezone(zone)
    except ValueError:
        return line
    return f"{line} = {local.isoformat(timespec='seconds')} {zone.key}"
