# SPDX-License-Identifier: Apache-2.0
"""The verdict in words that a clerk understands, and facts as they may be shown."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from notary.core.errors import MalformedText, NotaryError
from notary.core.verdict import Check, Verdict
from notary.core.window import WindowVerdict
from notary.core.words import parse_time
from notary.texts import catalogue, text

MARKS: Final = {"held": "[x]", "own-word": "[!]", "not-checked": "[ ]"}
HEADINGS: Final = {
    "held": "verify.made",
    "own-word": "verify.own",
    "not-checked": "verify.not-made",
}
MAY_BE_WHOLE: Final = frozenset(
    (
        "unknown-signer",
        "quorum-not-met",
        "consistency-refused",
        "fork-refused",
        "receipt-refused.no-consistency",
        "receipt-refused.not-good",
        "receipt-refused.size-not-served",
        "receipt-refused.no-salt",
        "receipt-refused.salt-erased",
        "receipt-refused.no-tag-salt",
        "receipt-refused.ledger-dropped",
        "receipt-refused.ledger-evidence",
        "receipt-refused.ledger-kind",
        "acceptance-refused.no-salt",
    )
)
"""Refusals that a file may meet which is as the notary made it."""


def lines(
    verdict: Verdict | WindowVerdict,
    beside: tuple[Check, ...],
    language: str,
    zone: ZoneInfo | None,
) -> Iterator[str]:
    """The verdict in words that a clerk understands."""
    checks: tuple[Check, ...] = ()
    if isinstance(verdict, WindowVerdict):
        yield text(language, "verify.holds-window", **_limit_of(verdict))
        yield ""
        yield text(language, "verify.window", **shown(_limit_of(verdict)))
        checks, verdict, is_alone = verdict.checks, verdict.receipt, False
    else:
        is_alone = verdict.kind == "record"
        own = f"verify.holds-{verdict.kind}"
        yield text(language, own if own in catalogue(language) else "verify.holds")
        yield ""
    checks += verdict.checks + beside
    subject = shown(verdict.subject, zone)
    subject["reason"], _, subject["id"] = str(verdict.subject.get("by")).partition(":")
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
            facts = shown(check.facts, zone)
            yield f"  {MARKS[status]} " + text(language, f"check.{check.code}.{status}", **facts)
            if "install" in facts:
                yield "      " + text(language, "verify.install", **facts)
    yield ""
    about = shown({"origin": verdict.origin, "name": verdict.trust_name})
    yield text(
        language, "verify.acceptance-key" if verdict.kind == "acceptance" else "verify.log", **about
    )
    yield "  " + " ".join(verdict.fingerprint[at : at + 8] for at in range(0, 64, 8))
    yield text(language, "verify.compare")
    yield text(language, "verify.no-truth", reason=verdict.kind)
    if is_alone:
        yield text(language, "verify.not-others")


def whose_fault(error: NotaryError, proof: str, payload: str | None, language: str) -> str | None:
    """Which of the files it is that a refusal speaks of; None where that is not known."""
    code, reason = error.code, error.facts.get("reason")
    of = error.facts.get("of", "proof")
    if of == "proof" and (code in MAY_BE_WHOLE or f"{code}.{reason}" in MAY_BE_WHOLE):
        return None
    facts = shown({"proof": proof, "path": payload, "n": error.facts.get("n")})
    return text(language, f"verify.refused-of.{of}", **facts)


def _limit_of(window: WindowVerdict) -> dict[str, object]:
    """What a window carries, and as `reason` what is not shown of what was asked for."""
    facts: dict[str, object] = {
        name: getattr(window, name) for name in ("dataset", "source", "first", "last")
    }
    if any(check.code == "asked" and check.status == "own-word" for check in window.checks):
        return {**facts, "reason": "observed"}
    return {**facts, "reason": "open"} if window.open_end else facts


def in_words(facts: Mapping[str, object], language: str) -> dict[str, object]:
    """Facts, with what was done to a copy in words of the language."""
    changes = facts.get("changes")
    if not isinstance(changes, list):
        return dict(facts)
    return {**facts, "changes": ", ".join(text(language, f"resaved.{word}") for word in changes)}


def shown(facts: Mapping[str, object], zone: ZoneInfo | None = None) -> dict[str, object]:
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
