# SPDX-License-Identifier: Apache-2.0
"""
What a notary says after its database was set back: `recovery/1`, a signed note.

    city-notary/recovery/1
    <origin of the log that was set back>
    <size of its newest state that is known>
    <the root of that in hex>
    <size of what is kept: batches that are here whole>
    <the root of that in hex>
    <chain that records join from here on>
    <origin of the log that goes on>
    <time, UTC>

The log itself goes on where the leaves from `kept` on were put back, or none is missing; else
it is closed, and another one goes on that begins with the leaves that are kept. See
docs/spec/recovery-v1.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from notary.core.errors import MalformedNote, MalformedText, MalformedTrust, RecoveryRefused
from notary.core.hashing import EMPTY_ROOT, RootHash
from notary.core.note import open_note
from notary.core.trust import LogKey, Trust, parse_trust
from notary.core.verdict import Findings, Verdict
from notary.core.vkey import check_name
from notary.core.words import check_count, format_time, parse_hash, parse_time

HEADING: Final = "city-notary/recovery/1"
USE: Final = "recovery"
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Recovery:
    """
    `size` and `root` are the newest state known of the log `origin`; `kept` and `kept_root` are
    what the database still had: the records of the batches from there on are lost. Roots have 32
    bytes, `time` is aware UTC.

    Raises:
        MalformedNote: the members contradict each other.
    """

    origin: str
    size: int
    root: RootHash
    kept: int
    kept_root: RootHash
    chain: int
    goes_on: str
    time: datetime

    def __post_init__(self) -> None:
        check_name(self.origin)
        check_name(self.goes_on)
        if self.chain < 1:
            raise MalformedNote("A recovery raises the chain.")
        if self.is_closed and self.kept >= self.size:
            raise MalformedNote("A log of which nothing is missing is not closed.")
        for size, root in ((self.size, self.root), (self.kept, self.kept_root)):
            if (size == 0) != (root == EMPTY_ROOT):
                raise MalformedNote("A log without leaves has the root of nothing.")
        if self.kept == self.size and self.kept_root != self.root:
            raise MalformedNote("One size has two roots.")

    @property
    def is_closed(self) -> bool:
        """Whether the log that was set back is closed for good."""
        return self.goes_on != self.origin


def format_recovery(recovery: Recovery) -> str:
    """Write a recovery as the text of a note, final newline included."""
    return (
        f"{HEADING}\n{recovery.origin}\n{recovery.size}\n{recovery.root.hex()}\n"
        f"{recovery.kept}\n{recovery.kept_root.hex()}\n{recovery.chain}\n{recovery.goes_on}\n"
        f"{format_time(recovery.time)}\n"
    )


def parse_recovery(text: str) -> Recovery:
    """
    Read the text of a recovery's note. It says nothing about who signed it.

    Raises:
        MalformedNote: it is not exactly what `format_recovery` writes.

    docs/spec/recovery-v1.md, rules 1 to 4.
    """
    lines = text.split("\n")
    if len(lines) != 10 or lines[0] != HEADING or lines[9]:
        raise MalformedNote("The text is not a recovery.")
    try:
        return Recovery(
            origin=lines[1],
            size=_decimal(lines[2]),
            root=RootHash(parse_hash(lines[3])),
            kept=_decimal(lines[4]),
            kept_root=RootHash(parse_hash(lines[5])),
            chain=_decimal(lines[6]),
            goes_on=lines[7],
            time=parse_time(lines[8]),
        )
    except MalformedText as error:
        raise MalformedNote(error.detail) from None


@dataclass(frozen=True, slots=True)
class RecoveryNote:
    """The whole note of a recovery, as it came; nothing of it is checked."""

    text: str


def open_recovery(note: str, trust: Trust) -> tuple[Recovery, LogKey]:
    """
    Check a recovery's note by the log keys of a trust file. Returns the key that signed, too:
    one that was never given up before the others.

    Raises:
        MalformedNote, BadSignature, UnknownSigner: not such a note of a trusted key.
        RecoveryRefused: no key of the log that was set back signed.

    docs/spec/recovery-v1.md, step 1 and step 2.
    """
    opened = open_note(note, [log.verifier for log in trust.logs])
    # recovery-v1.md, step 1.
    recovery = parse_recovery(opened.text)
    # recovery-v1.md, step 2.
    signed = {item.verifier for item in opened.verified}
    own = [log for log in trust.logs if log.verifier in signed and log.origin == recovery.origin]
    if not own:
        raise RecoveryRefused("No key of the log that was set back signed.", reason="other-log")
    return recovery, min(own, key=lambda log: log.good is not None)


def verify_recovery(note: RecoveryNote | str, trust: Trust | str) -> Verdict:
    """
    Check a recovery's note and tell what it says. It is the notary's own word: what was lost
    nobody can prove.

    Raises:
        MalformedTrust: the trust file.
        MalformedNote, BadSignature, UnknownSigner, RecoveryRefused: as `open_recovery`.
    """
    trust = trust if isinstance(trust, Trust) else parse_trust(trust)
    text = note.text if isinstance(note, RecoveryNote) else note
    recovery, key = open_recovery(text, trust)
    if key.good is not None:
        # recovery-v1.md, step 3: its thief can have written it, so it holds only where the
        # trust file itself lists it.
        raise RecoveryRefused("The key that signed was given up.", reason="compromised")
    findings = Findings()
    findings.own_word(
        "recovery",
        reason=_outcome(recovery),
        origin=recovery.origin,
        size=recovery.size,
        kept=recovery.kept,
        chain=recovery.chain,
        goes_on=recovery.goes_on,
        time=format_time(recovery.time),
    )
    return Verdict(
        kind="recovery",
        subject={"origin": recovery.origin, "size": recovery.size, "root": recovery.root.hex()},
        trust_name=trust.name,
        origin=recovery.origin,
        fingerprint=key.verifier.fingerprint,
        checks=tuple(findings.checks),
    )


def _outcome(recovery: Recovery) -> str:
    if recovery.is_closed:
        return "closed"
    return "put-back" if recovery.kept < recovery.size else "whole"


def recoveries_of(trust: Trust) -> tuple[Recovery, ...]:
    """
    The recoveries that a trust file tells of, each checked.

    Raises:
        MalformedTrust: an entry has not exactly `use` and `note`.
        MalformedNote, BadSignature, UnknownSigner, RecoveryRefused: as `open_recovery`.
    """
    return tuple(
        open_recovery(_note(other.members), trust)[0] for other in trust.keys if other.use == USE
    )


def _note(members: Mapping[str, object]) -> str:
    note = members.get("note")
    if members.keys() != {"use", "note"} or not isinstance(note, str):
        raise MalformedTrust("A recovery has the members use and note, a text.")
    return note


def _decimal(text: str) -> int:
    if not _DECIMAL.fullmatch(text):
        raise MalformedNote("A number is not canonical decimal.")
    return check_count(int(text), "number")
